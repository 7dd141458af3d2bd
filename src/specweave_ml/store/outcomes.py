"""Per-item outcomes read back: one value a test item, kept as `outcomes-<metric>.csv` beside the record."""

from __future__ import annotations

import csv
import io
import os
from typing import TYPE_CHECKING

from specweave_ml.errors import SpecweaveError, StoreError
from specweave_ml.store.layout import artifact_path
from specweave_ml.store.reader import read_small_file

if TYPE_CHECKING:
    from specweave_ml.record import Experiment

SIZE_LIMIT = 8_000_000
"""Bytes of one file: about half a million items."""

_HEADER = ["id", "value"]


def read_outcomes(experiment: Experiment, metric: str) -> dict[str, float] | None:
    """The outcome of every test item that an experiment logged for a metric, by the item's id; None where it did not.

    Raises:
        StoreError: the file is gone, too large, not a file of the experiment, or not what `log_outcomes` writes.
    """
    files = experiment.value("outcomes")
    file = files.get(metric) if isinstance(files, dict) else None
    if not isinstance(file, str):
        return None
    said = f"{file} of {experiment.name}"
    try:
        data = read_small_file(artifact_path(os.fspath(experiment.path), file), SIZE_LIMIT)
    except SpecweaveError as error:
        raise StoreError(f"{said} cannot be read: {error.what}", path=file) from None
    except OSError as error:
        raise StoreError(f"{said} cannot be read: {error.strerror or error}", path=file) from error
    try:
        return _parsed(data.decode("utf-8-sig"))
    except (csv.Error, ValueError) as error:
        raise StoreError(f"{said} is not a table of id and value: {error}", path=file) from None


def _parsed(text: str) -> dict[str, float]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    if next(rows, None) != _HEADER:
        raise ValueError("its first line is not id,value")
    outcomes: dict[str, float] = {}
    for row in rows:
        if len(row) != 2:
            raise ValueError(f"line {rows.line_num} has {len(row)} cells")
        item, value = row
        if item in outcomes:
            raise ValueError(f"line {rows.line_num} has an id that stands above already")
        outcomes[item] = float(value)
    return outcomes
