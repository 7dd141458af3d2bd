"""specweave-ml, as a training script uses it."""

import glob
import os
from collections.abc import Sequence

from benchmarks.work.data import (
    EXPERIMENTS,
    METRICS,
    MODELS,
    PARAMS,
    SHORT_EXPERIMENTS,
    SORTED_BY,
    metrics_of,
    series,
)
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


def make_increments(count: int, size: int) -> int:
    """Increments of four cross-validated experiments, synced, in a page of models of `size` bytes; its size."""
    from specweave import track_experiment
    from specweave_ml.documents.sync import sync

    synced, os.fsync = os.fsync, lambda fd: None  # noqa: ARG005 - its name is part of the signature
    for number in range(1, count + 1):
        increment = f"{number:04d}-model"
        os.makedirs(f".specweave/increments/{increment}", exist_ok=True)
        for model in range(4):
            tags = ["baseline"] if model == 0 else []
            with track_experiment(f"exp-{model}", increment=increment, description="A model", tags=tags) as experiment:
                experiment.log_params(PARAMS | {"depth": model})
                for fold in range(5):
                    scores = {"accuracy": 0.8 + model / 50 + (fold * 7 + model * 3) % 11 / 500}
                    experiment.log_fold(fold, scores, n_train=800, n_test=200, split_id=f"fold-{fold}")
                experiment.log_metric("training_time", 10.0 + model)
        _select(increment, "the first choice")
    os.fsync = synced
    sync(everything=True)
    with open(MODELS, encoding="utf-8") as file:
        text = file.read()
    words = "What the team says about it, in *their* words, with `code` and a [link](https://example.org).\n" * 7 + "\n"
    each = words * ((size - len(text)) // (count * len(words)) + 1)
    with open(MODELS, "w", encoding="utf-8") as file:
        file.write(text.replace("\n## ", f"\n{each}## "))
    return os.path.getsize(MODELS)


def _select(increment: str, because: str) -> None:
    with open(f".specweave/increments/{increment}/experiments/decision.md", "w", encoding="utf-8") as file:
        file.write(f"---\nselected: exp-3\nbecause: {because}\n---\n")


def renew(timed: Timed, number: int) -> int:
    """A sync in which every increment has news; how many regions of the page of models it renewed."""
    from specweave_ml.documents.sync import sync

    for increment in os.listdir(".specweave/increments"):
        _select(increment, f"reason {number}")
    with timed:
        done = sync(everything=True)
    page = next(change for change in done.changes if change.path == MODELS)
    return sum(region.outcome == "updated" for region in page.regions)


def look(timed: Timed) -> int:
    """A sync with nothing to do, from the experiments on; how many regions it found as they should be."""
    from specweave_ml.documents.sync import sync

    with timed:
        done = sync(everything=True)
    return done.checked if done.is_current else 0


def look_at_documents(timed: Timed) -> int:
    """The part of it that grows with the documents: what should stand there is known already."""
    from specweave_ml.documents.examined import examine
    from specweave_ml.documents.wanted import wanted_documents
    from specweave_ml.living_docs import sync_documents
    from specweave_ml.project import list_increments

    root = os.getcwd()
    examined = [found for found in map(examine, list_increments(root)) if found is not None]
    wanted = wanted_documents(root, examined, complete=True)
    with timed:
        done = sync_documents(root, wanted)
    return done.checked if done.is_current else 0


def rounds(timed: Timed) -> None:
    """XGBoost with our callback."""
    from benchmarks.work.boosting import problem, tracked, train_xgboost

    problem()
    with timed:
        tracked("xgboost", train_xgboost)


def tuned(timed: Timed) -> None:
    """The same search, every candidate recorded."""
    from benchmarks.work.searches import plain_search, tracked_search

    plain_search()
    with timed:
        tracked_search()
