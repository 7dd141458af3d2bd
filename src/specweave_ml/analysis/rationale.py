"""The facts behind the best model. Each comes from recorded values; where a value is missing, so is the fact.

These are facts, not sentences: the words stand in the templates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from specweave_ml.analysis.numbers import duration, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from specweave_ml.analysis.numbers import NumberFormat
    from specweave_ml.analysis.ranking import Primary
    from specweave_ml.analysis.table import Column, TrainingTime
    from specweave_ml.record import Experiment


@dataclass(frozen=True, slots=True)
class Difference:
    """How far the best is from another experiment.

    Attributes:
        name: the other experiment.
        value: its value.
        absolute: the difference, without a sign.
        relative: the same in percent of the other's value, with a sign; None where that value is not above zero.
    """

    name: str
    value: str
    absolute: str
    relative: str | None


@dataclass(frozen=True, slots=True)
class Balance:
    """Precision and recall of the best, and how far apart they are."""

    precision: str
    recall: str
    apart: str


@dataclass(frozen=True, slots=True)
class TrainingRank:
    """How long the best trained: its place among `of` experiments, the shortest first."""

    text: str
    place: int
    of: int


@dataclass(frozen=True, slots=True)
class Rationale:
    """What can be said for the best experiment.

    Attributes:
        value: its value of the primary metric.
        competitors: how many experiments have a number there, itself included.
        equals: the names of those that have the same value.
        is_reference: whether it is itself the baseline that the others are measured against.
        against_baseline: None also where the baseline has the same value.
        against_second: the next value's experiment; None where that is the baseline.
    """

    value: str
    competitors: int
    equals: tuple[str, ...]
    is_reference: bool
    against_baseline: Difference | None
    against_second: Difference | None
    balance: Balance | None
    training: TrainingRank | None

    @property
    def differences(self) -> list[tuple[Difference, str]]:
        """Those there are, each with what the other experiment is."""
        pairs = [(self.against_baseline, "baseline"), (self.against_second, "second best")]
        return [(difference, role) for difference, role in pairs if difference is not None]


def rationale(
    ranked: Sequence[Experiment],
    baseline: Experiment | None,
    primary: Primary,
    columns: Sequence[Column],
    formats: Mapping[str, NumberFormat],
    time: TrainingTime,
) -> Rationale | None:
    """The facts behind the first of `ranked`; None where nobody is ranked."""
    column = primary.column
    if not ranked or column is None:
        return None
    best = ranked[0]
    written = formats[column.name]
    values = {experiment.name: column.value(experiment) or 0.0 for experiment in ranked}
    mine = values[best.name]
    equals = [other.name for other in ranked[1:] if written(values[other.name]) == written(mine)]
    second = next(iter(ranked[1 + len(equals) :]), None)

    def difference(other: Experiment | None) -> Difference | None:
        if other is None or other is best or other.name in equals or other.name not in values:
            return None
        theirs = values[other.name]
        relative = percent((mine - theirs) / theirs) if theirs > 0 else None
        return Difference(other.name, written(theirs), written(abs(mine - theirs)), relative)

    return Rationale(
        value=written(mine),
        competitors=len(ranked),
        equals=tuple(equals),
        is_reference=best is baseline,
        against_baseline=difference(baseline),
        against_second=None if second is baseline else difference(second),
        balance=_balance(best, columns, formats),
        training=_training_rank(best, time),
    )


def _balance(best: Experiment, columns: Sequence[Column], formats: Mapping[str, NumberFormat]) -> Balance | None:
    by_key = {column.metric.key: column for column in columns}
    for column in columns:
        if column.metric.family != "precision" or column.metric.split == "train":
            continue
        partner = by_key.get(column.metric.key.replace("precision", "recall"))
        precision, recall = column.value(best), partner.value(best) if partner else None
        if partner and precision is not None and recall is not None:
            written = formats[column.name]
            return Balance(written(precision), formats[partner.name](recall), written(abs(precision - recall)))
    return None


def _training_rank(best: Experiment, time: TrainingTime) -> TrainingRank | None:
    mine = time.seconds.get(best.name)
    if mine is None:
        return None
    place = 1 + sum(seconds < mine for seconds in time.seconds.values())
    return TrainingRank(duration(mine), place, len(time.seconds))
