"""Other places that get what is logged: every line of a journal is said to the registered backends as well.

Only a process that registers one loads this module, and only then experiments have a writer that looks at lines again.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Protocol

from specweave_ml.errors import UsageError, complain
from specweave_ml.store.codec import number_from_json, param_from_json
from specweave_ml.store.fold import RUNNING
from specweave_ml.store.owner import Owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any


class TrackingBackend(Protocol):
    """What a backend has: six of the calls that a tracked experiment has. `Class(name, increment)` starts one.

    The calls come one at a time, from whichever thread logs, and training waits for them. They carry what the record
    has: secrets are taken out, names and values are checked. Tags and notes may come after `finish`.
    """

    def log_params(self, params: Mapping[str, Any], /) -> object:
        """Take params; one that was there already has a new value."""

    def log_metrics(self, metrics: Mapping[str, float], step: float | None, /) -> object:
        """Take metrics of one step; without one the step is None. NaN and the infinities are among the values."""

    def log_artifact(self, path: str, name: str, /) -> object:
        """Take a file, which stays where it is; `name` is its relative path in the experiment."""

    def log_note(self, text: str, /) -> object:
        """Take a sentence."""

    def add_tag(self, tag: str, /) -> object:
        """Take a word."""

    def finish(self, status: str, /) -> object:
        """End: `finished`, `failed` or `killed`."""


_CALLS = ("log_params", "log_metrics", "log_artifact", "log_note", "add_tag", "finish")
_registered: list[Callable[[str, str], TrackingBackend]] = []


def register_tracking_backend(backend: Callable[[str, str], TrackingBackend]) -> None:
    """Mirror what is logged to experiments that start from now on in this process; the folders stay as they are.

    A backend that raises is said once an experiment, and training goes on. Folds, trials and stages stay in the folder;
    of folds a backend gets the mean at the end. What other processes log (workers, forked children) is not mirrored.

    Args:
        backend: a class with the calls of `TrackingBackend`, made anew for every experiment as
            `backend(name, increment)`; the same one again changes nothing.

    Raises:
        UsageError: it cannot be called, or a class lacks some of these calls.
    """
    lacking = (
        [name for name in _CALLS if not callable(getattr(backend, name, None))] if isinstance(backend, type) else []
    )
    if not callable(backend) or lacking:
        raise UsageError(
            "this is no tracking backend" + (f": it lacks {', '.join(lacking)}" if lacking else ""),
            received=backend,
            expected=f"a class with {', '.join(_CALLS)}",
        )
    if backend not in _registered:
        _registered.append(backend)


class MirroringOwner(Owner):
    """An owner that says each line to the backends, after it is in the journal."""

    _mirrors: tuple[_Mirror, ...] = ()

    def start(self, lines: list[dict[str, Any]]) -> None:
        """Start the experiment, then the backends; OSError as of every owner."""
        super().start(lines)
        increment = os.path.basename(os.path.dirname(os.path.dirname(self.folder)))
        self._mirrors = tuple(_Mirror(kind, self.folder, increment) for kind in _registered)
        self._say(lines)

    def _append(self, data: bytes) -> bool:
        kept = super()._append(data)
        if self._pid == os.getpid():
            self._say([json.loads(data)])
        return kept

    def _write_rows(self, rows: list[dict[str, Any]]) -> None:
        try:
            super()._write_rows(rows)
        finally:  # a full disk keeps no backend from the end
            self._say(rows)

    def _say(self, lines: Iterable[dict[str, Any]]) -> None:
        for mirror in self._mirrors:
            for line in lines:
                mirror.take(line, self)


class _Mirror:
    """One backend of one experiment, guarded."""

    def __init__(self, kind: Callable[[str, str], TrackingBackend], folder: str, increment: str) -> None:
        self._name = getattr(kind, "__name__", repr(kind))
        self._folder = folder
        self._has_complained = False
        self._has_finished = False
        self._seen: set[str] = set()
        self._backend: TrackingBackend | None = None
        self._guarded(lambda: self._start(kind(os.path.basename(folder), increment)))

    def take(self, line: Mapping[str, Any], owner: Owner) -> None:
        """Say a line of the journal; what no backend knows of is passed over."""
        backend = self._backend
        if backend is None:
            return
        if "p" in line:
            params = {name: param_from_json(value) for name, value in line["p"].items()}
            self._guarded(lambda: backend.log_params(params))
        elif "m" in line and "fold" not in line:
            metrics = {
                name: number for name, value in line["m"].items() if (number := number_from_json(value)) is not None
            }
            self._seen.update(metrics)
            self._guarded(lambda: backend.log_metrics(metrics, line.get("s")))
        elif "artifact" in line:
            name = line["artifact"]["name"]
            self._guarded(lambda: backend.log_artifact(os.path.join(self._folder, name), name))
        elif "note" in line:
            self._guarded(lambda: backend.log_note(line["note"]))
        elif "tag" in line:
            self._guarded(lambda: backend.add_tag(line["tag"]))
        elif "seconds" in line and not self._has_finished:  # only the line that closes a session carries them
            self._has_finished = True
            self._finish(backend, owner, line["status"])

    def _start(self, backend: TrackingBackend) -> None:
        self._backend = backend

    def _finish(self, backend: TrackingBackend, owner: Owner, last: str) -> None:
        means = {name: value for name, value in owner.state.metrics.items() if name not in self._seen}
        if means:
            self._guarded(lambda: backend.log_metrics(means, None))
        said = owner.state.status
        self._guarded(lambda: backend.finish(last if said == RUNNING else said))

    def _guarded(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001 - a backend is a stranger's code; the training is worth more
            if not self._has_complained:
                self._has_complained = True
                of = os.path.basename(self._folder)
                complain(f"{self._name} does not get all of {of}: {type(error).__name__}: {error}")
