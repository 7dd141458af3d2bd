"""Which models no other beats for less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specweave_ml.analysis.metrics import Direction


@dataclass(frozen=True, slots=True)
class Priced:
    """One model.

    Attributes:
        name: the model's.
        value: its metric.
        cost: in seconds where the cost is a time.
        value_text: the metric as a table writes it.
        cost_text: the cost as a table writes it.
    """

    name: str
    value: float
    cost: float
    value_text: str
    cost_text: str


def on_the_front(models: Sequence[Priced], direction: Direction) -> list[Priced]:
    """Those than which no other is better and costs no more, or as good and costs less; the cheapest first."""
    sign = -1 if direction == "maximize" else 1
    front: list[Priced] = []
    for model in sorted(models, key=lambda model: (model.cost, sign * model.value)):
        better = not front or sign * model.value < sign * front[-1].value
        if better or (model.value, model.cost) == (front[-1].value, front[-1].cost):
            front.append(model)
    return front
