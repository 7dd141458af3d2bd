"""trackio on its local SQLite files."""

from collections.abc import Sequence

import trackio
from trackio.sqlite_storage import SQLiteStorage

from benchmarks.work.data import METRICS, PARAMS, SHORT_EXPERIMENTS, SORTED_BY, metrics_of, series
from benchmarks.work.timed import Timed

PROJECT = "bench"


def short(timed: Timed) -> None:
    """Short runs, one after another."""
    SQLiteStorage.init_db(PROJECT)
    for number in range(SHORT_EXPERIMENTS):
        with timed:
            run = trackio.init(project=PROJECT, name=f"short-{number}", config=PARAMS)
            run.log(METRICS)
            run.finish()


def points(timed: Timed, rows: int, width: int) -> None:
    """A call a row."""
    names, values = series(rows, width)
    run = trackio.init(project=PROJECT, name="points")
    mappings = [dict(zip(names, values[step:], strict=False)) for step in range(rows)]
    with timed:
        for step, mapping in enumerate(mappings):
            run.log(mapping, step=step)


def count() -> int:
    """The rows that are on disk."""
    return int(SQLiteStorage.get_log_count(PROJECT, "points"))


def make(count: int) -> None:
    """Finished runs to be read."""
    for number in range(count):
        run = trackio.init(project=PROJECT, name=f"exp-{number:05d}", config=PARAMS | {"seed": number})
        run.log(metrics_of(number))
        run.finish()


def read() -> Sequence[tuple[object, ...]]:
    """A sorted table, without status and tags: it has none."""
    configs = SQLiteStorage.get_all_run_configs(PROJECT)
    runs = [{"run": run.name, "run_id": run.id} for run in trackio.Api().runs(PROJECT)]
    logged = SQLiteStorage.get_logs_batch(PROJECT, runs)
    rows = [(run["run"], None, None, configs[run["run_id"]], run["logs"][-1]) for run in logged]
    rows.sort(key=lambda row: row[4][SORTED_BY], reverse=True)
    return rows
