"""MLflow's own store on the database of an increment. Beside it, every run has a folder.

What differs from MLflow's is four things: where the database is, that a new run gets its folder, that the files of a
run go into it, and that its end writes the record. Training never dies of it: what fails is said once, and a later
`specweave-ml pull` makes it good.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from mlflow.entities import Metric, RunStatus
from mlflow.store.tracking.dbmodels.models import SqlLoggedModel, SqlRun
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy import event

from specweave_ml.errors import StoreError, complain
from specweave_ml.foreign import Unreadable
from specweave_ml.mlflow.database import artifact_root, prepared
from specweave_ml.mlflow.runs import TOOL, foreign_id, metric_there, model_folder
from specweave_ml.mlflow.source import DATABASE, Database
from specweave_ml.store.owner import discard
from specweave_ml.store.pulling import claim_for, hold, let_go, write_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specweave_ml.project import Increment

_placing: ContextVar[IncrementStore | None] = ContextVar("specweave_placing", default=None)


class IncrementStore(SqlAlchemyStore):  # type: ignore[misc]  # MLflow's class has no types
    """MLflow's store of runs, whose runs have folders in an increment.

    Args:
        increment: where they are.

    Raises:
        StoreError, Refused: the database cannot be made there.
    """

    def __init__(self, increment: Increment) -> None:
        self._experiments = os.path.abspath(increment.experiments)
        self._held: dict[str, tuple[str, int]] = {}  # run → its folder, and the lock that says: it runs here
        super().__init__(prepared(increment), artifact_root(increment))

    def create_run(self, *arguments: Any, **named: Any) -> Any:
        """A new run, and its folder."""
        before = {*self._held}
        try:
            with self._placed():
                return super().create_run(*arguments, **named)
        except BaseException:
            for run_id in {*self._held} - before:
                folder, held = self._held.pop(run_id)
                let_go(folder, held)
                discard(folder)
            raise

    def create_logged_model(self, *arguments: Any, **named: Any) -> Any:
        """A new model, whose files go into the folder of its run."""
        with self._placed():
            return super().create_logged_model(*arguments, **named)

    def update_run_info(self, run_id: str, run_status: Any, end_time: Any, run_name: Any) -> Any:
        """A run's end, which writes its record, or its beginning anew."""
        info = super().update_run_info(run_id, run_status, end_time, run_name)
        with _guarded(f"the run {run_id} is not recorded in its folder"):
            self._follow(run_id, info)
        return info

    def log_metric(self, run_id: str, metric: Any) -> None:
        """As MLflow does; `precision@10` goes by the name that MLflow takes."""
        super().log_metric(run_id, _renamed(metric))

    def log_batch(self, run_id: str, metrics: Any, params: Any, tags: Any) -> None:
        """As MLflow does, with the same names."""
        super().log_batch(run_id, [_renamed(metric) for metric in metrics], params, tags)

    def get_metric_history(self, run_id: str, metric_key: str, *arguments: Any, **named: Any) -> Any:
        """As MLflow does, by either name."""
        return super().get_metric_history(run_id, metric_there(metric_key), *arguments, **named)

    @contextmanager
    def _placed(self) -> Iterator[None]:
        token = _placing.set(self)
        try:
            yield
        finally:
            _placing.reset(token)

    def _claim(self, run_id: str, name: str, started: int) -> str:
        folder = claim_for(self._experiments, TOOL, foreign_id(run_id), name, started)
        self._held[run_id] = (folder, hold(folder))
        return folder

    def _follow(self, run_id: str, info: Any) -> None:
        folder = self._folder_of(info.artifact_uri)
        if folder is None:
            return
        if not RunStatus.is_terminated(RunStatus.from_string(info.status)):
            if run_id not in self._held:
                self._held[run_id] = (folder, hold(folder))
            return
        source = Database(f"{self._experiments}/{DATABASE}", inside=[folder], only=[run_id], ours=True)
        for run in source.runs([foreign_id(run_id)]):
            if isinstance(run, Unreadable):
                raise StoreError(run.why, path=run.path)
            write_run(run, TOOL, folder)
        if run_id in self._held:
            let_go(*self._held.pop(run_id))

    def _folder_of(self, artifact_uri: str) -> str | None:
        """The folder of a run, by where its files are; None for one that has none."""
        folder = os.path.dirname(artifact_uri)
        return folder if os.path.dirname(folder) == self._experiments and os.path.isdir(folder) else None


@contextmanager
def _guarded(what: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever goes wrong beside MLflow, the training goes on
        complain(f"{what}: {error}; specweave-ml pull does it again")


def _renamed(metric: Any) -> Any:
    name = metric_there(metric.key) if isinstance(metric.key, str) else metric.key
    if name == metric.key:
        return metric
    return Metric(
        name,
        metric.value,
        metric.timestamp,
        metric.step,
        metric.model_id,
        metric.dataset_name,
        metric.dataset_digest,
        metric.run_id,
    )


@event.listens_for(SqlRun, "init")  # type: ignore[untyped-decorator]
def _place_run(_run: Any, _arguments: Any, named: dict[str, Any]) -> None:
    """Give a new run its folder before its row is written, so that one transaction is enough."""
    store = _placing.get()
    if store is not None:
        with _guarded("a run has no folder yet"):
            folder = store._claim(named["run_uuid"], named["name"], named["start_time"] or 0)
            named["artifact_uri"] = f"{folder}/artifacts"


@event.listens_for(SqlLoggedModel, "init")  # type: ignore[untyped-decorator]
def _place_model(_model: Any, _arguments: Any, named: dict[str, Any]) -> None:
    store, run_id = _placing.get(), named.get("source_run_id")
    if store is not None and run_id:
        with _guarded("a model is not in the folder of its run"):
            folder = store._folder_of(store.get_run(run_id).info.artifact_uri)
            if folder is not None:
                place = f"{folder}/models/{named['name']}"
                if os.path.lexists(place):
                    place = f"{folder}/models/{model_folder(named['name'], named['model_id'])}"
                os.makedirs(place)  # so that the next model of this name sees that it is taken
                named["artifact_location"] = place
