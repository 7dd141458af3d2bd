"""MLflow's runs where they may lie: an increment's database, a database, a folder of files, a tracking server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from specweave_ml.errors import NotFound
from specweave_ml.mlflow.filestore import FileStore
from specweave_ml.mlflow.source import Database
from specweave_ml.store.layout import ARCHIVE

if TYPE_CHECKING:
    from specweave_ml.foreign import Source
    from specweave_ml.project import Increment


def live(path: str, increment: Increment) -> Source:
    """The database of an increment; the files of its runs are in their folders already."""
    archive = os.path.join(increment.experiments, ARCHIVE)
    return Database(path, inside=[increment.experiments, archive], ours=True)


def imported(path: str | None, increment: Increment) -> Source:
    """The runs at a path: an `mlflow.db`, an `mlruns` folder, or a folder that holds one of them.

    Without a path: the runs on the tracking server that carry the increment's tag; without a server, `mlruns` or
    `mlflow.db` of the project.

    Raises:
        NotFound: there is nothing of MLflow.
        MissingDependency: a server can only be asked with MLflow installed.
    """
    if path is None:
        server = os.environ.get("MLFLOW_TRACKING_URI", "")
        from specweave_ml.mlflow.configure import is_remote

        if is_remote(server):
            return _on_server(server, increment)
        path = increment.root
    if os.path.isfile(path):
        return Database(path)
    names = [name for name in ("mlflow.db", "mlruns") if os.path.exists(os.path.join(path, name))]
    if names and not _holds_experiments(path):
        if names[0] == "mlruns":
            return FileStore(os.path.join(path, "mlruns"))
        return Database(os.path.join(path, "mlflow.db"))
    if path == increment.root:
        raise NotFound(
            "no runs of MLflow are in this project",
            path=path,
            expected="mlflow.db, mlruns, or a tracking server in MLFLOW_TRACKING_URI",
            next_step="specweave-ml import mlflow PATH",
        )
    return FileStore(path)


def _holds_experiments(path: str) -> bool:
    return any(os.path.isfile(f"{path}/{name}/meta.yaml") for name in os.listdir(path))


def _on_server(uri: str, increment: Increment) -> Source:
    from specweave_ml.mlflow.routing import check_installation

    check_installation()
    from specweave_ml.mlflow.server import Server

    return Server(increment.name, uri)
