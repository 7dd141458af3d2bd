"""A full grid, where every combination has a score: exact shares of the variance, and what the folds say of them.

Functional ANOVA: a param's share is the variance of the means over everything else, share_A = Σ_a n_a(ȳ_a - ȳ)² /
Σ(y - ȳ)², that of a pair the same for its cells without both mains, and what remains lies in interactions of three or
more.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy

from specweave_ml.analysis.corrected_t import corrected_t
from specweave_ml.analysis.importance.shares import Share, in_order, share
from specweave_ml.analysis.importance.trials import fold_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from specweave_ml.analysis.importance.axes import Axis
    from specweave_ml.analysis.importance.trials import Trial

_SIGNIFICANT = 0.05
_SAME = 1e-9
_MOST_FOLDS_OF_UNKNOWN_SIZE = 5


@dataclass(frozen=True, slots=True)
class Grid:
    """What the scores of a full grid say.

    Attributes:
        shares: of every param, largest first, then of every pair, then of all other interactions. Where there are
            folds, a spread reaches from the lowest to the highest share with one of them left out.
        chance: for each param, how likely the folds alone make its means differ so much (a p-value).
        by_fold: for each param, its share as each fold adds to it: J times the share, less J - 1 times the share
            without the fold (the jackknife's pseudo-values).
        ratio: n_test / n_train.
    """

    shares: tuple[Share, ...]
    chance: Mapping[str, float]
    by_fold: Mapping[str, Sequence[float]]
    ratio: float

    def is_an_effect(self, param: str) -> bool:
        """Whether a param makes more of a difference than the folds do by themselves."""
        return self.chance[param] < _SIGNIFICANT

    def told_apart(self, one: Share, other: Share) -> bool:
        """Whether the shares of two params differ by the corrected t-test over the folds.

        Spreads that do not overlap are not enough: they put equal params in order in up to half of all searches.
        """
        found = corrected_t(self.by_fold[one.params[0]], self.by_fold[other.params[0]], self.ratio)
        return found.difference > _SAME if found.p is None else found.p < _SIGNIFICANT


def examine_grid(axes: Sequence[Axis], trials: Sequence[Trial], ratio: float | None = None) -> Grid:
    """Examine a full grid.

    Args:
        axes: the params that were varied.
        trials: one for each combination of their values.
        ratio: n_test / n_train; None where it is not recorded, and then as large as five folds make it.
    """
    folds = fold_rows(trials)
    rows = numpy.array([[trial.score for trial in trials], *folds], dtype=float)
    if len(folds) < 2:
        parts = _parts(_in_cells(rows[:1], axes, trials))
        return Grid(_shares(axes, parts), {}, {}, 0.0)
    count = len(folds)
    ratio = 1 / (min(count, _MOST_FOLDS_OF_UNKNOWN_SIZE) - 1) if ratio is None else ratio
    chance = _chance_of_folds(axes, _in_cells(rows[1:], axes, trials), ratio)
    rows[1:] = (rows[1:].sum(axis=0) - rows[1:]) / (count - 1)
    parts = _parts(_in_cells(rows, axes, trials))
    adds = {axis.param: count * parts[at,][0] - (count - 1) * parts[at,][1:] for at, axis in enumerate(axes)}
    return Grid(_shares(axes, parts), chance, {param: each.tolist() for param, each in adds.items()}, ratio)


def _parts(table: NDArray[numpy.float64]) -> dict[tuple[int, ...], NDArray[numpy.float64]]:
    """For each row, the part of the variance of every param and of every pair; for no param, what remains."""
    table = _centred(table)
    every = tuple(range(table.ndim - 1))
    parts: dict[tuple[int, ...], NDArray[numpy.float64]] = {(at,): _part(table, (at,)) for at in every}
    parts |= {(a, b): _part(table, (a, b)) - parts[a,] - parts[b,] for a, b in combinations(every, 2)}
    return parts | {(): _part(table, every) - sum(parts.values())}


def _shares(axes: Sequence[Axis], parts: Mapping[tuple[int, ...], NDArray[numpy.float64]]) -> tuple[Share, ...]:
    found = [share(tuple(axes[at].param for at in params), part[0], part[1:]) for params, part in parts.items()]
    mains, pairs, rest = ([each for each in found if len(each.params) == count] for count in (1, 2, 0))
    return (*in_order(mains), *in_order(pairs), *(rest if len(axes) > 2 else ()))


def _chance_of_folds(axes: Sequence[Axis], table: NDArray[numpy.float64], ratio: float) -> dict[str, float]:
    """The F-test of each effect against how it differs from fold to fold, the rows of this table.

    That variance is widened by 1 + J·n_test/n_train, as Nadeau and Bengio (Mach. Learn. 52, 2003) widen that of a
    difference; of two values it is their corrected t-test. Without it, some param of pure noise comes out as the most
    important one in a tenth to nine tenths of all searches (docs/importance.md).
    """
    from scipy.special import fdtrc

    table, count, found = _centred(table), len(table), {}
    for at, axis in enumerate(axes):
        means = _means(table, (at,)).round(12)  # what is the same in all folds is not told apart by its last bits
        effect = means.mean(axis=0)
        between = count * float((effect**2).sum())
        within = float(((means - effect) ** 2).sum()) / (count - 1) * (1 + count * ratio)
        df = len(axis.values) - 1
        found[axis.param] = float(fdtrc(df, df * (count - 1), between / within)) if within else float(not between)
    return found


def _in_cells(rows: NDArray[numpy.float64], axes: Sequence[Axis], trials: Sequence[Trial]) -> NDArray[numpy.float64]:
    """Rows of one score a trial, as a table with a dimension a param behind the first."""
    shape = [len(axis.values) for axis in axes]
    places = [[axis.place[axis.key(trial)] for trial in trials] for axis in axes]
    table = numpy.empty_like(rows)
    table[:, numpy.ravel_multi_index(places, shape)] = rows
    return table.reshape(-1, *shape)


def _centred(table: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
    """Each row around its mean, in a unit in which the largest distance is 1, so that no square leaves the range."""
    inner = tuple(range(1, table.ndim))
    centred: NDArray[numpy.float64] = table - table.mean(axis=inner, keepdims=True)
    centred /= numpy.abs(centred).max() or 1.0
    return centred


def _means(table: NDArray[numpy.float64], kept: tuple[int, ...]) -> NDArray[numpy.float64]:
    """The means of each row over all params but these."""
    means: NDArray[numpy.float64] = table.mean(axis=tuple(at + 1 for at in range(table.ndim - 1) if at not in kept))
    return means


def _part(centred: NDArray[numpy.float64], kept: tuple[int, ...]) -> NDArray[numpy.float64]:
    """For each row, the variance of the means over all params but these, as a part of the whole."""
    variance, whole = ((each**2).reshape(len(each), -1).mean(axis=1) for each in (_means(centred, kept), centred))
    parts: NDArray[numpy.float64] = numpy.divide(variance, whole, out=numpy.zeros(len(whole)), where=whole > 0)
    return parts
