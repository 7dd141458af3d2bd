"""The database of an increment: made once, however many processes want it, and from the folders where it is lost.

Git leaves it out. In a clone the folders have everything of the runs that MLflow shows: ids, params, metrics with
their history, tags, status, data sets, logged models, and the files in their new place. The model registry is only in
the database and stays where it was made.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from specweave_ml.mlflow.runs import TOOL, metric_there
from specweave_ml.mlflow.source import DATABASE
from specweave_ml.store.codec import encode
from specweave_ml.store.layout import FOREIGN, refuse_link
from specweave_ml.store.reader import read_experiments
from specweave_ml.store.replace import replace_file, temporary_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specweave_ml.project import Increment
    from specweave_ml.record import Experiment

_STATUSES = {"finished": "FINISHED", "failed": "FAILED", "killed": "KILLED"}


def prepared(increment: Increment) -> str:
    """The URI of the increment's database, which exists and holds what the folders know.

    Raises:
        Refused: its folder is a link to somewhere else.
        OSError: the disk refused it.
    """
    refuse_link(increment.experiments, "the experiments folder")
    path = os.path.abspath(f"{increment.experiments}/{DATABASE}")
    folder = os.path.dirname(path)
    refuse_link(folder, "the folder of MLflow's database")
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        replace_file(f"{folder}/.gitignore", b"*\n", sync=False)  # also where `init` was never called
        _make(path, increment)
    return _uri(path)


def _uri(path: str) -> str:
    return f"sqlite:///{path}"


def _make(path: str, increment: Increment) -> None:
    """Build it aside and link it into place: of several processes one wins, and none sees it half made."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    temporary = temporary_name(path)
    try:
        store = SqlAlchemyStore(_uri(temporary), artifact_root(increment))
        _restore(store, increment)
        store.engine.dispose()
        SqlAlchemyStore._engine_map.pop(_uri(temporary), None)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
    finally:
        for left in (temporary, f"{temporary}-journal"):
            if os.path.exists(left):
                os.unlink(left)


def artifact_root(increment: Increment) -> str:
    """Where files go that belong to no run."""
    return os.path.abspath(f"{increment.experiments}/{os.path.dirname(DATABASE)}/artifacts")


def _restore(store: Any, increment: Increment) -> None:
    experiments: dict[str, int] = {"Default": 0, "": 0}
    with store.ManagedSessionMaker(read_only=False) as session:
        for experiment in read_experiments(increment.experiments, increment.name):
            foreign = experiment.value(FOREIGN)
            run_id = str(foreign.get("id", "")) if isinstance(foreign, dict) else ""
            if not run_id.startswith(f"{TOOL}:"):
                continue
            said = experiment.value("mlflow")
            name = str(said.get("experiment") or "") if isinstance(said, dict) else ""
            if name not in experiments:
                experiments[name] = int(store.create_experiment(name))
            session.add_all(_rows(experiment, run_id.removeprefix(f"{TOOL}:"), experiments[name]))


def _rows(experiment: Experiment, run_id: str, number: int) -> Iterator[Any]:
    """The rows of a run, as MLflow itself would have written them."""
    from mlflow.store.tracking.dbmodels.models import SqlParam, SqlRun, SqlTag

    said = experiment.value("mlflow")
    tags = said.get("tags") if isinstance(said, dict) else None
    tags = {**tags} if isinstance(tags, dict) else {}
    name = str(tags.setdefault("mlflow.runName", experiment.value("original_name") or experiment.name))
    started, ended = experiment.started, experiment.ended
    yield SqlRun(
        run_uuid=run_id,
        name=name,
        experiment_id=number,
        artifact_uri=f"{os.path.abspath(experiment.path)}/artifacts",
        source_type="UNKNOWN",
        source_name="",
        entry_point_name="",
        source_version="",
        user_id=str(tags.get("mlflow.user") or ""),
        status=_STATUSES.get(experiment.status, "RUNNING"),
        start_time=int(started.timestamp() * 1000) if started else None,
        end_time=int(ended.timestamp() * 1000) if ended else None,
        lifecycle_stage="active",
    )
    yield from (SqlTag(run_uuid=run_id, key=key, value=str(value)) for key, value in tags.items())
    yield from (SqlParam(run_uuid=run_id, key=key, value=str(value)) for key, value in experiment.params.items())
    yield from _data_rows(experiment, run_id, number)
    yield from _model_rows(experiment, run_id, number)
    for metric in experiment.metrics:
        yield from _metric_rows(experiment, metric, run_id)


def _data_rows(experiment: Experiment, run_id: str, number: int) -> Iterator[Any]:
    from mlflow.store.tracking.dbmodels.models import SqlDataset, SqlInput, SqlInputTag

    for given in experiment.data:
        dataset, link = uuid4().hex, uuid4().hex
        source = encode({"uri": given["uri"]} if given.get("uri") else {}).decode()
        name, digest = str(given.get("name")), str(given.get("version"))
        yield SqlDataset(
            dataset_uuid=dataset,
            experiment_id=number,
            name=name,
            digest=digest,
            dataset_source_type="local",
            dataset_source=source,
        )
        yield SqlInput(
            input_uuid=link, source_type="DATASET", source_id=dataset, destination_type="RUN", destination_id=run_id
        )
        if given.get("context"):
            yield SqlInputTag(input_uuid=link, name="mlflow.data.context", value=str(given["context"]))


def _model_rows(experiment: Experiment, run_id: str, number: int) -> Iterator[Any]:
    from mlflow.entities import LoggedModelStatus
    from mlflow.store.tracking.dbmodels.models import SqlInput, SqlLoggedModel

    said = experiment.value("mlflow")
    models = said.get("models") if isinstance(said, dict) else None
    began = int(experiment.started.timestamp() * 1000) if experiment.started else 0
    for model_id, folder in models.items() if isinstance(models, dict) else ():
        yield SqlLoggedModel(
            model_id=model_id,
            experiment_id=number,
            name=str(folder).removesuffix(f"-{model_id[2:10]}"),
            artifact_location=f"{os.path.abspath(experiment.path)}/models/{folder}",
            creation_timestamp_ms=began,
            last_updated_timestamp_ms=began,
            status=LoggedModelStatus.READY.to_int(),
            lifecycle_stage="active",
            source_run_id=run_id,
        )
        yield SqlInput(
            input_uuid=uuid4().hex,
            source_type="RUN_OUTPUT",
            source_id=run_id,
            destination_type="MODEL_OUTPUT",
            destination_id=model_id,
        )


def _metric_rows(experiment: Experiment, metric: str, run_id: str) -> Iterator[Any]:
    from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric

    points: dict[tuple[int, int, float, bool], None] = {}
    for point in experiment.history(metric):
        value, is_nan = _sql_number(point.value)
        key = (point.time, int(point.step or 0), value, is_nan)
        points[key] = None
    if not points:
        return
    name = metric_there(metric)
    for time, step, value, is_nan in points:
        yield SqlMetric(run_uuid=run_id, key=name, timestamp=time, step=step, value=value, is_nan=is_nan)
    # MLflow's own rule for the last value: the highest step, then the latest time, then the largest value.
    time, step, value, is_nan = max(points, key=lambda row: (row[1], row[0], row[2]))
    yield SqlLatestMetric(run_uuid=run_id, key=name, timestamp=time, step=step, value=value, is_nan=is_nan)


def _sql_number(value: float) -> tuple[float, bool]:
    """A number as MLflow's database has it: 0 and a mark for NaN, the largest float for infinity."""
    if value != value:  # noqa: PLR0124 - only NaN differs from itself
        return 0.0, True
    largest = 1.7976931348623157e308
    return max(-largest, min(largest, value)), False
