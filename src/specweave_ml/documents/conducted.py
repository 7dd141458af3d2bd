"""The list of experiments of an increment: one item a model, in an order that new results do not change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from specweave_ml.analysis.numbers import significant
from specweave_ml.analysis.rows import reason
from specweave_ml.analysis.table import natural
from specweave_ml.reports import ending

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from specweave_ml.analysis.comparison import Findings
    from specweave_ml.analysis.numbers import NumberFormat
    from specweave_ml.analysis.repeats import Repeats
    from specweave_ml.documents.chosen import Chosen
    from specweave_ml.record import Experiment

MOST_LISTED = 100
"""Items of a list; of more, the best finished ones and the first of the others."""

_ABBREVIATED = {"accuracy": "acc"}


@dataclass(frozen=True, slots=True)
class Conducted:
    """One item of the list.

    Attributes:
        name: of the experiment, or of the earliest one of a set of repeats.
        description: as recorded, on one line; may be empty.
        outcome: `acc=0.26`, `acc=0.26 ± 0.02, 3 repeats`, `failed: MemoryError: too large`, `not finished`.
        archived: whether it was put aside.
        selected: the experiment that a person chose: this one, or one of its repeats; empty where they did not.
        recommended: whether the comparison recommends it while a person chose another, or none.
    """

    name: str
    description: str
    outcome: str
    archived: bool
    selected: str
    recommended: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """The items of the list, how many experiments there are in all, and how many of them are not in it."""

    items: tuple[Conducted, ...]
    total: int
    hidden: int


def listing(comparison: Findings, archived: Sequence[Experiment], chosen: Chosen | None) -> Listing:
    """All experiments of an increment, those that were put aside too: archiving one must not unsay that it was tried.

    Args:
        comparison: of the live ones.
        archived: the others.
        chosen: the model in question.
    """
    sets = {name: each for each in comparison.repeats.values() for name in each.names}
    live = [each for each in comparison.experiments if each.name not in sets or sets[each.name].name == each.name]
    aside = [experiment for experiment in archived if experiment.kind == "experiment"]
    shown = _foremost(comparison, [*live, *aside])
    items = [_item(experiment, sets.get(experiment.name), comparison, chosen) for experiment in shown]
    counted = sum(len(sets[item.name].members) if item.name in sets else 1 for item in items)
    total = len(comparison.experiments) + len(aside)
    return Listing(tuple(items), total, total - counted)


def _foremost(comparison: Findings, experiments: Sequence[Experiment]) -> list[Experiment]:
    if len(experiments) > MOST_LISTED:
        place = {experiment.name: number for number, experiment in enumerate(comparison.ranked)}
        last = len(place)
        experiments = sorted(experiments, key=lambda each: (each.archived, place.get(each.name, last)))[:MOST_LISTED]
    return sorted(experiments, key=lambda experiment: (natural(experiment.name), experiment.archived))


def _item(experiment: Experiment, repeats: Repeats | None, comparison: Findings, chosen: Chosen | None) -> Conducted:
    names = repeats.names if repeats else (experiment.name,)
    live = not experiment.archived
    selected = comparison.selected if live and comparison.selected in names else None
    return Conducted(
        name=experiment.name,
        description=" ".join(experiment.description.split()),
        outcome=_outcome(repeats.as_experiment() if repeats else experiment, repeats, comparison),
        archived=experiment.archived,
        selected=selected or "",
        recommended=live and not selected and chosen is not None and comparison.recommended in names,
    )


def _outcome(experiment: Experiment, repeats: Repeats | None, comparison: Findings) -> str:
    if experiment.status != "finished":
        return ": ".join(filter(None, (ending(experiment), reason(experiment))))
    return ", ".join(_measured(experiment, repeats, comparison)) or "finished"


def _measured(experiment: Experiment, repeats: Repeats | None, comparison: Findings) -> Iterator[str]:
    column = comparison.chosen.column
    value = column.value(experiment) if column else None
    if column is not None and value is not None:
        written = comparison.formats[column.name]
        spread = repeats.spread(*column.names) if repeats else None
        around = "" if spread is None else f" ± {spread_text(spread, written)}"
        yield f"{short_name(column.name)}={written(value)}{around}"
    if repeats:
        yield f"{len(repeats.members)} repeats"


def spread_text(spread: float, written: NumberFormat) -> str:
    """A standard deviation as the numbers of its column are written, or by one digit where that reads as none."""
    text = written(spread)
    return text if spread == 0 or float(text) > 0 else significant(spread, 1)


def short_name(metric: str) -> str:
    """A metric's name where there is little room: `acc`, `val_acc`, `f1`, `precision@10`."""
    for word, short in _ABBREVIATED.items():
        metric = metric.replace(word, short)
    return metric
