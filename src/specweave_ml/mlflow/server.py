"""Runs on a tracking server: tagged with the increment when they start, read back through MLflow's public client."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from mlflow.tracking.context.abstract_context import RunContextProvider

from specweave_ml.errors import RemoteError, complain
from specweave_ml.mlflow.configure import INCREMENT_VARIABLE
from specweave_ml.mlflow.runs import INCREMENT_TAG, Recorded, data_set, foreign_id, point, to_foreign, version_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from specweave_ml.foreign import ForeignPoint, ForeignRun, Unreadable
    from specweave_ml.project import Increment

_PAGE = 1_000


class IncrementContext(RunContextProvider):  # type: ignore[misc]  # MLflow's class has no types
    """What MLflow asks for the tags of a run that starts (its entry point for contexts)."""

    def in_context(self) -> bool:
        """Whether `configure_mlflow` was called here, or in a parent process, for a tracking server."""
        return bool(os.environ.get(INCREMENT_VARIABLE))

    def tags(self) -> dict[str, str]:
        """The increment's name."""
        return {INCREMENT_TAG: os.path.basename(os.environ[INCREMENT_VARIABLE])}


class Server:
    """The runs on a tracking server that carry an increment's tag.

    Args:
        increment: its full name.
        uri: of the server; default: MLflow's own.
        since: only runs that started then or later, in milliseconds since 1970.
    """

    tool = "mlflow"

    def __init__(self, increment: str, uri: str | None = None, *, since: int = 0) -> None:
        from mlflow import MlflowClient

        self._client = MlflowClient(uri)
        self._filter = f"tags.`{INCREMENT_TAG}` = '{increment}' AND attributes.start_time >= {since}"
        self._found: dict[str, tuple[Any, str, str]] = {}  # id → the run, its version, its MLflow experiment

    def versions(self) -> Mapping[str, str]:
        """The id of every run, and what changes with its status, params, tags or newest metrics.

        Raises:
            RemoteError: the server fails or refuses.
        """
        try:
            experiments = {each.experiment_id: each.name for each in self._pages(self._client.search_experiments)}
            ids = list(experiments)
            for at in range(0, len(ids), 100):
                for run in self._pages(self._client.search_runs, ids[at : at + 100], self._filter):
                    version = version_of(run.info.status, run.info.end_time, run.info.run_name, _said(run))
                    name = experiments[run.info.experiment_id]
                    self._found[foreign_id(run.info.run_id)] = (run, version, name)
        except Exception as error:  # MLflow, requests and its plugins raise errors of their own
            raise RemoteError(
                f"the tracking server cannot be read: {error}", next_step="look at MLFLOW_TRACKING_URI"
            ) from error
        return {key: version for key, (_, version, _) in self._found.items()}

    def runs(self, ids: Sequence[str]) -> Iterator[ForeignRun | Unreadable]:
        """These runs with their histories; their files stay on the server."""
        for key in ids:
            run, version, experiment = self._found[key]
            info, data = run.info, run.data
            yield to_foreign(
                Recorded(
                    info.run_id,
                    info.run_name or "",
                    info.status,
                    info.start_time or 0,
                    info.end_time,
                    experiment=experiment,
                    params=data.params,
                    tags=data.tags,
                    points=[*self._points(info.run_id, data.metrics)],
                    data=[*_inputs(run)],
                    left_out=[f"the artifacts, which stay at {info.artifact_uri}"],
                ),
                version,
            )

    def _points(self, run_id: str, names: Sequence[str]) -> Iterator[ForeignPoint]:
        for name in names:
            for each in self._client.get_metric_history(run_id, name):
                yield point(name, each.value, each.timestamp, each.step)

    def _pages(self, ask: Any, *arguments: Any) -> Iterator[Any]:
        token = None
        while True:
            page = ask(*arguments, max_results=_PAGE, page_token=token)
            yield from page
            token = page.token
            if not token:
                return


def bring_home(increment: Increment, since: int) -> None:
    """Read what this process started on the server into the increment. Never raises: the work is done already."""
    from specweave_ml.store.pulling import pull

    try:
        pull(Server(increment.name, since=since), increment.experiments, increment.name)
    except Exception as error:  # noqa: BLE001 - a process that ends well must not fail for its record
        complain(f"the runs on the server are not in {increment.name}: {error}; specweave-ml import mlflow brings them")


def now() -> int:
    """Milliseconds since 1970."""
    return int(time.time() * 1000)


def _said(run: Any) -> tuple[Any, ...]:
    data = run.data
    return tuple(sorted(part.items()) for part in (data.params, data.tags, data.metrics))


def _inputs(run: Any) -> Iterator[dict[str, Any]]:
    for given in run.inputs.dataset_inputs if run.inputs else ():
        context = next((tag.value for tag in given.tags if tag.key == "mlflow.data.context"), "")
        yield data_set(given.dataset.name, given.dataset.digest, given.dataset.source, context)
