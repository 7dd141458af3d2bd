"""What an increment costs those who use MLflow: our store beside MLflow's own on plain SQLite, call by call in turns.

    .venv/bin/python -m benchmarks.mlflow_mode [--runs 10000]

Both stores live in one process and take turns at every call, so what else the machine does strikes both alike.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measure import disk_folder
from benchmarks.table import markdown

INCREMENT = ".specweave/increments/0042-model"
METRICS, STEPS = 3, 10


def timed(call: Callable[[], Any]) -> float:
    """Seconds that a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def in_turns(jobs: Mapping[str, Callable[[], Any]], repeat: int) -> dict[str, float]:
    """The median of each job's times, first and second by turns."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for number in range(repeat):
        for name in jobs if number % 2 else reversed([*jobs]):
            times[name].append(timed(jobs[name]))
    return {name: median(each) for name, each in times.items()}


def logging(clients: dict[str, Any], repeat: int) -> dict[str, float]:
    """One `log_metric`."""
    runs = {name: client.create_run("0", run_name="points").info.run_id for name, client in clients.items()}
    jobs = {name: partial(client.log_metric, runs[name], "loss", 0.5) for name, client in clients.items()}
    return in_turns(jobs, repeat)


def whole_runs(clients: dict[str, Any], repeat: int) -> dict[str, float]:
    """Start and finish of a run; the first of a process is not counted."""

    def run(client: Any) -> None:
        client.set_terminated(client.create_run("0", run_name="short").info.run_id)

    jobs = {name: partial(run, client) for name, client in clients.items()}
    in_turns(jobs, 1)
    return in_turns(jobs, repeat)


def fill(client: Any, runs: int) -> None:
    """Runs with ten params, and three metrics of ten steps."""
    from mlflow.entities import Metric, Param

    params = [Param(f"param{number}", str(number / 7)) for number in range(10)]
    for number in range(runs):
        key = client.create_run("0", run_name=f"run-{number}").info.run_id
        metrics = [
            Metric(f"m{at}", at / (step + 1), 1_000 + step, step) for at in range(METRICS) for step in range(STEPS)
        ]
        client.log_batch(key, metrics, params)
        client.set_terminated(key)


def read_all(client: Any) -> int:
    """Every run with its histories, through MLflow's public client."""
    points, token = 0, None
    while True:
        page = client.search_runs(["0"], max_results=1_000, page_token=token)
        for run in page:
            points += sum(len(client.get_metric_history(run.info.run_id, name)) for name in run.data.metrics)
        token = page.token
        if not token:
            return points


def importing(client: Any, database: str, runs: int) -> dict[str, float]:
    """Import of a database, beside reading the same by the client."""
    from specweave_ml.mlflow.source import Database
    from specweave_ml.store.pulling import pull

    fill(client, runs)
    times = {"plain": timed(lambda: read_all(client))}
    times["ours"] = timed(lambda: pull(Database(database), "imported/experiments", "0042-model"))
    return times


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mlflow_mode", description=__doc__)
    parser.add_argument("--repeat", type=int, default=100, help="of every call (100)")
    parser.add_argument("--runs", type=int, default=300, help="runs to import (300)")
    chosen = parser.parse_args()
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    import mlflow

    folder = Path(tempfile.mkdtemp(prefix="specweave-ml-mlflow-", dir=disk_folder()))
    here = Path.cwd()
    os.chdir(folder)
    try:
        Path(INCREMENT).mkdir(parents=True)
        clients = {
            "plain": mlflow.MlflowClient(f"sqlite:///{folder}/plain.db"),
            "ours": mlflow.MlflowClient(f"{INCREMENT}/experiments"),
        }
        rows = [
            ("log_metric", logging(clients, chosen.repeat), 1.05),
            ("start and finish of a run", whole_runs(clients, chosen.repeat), 1.15),
            (
                f"import of {chosen.runs:,} runs",
                importing(mlflow.MlflowClient(f"sqlite:///{folder}/many.db"), f"{folder}/many.db", chosen.runs),
                1.0,
            ),
        ]
    finally:
        os.chdir(here)
        shutil.rmtree(folder)
    cells = [
        (
            work,
            f"{1000 * each['plain']:.2f}",
            f"{1000 * each['ours']:.2f}",
            f"{each['ours'] / each['plain']:.2f}",
            f"≤ {reach}",
        )
        for work, each, reach in rows
    ]
    print(f"MLflow {mlflow.__version__}; medians of {chosen.repeat} calls, milliseconds\n")
    print(markdown(("work", "plain MLflow", "with an increment", "×", "reach"), cells))


if __name__ == "__main__":
    main()
