"""A TensorBoard run, put together from its event files; they are read twice, as W&B's logs are, to need no room."""

from __future__ import annotations

import os
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from specweave_ml.foreign import ForeignPoint, ForeignRun
from specweave_ml.logs import LeftOut, is_name, milliseconds
from specweave_ml.tensorboard.events import read_events
from specweave_ml.wire import Malformed, Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from specweave_ml.foreign import ForeignStatus
    from specweave_ml.tensorboard.events import Event, Value

_HPARAMS = "hparams"
_ENDS: dict[int, ForeignStatus] = {1: "finished", 2: "failed"}


def read_run(key: str, version: str, name: str, files: Sequence[str], *, is_running: bool = False) -> ForeignRun:
    """The run that these files tell of.

    Args:
        key: its id.
        version: its version.
        name: what it is called.
        files: its event files in the order in which they were written.
        is_running: whether a run may still be going on that does not say how it ended; event files rarely do.

    Raises:
        Malformed: one of them is no event file.
        OSError: one of them cannot be read.
    """
    read = _Reading(files)
    status = read.status or ("running" if is_running else "finished")
    started = read.first or os.stat(files[0]).st_mtime_ns // 1_000_000
    return ForeignRun(
        id=key,
        version=version,
        name=name,
        status=status,
        started=started,
        ended=None if status == "running" else max(started, read.last),
        params=read.params,
        points=read.points(),
        left_out=read.left_out.words(),
    )


class _Reading:
    """What the files say, scalars aside: of those only the times."""

    def __init__(self, files: Sequence[str]) -> None:
        self._files = files
        self._plugins: dict[str, str] = {}
        self.left_out = LeftOut()
        self._restarts: list[tuple[int, int]] = []
        self.params: dict[str, Any] = {}
        self.status: ForeignStatus | None = None
        self.first = self.last = 0
        for number, event in self._events():
            self._take(number, event)

    def points(self) -> Iterator[ForeignPoint]:
        """Every scalar, without those that a later session began anew."""
        void_from = [*accumulate((step for _, step in reversed(self._restarts)), min)]  # by how many are to come
        to_come = len(self._restarts)
        for number, event in self._events():
            while to_come and self._restarts[-to_come][0] <= number:
                to_come -= 1
            if to_come and event.step >= void_from[to_come - 1]:
                continue
            for value in event.values:
                if self._is_scalar(value) and is_name(value.tag):
                    yield ForeignPoint(value.tag, event.step, value.number, milliseconds(event.time))

    def _events(self) -> Iterator[tuple[int, Event]]:
        number = 0
        for file in self._files:
            damaged = self.left_out.damaged[file] = []
            for event in read_events(file, damaged):
                yield number, event
                number += 1

    def _take(self, number: int, event: Event) -> None:
        time = milliseconds(event.time) or 0
        self.first, self.last = self.first or time, max(self.last, time)
        if event.restarts:
            self._restarts.append((number, event.step))
        for value in event.values:
            plugin = self._plugins.setdefault(value.tag, value.plugin)
            if plugin == _HPARAMS:
                self._take_hparams(value.content)
            elif not self._is_scalar(value) or not is_name(value.tag):
                self.left_out.add(
                    value.tag, value.kind if value.kind not in {"scalar", "tensor"} else plugin or "value"
                )

    def _is_scalar(self, value: Value) -> bool:
        return value.kind == "scalar" and self._plugins.get(value.tag) in {"scalars", ""}

    def _take_hparams(self, content: bytes) -> None:
        try:
            said = Message(content)
            for entry in said.message(3).messages(1):
                if is_name(entry.text(1)):
                    self.params[entry.text(1)] = _param(entry.message(2))
            self.status = _ENDS.get(said.message(4).integer(1), self.status)
        except Malformed:
            self.left_out.add(_HPARAMS, "setting that cannot be read")


def _param(value: Message) -> Any:
    """A google.protobuf.Value, whose numbers are all floats: whole ones were most likely integers."""
    if 3 in value:
        return value.text(3)
    if 4 in value:
        return bool(value.integer(4))
    number = value.real(2)
    if 2 in value:
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    return None
