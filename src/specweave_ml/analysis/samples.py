"""What an experiment recorded that a test can work on: scores a fold, a run, an item, or a count behind a proportion.

Each function gives the sample, or the reason why what was recorded cannot be used, or None where nothing of the kind
was recorded.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import isclose, isfinite, sqrt
from typing import TYPE_CHECKING

from specweave_ml.analysis.corrected_t import corrected_t
from specweave_ml.analysis.independent_runs import LEAST_RUNS, welch_t
from specweave_ml.analysis.moments import mean, standard_deviation
from specweave_ml.analysis.proportions import newcombe, paired_proportions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from specweave_ml.analysis.measured import Measured
    from specweave_ml.analysis.metrics import MetricName
    from specweave_ml.analysis.repeats import Repeats
    from specweave_ml.analysis.table import Column
    from specweave_ml.record import Experiment, Fold

CORRECTED_T = "corrected t"
WELCH_T = "Welch t"
MCNEMAR = "exact McNemar"
PAIRED_T = "paired t"
NEWCOMBE = "Newcombe 10"

LEAST_FOLDS = 3

_TOO_LARGE = 1e100

# Proportions of all rows of the test set, and of those alone that the model or the labels call positive or negative.
_OF_ALL_ROWS = frozenset("accuracy exact_match hit misclassification success win".split())
_OF_SOME_ROWS = frozenset("precision recall specificity tpr tnr fpr fnr ppv npv fdr".split())
_AVERAGED = frozenset("balanced macro weighted average avg mean".split())


@dataclass(frozen=True, slots=True)
class Sample:
    """One model's values of the metric that decides.

    Attributes:
        test: the test that compares two of its kind.
        values: one a fold, a run or an item; of a proportion, the proportion alone.
        size: how many folds, runs or items.
        standard_error: of the model's own value, in the metric's unit.
        belongs_to: the fold or item of each value; only samples of the same ones are compared. Empty for runs and
            proportions, which are independent of one another.
        ratio: n_test / n_train of the folds; 0 where the values are independent.
    """

    test: str
    values: tuple[float, ...]
    size: int
    standard_error: float
    belongs_to: tuple[str, ...] = ()
    ratio: float = 0.0

    def unlike(self, best: Sample) -> str | None:
        """Why it cannot be compared with the best model's; None where it can."""
        if self.test != best.test:
            return "another kind of outcome than the best one's"
        if self.belongs_to != best.belongs_to:
            return f"other {'folds' if self.test == CORRECTED_T else 'test items'} than the best one"
        return None

    def minus(self, other: Sample, pairs: int) -> Measured:
        """The difference to another one, `pairs` pairs being compared together."""
        if self.test == NEWCOMBE:
            return newcombe(self.values[0], self.size, other.values[0], other.size, pairs=pairs)
        if self.test == WELCH_T:
            return welch_t(self.values, other.values, pairs=pairs)
        if self.test == MCNEMAR:
            table = Counter(zip(self.values, other.values, strict=True))
            return paired_proportions(table[1, 1], table[1, 0], table[0, 1], table[0, 0], pairs=pairs)
        return corrected_t(self.values, other.values, (self.ratio + other.ratio) / 2, pairs=pairs)


def fold_scores(experiment: Experiment, column: Column) -> Sample | str | None:
    """An experiment's scores on its folds, for the corrected t-test."""
    folds = experiment.folds
    scored = [(fold, score) for fold in folds if (score := score_of(fold, column)) is not None]
    if not scored:
        return None
    if len(folds) < LEAST_FOLDS:
        return f"only {len(folds)} of at least {LEAST_FOLDS} folds"
    if len(scored) < len(folds) or not all(_is_workable(score) for _, score in scored):
        return "a fold without a number"
    if not all(isinstance(fold.split, str) and fold.split for fold in folds):
        return "no split_id to say whether the folds are the same"
    if not all(_is_count(fold.n_train) and _is_count(fold.n_test) for fold in folds):
        return "no n_train and n_test for every fold"
    if set(Counter(str(fold.repeat) for fold in folds).values()) == {2}:
        return "two folds a repeat, for which the corrected test was not made"
    scored.sort(key=lambda row: (row[0].split or "", str(row[0].repeat), str(row[0].index)))
    values = tuple(score for _, score in scored)
    if not is_mean(column.value(experiment), values):
        return f"folds whose mean is not the {column.name}"
    ratio = mean([fold.n_test or 0 for fold in folds]) / mean([fold.n_train or 0 for fold in folds])
    splits = tuple(fold.split or "" for fold, _ in scored)
    return Sample(CORRECTED_T, values, len(values), _standard_error(values), splits, ratio)


def runs(repeats: Repeats | None, column: Column) -> Sample | str | None:
    """The values of experiments that repeat one another, for the t-test over independent runs."""
    if repeats is None:
        return None
    values = repeats.values(*column.names)
    if len(values) < LEAST_RUNS:
        return f"only {len(values)} of at least {LEAST_RUNS} repeats"
    if not all(map(_is_workable, values)):
        return "a repeat without a number"
    return Sample(WELCH_T, values, len(values), _standard_error(values))


def item_outcomes(experiment: Experiment, column: Column, outcomes: Mapping[str, float] | None) -> Sample | str | None:
    """An experiment's outcomes on the items of one test set, for McNemar's test or the paired t-test."""
    if outcomes is None:
        return None
    items = sorted(outcomes)
    values = tuple(outcomes[item] for item in items)
    if len(values) < 2 or not all(map(_is_workable, values)):
        return "outcomes that are no numbers, or only one"
    if not is_mean(column.value(experiment), values):
        return f"outcomes whose mean is not the {column.name}"
    test = MCNEMAR if set(values) <= {0, 1} else PAIRED_T
    return Sample(test, values, len(values), _standard_error(values), tuple(items))


def proportion(experiment: Experiment, column: Column) -> Sample | str | None:
    """An experiment's value, where its metric is a proportion of the count that was logged with it."""
    counts = experiment.counts
    name = next((name for name in column.names if name in counts and name in experiment.metrics), None)
    if name is None:
        return None
    value, count = experiment.metrics[name], counts[name]
    if not _is_proportion(column.metric):
        return f"a count, but {name} is no proportion of it"
    if column.metric.family in _OF_SOME_ROWS and list(counts.values()).count(count) > 1:
        return f"the count of another metric, where {name} needs its own"
    if not isinstance(value, int | float) or not 0 <= value <= 1 or not _is_count(count):
        return f"no {name} between 0 and 1 with a count"
    return Sample(NEWCOMBE, (value,), count, sqrt(value * (1 - value) / count))


def score_of(fold: Fold, column: Column) -> float | None:
    """A fold's score of a metric, in whichever spelling it was logged; None where it has none."""
    logged = (fold.metrics.get(name) for name in column.names)
    return next((value for value in logged if isinstance(value, int | float)), None)


def _is_count(number: object) -> bool:
    return isinstance(number, int) and 0 < number < _TOO_LARGE


def _is_workable(value: float) -> bool:
    """A finite number whose square is one, too."""
    return isfinite(value) and abs(value) < _TOO_LARGE


def is_mean(value: float | None, values: Sequence[float]) -> bool:
    """Whether the metric is the values' mean, but for rounding; a test on them would else be about something else."""
    # The root of a mean of squares is none, nor is a score on other data that was logged under the folds' name.
    return value is not None and isclose(mean(values), value, rel_tol=0.01, abs_tol=1e-9)


def _standard_error(values: Sequence[float]) -> float:
    return standard_deviation(values) / sqrt(len(values))


def _is_proportion(metric: MetricName) -> bool:
    """Whether the metric is one: no average over classes, and at k, where items share a user, only a hit."""
    words = set(metric.key.split("_"))
    if words & _AVERAGED:
        return False
    if metric.family == "hit" or metric.key.endswith("error_rate"):
        return True
    return metric.family in _OF_ALL_ROWS | _OF_SOME_ROWS and "at" not in words
