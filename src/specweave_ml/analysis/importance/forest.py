"""Any search that is no full grid: the shares of the variance of a random forest that learned its scores.

fANOVA (Hutter, Hoos and Leyton-Brown, ICML 2014): what a tree predicts is constant on boxes, so the mean of its
prediction over all params but one is known exactly, without a sample. Each param's space counts evenly: a range along
its own scale, single values with the same weight each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy

from specweave_ml.analysis.importance.shares import Share, in_order, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from specweave_ml.analysis.importance.axes import Axis
    from specweave_ml.analysis.importance.trials import Trial

_TREES = 64

_LEAST_IN_A_LEAF = 3


@dataclass(frozen=True, slots=True)
class Forest:
    """What a forest learned.

    Attributes:
        r2: how much of the variance it predicts on trials it has not seen (out of bag, R²).
        shares: of every param, largest first, then of all interactions; the spread is what the middle
            95 % of the trees say: with one standard deviation, equal params come out in order in a quarter of searches.
        library: what it is made of, with the version on which its numbers depend.
    """

    r2: float
    shares: tuple[Share, ...]
    library: str


def forest_shares(axes: Sequence[Axis], trials: Sequence[Trial]) -> Forest:
    """The shares of a forest that learned the scores of these trials.

    Raises:
        ImportError: scikit-learn is not installed.
    """
    import sklearn
    from sklearn.ensemble import RandomForestRegressor

    codes = numpy.array([[axis.code(trial) for axis in axes] for trial in trials])
    scores = numpy.array([trial.score for trial in trials])
    scores -= scores.mean()
    scores /= numpy.abs(scores).max()
    forest = RandomForestRegressor(_TREES, min_samples_leaf=_LEAST_IN_A_LEAF, oob_score=True, random_state=0, n_jobs=1)
    forest.fit(codes, scores)
    grown = [parts for each in forest.estimators_ if (parts := _parts(each.tree_, axes, trials))]
    by_tree = numpy.array(grown or [[0.0] * (len(axes) + 1)])  # none where nothing was found to split at
    spreads = numpy.quantile(by_tree, [0.025, 0.975], axis=0).T
    *mains, rest = (
        share(params, mean, spread)
        for params, mean, spread in zip(
            [*((axis.param,) for axis in axes), ()], by_tree.mean(axis=0), spreads, strict=True
        )
    )
    return Forest(
        float(forest.oob_score_), (*in_order(mains), rest), f"{_TREES} trees of scikit-learn {sklearn.__version__}"
    )


def _parts(tree: Any, axes: Sequence[Axis], trials: Sequence[Trial]) -> list[float]:
    """The share of each param in the variance of one tree, then of all interactions; nothing where it never splits."""
    low, high, values = _leaves(tree, axes, trials)
    sizes = high - low
    volumes = sizes.prod(axis=1)
    values = values - volumes @ values
    whole = volumes @ values**2
    if not whole > 0:
        return []
    parts = []
    for at in range(len(axes)):
        # A leaf's part of the mean begins where its box does, and ends where the box does.
        edges, places = numpy.unique(numpy.concatenate([low[:, at], high[:, at]]), return_inverse=True)
        weighted = values * volumes / sizes[:, at]
        steps = numpy.bincount(places, numpy.concatenate([weighted, -weighted]))
        parts.append(float(numpy.diff(edges) @ numpy.cumsum(steps)[:-1] ** 2 / whole))
    return [*parts, 1 - sum(parts)]


def _leaves(
    tree: Any, axes: Sequence[Axis], trials: Sequence[Trial]
) -> tuple[NDArray[numpy.float64], NDArray[numpy.float64], NDArray[numpy.float64]]:
    """The leaves' boxes, as corners in a cube from 0 to 1, and what they predict."""
    splits = tree.feature
    cuts = numpy.zeros(tree.node_count)
    for at, axis in enumerate(axes):
        cuts[splits == at] = axis.part_below(tree.threshold[splits == at], trials)
    low, high = numpy.zeros((tree.node_count, len(axes))), numpy.ones((tree.node_count, len(axes)))
    for node in numpy.flatnonzero(splits >= 0):  # a node comes before its children
        left, right, param = tree.children_left[node], tree.children_right[node], splits[node]
        for child in (left, right):
            low[child], high[child] = low[node], high[node]
        high[left, param] = low[right, param] = cuts[node]
    leaves = (splits < 0) & (low < high).all(axis=1)
    return low[leaves], high[leaves], tree.value[leaves, 0, 0]
