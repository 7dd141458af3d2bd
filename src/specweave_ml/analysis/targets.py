"""Targets for metrics, and whether an experiment meets them."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Literal

from specweave_ml.analysis.metrics import gist, seconds_per_unit, understand
from specweave_ml.analysis.numbers import duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from specweave_ml.analysis.metrics import Direction
    from specweave_ml.analysis.numbers import NumberFormat
    from specweave_ml.analysis.table import Column, TrainingTime
    from specweave_ml.record import Experiment

Sign = Literal[">", ">=", "<", "<="]
Unit = Literal["", "%", "ms", "s"]
Outcome = Literal["met", "missed", "not measured"]

FRACTIONS = frozenset(
    "accuracy f1 f2 f05 fbeta auc auprc precision recall specificity tpr tnr fpr fnr fdr ppv npv iou dice exact_match "
    "ndcg map mrr hit misclassification".split()
)
"""Families of metrics between 0 and 1, which people also write in percent."""

_HOLDS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
_SECONDS = {"ms": 0.001, "s": 1.0}


@dataclass(frozen=True, slots=True)
class Target:
    """A value that is asked for.

    Attributes:
        metric: the metric as it was named.
        sign: the comparison.
        number: the limit, in `unit`.
        unit: `%`, `ms`, `s`, or empty for a plain number.
    """

    metric: str
    sign: Sign
    number: float
    unit: Unit = ""

    @property
    def text(self) -> str:
        """`Precision@10 > 0.25`, `Latency < 100 ms`, `Accuracy >= 85%`."""
        unit = f" {self.unit}" if self.unit in _SECONDS else self.unit
        return f"{self.metric} {self.sign} {self.number:.15g}{unit}"

    @property
    def direction(self) -> Direction:
        """Which way is better to those who ask for it."""
        return "maximize" if self.sign in {">", ">="} else "minimize"


@dataclass(frozen=True, slots=True)
class Checked:
    """A target, what became of it, and the recorded value as text (None where none is recorded)."""

    target: Target
    outcome: Outcome
    value: str | None


def column_of(target: Target, columns: Sequence[Column]) -> Column | None:
    """The logged metric that a target is about: of the same name, else one that measures the same on other data.

    Where several do, the metric of the whole comes before that of test and validation data. Training data never
    counts unless the target names it.
    """
    asked, meant = understand(target.metric), gist(target.metric)
    order = {"test": 2, "val": 3, None: 1, asked.split: 0}
    places = [
        (column.metric.key != asked.key, order[column.metric.split], place, column)
        for place, column in enumerate(columns)
        if column.metric.split in order
        and (column.metric.key == asked.key or (meant is not None and gist(column.name) == meant))
    ]
    return min(places)[-1] if places else None


def check_target(
    target: Target,
    experiment: Experiment | None,
    columns: Sequence[Column],
    formats: Mapping[str, NumberFormat],
    time: TrainingTime,
) -> Checked:
    """Whether what an experiment recorded meets a target; without an experiment, nothing is measured.

    Args:
        target: what is asked for.
        experiment: the one it is asked of.
        columns: the metrics that were logged.
        formats: how their numbers are written.
        time: how long each experiment trained.
    """
    column = column_of(target, columns)
    value = column.value(experiment) if column and experiment else None
    text = formats[column.name](value) if column else None
    limit = target.number
    if target.unit in _SECONDS:
        value = _seconds(target, experiment, column, time)
        text, limit = duration(value), target.number * _SECONDS[target.unit]
    elif value is not None and (target.unit == "%" or understand(target.metric).family in FRACTIONS):
        # Above 1, a fraction was logged in percent.
        value = value / 100 if value > 1 else value
        limit = target.number / 100 if target.unit == "%" else target.number
    if value is None or not isfinite(value):
        return Checked(target, "not measured", None)
    return Checked(target, "met" if _HOLDS[target.sign](value, limit) else "missed", text)


def _seconds(target: Target, experiment: Experiment | None, column: Column | None, time: TrainingTime) -> float | None:
    """The recorded time; None also where its unit is nowhere said."""
    if experiment is None:
        return None
    if gist(target.metric) == ("training time", frozenset()):
        return time.seconds.get(experiment.name)
    unit = seconds_per_unit(column.name) if column else None
    value = column.value(experiment) if column else None
    return None if unit is None or value is None else value * unit
