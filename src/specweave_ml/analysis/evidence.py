"""What the recorded values allow to be said of the differences between models, and why not more.

The strongest kind of record that the best model and at least one other share decides: the same folds, repeats, the
outcomes on the same test items, the counts behind proportions; with one value each there is nothing to test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from specweave_ml.analysis.holm import holm
from specweave_ml.analysis.measured import ALPHA, Measured
from specweave_ml.analysis.samples import Sample, fold_scores, item_outcomes, proportion, runs
from specweave_ml.errors import first_few

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from specweave_ml.analysis.repeats import Repeats
    from specweave_ml.analysis.table import Column
    from specweave_ml.record import Experiment

ONE_VALUE_EACH = "one value each"

MOST_PAIRWISE = 100
"""Of more models, only the pairs with the best are tested; the correction counts all pairs all the same."""

_MOST_LISTED_PAIRS = 45
_LOOKED_AT = 20
_MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models: a stands before b in the order of their values.

    Attributes:
        a: a name.
        b: the other.
        measured: the difference a - b.
        p_holm: its p-value, corrected for all pairs; None where the interval decides.
    """

    a: str
    b: str
    measured: Measured
    p_holm: float | None

    @property
    def told_apart(self) -> bool:
        """Whether the two differ as far as the records can say; the same difference everywhere is one, untested."""
        measured = self.measured
        if self.p_holm is not None:
            return self.p_holm < ALPHA
        if measured.low is not None and measured.high is not None:
            return measured.low > 0 or measured.high < 0
        return measured.difference != 0

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        measured = self.measured
        return {
            "a": self.a,
            "b": self.b,
            "difference": measured.difference,
            "low": measured.low,
            "high": measured.high,
            "p": measured.p,
            "p_holm": self.p_holm,
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a test says of the models' differences.

    Attributes:
        test: `corrected t`, `Welch t`, `exact McNemar`, `paired t` or `Newcombe 10`; None where nothing can be tested.
        tested: the models it was made on, best first.
        size: how many folds or items each has; of repeats and counts, what the best has.
        comparisons: how many pairs those models make; the intervals are widened for all of them (Bonferroni).
        pairs: the pairs, in the order of the models.
        detectable: a smaller difference between the best and those it cannot be told from (where there are none: the
            second) could not have been seen; in the metric's unit.
        indistinguishable: the models that the test does not tell from the best, and the best itself; empty where it
            tells all of them from it.
        standard_error: of the best model's value, in the metric's unit.
        why_not: why there is no test, or which models it could not be made on.
    """

    test: str | None = None
    tested: tuple[str, ...] = ()
    size: int = 0
    comparisons: int = 0
    pairs: tuple[Pair, ...] = ()
    detectable: float | None = None
    indistinguishable: tuple[str, ...] = ()
    standard_error: float | None = None
    why_not: str | None = None

    @property
    def of_best(self) -> tuple[Pair, ...]:
        """The pairs of the best model, which come first."""
        return self.pairs[: max(len(self.tested) - 1, 0)]

    @property
    def equal(self) -> tuple[str, ...]:
        """Those of them that have the best model's value in every fold, run or item."""
        same = {pair.b for pair in self.of_best if pair.measured.untested}
        return tuple(name for name in self.indistinguishable if name in same)

    @property
    def alike(self) -> tuple[str, ...]:
        """Those that do not, and yet cannot be told from it."""
        equal = {*self.equal}
        return tuple(name for name in self.indistinguishable[1:] if name not in equal)

    @property
    def told_apart(self) -> tuple[str, ...]:
        """Those that the test tells from the best."""
        return tuple(pair.b for pair in self.of_best if pair.told_apart and not pair.measured.untested)

    def against_best(self, name: str) -> Pair | None:
        """The pair of the best model and another; None where the two could not be compared."""
        return next((pair for pair in self.of_best if pair.b == name), None)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form; of very many pairs, those with the best."""
        listed = self.pairs if len(self.pairs) <= _MOST_LISTED_PAIRS else self.of_best
        return {
            "test": self.test,
            "pairs": [pair.as_dict() for pair in listed],
            "detectable": self.detectable,
            "why_not": self.why_not,
        }


def weigh(
    ranked: Sequence[Experiment],
    column: Column | None,
    repeats: Mapping[str, Repeats],
    outcomes: Mapping[str, Mapping[str, float]],
) -> Evidence:
    """The evidence on the models' differences in one metric.

    Args:
        ranked: the models that have a number for it, best first; a set of repeats is one of them.
        column: the metric that decides.
        repeats: the sets of repeats, by the name of the model that stands for them.
        outcomes: item → outcome of the metric, by the model's name, where they were recorded.
    """
    if column is None or len(ranked) < 2:
        return Evidence(why_not="fewer than two models to compare")
    kinds: tuple[Callable[[Experiment], Sample | str | None], ...] = (
        lambda model: fold_scores(model, column),
        lambda model: runs(repeats.get(model.name), column),
        lambda model: item_outcomes(model, column, outcomes.get(model.name)),
        lambda model: proportion(model, column),
    )
    why_not = None
    for kind in kinds:
        # Where the best one recorded nothing of the kind, the others are looked at only to say so.
        candidates = ranked if kind(ranked[0]) is not None else ranked[:_LOOKED_AT]
        recorded = {model.name: kind(model) for model in candidates}
        samples, others = _comparable(recorded)
        if len(samples) > 1:
            return _tested(samples, others)
        if why_not is None and any(found is not None for found in recorded.values()):
            why_not = others
    return Evidence(why_not=why_not or ONE_VALUE_EACH)


def _comparable(recorded: Mapping[str, Sample | str | None]) -> tuple[dict[str, Sample], str | None]:
    """The samples that can be compared with the best model's, and why the others cannot, in one line."""
    best, *_ = recorded.values()
    reasons = {name: _why_not(found, best) for name, found in recorded.items()}
    samples = {name: found for name, found in recorded.items() if isinstance(found, Sample) and reasons[name] is None}
    names_by_reason: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        if reason is not None:
            names_by_reason.setdefault(reason, []).append(name)
    said = "; ".join(f"{reason}: {first_few(names, _MOST_NAMES)}" for reason, names in names_by_reason.items())
    return samples if isinstance(best, Sample) else {}, said or None


def _why_not(found: Sample | str | None, best: Sample | str | None) -> str | None:
    if not isinstance(found, Sample):
        return found or "one value"
    return found.unlike(best) if isinstance(best, Sample) else None


def _tested(samples: Mapping[str, Sample], why_not: str | None) -> Evidence:
    names = tuple(samples)
    best = samples[names[0]]
    comparisons = len(names) * (len(names) - 1) // 2
    first = names if len(names) <= MOST_PAIRWISE else names[:1]
    measured = {
        (a, b): samples[a].minus(samples[b], comparisons) for at, a in enumerate(first) for b in names[at + 1 :]
    }
    p_values = {pair: found.p for pair, found in measured.items() if found.p is not None}
    corrected = dict(zip(p_values, holm(list(p_values.values()), comparisons), strict=True))
    pairs = tuple(Pair(a, b, found, corrected.get((a, b))) for (a, b), found in measured.items())
    with_best = pairs[: len(names) - 1]
    equals = [pair for pair in with_best if not pair.told_apart]
    detectable = [pair.measured.detectable for pair in equals or with_best[:1]]
    return Evidence(
        test=best.test,
        tested=names,
        size=best.size,
        comparisons=comparisons,
        pairs=pairs,
        detectable=min((limit for limit in detectable if limit is not None), default=None),
        indistinguishable=(names[0], *(pair.b for pair in equals)) if equals else (),
        standard_error=best.standard_error,
        why_not=why_not,
    )
