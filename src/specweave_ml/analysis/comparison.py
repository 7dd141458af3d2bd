"""Everything the records of an increment say when they are laid side by side."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from specweave_ml.analysis.metrics import known_direction
from specweave_ml.analysis.params import Differing, differing_params, params_table
from specweave_ml.analysis.ranking import choose_primary, column_named, rank
from specweave_ml.analysis.repeats import find_repeats, one_row_each
from specweave_ml.analysis.rows import Row, jsonable, row_of
from specweave_ml.analysis.spec_targets import read_targets
from specweave_ml.analysis.standings import Standings
from specweave_ml.analysis.table import (
    Column,
    Table,
    build_table,
    metric_columns,
    natural,
    number_formats,
    training_time,
)
from specweave_ml.store.decision import Decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from specweave_ml.record import Experiment


@dataclass(frozen=True, kw_only=True, eq=False)
class Findings(Standings):
    """The comparison of one increment's experiments, as values; see `Standings` for who is best, and why."""

    @classmethod
    def of(
        cls,
        found: Iterable[Experiment],
        increment: str,
        decision: Decision | None = None,
        *,
        metric: str | None = None,
        direction: str | None = None,
        spec: str = "",
    ) -> Self:
        """Compare the experiments found in an increment; their order does not matter.

        Args:
            found: the experiments.
            increment: the increment's full name.
            decision: what decision.md says.
            metric: the metric that decides, asked for by name.
            direction: which way it is better.
            spec: the text of the increment's spec.md, for its targets.

        Raises:
            NotFound: no finished experiment logged `metric`.
            UsageError: `direction` is no direction.
        """
        everything = sorted(found, key=lambda experiment: (natural(experiment.name), experiment.archived))
        experiments = tuple(experiment for experiment in everything if experiment.kind == "experiment")
        finished = [experiment for experiment in experiments if experiment.status == "finished"]
        columns = metric_columns(finished)
        targets = read_targets(spec, columns)
        decision = decision or Decision()
        chosen = choose_primary(columns, finished, decision, metric, direction, targets)
        directions = {chosen.metric: chosen.direction} if chosen.metric else {}
        repeats = find_repeats(finished)
        models = one_row_each(finished, repeats.values())
        return cls(
            increment=increment,
            experiments=experiments,
            strangers=tuple(experiment for experiment in everything if experiment.kind != "experiment"),
            decision=decision,
            repeats=repeats,
            models=models,
            columns=columns,
            targets=targets,
            chosen=chosen,
            ranked=tuple(rank(models, chosen)),
            time=training_time(models, columns),
            formats=number_formats(columns, models, directions),
            problems=_problems(decision, experiments, columns),
        )

    def with_outcomes(self, outcomes: Mapping[str, Mapping[str, float]], problems: Sequence[str] = ()) -> Self:
        """The same with the per-item outcomes that were read, and with why others could not be."""
        return replace(self, outcomes=outcomes, problems=(*self.problems, *problems))

    @property
    def differing_params(self) -> Differing:
        """Param → model → value, for the params in which the models differ."""
        return differing_params(self.models)

    @property
    def rows(self) -> tuple[Row, ...]:
        """One row a model, by name, and one an experiment that did not finish."""
        shown = sorted((*self.models, *self.unfinished), key=lambda row: (natural(row.name), row.archived))
        return tuple(row_of(row, self.time.seconds.get(row.name), self.repeats.get(row.name)) for row in shown)

    def table(self, *, sort_by: str | None = None, precision: int | None = None, most_rows: int | None = None) -> Table:
        """The models by name, or best first by a metric; repeats as mean ± standard deviation.

        Args:
            sort_by: a metric; of unknown direction, the highest comes first.
            precision: decimals of every number.
            most_rows: keep only this many of the best.

        Raises:
            NotFound: no finished experiment logged `sort_by`.
        """
        shown = self._foremost(most_rows)
        if sort_by is not None:
            shown = self._sorted(shown, sort_by)
        formats = self.formats if precision is None else number_formats(self.columns, (), {}, precision)
        return build_table(shown, self.columns, self.time, formats, self.primary, self.repeats)

    def params_table(self, *, most_rows: int | None = None) -> Table:
        """The params that differ between the models, for the models that `table` shows."""
        return params_table(self.differing_params, self._foremost(most_rows))

    def _foremost(self, most: int | None) -> Sequence[Experiment]:
        """The models by name; of more than `most`, the baseline and the best."""
        if most is None or len(self.models) <= most:
            return self.models
        first = (*filter(None, [self._reference]), *self.ranked, *self.models)
        kept = set([*dict.fromkeys(first)][:most])
        return [model for model in self.models if model in kept]

    def _sorted(self, experiments: Sequence[Experiment], metric: str) -> list[Experiment]:
        by = choose_primary(self.columns, experiments, self.decision, metric)
        same_as_primary = by.column is self.chosen.column
        direction = (self.direction if same_as_primary else by.direction) or "maximize"
        ordered = rank(experiments, replace(by, direction=direction))
        placed = set(ordered)
        return [*ordered, *(experiment for experiment in experiments if experiment not in placed)]

    def to_dataframe(self) -> Any:
        """A pandas DataFrame of `rows`, indexed by name: status, the metrics, training_seconds.

        Where there are repeats: also their number (`repeats`), and `spread.` and each metric.
        """
        import pandas

        rows = self.rows
        names = pandas.Index([row.name for row in rows], name="experiment")
        cells = [
            {
                "status": row.status,
                **row.metrics,
                "training_seconds": row.training_seconds,
                **({"repeats": max(len(row.members), 1)} if self.repeats else {}),
                **{f"spread.{metric}": spread for metric, spread in row.spread.items()},
            }
            for row in rows
        ]
        return pandas.DataFrame(cells, index=names)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form that `compare --json` prints."""
        return {
            "schema": 1,
            "increment": self.increment,
            "primary": {"metric": self.primary, "direction": self.direction, "why": self.chosen.why},
            "baseline": self.baseline,
            "best": self.best,
            "recommended": self.recommended,
            "selected": self.selected,
            "indistinguishable": list(self.evidence.indistinguishable),
            "evidence": self.evidence.as_dict(),
            "rows": [row.as_dict() for row in self.rows],
            "differing_params": jsonable(self.differing_params),
        }

    def to_json(self) -> str:
        """`as_dict` as text."""
        return json.dumps(self.as_dict(), allow_nan=False, indent=2)


def _problems(decision: Decision, experiments: Sequence[Experiment], columns: Sequence[Column]) -> tuple[str, ...]:
    """A line for each word of decision.md that cannot be followed."""
    names = {experiment.name for experiment in experiments}
    finished = {experiment.name for experiment in experiments if experiment.status == "finished"}
    problems = [decision.problem] if decision.problem else []
    if decision.selected and decision.selected not in names:
        problems.append(f"decision.md selects {decision.selected}, which is not among the experiments")
    if decision.baseline and decision.baseline not in finished:
        problems.append(f"decision.md names {decision.baseline} as baseline, which is not a finished experiment")
    if decision.primary and column_named(columns, decision.primary) is None:
        problems.append(f"decision.md names {decision.primary} as primary metric, which no finished experiment logged")
    if decision.direction and known_direction(decision.direction) is None:
        problems.append(f"decision.md names {decision.direction} as direction, not maximize or minimize")
    return tuple(problems)
