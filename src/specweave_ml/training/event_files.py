"""Keras's numbers as event files of TensorBoard too, written by tensorboardX: TensorFlow is not needed."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from specweave_ml.errors import MissingDependency
from specweave_ml.project import INCREMENTS, find_increment
from specweave_ml.tensorboard.source import RECORDED
from specweave_ml.tracking.start import is_disabled
from specweave_ml.training.keras import KerasCallback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from specweave_ml.tracking import TrackedExperiment


class TensorBoardCallback(KerasCallback):
    """A `KerasCallback` that writes the same numbers as event files of TensorBoard, without TensorFlow.

    Args:
        increment: `0042`, `42`, the full name, or None for the active one.
        log_dir: the folder that `tensorboard --logdir` shows, in which every fit gets a folder called as its
            experiment; `0042...` in it stands for the increment's whole name. By default the increment's
            `tensorboard` folder.
        options: what else `KerasCallback` takes.

    Raises:
        MissingDependency: tensorboardX or Keras is not installed.
        NotFound: no project, or no such increment.
    """

    def __init__(
        self,
        increment: str | os.PathLike[str] | None = None,
        log_dir: str | os.PathLike[str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(increment, **options)
        try:
            self._make_writer = import_module("tensorboardX").SummaryWriter
        except ImportError as error:
            raise MissingDependency(
                "tensorboardX is not installed", next_step='pip install "specweave-ml[tensorboard]"'
            ) from error
        self._log_dir = None if log_dir is None else _resolved(os.fspath(log_dir))
        self._events: Any = None

    def _begin(self, name: str) -> TrackedExperiment:
        self._close()
        experiment = super()._begin(name)
        if not is_disabled():
            self._events = self._attempt("event files of TensorBoard", lambda: self._open(experiment))
        return experiment

    def _open(self, experiment: TrackedExperiment) -> Any:
        home = self._log_dir or os.path.join(experiment.path.parents[1], "tensorboard")
        folder = os.path.join(home, experiment.name)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, RECORDED), "w", encoding="utf-8") as file:
            file.write("These event files belong to an experiment that is recorded, so they are not pulled.\n")
        return self._make_writer(folder)

    def _take_numbers(self, numbers: Mapping[str, float], step: int | None) -> None:
        if self._events is not None:
            for name, value in numbers.items():
                self._events.add_scalar(name, value, step)

    def _end(self, error: BaseException | None = None) -> None:
        self._close()
        super()._end(error)

    def _close(self) -> None:
        events, self._events = self._events, None
        if events is not None:
            self._attempt("the end of the event files", events.close)

    def __reduce__(self) -> tuple[Any, ...]:
        again, (kind, state) = super().__reduce__()
        return again, (kind, {**state, "_events": None})  # its thread and file stay in this process


def _resolved(log_dir: str) -> str:
    """The folder with `0042...` in it spelled out.

    Raises:
        NotFound, UsageError, Refused: as `find_increment`.
    """
    before, found, inside = log_dir.partition(f"{INCREMENTS}/")
    named, _, rest = inside.partition("/")
    if not (found and named.endswith(("...", "…"))):
        return os.path.abspath(log_dir)
    return os.path.join(find_increment(named, before or None).path, rest)
