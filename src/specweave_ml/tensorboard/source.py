"""Runs of TensorBoard as a source: every folder with event files is one, as TensorBoard itself has it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from specweave_ml.errors import NotFound
from specweave_ml.foreign import Unreadable
from specweave_ml.logs import stamp
from specweave_ml.tensorboard.run import read_run
from specweave_ml.wire import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from specweave_ml.foreign import ForeignRun
    from specweave_ml.project import Increment

RECORDED = ".recorded"
"""A file of this name says that who writes these event files records the experiment as well: nothing is pulled."""

_USUAL = ("runs", "logs", "lightning_logs", "tb_logs")


class _Found(NamedTuple):
    name: str
    files: tuple[str, ...]
    version: str
    is_running: bool


class TensorBoardSource:
    """The runs below a folder.

    Args:
        path: the folder that `tensorboard --logdir` is given, or one event file.
    """

    tool = "tensorboard"

    def __init__(self, path: str) -> None:
        self._path = os.path.realpath(path)
        self._found: dict[str, _Found] = {}

    def versions(self) -> Mapping[str, str]:
        """The id of every run, and what changes with its files: their sizes and times, and whether it still runs.

        The id holds the name of the first file, in which its writer put time and host, so it is the same wherever
        the folder is moved.
        """
        self._found = {}
        for folder, names in self._folders():
            files = tuple(f"{folder}/{name}" for name in names)
            key = "/".join([*folder.split("/")[-2:], names[0]])
            self._found[f"tensorboard:{key}"] = self._run(folder, files)
        return {key: found.version for key, found in self._found.items()}

    def runs(self, ids: Sequence[str]) -> Iterator[ForeignRun | Unreadable]:
        """These runs, one at a time; what is no event file is named, and the other runs follow."""
        for key in ids:
            name, files, version, is_running = self._found[key]
            try:
                yield read_run(key, version, name, files, is_running=is_running)
            except Malformed as error:
                yield Unreadable(files[0], str(error))
            except OSError as error:
                yield Unreadable(files[0], error.strerror or str(error))

    def _folders(self) -> Iterator[tuple[str, list[str]]]:
        if os.path.isfile(self._path):
            yield os.path.dirname(self._path), [os.path.basename(self._path)]
            return
        for folder, inner, names in os.walk(self._path):
            inner.sort()
            events = sorted(name for name in names if "tfevents" in name and os.path.getsize(f"{folder}/{name}"))
            if events and RECORDED not in names:
                yield folder, events

    def _run(self, folder: str, files: tuple[str, ...]) -> _Found:
        version, is_running = stamp(files)
        below = os.path.relpath(folder, self._path)
        name = os.path.basename(folder) if below in {".", ".."} else below.replace("/", "-")
        return _Found(name, files, f"{version}-running" if is_running else version, is_running)


def live(path: str, _increment: Increment) -> TensorBoardSource:
    """The runs in an increment's `tensorboard` folder."""
    return TensorBoardSource(path)


def imported(path: str | None, _increment: Increment) -> TensorBoardSource:
    """The runs at a path that somebody named, or in the folder where most programs put them.

    Raises:
        NotFound: no event file is there.
    """
    for place in [path] if path else _USUAL:
        source = TensorBoardSource(place)
        if source.versions():
            return source
    raise NotFound(
        "there is no event file of TensorBoard here",
        path=path or ", ".join(_USUAL),
        expected="a folder that `tensorboard --logdir` would show, or a file such as events.out.tfevents.1700000000",
        next_step="name the folder",
    )
