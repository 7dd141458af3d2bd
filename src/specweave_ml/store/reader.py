"""Experiment folders to `Experiment` values. Nothing is written here, anywhere.

An ended experiment is read from its small files, which its end left complete. One that runs, died, or was closed
while other processes still wrote to it is read from its journals, which are never behind.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from specweave_ml.errors import StoreError
from specweave_ml.record import ENDED, Experiment
from specweave_ml.store import liveness
from specweave_ml.store.codec import number_from_json, param_from_json
from specweave_ml.store.history import read_history
from specweave_ml.store.layout import (
    ARCHIVE,
    FOREIGN,
    HELD,
    METADATA,
    METRICS,
    PARAMS,
    READ,
    is_experiment_folder_name,
    journal_name,
    journals,
)
from specweave_ml.store.lines import Damage
from specweave_ml.store.metadata import cut, parse_metadata
from specweave_ml.store.parsing import loads
from specweave_ml.store.sessions import read_state
from specweave_ml.store.trials import readable_trials

if TYPE_CHECKING:
    from specweave_ml.record import History, Kind, Source
    from specweave_ml.store.fold import State

_BUFFER = 8192  # a larger one is allocated and cleared at every read
_SIZE_LIMIT = 4_000_000  # a larger one is not trusted: the journals say the same
_ENDED_JSON = {f'"{status}"'.encode(): status for status in ENDED}
_UNSETTLED = b"\nunsettled: true"
_TAG = b'{"$'


def read_small_file(path: str, limit: int = _SIZE_LIMIT) -> bytes:
    """A small file's bytes.

    Raises:
        OSError: it cannot be read.
        StoreError: it is larger than `limit` bytes.
    """
    descriptor = os.open(path, READ)
    try:
        data = os.read(descriptor, _BUFFER)
        if len(data) < _BUFFER:
            return data
        pieces = [data]
        size = len(data)
        while piece := os.read(descriptor, 1 << 20):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise StoreError(f"{os.path.basename(path)} is too large", path=path, expected=f"at most {limit} bytes")
        return b"".join(pieces)
    finally:
        os.close(descriptor)


class _Projected:
    """The small files of an ended experiment, each read when asked for."""

    __slots__ = ("_folder", "_journals", "_metadata", "_status")

    def __init__(self, folder: str, status: str, metadata: bytes) -> None:
        self._folder = folder
        self._status = status
        self._metadata = metadata
        self._journals: _Journalled | None = None

    def status(self) -> str:
        return self._status

    def params(self) -> dict[str, Any]:
        data, values = self._values(PARAMS)
        if values is None:
            return self._rebuilt().params()
        return {name: param_from_json(value) for name, value in values.items()} if _TAG in data else values

    def metrics(self) -> dict[str, float]:
        _, values = self._values(METRICS)
        if values is None:
            return self._rebuilt().metrics()
        return values if set(map(type, values.values())) <= {int, float} else _numbers(values)

    def metadata(self) -> dict[str, Any]:
        try:
            return parse_metadata(self._metadata)
        except StoreError:
            return self._rebuilt().metadata()

    def value(self, key: str) -> Any:
        raw = cut(self._metadata, key.encode())
        if raw is not None:
            try:
                return loads(raw)
            except ValueError:  # edited by hand, or holding what orjson refuses
                return self.metadata().get(key)
        return self.metadata().get(key)

    def history(self, metric: str, *, all_sessions: bool) -> History:
        return self._rebuilt().history(metric, all_sessions=all_sessions)

    def trials(self) -> tuple[dict[str, Any], ...]:
        return self._rebuilt().trials() if self.value("trials") else ()

    def problems(self) -> tuple[str, ...]:
        return () if self._journals is None else self._journals.problems()

    def _values(self, name: str) -> tuple[bytes, dict[str, Any] | None]:
        """A small file's bytes and values; None where it cannot be used."""
        try:
            data = read_small_file(f"{self._folder}/{name}")
            values = loads(data)
        except (OSError, ValueError):
            return b"", None
        return data, values if type(values) is dict else None

    def _rebuilt(self) -> _Journalled:
        if self._journals is None:
            self._journals = _Journalled(self._folder)
        return self._journals


def _numbers(values: dict[str, Any]) -> dict[str, float]:
    numbers = {name: number_from_json(value) for name, value in values.items()}
    return {name: number for name, number in numbers.items() if number is not None}


class _Journalled:
    """The journals of an experiment, folded when first asked for."""

    __slots__ = ("_damage", "_folder", "_state")

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._state: State | None = None
        self._damage = Damage()

    @property
    def state(self) -> State:
        if self._state is None:
            self._state = read_state(self._folder, self._damage)
        return self._state

    def status(self) -> str:
        state = self.state
        if state.status in ENDED:
            return state.status
        if FOREIGN in state.sets:
            return self._foreign_status(state.status)
        owner = liveness.owner(f"{self._folder}/{journal_name(max(state.session, 1))}")
        return "stale" if owner == liveness.GONE else state.status

    def _foreign_status(self, said: str) -> str:
        """What another tool says of a run stands, unless a process of ours ran it and is gone."""
        held = f"{self._folder}/{HELD}"
        return "stale" if os.path.lexists(held) and liveness.owner(held) == liveness.GONE else said

    def params(self) -> dict[str, Any]:
        return self.state.readable_params()

    def metrics(self) -> dict[str, float]:
        return dict(self.state.metrics)

    def metadata(self) -> dict[str, Any]:
        return self.state.metadata()

    def value(self, key: str) -> Any:
        return self.metadata().get(key)

    def history(self, metric: str, *, all_sessions: bool) -> History:
        return read_history(self._folder, metric, self._damage, all_sessions=all_sessions)

    def trials(self) -> tuple[dict[str, Any], ...]:
        return readable_trials(self.state.trials)

    def problems(self) -> tuple[str, ...]:
        problems = dict.fromkeys(self._damage.problems)
        return tuple(problems)


class _Foreign:
    """A folder that is not ours, with what it has; or one of ours that nothing can be read of (`why`)."""

    __slots__ = ("_folder", "_why")

    def __init__(self, folder: str, why: str | None = None) -> None:
        self._folder = folder
        self._why = why

    def status(self) -> str:
        return "unknown"

    def params(self) -> dict[str, Any]:
        return {} if self._why else _Projected(self._folder, "", b"")._values(PARAMS)[1] or {}

    def metrics(self) -> dict[str, float]:
        return _numbers({} if self._why else _Projected(self._folder, "", b"")._values(METRICS)[1] or {})

    def metadata(self) -> dict[str, Any]:
        try:
            files = sorted(os.listdir(self._folder))[:100]
        except OSError:
            files = []
        return {"files": files, **({"error": {"message": self._why}} if self._why else {})}

    def value(self, key: str) -> Any:
        return self.metadata().get(key)

    def history(self, metric: str, *, all_sessions: bool) -> History:
        return _Journalled(self._folder).history(metric, all_sessions=all_sessions)

    def trials(self) -> tuple[dict[str, Any], ...]:
        return ()

    def problems(self) -> tuple[str, ...]:
        return (self._why,) if self._why else ()


def read_experiment(folder: str, increment: str, *, archived: bool = False) -> Experiment:
    """The experiment in a folder; a broken or a foreign one is returned as such, never raised."""
    source, kind = _source(folder)
    return Experiment(folder.rsplit("/", 1)[-1], increment, source, path=folder, kind=kind, archived=archived)


def _source(folder: str) -> tuple[Source, Kind]:
    try:
        data = read_small_file(f"{folder}/{METADATA}")
    except OSError as error:
        return _without_metadata(folder, error)
    status = _ENDED_JSON.get(cut(data, b"status") or b"")
    if status is not None and _UNSETTLED not in data:
        return _Projected(folder, status, data), "experiment"
    return _unusual(folder, data)


def _unusual(folder: str, data: bytes) -> tuple[Source, Kind]:
    why = f"{METADATA}: no status of an ended experiment, and no journal beside it"
    try:
        said = parse_metadata(data)
    except StoreError as error:
        said, why = {}, error.what
    status = said.get("status")
    if isinstance(status, str) and status in ENDED and not said.get("unsettled"):  # ended, and edited by a person since
        return _Projected(folder, status, data), "experiment"
    if journals(folder):
        return _Journalled(folder), "experiment"
    return _Foreign(folder, why), "unreadable"


def _without_metadata(folder: str, error: OSError) -> tuple[Source, Kind]:
    if journals(folder):
        return _Journalled(folder), "experiment"
    if isinstance(error, FileNotFoundError) and os.access(folder, os.R_OK):
        return _Foreign(folder), "foreign"
    return _Foreign(
        folder, error.what if isinstance(error, StoreError) else f"{METADATA}: {error.strerror}"
    ), "unreadable"


def experiment_folders(experiments: str) -> list[str]:
    """The folders in `experiments/` that may be listed, by name; links are never followed."""
    try:
        with os.scandir(experiments) as entries:
            names = [
                entry.name
                for entry in entries
                if is_experiment_folder_name(entry.name) and entry.is_dir(follow_symlinks=False)
            ]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(
            "the experiments folder cannot be read",
            path=experiments,
            received=error.strerror,
            expected="a readable folder",
        ) from error
    return [f"{experiments}/{name}" for name in sorted(names)]


def read_experiments(experiments: str, increment: str, *, archived: bool = False) -> list[Experiment]:
    """All experiments of an increment in the order they started; with `archived`, those under `_archive/` too."""
    found = [read_experiment(folder, increment) for folder in experiment_folders(experiments)]
    if archived:
        below = experiment_folders(f"{experiments}/{ARCHIVE}")
        found += [read_experiment(folder, increment, archived=True) for folder in below]
    return sorted(found, key=_start_order)


def _start_order(experiment: Experiment) -> tuple[str, str]:
    return str(experiment.value("started") or "~"), experiment.name
