"""Which metric decides, what the others are measured against, and who comes first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from specweave_ml.analysis.metrics import PREFERENCE, SPLIT_ORDER, known_direction, normalised, parse_direction
from specweave_ml.analysis.table import natural
from specweave_ml.analysis.targets import column_of
from specweave_ml.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specweave_ml.analysis.metrics import Direction
    from specweave_ml.analysis.table import Column
    from specweave_ml.analysis.targets import Target
    from specweave_ml.record import Experiment
    from specweave_ml.store.decision import Decision

_PLACE = {family: place for place, family in enumerate(PREFERENCE)}

_IS_A_BASELINE = frozenset({"baseline", "baselines", "dummy"})
# These say "baseline" only where nothing else in the name says what was tried: `random-forest` is a model.
_STRATEGIES = frozenset({"random", "majority", "stratified"})
_SAYS_NOTHING = frozenset(
    "exp experiment run model classifier regressor classification regression class vote voting guess guessing "
    "strategy policy agent predictor prediction recommender ranker".split()
)
_NUMBERING = re.compile(r"v?\d*")


@dataclass(frozen=True, slots=True)
class Primary:
    """The metric that decides.

    Attributes:
        column: None when no finished experiment logged a metric that could decide.
        direction: None when it is not known which way is better; nothing is best then.
        why: how it was chosen, in a few words.
    """

    column: Column | None
    direction: Direction | None
    why: str

    @property
    def metric(self) -> str | None:
        """Its name as most experiments spelled it."""
        return self.column.name if self.column else None


def choose_primary(
    columns: Sequence[Column],
    finished: Sequence[Experiment],
    decision: Decision,
    metric: str | None = None,
    direction: str | None = None,
    targets: Sequence[Target] = (),
) -> Primary:
    """The metric asked for, else the one decision.md names, else the first target's, else the first of a list.

    Of metrics whose direction is known, those measured on validation or test data go before those of training data,
    then those that more finished experiments logged, then the order of `PREFERENCE`; a measure on folds goes before the
    same on test data, which is there to look once. Costs never decide by themselves.

    Raises:
        NotFound: no finished experiment logged the metric asked for.
        UsageError: the direction asked for is no direction.
    """
    declared = parse_direction(direction) if direction is not None else None
    column, why = _which(columns, finished, decision, metric, targets)
    if column is None:
        return Primary(None, None, why)
    asked_for = next((target.direction for target in targets if column_of(target, columns) is column), None)
    said = declared or _decided(decision, column) or column.metric.direction or asked_for
    return Primary(column, said, why)


def _which(
    columns: Sequence[Column],
    finished: Sequence[Experiment],
    decision: Decision,
    metric: str | None,
    targets: Sequence[Target],
) -> tuple[Column | None, str]:
    """The column that decides, and why."""
    if metric is not None:
        column = column_named(columns, metric)
        if column is None:
            raise _never_logged(metric, columns)
        return column, "asked for"
    if decision.primary and (column := column_named(columns, decision.primary)) is not None:
        return column, "named in decision.md"
    aimed_at = filter(None, (column_of(target, columns) for target in targets))
    if (column := next((column for column in aimed_at if column.metric.cost is None), None)) is not None:
        return column, "the first that spec.md sets a target for"
    judging = [column for column in columns if column.metric.cost is None]
    on_folds: set[str] = set()
    if any(column.metric.split == "test" for column in judging):
        on_folds = {name for experiment in finished for fold in experiment.folds for name in fold.metrics}
    column = min(judging, key=lambda column: _preference(column, on_folds), default=None)
    if column is None:
        return None, "no finished experiment logged a metric of how good its model is"
    count = len(finished)
    if count == 1:
        return column, "logged by the one finished experiment"
    who = f"{column.count} of {count}" if column.count < count else "both" if count == 2 else f"all {count}"
    return column, f"logged by {who} finished experiments"


def column_named(columns: Sequence[Column], name: str) -> Column | None:
    """The column of a metric: by its exact spelling, else by its normalised one."""
    exact = (column for column in columns if name in column.names)
    alike = (column for column in columns if normalised(name) == column.metric.key)
    return next(exact, None) or next(alike, None)


def _decided(decision: Decision, column: Column) -> Direction | None:
    """The direction decision.md declares, when it speaks of this metric and says one."""
    if decision.direction is None or (decision.primary and normalised(decision.primary) != column.metric.key):
        return None
    return known_direction(decision.direction)


def _preference(column: Column, on_folds: set[str]) -> tuple[object, ...]:
    metric = column.metric
    return (
        metric.direction is None,
        metric.split == "train",
        -column.count,
        _PLACE.get(metric.family or "", len(_PLACE)),
        SPLIT_ORDER["val" if on_folds & {*column.names} else metric.split],
        metric.key.count("_"),
        natural(metric.key),
        column.name,
    )


def _never_logged(metric: str, columns: Sequence[Column]) -> NotFound:
    from difflib import get_close_matches

    names = [column.name for column in columns]
    close = get_close_matches(metric, names, n=3, cutoff=0.5) or names[:10]
    return NotFound(
        "no finished experiment logged this metric",
        received=metric,
        expected=f"one of {', '.join(close)}" if close else "a metric that a finished experiment logged",
        next_step="ask for one of these, or leave it out to have one chosen",
    )


def rank(experiments: Sequence[Experiment], primary: Primary) -> list[Experiment]:
    """Best first, equals by name; only those with a number, and nobody where the direction is not known."""
    column = primary.column
    if column is None or primary.direction is None:
        return []
    sign = -1.0 if primary.direction == "maximize" else 1.0
    scored = [
        (sign * value, natural(experiment.name), experiment)
        for experiment in experiments
        if (value := column.value(experiment)) is not None and isfinite(value)
    ]
    return [experiment for *_, experiment in sorted(scored, key=lambda row: row[:2])]


def is_baseline(experiment: Experiment) -> bool:
    """Whether its tag or its name says so: `baseline` or `dummy` as a word, `random` and its like alone."""
    if "baseline" in experiment.tags:
        return True
    words = set(re.split(r"[^a-z0-9]+", experiment.name.lower()))
    if words & _IS_A_BASELINE:
        return True
    said = {word for word in words if word not in _SAYS_NOTHING and not _NUMBERING.fullmatch(word)}
    return bool(said) and said <= _STRATEGIES


def reference(finished: Sequence[Experiment], ranked: Sequence[Experiment], decision: Decision) -> Experiment | None:
    """What the others are measured against: the baseline decision.md names, else the best of the baselines."""
    named = (experiment for experiment in finished if experiment.name == decision.baseline)
    known = (experiment for experiment in (*ranked, *finished) if is_baseline(experiment))
    return next(named, None) or next(known, None)
