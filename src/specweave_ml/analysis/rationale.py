"""The facts behind the best model. Each comes from recorded values; where a value is missing, so is the fact.

These are facts, not sentences: the words stand in the templates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from specweave_ml.analysis.metrics import gist
from specweave_ml.analysis.numbers import duration, p_value, percent, rounded_down, significant
from specweave_ml.analysis.samples import WELCH_T
from specweave_ml.analysis.stability import Stability, stability
from specweave_ml.analysis.tradeoff import costs_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from specweave_ml.analysis.evidence import Evidence
    from specweave_ml.analysis.numbers import NumberFormat
    from specweave_ml.analysis.ranking import Primary
    from specweave_ml.analysis.repeats import Repeats
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
        interval: where a test was made: the interval of the difference, the best minus the other.
        p: its p-value, corrected for all pairs; None also where the interval alone decides.
        told_apart: whether the test tells the two apart; None where there was none.
        same_everywhere: whether the difference is the same in every fold, run or item, which leaves nothing to test.
        within_noise: whether the difference is no larger than the spread of repeats.
    """

    name: str
    value: str
    absolute: str
    relative: str | None
    interval: str | None = None
    p: str | None = None
    told_apart: bool | None = None
    same_everywhere: bool = False
    within_noise: bool = False


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
        stability: None where one value is all there is.
        latency: how long an inference takes, where it is recorded.
        noise_floor: the largest spread of repeats.
        detectable: the smallest difference to those it cannot be told from that could have been seen.
        best_of: among how many models it was picked on the same data, the trials of their searches counted, which makes
            its value optimistic; None for two, and where it has a value on test data that none of them was picked on.
    """

    value: str
    competitors: int
    equals: tuple[str, ...]
    is_reference: bool
    against_baseline: Difference | None
    against_second: Difference | None
    balance: Balance | None
    training: TrainingRank | None
    stability: Stability | None = None
    latency: str | None = None
    noise_floor: str | None = None
    detectable: str | None = None
    best_of: int | None = None

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
    repeats: Mapping[str, Repeats],
    evidence: Evidence,
) -> Rationale | None:
    """The facts behind the first of `ranked`; None where nobody is ranked."""
    column = primary.column
    if not ranked or column is None:
        return None
    best = ranked[0]
    written = formats[column.name]
    values = {experiment.name: column.value(experiment) or 0.0 for experiment in ranked}
    equals = [other.name for other in ranked[1:] if written(values[other.name]) == written(values[best.name])]
    second = next(iter(ranked[1 + len(equals) :]), None)
    noise = _noise_floor(ranked, repeats, column)

    def difference(other: Experiment | None) -> Difference | None:
        if other is None or other is best or other.name in equals or other.name not in values:
            return None
        return _difference(other.name, values[best.name], values[other.name], written, evidence, noise)

    return Rationale(
        value=written(values[best.name]),
        competitors=len(ranked),
        equals=tuple(equals),
        is_reference=best is baseline,
        against_baseline=difference(baseline),
        against_second=None if second is baseline else difference(second),
        balance=_balance(best, columns, formats),
        training=_training_rank(best, time),
        stability=stability(best, repeats.get(best.name), column),
        latency=costs_of([best], columns, formats, time)[1].texts.get(best.name),
        noise_floor=None if noise is None else significant(noise, 2),
        detectable=None if evidence.detectable is None else rounded_down(evidence.detectable),
        best_of=_best_of(ranked, column, columns, evidence),
    )


def _noise_floor(ranked: Sequence[Experiment], repeats: Mapping[str, Repeats], column: Column) -> float | None:
    spreads = (repeats[model.name].spread(*column.names) for model in ranked if model.name in repeats)
    return max((spread for spread in spreads if spread), default=None)


def _difference(
    name: str, mine: float, theirs: float, written: NumberFormat, evidence: Evidence, noise: float | None
) -> Difference:
    pair = evidence.against_best(name)
    measured = pair.measured if pair else None
    interval = None
    if measured is not None and measured.low is not None and measured.high is not None:
        interval = f"{significant(measured.low, sign=True)} to {significant(measured.high, sign=True)}"
    return Difference(
        name=name,
        value=written(theirs),
        absolute=written(abs(mine - theirs)),
        relative=percent((mine - theirs) / theirs) if theirs > 0 else None,
        interval=interval,
        p=p_value(pair.p_holm) if pair and pair.p_holm is not None else None,
        told_apart=pair.told_apart if pair else None,
        same_everywhere=measured is not None and measured.untested,
        within_noise=noise is not None and abs(mine - theirs) <= noise,
    )


def _best_of(ranked: Sequence[Experiment], column: Column, columns: Sequence[Column], evidence: Evidence) -> int | None:
    best = ranked[0]
    rivals = {best.name} if evidence.test == WELCH_T else {best.name, *evidence.tested}
    tried = sum(_tried(model) for model in ranked if model.name in rivals)
    if tried < 3:
        return None
    measure = gist(column.name)
    of_folds = {name for fold in best.folds for name in fold.metrics}
    held_out = (
        other
        for other in columns
        if other is not column and other.metric.split == "test" and other.value(best) is not None
        if measure is not None and gist(other.name) == measure and not of_folds & {*other.names}
    )
    return None if next(held_out, None) else tried


def _tried(model: Experiment) -> int:
    """How many points it is the best of: the trials of its search, or itself alone."""
    trials = model.value("trials")
    return trials if isinstance(trials, int) and trials > 1 else 1


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
