"""What the helpers share: an experiment that they keep, and what could not be recorded said instead of raised."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self, TypeVar

from specweave_ml.errors import SpecweaveError, complain

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from specweave_ml.tracking import TrackedExperiment

T = TypeVar("T")

_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Recorded:
    """Work that is recorded as one experiment: a `with` block, or a plain object that `finish()` ends.

    What it does not know itself (`log_metric`, `save_artifact`, `add_tag`, …) goes to the experiment.

    Attributes:
        experiment: the handle, as `track_experiment` gives it.
    """

    def __init__(self, experiment: TrackedExperiment) -> None:
        self.experiment = experiment
        self._ended = False

    def finish(self, status: str | None = None) -> None:
        """Record what is left and end the experiment; a second call does nothing.

        Raises:
            UsageError: not one of finished, failed, killed.
        """
        self._end()
        self.experiment.finish(status)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._end()
        finally:
            self.experiment.__exit__(kind, error, trace)

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self._complete()

    def _complete(self) -> None:
        """Record what is known only at the end."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "experiment":  # half made, as while it is copied
            raise AttributeError(name)
        return getattr(self.experiment, name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} in {self.experiment!r}>"


def attempt(experiment: TrackedExperiment, what: str, action: Callable[[], T]) -> T | None:
    """Do something for the record that runs a stranger's code: its failure is a note and a warning, and no exception.

    Args:
        experiment: where the note goes.
        what: what will not be there, such as `model.pkl`.
        action: does it.
    """
    try:
        return action()
    except Exception as error:  # noqa: BLE001 - a model's own code may raise anything; the training is worth more
        why = error.what if isinstance(error, SpecweaveError) else f"{type(error).__name__}: {error}"
        experiment.log_note(f"Not recorded: {what}: {why}")
        complain(f"{experiment.name}: {what} was not recorded: {why}")
        return None


def class_name(model: Any) -> str:
    """What an experiment on a model is called when nobody says: `random-forest-classifier`."""
    return _WORD_STARTS.sub("-", type(model).__name__).lower()
