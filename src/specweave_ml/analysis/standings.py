"""Who competes, who comes first, and what that stands on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from specweave_ml.analysis.corrected_t import posterior
from specweave_ml.analysis.evidence import Evidence, weigh
from specweave_ml.analysis.ranking import Primary, reference
from specweave_ml.analysis.rationale import Rationale, rationale
from specweave_ml.analysis.samples import CORRECTED_T
from specweave_ml.analysis.targets import Checked, Target, check_target
from specweave_ml.analysis.tradeoff import Tradeoff, costs_of, recommend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from specweave_ml.analysis.corrected_t import Posterior
    from specweave_ml.analysis.metrics import Direction
    from specweave_ml.analysis.numbers import NumberFormat
    from specweave_ml.analysis.repeats import Repeats
    from specweave_ml.analysis.table import Column, TrainingTime
    from specweave_ml.record import Experiment
    from specweave_ml.store.decision import Decision


@dataclass(frozen=True, kw_only=True, eq=False)
class Standings:
    """One increment's experiments, judged.

    Attributes:
        increment: the increment's full name.
        experiments: all of them by name, whatever became of them.
        strangers: folders beside them that are not ours, or that nothing could be read of.
        decision: what decision.md says.
        repeats: the finished experiments that repeat one another, by the name of the model they are.
        models: what competes: the finished experiments by name, each set of repeats as one that has their means.
        columns: the metrics that finished experiments logged.
        targets: what spec.md asks for.
        chosen: the metric that decides, its direction, and why it was chosen.
        ranked: the models that have a number there, best first.
        time: how long each model trained.
        formats: how the numbers of each column are written.
        outcomes: item → outcome of the metric that decides, by the experiment's name, where they were read.
        problems: what could not be taken as it was said, in one line each.
    """

    increment: str
    experiments: tuple[Experiment, ...]
    strangers: tuple[Experiment, ...]
    decision: Decision
    repeats: Mapping[str, Repeats]
    models: tuple[Experiment, ...]
    columns: tuple[Column, ...]
    targets: tuple[Target, ...]
    chosen: Primary
    ranked: tuple[Experiment, ...]
    time: TrainingTime
    formats: dict[str, NumberFormat] = field(repr=False)
    outcomes: Mapping[str, Mapping[str, float]] = field(default_factory=dict, repr=False)
    problems: tuple[str, ...] = ()

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
        """The name of the model with the best value."""
        return self.ranked[0].name if self.ranked else None

    @cached_property
    def evidence(self) -> Evidence:
        """What the records allow to be said of the models' differences."""
        return weigh(self.ranked, self.chosen.column, self.repeats, self.outcomes)

    @cached_property
    def tradeoff(self) -> Tradeoff | None:
        """The choice among the models that cannot be told from the best; None where there is no such model."""
        names = {*self.evidence.indistinguishable}
        alike = [model for model in self.ranked if model.name in names]
        if not alike or self.chosen.column is None:
            return None
        costs = costs_of(alike, self.columns, self.formats, self.time)
        return recommend(alike, costs, self.chosen.column, self.evidence.standard_error)

    @property
    def recommended(self) -> str | None:
        """The cheapest of the models that cannot be told from the best, else the best."""
        return self.tradeoff.recommended if self.tradeoff else self.best

    def posterior(self, rope: float) -> dict[str, Posterior]:
        """How probable it is that the best model is worse than, practically equal to, or better than each other.

        Only of models that were tested on the same folds. `rope` is the largest difference that does not matter, in
        the metric's unit.

        Raises:
            ValueError: `rope` is negative.
        """
        higher = self.direction != "minimize"
        pairs = self.evidence.of_best if self.evidence.test == CORRECTED_T else ()
        return {pair.b: posterior(pair.measured, rope, higher_is_better=higher) for pair in pairs}

    @property
    def checked(self) -> tuple[Checked, ...]:
        """The targets of spec.md, and whether the selected model (else the recommended one) meets them."""
        judged = self.judged
        model = next((model for model in self.models if model.name == judged), None)
        return tuple(check_target(target, model, self.columns, self.formats, self.time) for target in self.targets)

    @property
    def judged(self) -> str | None:
        """The model that stands for the increment: the selected one if it finished, else the recommended one."""
        return self._standing.get(self.selected or "", self.recommended)

    @property
    def selected(self) -> str | None:
        """The one a person chose in decision.md."""
        return self.decision.selected

    @property
    def baseline(self) -> str | None:
        """The experiment the others are measured against."""
        return self._reference.name if self._reference else None

    @cached_property
    def _reference(self) -> Experiment | None:
        named = self._standing.get(self.decision.baseline or "")
        return reference(self.models, self.ranked, replace(self.decision, baseline=named))

    @cached_property
    def _standing(self) -> dict[str, str]:
        """The model that each finished experiment is, or is one repeat of."""
        members = {name: repeat.name for repeat in self.repeats.values() for name in repeat.names}
        return {model.name: model.name for model in self.models} | members

    @cached_property
    def rationale(self) -> Rationale | None:
        """The facts behind the best one."""
        return rationale(
            self.ranked,
            self._reference,
            self.chosen,
            self.columns,
            self.formats,
            self.time,
            self.repeats,
            self.evidence,
        )
