"""The floor: the plainest standard-library code that does the work, with none of a tracker's promises."""

import json
import os
import time
from collections.abc import Sequence

from benchmarks.work.data import EXPERIMENTS, METRICS, MODELS, PARAMS, SHORT_EXPERIMENTS, SORTED_BY, series
from benchmarks.work.timed import Timed

JOURNAL = "points.jsonl"
still_open: list[object] = []  # at the kill the file must be open, as it would be in the middle of a training


def short(timed: Timed, params_bytes: int, metrics_bytes: int, metadata_bytes: int) -> None:
    """A folder with three files of the same sizes as ours, each fsynced, and both folders fsynced."""
    for number in range(SHORT_EXPERIMENTS):
        folder = f"{EXPERIMENTS}/short-{number}"
        with timed:
            os.mkdir(folder)
            write_synced(f"{folder}/params.json", json.dumps(PARAMS).ljust(params_bytes))
            write_synced(f"{folder}/metrics.json", json.dumps(METRICS).ljust(metrics_bytes))
            write_synced(f"{folder}/metadata.yaml", "status: finished".ljust(metadata_bytes))
            sync_folder(folder)
            sync_folder(EXPERIMENTS)


def write_synced(path: str, text: str) -> None:
    """One small file, on the disk when this returns."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: str) -> None:
    """The names in a folder, on the disk when this returns."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def points(timed: Timed, rows: int, width: int) -> None:
    """One `json.dumps` line a row through Python's buffered file."""
    names, values = series(rows, width)
    file = open(JOURNAL, "w", encoding="utf-8")  # noqa: SIM115 - it stays open until the kill
    still_open.append(file)
    if width == 1:
        name = names[0]
        with timed:
            for step in range(rows):  # noqa: FURB122 - a training writes a line a call
                file.write(json.dumps({"m": {name: values[step]}, "s": step, "t": int(time.time() * 1000)}) + "\n")
        return
    mappings = [dict(zip(names, values[step:], strict=False)) for step in range(rows)]
    with timed:
        for step, mapping in enumerate(mappings):
            file.write(json.dumps({"m": mapping, "s": step, "t": int(time.time() * 1000)}) + "\n")


def count() -> int:
    """The rows that are on disk."""
    with open(JOURNAL, encoding="utf-8") as file:
        return sum(line.endswith("}\n") for line in file)


def read() -> Sequence[tuple[object, ...]]:
    """Our folders with the standard library: no status, no tags."""
    import glob

    rows = []
    for path in glob.glob(f"{EXPERIMENTS}/*/params.json"):
        folder = os.path.dirname(path)
        with open(path, encoding="utf-8") as file:
            params = json.load(file)
        with open(f"{folder}/metrics.json", encoding="utf-8") as file:
            metrics = json.load(file)
        rows.append((os.path.basename(folder), params, metrics))
    rows.sort(key=lambda row: row[2][SORTED_BY], reverse=True)
    return rows


def history(timed: Timed) -> None:
    """Every line of our journal through orjson, keeping nothing."""
    import orjson

    loads = orjson.loads
    with timed, open(f"{EXPERIMENTS}/history/journal.jsonl", "rb") as file:
        for line in file:
            loads(line)


def renew(timed: Timed) -> None:
    """The page of models parsed twice by markdown-it-py, as what knows it before and after a change has to."""
    from markdown_it import MarkdownIt

    with open(MODELS, encoding="utf-8") as file:
        text = file.read()
    parser = MarkdownIt("commonmark").enable("table")
    with timed:
        parser.parse(text)
        parser.parse(text)


def look(timed: Timed) -> None:
    """Every document that has regions parsed once, only its blocks."""
    import glob

    from markdown_it import MarkdownIt

    texts = []
    for pattern in (".specweave/docs/**/*.md", ".specweave/increments/*/reports/*.md"):
        for path in glob.glob(pattern, recursive=True):
            with open(path, encoding="utf-8") as file:
                texts.append(file.read())
    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    with timed:
        for text in texts:
            parser.parse(text)


def rounds(timed: Timed) -> None:
    """XGBoost without a callback."""
    from benchmarks.work.boosting import problem, train_xgboost

    problem()
    with timed:
        train_xgboost([])


def tuned(timed: Timed) -> None:
    """scikit-learn's grid search."""
    from benchmarks.work.searches import plain_search

    plain_search()
    with timed:
        plain_search()
