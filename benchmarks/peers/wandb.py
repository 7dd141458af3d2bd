"""Weights & Biases in its offline mode, which writes one `.wandb` file a run."""

import glob
import json
from collections.abc import Iterator, Sequence

import wandb
from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[attr-defined]  # made at import

from benchmarks.work.data import METRICS, PARAMS, SHORT_EXPERIMENTS, SORTED_BY, metrics_of, series
from benchmarks.work.timed import Timed

PROJECT = "bench"
RECORDS = "wandb/offline-run-*/run-*.wandb"


def short(timed: Timed) -> None:
    """Short runs, one after another."""
    for number in range(SHORT_EXPERIMENTS):
        with timed, wandb.init(project=PROJECT, name=f"short-{number}", config=PARAMS) as run:
            run.log(METRICS)


def points(timed: Timed, rows: int, width: int) -> None:
    """A call a row."""
    names, values = series(rows, width)
    run = wandb.init(project=PROJECT, name="points")
    mappings = [dict(zip(names, values[step:], strict=False)) for step in range(rows)]
    with timed:
        for step, mapping in enumerate(mappings):
            run.log(mapping, step=step)


def count() -> int:
    """The rows that are on disk."""
    return sum(record.HasField("history") for path in glob.glob(RECORDS) for record in records(path))


def make(count: int) -> None:
    """Finished runs to be read."""
    for number in range(count):
        tags = ["production", "nightly"] if number % 10 == 0 else ["nightly"]
        config = PARAMS | {"seed": number}
        with wandb.init(project=PROJECT, name=f"exp-{number:05d}", config=config, tags=tags) as run:
            run.log(metrics_of(number))


def read() -> Sequence[tuple[object, ...]]:
    """It has no reader of offline runs, so the records are taken from the files with its own protocol classes."""
    rows = []
    for path in glob.glob(RECORDS):
        name, status, tags, params = "", "running", [], {}
        metrics: dict[str, float] = {}
        for record in records(path):
            kind = record.WhichOneof("record_type")
            if kind == "run":
                name, tags = record.run.display_name, list(record.run.tags)
                params = {item.key: json.loads(item.value_json) for item in record.run.config.update}
            elif kind == "history":
                items = record.history.item
                metrics |= {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}
            elif kind == "exit":
                status = "failed" if record.exit.exit_code else "finished"
        rows.append((name, status, tags, params, metrics))
    rows.sort(key=lambda row: row[4][SORTED_BY], reverse=True)
    return rows


def records(path: str) -> Iterator[Record]:
    """The whole records of one file: LevelDB's log format (7 bytes of header, blocks of 32 KiB) of protobufs."""
    with open(path, "rb") as file:
        data = file.read()
    offset, block, header, payload = 7, 32_768, 7, b""
    while offset + header <= len(data):
        left = block - offset % block
        if left < header:
            offset += left
            continue
        length, kind = int.from_bytes(data[offset + 4 : offset + 6], "little"), data[offset + 6]
        piece = data[offset + header : offset + header + length]
        offset += header + length
        payload = piece if kind in (1, 2) else payload + piece
        if len(piece) < length or kind == 0:
            return
        if kind in (1, 4):
            yield Record.FromString(payload)
