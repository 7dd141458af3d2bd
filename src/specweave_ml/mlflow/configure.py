"""`configure_mlflow`: MLflow as it is, with its runs in an increment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from specweave_ml.mlflow.routing import SCHEME, check_installation, increment_at, uri_of
from specweave_ml.project import find_increment

if TYPE_CHECKING:
    from specweave_ml.project import Increment

INCREMENT_VARIABLE = "SPECWEAVE_MLFLOW_INCREMENT"
"""The increment, by its path, to which runs on a tracking server belong; child processes inherit it."""

_LOCAL = {"", "file", "sqlite", SCHEME}


def configure_mlflow(increment: str | None = None) -> None:
    """Let MLflow keep its runs in an increment; everything else of MLflow stays as it is.

    A tracking server that somebody chose (`MLFLOW_TRACKING_URI`, `mlflow.set_tracking_uri`) is never replaced. Its
    runs get the tag `specweave.increment`, and when the process ends those it started are read back into the
    increment; their files stay on the server.

    Args:
        increment: `0042`, its name, or a path; default: as for `track_experiment`.

    Raises:
        MissingDependency: MLflow, or its database part, is not installed.
        NotFound, UsageError, Refused: no project, or no such increment.
    """
    from specweave_ml.tracking.start import is_disabled

    if is_disabled():
        return
    check_installation()
    where = find_increment(increment)
    import mlflow

    if is_remote(mlflow.get_tracking_uri()):
        _follow_server(where)
    else:
        os.environ.pop(INCREMENT_VARIABLE, None)
        mlflow.set_tracking_uri(uri_of(where))


def is_configured(uri: str) -> bool:
    """Whether runs go to an increment already, by the tracking URI or by the tag of runs on a server."""
    return bool(os.environ.get(INCREMENT_VARIABLE)) or uri.startswith(f"{SCHEME}:") or increment_at(uri) is not None


def is_remote(uri: str) -> bool:
    """Whether a tracking URI leads to a server that people share."""
    return uri.partition(":")[0] not in _LOCAL if ":" in uri else uri.startswith(("databricks", "uc"))


def _follow_server(where: Increment) -> None:
    import atexit

    from specweave_ml.mlflow import server

    os.environ[INCREMENT_VARIABLE] = os.path.abspath(where.path)
    atexit.register(server.bring_home, where, server.now())
