"""The order of a list, the metrics it shows, and the change from one experiment of a series to the next."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from specweave_ml.analysis.numbers import MISSING, percent
from specweave_ml.analysis.ranking import choose_primary, column_named, rank
from specweave_ml.analysis.table import metric_columns, natural, number_formats
from specweave_ml.store.codec import number_to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from specweave_ml.analysis.numbers import NumberFormat
    from specweave_ml.analysis.ranking import Primary
    from specweave_ml.analysis.table import Column
    from specweave_ml.analysis.targets import Target
    from specweave_ml.record import Experiment
    from specweave_ml.store.decision import Decision

_MOST_COLUMNS = 4
_KEYS: dict[str, Callable[[Experiment], Any]] = {
    "name": lambda experiment: natural(experiment.name),
    "started": lambda experiment: (experiment.value("started") or "~", natural(experiment.name)),
    "duration": lambda experiment: (-(experiment.duration_seconds or 0.0), natural(experiment.name)),
    "status": lambda experiment: (experiment.status, natural(experiment.name)),
}


def matching(
    found: Iterable[Experiment], statuses: Collection[str], tags: Collection[str], series: str | None
) -> list[Experiment]:
    """Those of one of the statuses, with all of the tags, and of the series: its name itself or `name-…`."""
    return [
        each
        for each in found
        if (not statuses or each.status in statuses)
        and (not tags or set(tags) <= set(each.tags))
        and (series is None or each.name == series or each.name.startswith(f"{series}-"))
    ]


class Order:
    """Experiments in the order to show them. Metrics are read when something about them is asked for.

    Args:
        found: the experiments in the order they started.
        everything: they and the others of the increment, all of which have a say in which metric decides.
        decision: what decision.md says of metric and direction.
        spec: the text of spec.md, for its targets.
        sort_by: one of name, started, duration, status, or a metric, best first.
        is_series: whether they are one series, whose order is that of their names.

    Raises:
        NotFound: `sort_by` is a metric that no finished experiment logged.
    """

    def __init__(
        self,
        found: Sequence[Experiment],
        everything: Sequence[Experiment],
        decision: Decision,
        spec: str = "",
        *,
        sort_by: str | None,
        is_series: bool,
    ) -> None:
        self.decision = decision
        self.is_series = is_series
        self._found = found
        self._everything = everything
        self._spec = spec
        self._metric = sort_by if sort_by not in _KEYS else None
        key = _KEYS.get(sort_by or ("name" if is_series else ""))
        self.experiments: Sequence[Experiment] = sorted(found, key=key) if key else list(found)
        if self._metric is not None:
            self.experiments = self._by_metric()

    @cached_property
    def _all_columns(self) -> Sequence[Column]:
        return metric_columns(self._found)

    @cached_property
    def chosen(self) -> Primary:
        """The metric that decides: the one sorted by, else the one by which `compare` decides."""
        finished = _finished(self._everything)
        if self._metric is not None:
            return choose_primary(self._all_columns, finished, self.decision, self._metric)
        logged = metric_columns(finished)
        primary = choose_primary(logged, finished, self.decision, targets=_targets(self._spec, logged))
        column = column_named(self._all_columns, primary.metric) if primary.metric else None
        return replace(primary, column=column)

    @cached_property
    def columns(self) -> Sequence[Column]:
        """The metrics to show: the one that decides, then those that most experiments have."""
        order = sorted(self._all_columns, key=lambda column: (column is not self.chosen.column, -column.count))
        return order[:_MOST_COLUMNS]

    @cached_property
    def formats(self) -> dict[str, NumberFormat]:
        """How the numbers of these columns are written, by the column's name."""
        directions = {self.chosen.metric: self.chosen.direction} if self.chosen.metric else {}
        return number_formats(self.columns, self._found, directions)

    def best(self) -> str:
        """The end of a summary: the best single value. Which model is best is for `compare` to say: repeats count."""
        ranked = rank(_finished(self._found), self.chosen)
        if not ranked or self.chosen.column is None:
            return ""
        value = self.formats[self.chosen.column.name](self.chosen.column.value(ranked[0]))
        extreme = "lowest" if self.chosen.direction == "minimize" else "highest"
        return f"; {extreme} {self.chosen.metric} {value}, {ranked[0].name}"

    def change(self, experiment: Experiment) -> str:
        """The change of the key metric from the one before in the series: `+0.02 (+2.4%)`."""
        values = self._values(experiment)
        if values is None or self.chosen.column is None:
            return MISSING
        old, new = values
        text = self.formats[self.chosen.column.name](new - old)
        relative = f" ({percent((new - old) / old)})" if old > 0 else ""
        return f"{text if text.startswith('-') else f'+{text}'}{relative}"

    def change_as_json(self, experiment: Experiment) -> dict[str, Any]:
        """What `list --series --json` adds to an experiment; nothing in any other list."""
        if not self.is_series:
            return {}
        values = self._values(experiment)
        if values is None:
            return {"change": None}
        old, new = values
        since = self._before[experiment.name].name
        return {"change": {"metric": self.chosen.metric, "since": since, "difference": number_to_json(new - old)}}

    def _values(self, experiment: Experiment) -> tuple[float, float] | None:
        column, before = self.chosen.column, self._before.get(experiment.name)
        if column is None or before is None:
            return None
        old, new = column.value(before), column.value(experiment)
        return None if old is None or new is None else (old, new)

    @cached_property
    def _before(self) -> dict[str, Experiment]:
        """For each experiment the nearest earlier finished one that has the key metric."""
        before: dict[str, Experiment] = {}
        last: Experiment | None = None
        for experiment in sorted(self._found, key=_KEYS["name"]):
            if last is not None:
                before[experiment.name] = last
            if (
                experiment.status == "finished"
                and self.chosen.column
                and self.chosen.column.value(experiment) is not None
            ):
                last = experiment
        return before

    def _by_metric(self) -> Sequence[Experiment]:
        # Of a metric whose direction nobody knows the highest comes first: that is an order, not a judgement.
        ordered = rank(self._found, replace(self.chosen, direction=self.chosen.direction or "maximize"))
        placed = set(ordered)
        return [*ordered, *(each for each in self._found if each not in placed)]


def _finished(experiments: Sequence[Experiment]) -> list[Experiment]:
    return [each for each in experiments if each.kind == "experiment" and each.status == "finished"]


def _targets(spec: str, logged: Sequence[Column]) -> Sequence[Target]:
    if not spec:
        return ()
    from specweave_ml.analysis.spec_targets import read_targets

    return read_targets(spec, logged)
