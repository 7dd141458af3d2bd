"""MLflow on SQLite. Its database is made before the clock starts, as our project folder is."""

from collections.abc import Sequence

import mlflow

from benchmarks.work.data import METRICS, PARAMS, SHORT_EXPERIMENTS, SORTED_BY, metrics_of, series
from benchmarks.work.timed import Timed

DATABASE = "mlflow.db"


def use_database() -> None:
    """The store of this folder."""
    mlflow.set_tracking_uri(f"sqlite:///{DATABASE}")
    mlflow.set_experiment("bench")


def short(timed: Timed) -> None:
    """Short runs, one after another."""
    use_database()
    for number in range(SHORT_EXPERIMENTS):
        with timed, mlflow.start_run(run_name=f"short-{number}"):
            mlflow.log_params(PARAMS)
            mlflow.log_metrics(METRICS)


def points(timed: Timed, rows: int, width: int) -> None:
    """A call a row."""
    use_database()
    names, values = series(rows, width)
    mlflow.start_run(run_name="points")
    if width == 1:
        with timed:
            for step in range(rows):
                mlflow.log_metric(names[0], values[step], step=step)
        return
    mappings = [dict(zip(names, values[step:], strict=False)) for step in range(rows)]
    with timed:
        for step, mapping in enumerate(mappings):
            mlflow.log_metrics(mapping, step=step)


def count() -> int:
    """The rows that are on disk."""
    import sqlite3

    return int(sqlite3.connect(DATABASE).execute("select count(distinct step) from metrics").fetchone()[0])


def make(count: int) -> None:
    """Finished runs to be read."""
    use_database()
    for number in range(count):
        tags = {"production": "1", "nightly": "1"} if number % 10 == 0 else {"nightly": "1"}
        with mlflow.start_run(run_name=f"exp-{number:05d}", tags=tags):
            mlflow.log_params(PARAMS | {"seed": number})
            mlflow.log_metrics(metrics_of(number))


def read() -> Sequence[tuple[object, ...]]:
    """A sorted table."""
    use_database()
    runs = mlflow.search_runs(
        experiment_names=["bench"], order_by=[f"metrics.{SORTED_BY} DESC"], output_format="list", max_results=50_000
    )
    return [(run.info.run_name, run.info.status, run.data.tags, run.data.params, run.data.metrics) for run in runs]


def rounds(timed: Timed) -> None:
    """XGBoost as MLflow logs it by itself."""
    from benchmarks.work.boosting import problem, train_xgboost

    use_database()
    problem()
    mlflow.xgboost.autolog()
    with timed, mlflow.start_run(run_name="rounds"):
        train_xgboost([])


def tuned(timed: Timed) -> None:
    """scikit-learn's grid search as MLflow logs it by itself: the five best candidates."""
    from benchmarks.work.searches import plain_search

    use_database()
    plain_search()
    mlflow.sklearn.autolog()
    with timed:
        plain_search()
