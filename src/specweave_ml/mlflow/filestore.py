"""MLflow's folder of files, `mlruns/`, read as files: no server, no MLflow, and its block on such folders in no way.

mlruns/<experiment>/meta.yaml
mlruns/<experiment>/<run>/meta.yaml        name, status, times
                         /params/<name>    the text of the value
                         /metrics/<name>   a line a value: time, value, step
                         /tags/<name>
                         /inputs/<id>/meta.yaml
                         /artifacts/…
mlruns/<experiment>/datasets/<id>/meta.yaml
mlruns/<experiment>/models/<id>/meta.yaml, artifacts/…      (MLflow 3)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from specweave_ml.errors import StoreError
from specweave_ml.foreign import ForeignRun, Unreadable
from specweave_ml.mlflow.runs import (
    Recorded,
    add_artifacts,
    add_models,
    data_set,
    foreign_id,
    point,
    to_foreign,
    version_of,
)
from specweave_ml.store.plain_yaml import parse_mapping
from specweave_ml.store.reader import read_small_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from specweave_ml.foreign import ForeignPoint

_META = "meta.yaml"
_STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}  # of MLflow's service.proto
_LARGEST_YAML = 1_000_000
_LARGEST = 256 << 20  # bytes of one metric's file: about five million points


class FileStore:
    """The runs below an `mlruns` folder.

    Args:
        path: the folder that holds a folder an experiment.
    """

    tool = "mlflow"

    def __init__(self, path: str) -> None:
        self._path = path.rstrip("/") or "/"
        self._folders: dict[str, str] = {}

    def versions(self) -> Mapping[str, str]:
        """The id of every run, and what changes with the size or the time of any of its files.

        Raises:
            StoreError: the folder cannot be read, or no experiment of MLflow is in it.
        """
        try:
            experiments = [place for place in _folders(self._path) if os.path.isfile(f"{place}/{_META}")]
        except OSError as error:
            raise self._foreign(error.strerror or str(error)) from error
        if not experiments:
            raise self._foreign("no folder in it has a meta.yaml")
        for experiment in experiments:
            runs = [place for place in _folders(experiment) if os.path.isfile(f"{place}/{_META}")]
            self._folders |= {foreign_id(os.path.basename(place)): place for place in runs}
        return {key: version_of(*_stamps(folder)) for key, folder in self._folders.items()}

    def runs(self, ids: Sequence[str]) -> Iterator[ForeignRun | Unreadable]:
        """These runs, one at a time; a file that cannot be read is named, and the other runs follow."""
        models: dict[str, dict[str, list[tuple[str, str, str]]]] = {}
        for key in ids:
            folder = self._folders[key]
            experiment = os.path.dirname(folder)
            if experiment not in models:
                models[experiment] = _models(experiment)
            try:
                run = self._read(folder, experiment)
            except _Broken as broken:
                yield Unreadable(os.path.relpath(broken.path, self._path), broken.why)
                continue
            if run is None:
                continue
            add_models(run, models[experiment].get(run.id, ()), [self._path])
            yield to_foreign(run, version_of(*_stamps(folder)))

    def _foreign(self, why: str) -> StoreError:
        return StoreError(
            f"this is not an mlruns folder of MLflow: {why}",
            path=self._path,
            expected="a folder with a folder an experiment, each with a meta.yaml",
            next_step="name the mlruns folder or the mlflow.db itself",
        )

    def _read(self, folder: str, experiment: str) -> Recorded | None:
        """A run; None for one that MLflow has deleted."""
        meta = _yaml(f"{folder}/{_META}")
        if meta.get("lifecycle_stage") == "deleted":
            return None
        tags = {name: _text(path) for name, path in _named(f"{folder}/tags")}
        status = meta.get("status")
        run = Recorded(
            os.path.basename(folder),
            str(meta.get("run_name") or tags.get("mlflow.runName") or meta.get("name") or ""),
            _STATUSES.get(status, "RUNNING") if isinstance(status, int) else str(status),
            _whole(meta.get("start_time"), folder) or 0,
            _whole(meta.get("end_time"), folder),
            experiment=_experiment_name(experiment),
            params={name: _text(path) for name, path in _named(f"{folder}/params")},
            tags=tags,
            points=[each for name, path in _named(f"{folder}/metrics") for each in _points(name, path)],
        )
        run.data = [*_data(folder, experiment, run)]
        add_artifacts(run, "artifacts", f"{folder}/artifacts", [self._path])
        return run


class _Broken(Exception):
    """A file that is not what MLflow writes."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why


def _folders(path: str) -> list[str]:
    """The folders in a folder, hidden ones (`.trash`) and links left out."""
    with os.scandir(path) as entries:
        found = [each.name for each in entries if each.name[0] != "." and each.is_dir(follow_symlinks=False)]
    return [f"{path}/{name}" for name in sorted(found)]


def _stamps(folder: str) -> Iterator[tuple[str, int, int]]:
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            facts = os.lstat(f"{place}/{name}")
            yield os.path.relpath(f"{place}/{name}", folder), facts.st_size, facts.st_mtime_ns


def _named(folder: str) -> Iterator[tuple[str, str]]:
    """Name and path of every file below a folder: `val/loss` is a file in a folder."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = f"{place}/{name}"
            yield os.path.relpath(path, folder), path


def _bytes(path: str, limit: int = 4_000_000) -> bytes:
    try:
        return read_small_file(path, limit)
    except StoreError as error:
        raise _Broken(path, f"{error.what}: {error.expected}") from error
    except OSError as error:
        raise _Broken(path, error.strerror or str(error)) from error


def _text(path: str) -> str:
    return _bytes(path).decode("utf-8", "replace")


def _yaml(path: str) -> dict[str, Any]:
    try:
        return parse_mapping(_bytes(path), os.path.basename(path), size_limit=_LARGEST_YAML)
    except StoreError as error:
        raise _Broken(path, error.what) from error


def _whole(value: Any, folder: str) -> int | None:
    if value is None:
        return None
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise _Broken(f"{folder}/{_META}", f"a time is no number: {value!r}"[:200]) from error


def _experiment_name(folder: str) -> str:
    try:
        return str(_yaml(f"{folder}/{_META}").get("name") or "")
    except _Broken:
        return os.path.basename(folder)


def _points(name: str, path: str) -> Iterator[ForeignPoint]:
    """The lines of a metric's file. Its last line may be cut: the process was killed while writing it."""
    data = _bytes(path, _LARGEST)
    offset = 0
    for line in data.splitlines(keepends=True):
        try:
            time, value, *rest = line.split()
            yield point(name, float(value), int(time), int(rest[0]) if rest else 0)
        except ValueError as error:
            if line.endswith(b"\n"):
                raise _Broken(path, f"byte {offset}: not a line of a metric: {error}"[:200]) from error
        offset += len(line)


def _data(folder: str, experiment: str, run: Recorded) -> Iterator[dict[str, Any]]:
    for _, path in _named(f"{folder}/inputs"):
        given = _yaml(path)
        source = str(given.get("source_id"))
        if given.get("source_type") != "DATASET" or "/" in source:
            continue
        try:
            said = _yaml(f"{experiment}/datasets/{source}/{_META}")
        except _Broken as broken:
            run.left_out.append(f"a data set: {broken.why}")
            continue
        tags = given.get("tags")
        context = tags.get("mlflow.data.context", "") if isinstance(tags, dict) else ""
        yield data_set(str(said.get("name")), str(said.get("digest")), str(said.get("source")), str(context))


def _models(experiment: str) -> dict[str, list[tuple[str, str, str]]]:
    """Run → the id, the name and the folder of every model that it logged (MLflow 3)."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    if os.path.isdir(f"{experiment}/models"):
        for place in _folders(f"{experiment}/models"):
            try:
                said = _yaml(f"{place}/{_META}")
            except _Broken:
                continue
            found.setdefault(str(said.get("source_run_id")), []).append(
                (os.path.basename(place), str(said.get("name")), f"{place}/artifacts")
            )
    return found
