"""Independent runs of a model, such as repeats with other seeds: Student's t over runs.

Two models that ran with the same seeds are not thereby paired: a seed orders the data only where both read it alike,
which no record says. So the runs of two models are compared as independent samples.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from specweave_ml.analysis.measured import Measured, by_t
from specweave_ml.analysis.moments import mean, standard_deviation

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST_RUNS = 3
"""Of fewer runs, only the points are shown."""


def mean_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """The 95 % interval of a mean: x̄ ± t(1 - alpha/2; n - 1) · s/√n (Student 1908), in the values' unit.

    None for fewer than `LEAST_RUNS` values, and for values that are all the same.
    """
    if len(values) < LEAST_RUNS:
        return None
    measured = by_t(mean(values), standard_deviation(values) / sqrt(len(values)), len(values) - 1)
    return None if measured.low is None or measured.high is None else (measured.low, measured.high)


def welch_t(a: Sequence[float], b: Sequence[float], *, pairs: int = 1) -> Measured:
    """The difference of the means of two independent samples of unequal variance.

    t = (ā - b̄) / √(s_a²/n_a + s_b²/n_b), with (s_a²/n_a + s_b²/n_b)² / Σ (s²/n)²/(n - 1) degrees of freedom
    (Welch 1947, Biometrika 34:28-35; Satterthwaite 1946).

    Args:
        a: the values of one model, one a run, in the metric's unit.
        b: those of the other; their order means nothing.
        pairs: how many pairs are compared together; see `by_t`.

    Returns:
        Without an interval where neither sample has any spread.

    Raises:
        ValueError: fewer than two values in one of them.
    """
    if min(len(a), len(b)) < 2:
        raise ValueError("a spread needs at least two values")
    parts = [(standard_deviation(values) ** 2 / len(values), len(values) - 1) for values in (a, b)]
    variance = sum(part for part, _ in parts)
    if variance == 0:
        return Measured(mean(a) - mean(b))
    df = variance**2 / sum(part**2 / degrees for part, degrees in parts)
    return by_t(mean(a) - mean(b), sqrt(variance), df, pairs)
