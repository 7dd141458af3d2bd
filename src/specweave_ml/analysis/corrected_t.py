"""Two models on the same folds: the corrected resampled t-test, and the posterior that goes with it.

Folds share most of their training rows, so their scores are not independent and the ordinary t-test finds
differences that are not there. The correction adds the share of test rows to the variance. It was derived for random
subsampling; for k-fold cross-validation it is a heuristic, as no unbiased estimate of that variance exists
(Bengio & Grandvalet 2004).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from specweave_ml.analysis.measured import Measured, by_t
from specweave_ml.analysis.moments import mean, standard_deviation

if TYPE_CHECKING:
    from collections.abc import Sequence

# A spread of the differences this far below the scores is rounding, not spread.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Posterior:
    """How probable it is that a is worse than b, practically equal, or better; the three add up to 1."""

    worse: float
    equal: float
    better: float


def corrected_t(a: Sequence[float], b: Sequence[float], ratio: float, *, pairs: int = 1) -> Measured:
    """The difference of two models' scores on the same folds.

    t = d̄ / √((1/J + n_test/n_train) · s²) with J - 1 degrees of freedom, where d are the J differences and s² is
    their variance with J - 1 below the line (Nadeau & Bengio 2003, Mach. Learn. 52:239-281; for repeated k-fold
    Bouckaert & Frank 2004, §3.3, with J = k · r). A ratio of 0 is the ordinary paired t-test, which holds for the
    independent items of one test set. Not for two folds a repeat (5×2cv).

    Args:
        a: the scores of one model, one a fold, in the metric's unit.
        b: those of the other, in the same order.
        ratio: n_test / n_train; of unequal folds, mean n_test / mean n_train.
        pairs: how many pairs are compared together; see `by_t`.

    Returns:
        Without an interval where all differences are the same.

    Raises:
        ValueError: not equally many scores, or fewer than two.
    """
    differences = [one - other for one, other in zip(a, b, strict=True)]
    if len(differences) < 2:
        raise ValueError("a spread needs at least two differences")
    spread = standard_deviation(differences)
    if spread <= _ROUNDING * max(map(abs, (*a, *b))):
        return Measured(mean(differences))
    return by_t(mean(differences), spread * _inflation(len(differences), ratio), len(differences) - 1, pairs)


def posterior(measured: Measured, rope: float, *, higher_is_better: bool = True) -> Posterior:
    """The probabilities of worse, practically equal and better, from the corrected t of two models.

    The difference is Student-t distributed with J - 1 degrees of freedom around d̄ with the scale
    √((1/J + n_test/n_train) · s²), and P(equal) = F(r) - F(-r) (Benavoli, Corani, Demšar & Zaffalon, JMLR 18(77) 2017).

    Args:
        measured: what `corrected_t` gave.
        rope: r, the half width of the region of practical equivalence, in the metric's unit; 0 for none.
        higher_is_better: of a metric that is better when lower, worse and better change places.

    Raises:
        ValueError: `rope` is negative.
    """
    if rope < 0:
        raise ValueError("a region of practical equivalence has no negative width")
    d, scale, df = measured.difference, measured.standard_error, measured.df
    if scale is None or df is None:  # no spread, so all of the probability lies on the difference itself
        lower, higher = float(d < -rope), float(d > rope)
    else:
        from scipy.special import stdtr

        lower, higher = float(stdtr(df, (-rope - d) / scale)), float(stdtr(df, (d - rope) / scale))
    worse, better = (lower, higher) if higher_is_better else (higher, lower)
    return Posterior(worse, 1 - lower - higher, better)


def _inflation(folds: int, ratio: float) -> float:
    return sqrt(1 / folds + ratio)
