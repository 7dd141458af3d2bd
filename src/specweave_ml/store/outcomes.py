"""Per-item outcomes read back: one value a test item, kept as `outcomes-<metric>.csv` beside the record."""

from __future__ import annotations

import csv
import io
import os
from typing import TYPE_CHECKING

from specweave_ml.errors import SpecweaveError
from specweave_ml.store.layout import artifact_path
from specweave_ml.store.reader import read_small_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from specweave_ml.record import Experiment

SIZE_LIMIT = 8_000_000
"""Bytes of one file: about half a million items."""

MOST_ITEMS = 2_000_000
"""Items of all experiments that are read together."""

_HEADER = ["id", "value"]


def read_outcomes(
    experiments: Iterable[Experiment], spellings: Sequence[str]
) -> tuple[dict[str, dict[str, float]], list[str]]:
    """The outcomes of every test item that experiments logged for a metric, and why some could not be read.

    Args:
        experiments: those that matter most first: beyond `MOST_ITEMS`, no more are read.
        spellings: the names of the metric.

    Returns:
        experiment → item → outcome, only for those that logged them; and a line for each that could not be read.
    """
    outcomes: dict[str, dict[str, float]] = {}
    problems = []
    for experiment in experiments:
        files = experiment.value("outcomes")
        file = next((files[name] for name in spellings if name in files), None) if isinstance(files, dict) else None
        if file is None:
            continue
        if sum(map(len, outcomes.values())) > MOST_ITEMS:
            problems.append(f"outcomes of over {MOST_ITEMS:,} items: from {experiment.name} on they were not read")
            break
        try:
            outcomes[experiment.name] = _read(os.fspath(experiment.path), str(file))
        except (SpecweaveError, OSError, csv.Error, ValueError) as error:
            why = error.what if isinstance(error, SpecweaveError) else getattr(error, "strerror", None) or error
            problems.append(f"{file} of {experiment.name} is no table of outcomes: {why}")
    return outcomes, problems


def _read(folder: str, file: str) -> dict[str, float]:
    return _parsed(read_small_file(artifact_path(folder, file), SIZE_LIMIT).decode("utf-8-sig"))


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
