"""specweave-ml, as a training script uses it."""

import glob
import os
from collections.abc import Sequence

from benchmarks.work.data import EXPERIMENTS, METRICS, PARAMS, SHORT_EXPERIMENTS, SORTED_BY, metrics_of, series
from benchmarks.work.timed import Timed

INCREMENT = "0001"
still_open: list[object] = []  # an experiment in the middle of a training when the process is killed


def short(timed: Timed) -> None:
    """Short runs, one after another."""
    from specweave import track_experiment

    for number in range(SHORT_EXPERIMENTS):
        with timed, track_experiment(f"short-{number}", increment=INCREMENT) as experiment:
            experiment.log_params(PARAMS)
            experiment.log_metrics(METRICS)


def background(timed: Timed) -> None:
    """What the first experiment of a process leaves to its thread: the slow part of provenance."""
    from specweave import track_experiment
    from specweave_ml.tracking import capture

    with track_experiment("short", increment=INCREMENT) as experiment:
        experiment.log_params(PARAMS)
        experiment.log_metrics(METRICS)
    with timed:
        capture.wait()


def points(timed: Timed, rows: int, width: int) -> None:
    """A call a row."""
    from specweave import track_experiment

    names, values = series(rows, width)
    experiment = track_experiment("points", increment=INCREMENT)
    still_open.append(experiment)
    if width == 1:
        name = names[0]
        with timed:
            for step in range(rows):
                experiment.log_metric(name, values[step], step=step)
        return
    mappings = [dict(zip(names, values[step:], strict=False)) for step in range(rows)]
    with timed:
        for step, mapping in enumerate(mappings):
            experiment.log_metrics(mapping, step=step)


def count() -> int:
    """Whole lines with a metric in the journals, counted without our own reader."""
    import json

    kept = 0
    for path in glob.glob(f"{EXPERIMENTS}/points/journal*.jsonl"):
        with open(path, encoding="utf-8") as file:
            kept += sum("m" in json.loads(line) for line in file if line.endswith("\n"))
    return kept


def make(count: int) -> None:
    """Real experiments by the real writer; only the fsyncs are left out, which change no byte."""
    from specweave import track_experiment

    os.fsync = lambda fd: None  # noqa: ARG005 - its name is part of the signature
    for number in range(count):
        tags = ["production", "nightly"] if number % 10 == 0 else ["nightly"]
        with track_experiment(f"exp-{number:05d}", increment=INCREMENT, tags=tags) as experiment:
            experiment.log_params(PARAMS | {"seed": number})
            experiment.log_metrics(metrics_of(number))


def read() -> Sequence[tuple[object, ...]]:
    """A sorted table."""
    from specweave import load_experiments

    rows = [(e.name, e.status, e.tags, e.params, e.metrics) for e in load_experiments(INCREMENT)]
    rows.sort(key=lambda row: row[4][SORTED_BY], reverse=True)
    return rows


def make_history(count: int) -> None:
    """One finished experiment with a long journal."""
    from specweave import track_experiment

    with track_experiment("history", increment=INCREMENT) as experiment:
        for step in range(count):
            experiment.log_metric("loss", 1 / (step + 3), step=step)


def history(timed: Timed) -> list[float]:
    """?"""
    from specweave import load_experiment

    with timed:
        columns = load_experiment("history", increment=INCREMENT).history("loss")
    return [len(columns.steps), len(columns.values), len(columns.times), columns.values[-1]]


def third_party() -> list[str]:
    """The modules that `from specweave import track_experiment` loads and that are neither ours nor Python's."""
    import sys

    before = set(sys.modules)
    from specweave import track_experiment  # noqa: F401 - what it loads is the question

    ours_or_python = {"specweave", "specweave_ml", *sys.stdlib_module_names}
    return sorted(name for name in set(sys.modules) - before if name.partition(".")[0] not in ours_or_python)
