"""Everything the records of an increment say when they are laid side by side."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import TYPE_CHECKING, Any, Self

from specweave_ml.analysis.metrics import known_direction
from specweave_ml.analysis.params import Differing, differing_params, params_table
from specweave_ml.analysis.ranking import Primary, choose_primary, column_named, is_baseline, rank, reference
from specweave_ml.analysis.rationale import Rationale, rationale
from specweave_ml.analysis.table import (
    Column,
    Table,
    TrainingTime,
    build_table,
    metric_columns,
    natural,
    number_formats,
    training_time,
)
from specweave_ml.store.decision import Decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from specweave_ml.analysis.metrics import Direction
    from specweave_ml.analysis.numbers import NumberFormat
    from specweave_ml.record import Experiment

ONE_VALUE_EACH = "one value each"


@dataclass(frozen=True, slots=True)
class Row:
    """One experiment in a comparison.

    Attributes:
        status: `finished` competes; `running`, `stale`, `failed` and `killed` do not.
        training_seconds: the logged training time, else the experiment's duration; None when neither is recorded.
        is_baseline: whether tag or name says so.
        reason: why it ended without finishing, as recorded; None when nothing is.
    """

    name: str
    status: str
    metrics: dict[str, float]
    training_seconds: float | None
    tags: tuple[str, ...]
    is_baseline: bool
    reason: str | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Findings:
    """The comparison of one increment's experiments, as values.

    Attributes:
        increment: the increment's full name.
        experiments: all of them by name, whatever became of them.
        strangers: folders beside them that are not ours, or that nothing could be read of.
        decision: what decision.md says.
        columns: the metrics that finished experiments logged.
        chosen: the metric that decides, its direction, and why it was chosen.
        ranked: the finished experiments that have a number there, best first.
        time: how long each finished experiment trained.
        formats: how the numbers of each column are written.
        problems: what could not be taken as it was said, in one line each.
    """

    increment: str
    experiments: tuple[Experiment, ...]
    strangers: tuple[Experiment, ...]
    decision: Decision
    columns: tuple[Column, ...]
    chosen: Primary
    ranked: tuple[Experiment, ...]
    time: TrainingTime
    formats: dict[str, NumberFormat] = field(repr=False)
    problems: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        found: Iterable[Experiment],
        increment: str,
        decision: Decision | None = None,
        *,
        metric: str | None = None,
        direction: str | None = None,
    ) -> Self:
        """Compare the experiments found in an increment; their order does not matter.

        Raises:
            NotFound: no finished experiment logged `metric`.
            UsageError: `direction` is no direction.
        """
        everything = sorted(found, key=lambda experiment: (natural(experiment.name), experiment.archived))
        experiments = tuple(experiment for experiment in everything if experiment.kind == "experiment")
        finished = [experiment for experiment in experiments if experiment.status == "finished"]
        columns = metric_columns(finished)
        decision = decision or Decision()
        chosen = choose_primary(columns, finished, decision, metric, direction)
        directions = {chosen.metric: chosen.direction} if chosen.metric else {}
        return cls(
            increment=increment,
            experiments=experiments,
            strangers=tuple(experiment for experiment in everything if experiment.kind != "experiment"),
            decision=decision,
            columns=columns,
            chosen=chosen,
            ranked=tuple(rank(finished, chosen)),
            time=training_time(finished, columns),
            formats=number_formats(columns, finished, directions),
            problems=_problems(decision, experiments, columns),
        )

    @property
    def finished(self) -> tuple[Experiment, ...]:
        """Those that compete, by name."""
        return tuple(experiment for experiment in self.experiments if experiment.status == "finished")

    @property
    def unfinished(self) -> tuple[Experiment, ...]:
        """Failed, killed and not ended ones, by name."""
        return tuple(experiment for experiment in self.experiments if experiment.status != "finished")

    @property
    def incomplete(self) -> tuple[str, ...]:
        """The names of finished experiments that could not record everything that was logged."""
        return tuple(experiment.name for experiment in self.finished if experiment.value("incomplete"))

    @property
    def primary(self) -> str | None:
        """The metric that decides; None when no finished experiment logged one that could."""
        return self.chosen.metric

    @property
    def direction(self) -> Direction | None:
        """`maximize` or `minimize`; None when it is not known."""
        return self.chosen.direction

    @property
    def best(self) -> str | None:
        """The name of the finished experiment with the best single value."""
        return self.ranked[0].name if self.ranked else None

    @property
    def recommended(self) -> str | None:
        """The best one: with one value each, nothing says which others are as good."""
        return self.best

    @property
    def selected(self) -> str | None:
        """The one a person chose in decision.md."""
        return self.decision.selected

    @property
    def baseline(self) -> str | None:
        """The experiment the others are measured against."""
        return self._reference.name if self._reference else None

    @property
    def _reference(self) -> Experiment | None:
        return reference(self.finished, self.ranked, self.decision)

    @property
    def rationale(self) -> Rationale | None:
        """The facts behind the best one."""
        return rationale(self.ranked, self._reference, self.chosen, self.columns, self.formats, self.time)

    @property
    def differing_params(self) -> Differing:
        """Param → experiment → value, for the params in which finished experiments differ."""
        return differing_params(self.finished)

    @property
    def rows(self) -> tuple[Row, ...]:
        """One row an experiment, by name, the unfinished ones too."""
        return tuple(
            Row(
                name=experiment.name,
                status=experiment.status,
                metrics=experiment.metrics,
                training_seconds=self.time.seconds.get(experiment.name),
                tags=experiment.tags,
                is_baseline=is_baseline(experiment),
                reason=reason(experiment),
            )
            for experiment in self.experiments
        )

    def table(self, *, sort_by: str | None = None, precision: int | None = None, most_rows: int | None = None) -> Table:
        """The finished experiments by name, or best first by a metric.

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
        return build_table(shown, self.columns, self.time, formats, self.primary)

    def params_table(self, *, most_rows: int | None = None) -> Table:
        """The params that differ between the finished experiments, for the experiments that `table` shows."""
        return params_table(self.differing_params, self._foremost(most_rows))

    def _foremost(self, most: int | None) -> Sequence[Experiment]:
        """The finished experiments by name; of more than `most`, the baseline and the best."""
        if most is None or len(self.finished) <= most:
            return self.finished
        first = (*filter(None, [self._reference]), *self.ranked, *self.finished)
        kept = set([*dict.fromkeys(first)][:most])
        return [experiment for experiment in self.finished if experiment in kept]

    def _sorted(self, experiments: Sequence[Experiment], metric: str) -> list[Experiment]:
        by = choose_primary(self.columns, experiments, self.decision, metric)
        same_as_primary = by.column is self.chosen.column
        direction = (self.direction if same_as_primary else by.direction) or "maximize"
        ordered = rank(experiments, replace(by, direction=direction))
        placed = set(ordered)
        return [*ordered, *(experiment for experiment in experiments if experiment not in placed)]

    def to_dataframe(self) -> Any:
        """A pandas DataFrame, a row an experiment, indexed by name: status, the metrics, training_seconds."""
        import pandas

        rows = self.rows
        names = pandas.Index([row.name for row in rows], name="experiment")
        cells = [{"status": row.status, **row.metrics, "training_seconds": row.training_seconds} for row in rows]
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
            "indistinguishable": [],
            "evidence": {"test": None, "pairs": [], "detectable": None, "why_not": ONE_VALUE_EACH},
            "rows": [_row_as_dict(row) for row in self.rows],
            "differing_params": _jsonable(self.differing_params),
        }

    def to_json(self) -> str:
        """`as_dict` as text."""
        return json.dumps(self.as_dict(), allow_nan=False, indent=2)


def reason(experiment: Experiment) -> str | None:
    """Why an experiment did not finish: the first line of its error as `Type: message`; None when none is recorded."""
    error = experiment.error or {}
    said = [str(error[key]).strip() for key in ("type", "message") if error.get(key)]
    return ": ".join(said).partition("\n")[0] or None


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


def _row_as_dict(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "status": row.status,
        "metrics": _jsonable(row.metrics),
        "training_seconds": _jsonable(row.training_seconds),
        "tags": list(row.tags),
        "baseline": row.is_baseline,
        "reason": row.reason,
    }


def _jsonable(value: Any) -> Any:
    """NaN and the infinities as the strings they are in the record; what JSON has no word for by its repr."""
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")
    return value if isinstance(value, str | int | float | None) else repr(value)
