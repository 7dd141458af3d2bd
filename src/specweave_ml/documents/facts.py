"""Everything the documents of one increment are made from: texts and numbers, gathered once, the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from specweave_ml.analysis.params import param_text
from specweave_ml.analysis.rows import reason
from specweave_ml.documents.chosen import choose
from specweave_ml.documents.conducted import listing
from specweave_ml.documents.expected import expected_metrics, time_taken
from specweave_ml.documents.reasons import reasons_for
from specweave_ml.documents.recipe import recipe_of
from specweave_ml.reports import ending, increment_title
from specweave_ml.search_report import kept_finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specweave_ml.analysis.comparison import Findings
    from specweave_ml.documents.chosen import Chosen
    from specweave_ml.documents.conducted import Listing
    from specweave_ml.documents.expected import Expected
    from specweave_ml.documents.reasons import Reasons
    from specweave_ml.documents.recipe import Recipe
    from specweave_ml.record import Experiment

MOST_PARAMS = 40
MOST_FAILURES = 50
MOST_NOTES = 20
LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class Model:
    """The model that the documents are about.

    Attributes:
        name: of the experiment.
        words: what people call it.
        number: its short name.
        description: as recorded, on one line; may be empty.
        selected: whether a person selected it; else the comparison recommends it.
        decided: who decided and when, as far as recorded; `Because` where neither is.
        by: who decided; may be empty.
        date: when; may be empty.
        because: the reason in their words; may be empty.
        params: name and value, as recorded.
        more_params: how many more there are.
        importance: which of them matter most, where the model comes from a search that can say so; may be empty.
    """

    name: str
    words: str
    number: str
    description: str
    selected: bool
    decided: str
    by: str
    date: str
    because: str
    params: tuple[tuple[str, str], ...]
    more_params: int
    importance: str


@dataclass(frozen=True, slots=True)
class Instead:
    """The model that the comparison recommends where a person selected another one."""

    name: str
    metric: str
    value: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An experiment that did not finish: `failed`, `killed` or `not finished`, and why, as far as recorded."""

    name: str
    description: str
    ended: str
    reason: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the documents of one increment say.

    Attributes:
        increment: its full name.
        id: its number.
        heading: what its sections are called, `Recommendation Model (Increment 0042)`.
        title: its name in words, `Recommendation Model`.
        conducted: its experiments.
        finished: how many of them finished.
        metric: the one that decides; empty where there is none.
        lower: whether lower is better.
        metric_why: why that one.
        model: the selected or recommended model; None where there is neither.
        nobody: why there is none.
        why: what speaks for it.
        instead: what the comparison recommends, where that is another one.
        problems: what of decision.md could not be followed.
        recipe: how it was run.
        took: how long that was; may be empty.
        expected: what a new training should come to.
        failures: what did not finish.
        retrain_when: what should lead to a new training, in a person's words.
        notes: what was noted, experiment by experiment, as one text; may be empty.
    """

    increment: str
    id: str
    heading: str
    title: str
    conducted: Listing
    finished: int
    metric: str
    lower: bool
    metric_why: str
    model: Model | None
    nobody: str
    why: Reasons | None
    instead: Instead | None
    problems: tuple[str, ...]
    recipe: Recipe | None
    took: str
    expected: tuple[Expected, ...]
    failures: tuple[Failure, ...]
    retrain_when: tuple[str, ...]
    notes: str


def gather(comparison: Findings, archived: Sequence[Experiment]) -> Facts:
    """The facts of one increment.

    Args:
        comparison: of its live experiments.
        archived: those that were put aside.
    """
    chosen = choose(comparison)
    number, _, _ = comparison.increment.partition("-")
    heading = increment_title(comparison.increment)
    return Facts(
        increment=comparison.increment,
        id=number,
        heading=heading,
        title=heading.removesuffix(f" (Increment {number})"),
        conducted=listing(comparison, archived, chosen),
        finished=len(comparison.finished) + sum(experiment.status == "finished" for experiment in archived),
        metric=comparison.primary or "",
        lower=comparison.direction == "minimize",
        metric_why=comparison.chosen.why,
        model=_model(comparison, chosen) if chosen else None,
        nobody=_nobody(comparison),
        why=reasons_for(comparison, chosen) if chosen else None,
        instead=_instead(comparison, chosen),
        problems=comparison.problems,
        recipe=recipe_of(chosen.run) if chosen else None,
        took=time_taken(chosen) if chosen else "",
        expected=tuple(expected_metrics(comparison, chosen)) if chosen else (),
        failures=tuple(map(_failure, comparison.unfinished[:MOST_FAILURES])),
        retrain_when=comparison.decision.retrain_when,
        notes=_notes(comparison, chosen),
    )


def _model(comparison: Findings, chosen: Chosen) -> Model:
    decision = comparison.decision
    by, date, because = (decision.by, decision.date, decision.because) if chosen.selected else (None, None, None)
    found = kept_finding(chosen.run)
    recorded = chosen.run.params if chosen.selected else chosen.experiment.params
    params = [(name, param_text(value)) for name, value in recorded.items()]
    return Model(
        name=chosen.name,
        words=chosen.words,
        number=chosen.number,
        description=" ".join(chosen.run.description.split()),
        selected=chosen.selected,
        decided=", ".join(filter(None, (by, date))) or "Because",
        by=by or "",
        date=date or "",
        because=" ".join((because or "").split()),
        params=tuple(params[:MOST_PARAMS]),
        more_params=max(0, len(params) - MOST_PARAMS),
        importance=found.sentence if found is not None and found.ranks else "",
    )


def _nobody(comparison: Findings) -> str:
    if not comparison.finished:
        return "no experiment has finished"
    if comparison.primary is None:
        return comparison.chosen.why
    if comparison.direction is None:
        return f"which way {comparison.primary} is better is not known (decision.md can say it)"
    return f"no finished experiment has a number for {comparison.primary}"


def _instead(comparison: Findings, chosen: Chosen | None) -> Instead | None:
    """Another one than the chosen, and not one of its repeats."""
    column, recommended = comparison.chosen.column, comparison.recommended
    if chosen is None or column is None or recommended in {None, chosen.name, chosen.experiment.name}:
        return None
    model = next((model for model in comparison.ranked if model.name == recommended), None)
    if model is None:
        return None
    return Instead(model.name, column.name, comparison.formats[column.name](column.value(model)))


def _failure(experiment: Experiment) -> Failure:
    description = " ".join(experiment.description.split())
    return Failure(experiment.name, description, ending(experiment), reason(experiment) or "")


def _notes(comparison: Findings, chosen: Chosen | None) -> str:
    """Those of the model in question and of what did not finish; all else is beside the experiments."""
    about = [*([chosen.run] if chosen else []), *comparison.unfinished]
    lines = [f"{each.name}: {' '.join(note.split())[:LONGEST_NOTE]}" for each in about for note in each.notes]
    more = len(lines) - MOST_NOTES
    return "\n".join([*lines[:MOST_NOTES], *([f"({more} more notes)"] if more > 0 else [])])
