"""Runs of W&B as a source: the logs in its folders, whether the run was online, offline, or never ended."""

from __future__ import annotations

import glob
import os
from typing import TYPE_CHECKING, NamedTuple

from specweave_ml.errors import NotFound
from specweave_ml.foreign import Unreadable
from specweave_ml.logs import stamp
from specweave_ml.wandb.reading import EXIT, project_and_tags, read_run
from specweave_ml.wandb.transaction_log import BLOCK, read_records
from specweave_ml.wire import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from specweave_ml.foreign import ForeignRun
    from specweave_ml.project import Increment

_PLACES = ("*.wandb", "*run-*/*.wandb", "wandb/*run-*/*.wandb")
_DEFAULTS = ("~/.local/share/wandb", "~/.cache/wandb", "~/Library/Application Support/wandb", "~/Library/Caches/wandb")


class _Found(NamedTuple):
    logs: tuple[str, ...]
    version: str
    is_running: bool


class WandbSource:
    """The runs below some folders.

    Args:
        own: folders of which every run is meant: the `wandb` folder of a project, the one it lies in, one run's
            folder, or a log itself.
        shared: folders of which only the runs are meant that have one of `names` as their project or a tag.
        names: what the increment is called.
        kept_in: where W&B keeps data and caches, next to where its variables and defaults say.
    """

    tool = "wandb"

    def __init__(
        self,
        own: Sequence[str],
        shared: Sequence[str] = (),
        names: frozenset[str] = frozenset(),
        kept_in: Sequence[str] = (),
    ) -> None:
        said = (os.environ.get(name) for name in ("WANDB_DATA_DIR", "WANDB_CACHE_DIR"))
        self._kept_in = [*kept_in, *filter(None, said), *_DEFAULTS]
        self._own, self._shared, self._names = own, shared, names
        self._found: dict[str, _Found] = {}

    def versions(self) -> Mapping[str, str]:
        """The id of every run, and what changes with its logs: their sizes and times, and whether it still runs."""
        logs: dict[str, dict[str, None]] = {}
        for key, log in self._keyed():
            logs.setdefault(key, {})[log] = None
        self._found = {key: _found(tuple(several)) for key, several in logs.items()}
        return {key: found.version for key, found in self._found.items()}

    def runs(self, ids: Sequence[str]) -> Iterator[ForeignRun | Unreadable]:
        """These runs, one at a time; a log that is none is named, and the other runs follow."""
        for key in ids:
            logs, version, is_running = self._found[key]
            try:
                yield read_run(key, version, logs, kept_in=self._kept_in, is_running=is_running)
            except Malformed as error:
                yield Unreadable(logs[0], str(error))
            except OSError as error:
                yield Unreadable(logs[0], error.strerror or str(error))

    def _keyed(self) -> Iterator[tuple[str, str]]:
        """The id of a run, and a log of it, in the order of time; several logs when it was resumed."""
        own = {os.path.realpath(log) for folder in self._own for log in _logs(folder)}
        shared = {os.path.realpath(log) for folder in self._shared for log in _logs(folder)}
        for log in sorted(own | shared, key=_by_time):
            try:
                project, tags = project_and_tags(log)
                begins = not project and stamp([log]).is_fresh  # its first record comes within seconds
            except (Malformed, OSError):
                if log in own:
                    yield f"wandb:{log}", log
                continue
            if not begins and (log in own or not self._names.isdisjoint((project, *tags))):
                yield f"wandb:{project}/{os.path.basename(log).removeprefix('run-').removesuffix('.wandb')}", log


def live(_path: str, increment: Increment) -> WandbSource:
    """The runs that belong to an increment.

    These are all that lie in its folder, and of the project's `wandb` folder those whose project or a tag is the
    increment's name or number.
    """
    return WandbSource(
        [home_of(increment), increment.path],
        [f"{increment.root}/wandb"],
        frozenset({increment.name, increment.id}),
        _kept_in(increment),
    )


def of_run(folder: str, increment: Increment) -> WandbSource:
    """One run of an increment, by the folder of its log."""
    return WandbSource([folder], kept_in=_kept_in(increment))


def imported(path: str | None, increment: Increment) -> WandbSource:
    """The runs at a path that somebody named, or where W&B itself would put them.

    Raises:
        NotFound: no log of W&B is there.
    """
    place = path or os.environ.get("WANDB_DIR") or "wandb"
    if not _logs(place):
        raise NotFound(
            "there is no run of W&B here",
            path=place,
            expected="a wandb folder with folders such as run-20260101_120000-abcd1234, or a .wandb file",
            next_step="name the folder that WANDB_DIR gave, or the project's wandb folder",
        )
    return WandbSource([place], kept_in=_kept_in(increment))


def has_ended(folder: str) -> bool:
    """Whether the log in a run's folder says how the run ended.

    Raises:
        OSError: the log is not there any more.
    """
    return all(_says_its_end(log) for log in _logs(folder))


def home_of(increment: Increment) -> str:
    """Where W&B puts an increment's runs once it is configured: hidden, so that it is no experiment."""
    return f"{increment.experiments}/.wandb"


def _kept_in(increment: Increment) -> list[str]:
    home = home_of(increment)
    return [f"{home}/data", f"{home}/cache"]


def _logs(path: str) -> list[str]:
    if os.path.isfile(path):
        return [path]
    return [f"{path}/{name}" for place in _PLACES for name in glob.glob(place, root_dir=path)]


def _by_time(log: str) -> tuple[str, str]:
    return os.path.basename(os.path.dirname(log)).rpartition("run-")[2], log


def _found(logs: tuple[str, ...]) -> _Found:
    version, is_fresh = stamp(logs)
    is_running = is_fresh and not _says_its_end(logs[-1])
    return _Found(logs, f"{version}-running" if is_running else version, is_running)


def _says_its_end(log: str) -> bool:
    """Whether the last blocks of a log hold the record that says how the run ended."""
    start = max(0, os.path.getsize(log) // BLOCK - 1) * BLOCK
    try:
        return any(EXIT in record for _, record in read_records(log, [], start=start))
    except (Malformed, OSError):
        return False
