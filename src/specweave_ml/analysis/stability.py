"""How much a model's own value varies."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from specweave_ml.analysis.independent_runs import mean_interval
from specweave_ml.analysis.moments import standard_deviation
from specweave_ml.analysis.numbers import significant
from specweave_ml.analysis.proportions import wilson
from specweave_ml.analysis.samples import Sample, is_mean, proportion, score_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specweave_ml.analysis.repeats import Repeats
    from specweave_ml.analysis.table import Column
    from specweave_ml.record import Experiment


@dataclass(frozen=True, slots=True)
class Stability:
    """How a model's value varies: over `n` `folds` or `repeats`, or by the count behind it (`n` `items`).

    `deviation` is the standard deviation, `interval` the 95 % interval of the value; each None where there is none.
    """

    over: str
    n: int
    deviation: str | None
    interval: str | None


def stability(model: Experiment, repeats: Repeats | None, column: Column) -> Stability | None:
    """How a model's value varies, where it was repeated, scored on folds, or is a proportion of a count."""
    if repeats is not None:
        values: Sequence[float] = repeats.values(*column.names)
        return _varying("repeats", values, mean_interval(values))
    scores = [score for fold in model.folds if (score := score_of(fold, column)) is not None]
    if len(scores) > 1 and all(map(isfinite, scores)) and is_mean(column.value(model), scores):
        return _varying("folds", scores, None)  # folds share their training rows: their mean has no honest interval
    counted = proportion(model, column)
    if not isinstance(counted, Sample):
        return None
    return Stability("items", counted.size, None, _interval(wilson(counted.values[0], counted.size)))


def _varying(over: str, values: Sequence[float], interval: tuple[float, float] | None) -> Stability | None:
    if len(values) < 2:
        return None
    deviation = standard_deviation(values)
    return Stability(over, len(values), significant(deviation, 2) if deviation else "0", _interval(interval))


def _interval(interval: tuple[float, float] | None) -> str | None:
    return None if interval is None else f"{significant(interval[0])} to {significant(interval[1])}"
