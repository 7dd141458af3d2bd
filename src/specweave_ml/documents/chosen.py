"""The model that an increment's documents are about: the one a person selected, else the recommended one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specweave_ml.analysis.comparison import Findings
    from specweave_ml.analysis.repeats import Repeats
    from specweave_ml.analysis.table import Column
    from specweave_ml.record import Experiment

_NUMBERING = re.compile(r"(exp-?[0-9]+)[-_](?=.)", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The model in question.

    Attributes:
        name: of the experiment that was selected or is recommended.
        experiment: it, or the means of its repeats.
        run: the single experiment that says how it was run.
        repeats: the experiments that repeat it; None where it was run once.
        selected: whether a person selected it; else it is only recommended.
    """

    name: str
    experiment: Experiment
    run: Experiment
    repeats: Repeats | None
    selected: bool

    @property
    def words(self) -> str:
        """What people call it: `XGBoost` where exp-003-xgboost is described as "XGBoost classifier", else its name."""
        return spelled_out(self.name, self.experiment.description) or self.name

    @property
    def number(self) -> str:
        """Its short name: the numbering of a name such as exp-003-xgboost, else the name."""
        numbered = _NUMBERING.match(self.name)
        return numbered[1] if numbered else self.name

    def samples(self, column: Column) -> tuple[tuple[float, ...], str]:
        """Its values of a metric in each repeat, else in each fold, and which; nothing where there are not two."""
        if self.repeats is not None:
            values, unit = self.repeats.values(*column.names), "repeats"
        else:
            scored = (fold.metrics.get(name) for fold in self.run.folds for name in column.names)
            values, unit = tuple(value for value in scored if isinstance(value, int | float)), "folds"
        return (values, unit) if len(values) > 1 and all(map(isfinite, values)) else ((), "")


def choose(comparison: Findings) -> Chosen | None:
    """The selected model, as far as it is recorded; without one the recommended one; None where there is neither."""
    runs = {experiment.name: experiment for experiment in comparison.experiments if not experiment.archived}
    selected = comparison.selected in runs
    name = comparison.selected if selected else comparison.recommended
    if name is None or name not in runs:
        return None
    repeats = next((each for each in comparison.repeats.values() if name in each.names), None)
    run = runs[name]
    return Chosen(name, repeats.as_experiment() if repeats else run, run, repeats, selected)


def spelled_out(name: str, description: str) -> str:
    """The words of a name as its description begins with them: "Neural net" of exp-004-neural-net; else nothing."""
    words = _WORD.findall(_NUMBERING.sub("", name, count=1).casefold())
    found = [*_WORD.finditer(description)][: len(words)]
    same = bool(words) and [match[0].casefold() for match in found] == words and found[0].start() == 0
    return description[: found[-1].end()] if same else ""
