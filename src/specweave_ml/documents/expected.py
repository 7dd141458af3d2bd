"""What training the chosen model again should come to, and how long it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from specweave_ml.analysis.moments import standard_deviation
from specweave_ml.analysis.numbers import duration
from specweave_ml.documents.conducted import spread_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specweave_ml.analysis.comparison import Findings
    from specweave_ml.documents.chosen import Chosen

MOST_METRICS = 12


@dataclass(frozen=True, slots=True)
class Expected:
    """A metric that a new training should come to, and how much it differed from fold to fold or repeat to repeat."""

    title: str
    value: str
    spread: str
    over: str


def time_taken(chosen: Chosen) -> str:
    """How long the whole run was, not only what the program called training; empty where it is not recorded."""
    seconds = chosen.experiment.duration_seconds
    if seconds is None:
        return ""
    repeats = f", the mean of {len(chosen.repeats.members)} repeats" if chosen.repeats else ""
    return f"{duration(seconds)}{repeats}"


def expected_metrics(comparison: Findings, chosen: Chosen) -> Iterator[Expected]:
    """Its metrics, the one that decides first, each with its spread where it was measured more than once."""
    columns = [column for column in comparison.columns if column is not comparison.time.column]
    first = sorted(columns, key=lambda column: column is not comparison.chosen.column)
    recorded = [column for column in first if column.value(chosen.experiment) is not None]
    for column in recorded[:MOST_METRICS]:
        written = comparison.formats[column.name]
        values, unit = chosen.samples(column)
        spread = spread_text(standard_deviation(values), written) if values else ""
        over = f"{len(values)} {unit}" if values else ""
        yield Expected(column.title, written(column.value(chosen.experiment)), spread, over)
