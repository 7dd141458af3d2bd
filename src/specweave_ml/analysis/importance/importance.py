"""Which params of a search matter, as far as its trials can say.

The gates were set by a simulation, which `python -m benchmarks.importance_gates` runs again (docs/importance.md has its
table): a forest that learned noise has a largest share, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any, Literal

from specweave_ml.analysis.importance.axes import slices, varied
from specweave_ml.analysis.importance.shares import Share, ranked
from specweave_ml.analysis.importance.trials import combinations, complete_trials
from specweave_ml.analysis.samples import LEAST_FOLDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from specweave_ml.analysis.importance.axes import Axis, LogScale, Slice
    from specweave_ml.analysis.importance.trials import Trial

Method = Literal["", "anova", "fanova"]

WhyNot = Literal["", "few", "unvaried", "alone", "constant", "library", "unpredictable", "folds", "noise", "alike"]
"""Why nothing is called the most important one.

`few` combinations; nothing varied; one param `alone` was; the scores are constant; scikit-learn is missing; a forest
finds the scores unpredictable; no `folds`; no effect beyond their noise; the largest shares are not told apart.
"""

_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Gate:
    """What a search that is no full grid needs.

    Attributes:
        each: so many combinations for every param that was varied,
        least: but at least so many.
        r2: the least R² of the forest on trials it has not seen.
    """

    each: int
    least: int
    r2: float

    def needed(self, params: int) -> int:
        """How many combinations."""
        return max(self.each * params, self.least)


NAMED = Gate(10, 30, 0.3)
"""To say what is most important."""

ORDERED = Gate(20, 50, 0.5)
"""To say what comes after it."""


@dataclass(frozen=True, slots=True)
class Marginal:
    """How the scores went with one param.

    Attributes:
        param: its name.
        slices: the means over its values.
        log: whether it is looked at on a log scale: as the search recorded it, or judged by its values.
        has_gaps: whether some trials did not have it.
    """

    param: str
    slices: tuple[Slice, ...]
    log: LogScale
    has_gaps: bool


@dataclass(frozen=True, slots=True)
class Importance:
    """What a search says about its params.

    Attributes:
        metric: whose variance is explained.
        n: how many trials finished with a number for it.
        combinations: how many different ones of params these are.
        left_out: how many others there are, by their status.
        sampler: how the params were drawn, as far as recorded; may be empty.
        marginals: of every param that was varied, in the order of the shares where there are any.
        fixed: the params that were not.
        method: `anova` of a full grid, `fanova` of a forest; empty where there are no shares.
        shares: of every param, largest first, then of interactions. Which way the metric is better does not matter.
        order: the params in sets, the most important first; what is in none comes after them, in no order.
        why_not: why there is no order; empty where there is one.
        needed: how many combinations would be enough, where they are too few.
        folds: how many of them the trials have.
        r2: of a forest, on trials it has not seen; None for a grid.
        library: what the forest is made of: how many trees of which version of scikit-learn.
    """

    metric: str
    n: int
    combinations: int
    left_out: Mapping[str, int]
    sampler: str
    marginals: tuple[Marginal, ...]
    fixed: tuple[str, ...]
    method: Method = ""
    shares: tuple[Share, ...] = ()
    order: tuple[tuple[str, ...], ...] = ()
    why_not: WhyNot = ""
    needed: int = 0
    folds: int = 0
    r2: float | None = None
    library: str = ""

    @property
    def mains(self) -> tuple[Share, ...]:
        """The shares of single params."""
        return tuple(each for each in self.shares if len(each.params) == 1)


def importance(
    recorded: Iterable[Mapping[str, Any]],
    metric: str,
    *,
    sampler: str = "",
    log_params: Mapping[str, bool] | None = None,
    ratio: float | None = None,
) -> Importance:
    """Which params explain the scores of a search, and whether its trials are enough to say so.

    A full grid has exact shares, whatever its size; which is the largest is said where the folds do not make as much by
    themselves. Any other search needs as many trials as a forest needs to learn something from them.

    Args:
        recorded: the trials, as `Experiment.trials` gives them.
        metric: the name their scores were logged by.
        sampler: how the params were drawn, to be named with the result.
        log_params: for each param whether it was drawn on a log scale, as far as the search recorded that.
        ratio: n_test / n_train of the folds, where that is recorded.
    """
    complete, left_out = complete_trials(recorded, metric)
    points = combinations(complete)
    axes = varied(points, log_params or {})
    names = {axis.param for axis in axes}
    found = Importance(
        metric=metric,
        n=len(complete),
        combinations=len(points),
        left_out=left_out,
        sampler=sampler,
        marginals=tuple(Marginal(axis.param, slices(axis, complete), axis.log, axis.has_gaps) for axis in axes),
        fixed=tuple(sorted({name for trial in points for name in trial.params} - names)),
        folds=min((len(trial.folds) for trial in points), default=0),
    )
    return _most_important_first(_explained(found, axes, points, ratio))


def _explained(found: Importance, axes: Sequence[Axis], points: Sequence[Trial], ratio: float | None) -> Importance:
    scores = [trial.score for trial in points]
    if len(points) < 2:
        return replace(found, why_not="unvaried" if found.n > 1 else "few")
    if max(scores) - min(scores) <= _SAME * max(map(abs, scores)):
        return replace(found, why_not="constant")
    if len(axes) == 1:
        return replace(found, why_not="alone")
    if prod(len(axis.values) for axis in axes) == len(points):  # a full grid, as each point is another combination
        return _by_grid(found, axes, points, ratio)
    if len(points) < NAMED.needed(len(axes)):
        return replace(found, why_not="few", needed=NAMED.needed(len(axes)))
    return _by_forest(found, axes, points)


def _by_grid(found: Importance, axes: Sequence[Axis], points: Sequence[Trial], ratio: float | None) -> Importance:
    from specweave_ml.analysis.importance.grid import examine_grid

    grid = examine_grid(axes, points, ratio)
    found = replace(found, method="anova", shares=grid.shares)
    if found.folds < LEAST_FOLDS:
        return replace(found, why_not="folds")
    effects = [grid.is_an_effect(each.params[0]) for each in found.mains]
    if not any(effects):
        return replace(found, why_not="noise")
    order = ranked(found.mains, [*effects, False].index(False), grid.told_apart)
    return replace(found, order=order, why_not="" if order else "alike")


def _by_forest(found: Importance, axes: Sequence[Axis], points: Sequence[Trial]) -> Importance:
    from specweave_ml.analysis.importance.forest import forest_shares

    try:
        forest = forest_shares(axes, points)
    except ImportError:
        return replace(found, why_not="library")
    found = replace(found, r2=forest.r2, library=forest.library)
    if not forest.r2 >= NAMED.r2:
        return replace(found, why_not="unpredictable")
    found = replace(found, method="fanova", shares=forest.shares)
    enough = len(points) >= ORDERED.needed(len(axes)) and forest.r2 >= ORDERED.r2
    order = ranked(found.mains, len(axes), Share.is_beyond)[: None if enough else 1]
    return replace(found, order=order, why_not="" if order else "alike")


def _most_important_first(found: Importance) -> Importance:
    place = {each.params[0]: number for number, each in enumerate(found.mains)}
    if not place:
        return found
    return replace(found, marginals=tuple(sorted(found.marginals, key=lambda each: place[each.param])))
