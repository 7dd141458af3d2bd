"""MLflow's database, read with nothing but sqlite3: the one of an increment, or any `mlflow.db`.

A database that is imported may be anybody's: it is opened read-only, only its plain tables are asked, its texts are
bounded, and the files it names are taken only from below its own folder.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
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

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from specweave_ml.foreign import ForeignPoint

DATABASE = ".mlflow/mlflow.db"
"""Where an increment's database lies, inside its `experiments` folder."""

_RUNS = "SELECT run_uuid, name, status, start_time, end_time FROM runs"
_HEAD = b"SQLite format 3\0"
_NEEDED = {"runs", "metrics", "latest_metrics", "params", "tags", "experiments"}
_LONGEST_TEXT = 10_000_000
_WAIT = 20.0  # seconds for a process that writes


class Database:
    """The runs in an MLflow database.

    Args:
        path: the SQLite file.
        inside: the folders from which artifacts may be taken; default: the database's own.
        only: ids of MLflow runs to look at; default: all that MLflow has not deleted.
        ours: it belongs to the increment, so what a killed process left half written may be rolled back.
    """

    tool = "mlflow"

    def __init__(
        self, path: str, *, inside: Sequence[str] = (), only: Sequence[str] | None = None, ours: bool = False
    ) -> None:
        self._path = path
        self._inside = inside or (os.path.dirname(os.path.abspath(path)),)
        self._only = only
        self._ours = ours

    def versions(self) -> Mapping[str, str]:
        """The id of every run, and what changes whenever anything of it does.

        Raises:
            StoreError: it is no MLflow database, or it cannot be read.
        """
        try:
            with closing(self._open()) as database:
                return {foreign_id(run): version_of(*parts) for run, parts in self._fingerprints(database).items()}
        except sqlite3.Error as error:
            raise self._unreadable(str(error)) from error

    def runs(self, ids: Sequence[str]) -> Iterator[ForeignRun | Unreadable]:
        """These runs, one at a time; one that cannot be read is named, and the others follow."""
        if not ids:
            return
        with closing(self._open()) as database:
            models, fingerprints = self._models(database), self._fingerprints(database)
            for key in ids:
                run_id = key.partition(":")[2]
                try:
                    recorded = self._read(database, run_id, models.get(run_id, []))
                except (sqlite3.Error, ValueError, TypeError, OverflowError) as error:
                    yield Unreadable(f"{self._path} (run {run_id})", str(error))
                else:
                    yield to_foreign(recorded, version_of(*fingerprints[run_id]))

    def _unreadable(self, why: str) -> StoreError:
        return StoreError(
            f"this is not a database of MLflow that can be read: {why}",
            path=self._path,
            expected="the SQLite file of an MLflow from 2.0 on",
            next_step="for a folder of files, name the mlruns folder instead",
        )

    def _open(self) -> sqlite3.Connection:
        try:
            with open(self._path, "rb") as file:
                head = file.read(len(_HEAD))
        except OSError as error:
            raise self._unreadable(error.strerror or str(error)) from error
        if head != _HEAD:
            raise self._unreadable("byte 0: not the beginning of an SQLite file")
        from urllib.parse import quote

        mode = "rw" if self._ours else "ro"
        uri = f"file:{quote(os.path.abspath(self._path))}?mode={mode}"
        database = sqlite3.connect(uri, uri=True, timeout=_WAIT, isolation_level=None)
        try:
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_TEXT)
            for setting in ("query_only = ON", "trusted_schema = OFF", "cell_size_check = ON"):
                database.execute(f"PRAGMA {setting}")
            database.text_factory = lambda raw: raw.decode("utf-8", "replace")
            self._tables = _tables(database)
        except sqlite3.Error as error:
            database.close()
            raise self._unreadable(str(error)) from error
        if missing := _NEEDED - self._tables:
            database.close()
            raise self._unreadable(f"it has no table {min(missing)}")
        return database

    def _fingerprints(self, database: sqlite3.Connection) -> dict[str, tuple[Any, ...]]:
        chosen = self._chosen("run_uuid")
        question = f"{_RUNS} WHERE lifecycle_stage = 'active'{chosen}"
        rows = {run: [*rest] for run, *rest in database.execute(question, self._only or ())}
        # Nothing of it depends on the place: in a clone, whose database is made from the folders, it is the same.
        questions = [
            "SELECT run_uuid, COUNT(*) FROM metrics {} GROUP BY run_uuid",
            "SELECT run_uuid, key, value, timestamp, step, is_nan FROM latest_metrics {} ORDER BY key",
            "SELECT run_uuid, COUNT(*) FROM params {} GROUP BY run_uuid",
            "SELECT run_uuid, key, value FROM tags {} AND key != 'mlflow.source.name' ORDER BY key",
        ]
        if "logged_models" in self._tables:
            questions.append("SELECT source_run_id, model_id, name FROM logged_models {} ORDER BY model_id")
        if "inputs" in self._tables:
            questions.append(
                "SELECT destination_id, COUNT(*) FROM inputs {} AND source_type = 'DATASET' GROUP BY destination_id"
            )
        for number, question in enumerate(questions):
            column = question.split()[1].rstrip(",")
            chosen = f"WHERE 1{self._chosen(column)}"
            for run, *rest in database.execute(question.format(chosen), self._only or ()):
                if run in rows:
                    rows[run].append((number, *rest))
        return {run: tuple(parts) for run, parts in rows.items()}

    def _chosen(self, column: str) -> str:
        return "" if self._only is None else f" AND {column} IN ({', '.join('?' * len(self._only))})"

    def _models(self, database: sqlite3.Connection) -> dict[str, list[tuple[str, str, str]]]:
        found: dict[str, list[tuple[str, str, str]]] = {}
        if "logged_models" in self._tables:
            question = "SELECT source_run_id, model_id, name, artifact_location FROM logged_models ORDER BY model_id"
            for run, *model in database.execute(question):
                found.setdefault(run, []).append((*map(str, model),))  # type: ignore[arg-type]
        return found

    def _read(self, database: sqlite3.Connection, run_id: str, models: Sequence[tuple[str, str, str]]) -> Recorded:
        row = database.execute(
            "SELECT runs.name, status, start_time, end_time, artifact_uri, experiments.name FROM runs "
            "LEFT JOIN experiments USING (experiment_id) WHERE run_uuid = ?",
            (run_id,),
        ).fetchone()
        if row is None:
            raise ValueError("it is gone")
        name, status, started, ended, artifacts, experiment = row
        run = Recorded(
            run_id,
            str(name or ""),
            str(status),
            int(started or 0),
            None if ended is None else int(ended),
            experiment=str(experiment or ""),
            params=_pairs(database, "params", run_id),
            tags=_pairs(database, "tags", run_id),
            points=[*_points(database, run_id)],
            data=[*self._data(database, run_id)],
        )
        run.name = run.name or run.tags.get("mlflow.runName", "")
        if artifacts:
            add_artifacts(run, "artifacts", str(artifacts), self._inside)
        add_models(run, models, self._inside)
        return run

    def _data(self, database: sqlite3.Connection, run_id: str) -> Iterator[dict[str, Any]]:
        if {"inputs", "input_tags", "datasets"} <= self._tables:
            question = (
                "SELECT d.name, d.digest, d.dataset_source, t.value FROM inputs i "
                "JOIN datasets d ON d.dataset_uuid = i.source_id LEFT JOIN input_tags t "
                "ON t.input_uuid = i.input_uuid AND t.name = 'mlflow.data.context' "
                "WHERE i.source_type = 'DATASET' AND i.destination_id = ? ORDER BY d.name, d.digest"
            )
            for name, digest, source, context in database.execute(question, (run_id,)):
                yield data_set(str(name), str(digest), str(source), str(context or ""))


def _tables(database: sqlite3.Connection) -> set[str]:
    """Plain tables alone: a view of a stranger's database could make a short question endless."""
    return {str(name) for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _pairs(database: sqlite3.Connection, table: str, run_id: str) -> dict[str, str]:
    rows = database.execute(f"SELECT key, value FROM {table} WHERE run_uuid = ? ORDER BY key", (run_id,))  # noqa: S608 - one of two names of ours
    return {str(key): str(value if value is not None else "") for key, value in rows}


def _points(database: sqlite3.Connection, run_id: str) -> Iterator[ForeignPoint]:
    # In the order in which they were logged: MLflow's own order of one metric is by step, then time.
    rows = database.execute(
        "SELECT key, value, timestamp, step, is_nan FROM metrics WHERE run_uuid = ? ORDER BY key, rowid", (run_id,)
    )
    for key, value, time, step, is_nan in rows:
        yield point(str(key), float(value), int(time), int(step), is_nan=bool(is_nan))
