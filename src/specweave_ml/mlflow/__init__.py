"""MLflow, with its runs in an increment: `from specweave import mlflow`.

    __init__     the wrapper: MLflow itself, but for `start_run`
    configure    configure_mlflow
    routing      which increment a tracking URI means
    plugin, registry      what MLflow loads by entry points
    store        MLflow's store of runs, and a folder for each
    database     the increment's database, made new or from the folders
    server       runs on a tracking server
    runs         an MLflow run in our words
    source, filestore     runs read from an mlflow.db, or from an mlruns folder

Nothing of MLflow is imported before it is used.
"""

from __future__ import annotations

from typing import Any


def start_run(name: str | None = None, *, increment: str | None = None, **options: Any) -> Any:
    """`mlflow.start_run(run_name=name)` in an increment.

    Args:
        name: of the run, and of its experiment here.
        increment: where; default: what `configure_mlflow` said, else as for `track_experiment`.
        options: of `mlflow.start_run`.

    Raises:
        MissingDependency: MLflow is not installed.
        NotFound, UsageError, Refused: no project, or no such increment.
    """
    _configure(increment)
    import mlflow

    if name is not None:
        options = {"run_name": name, **options}
    return mlflow.start_run(**options)


def _configure(increment: str | None) -> None:
    from specweave_ml.mlflow.routing import check_installation

    check_installation()
    import mlflow

    from specweave_ml.mlflow.configure import configure_mlflow, is_configured

    if increment is not None or not is_configured(mlflow.get_tracking_uri()):
        configure_mlflow(increment)


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    from specweave_ml.mlflow.routing import check_installation

    check_installation()
    import mlflow

    return getattr(mlflow, name)
