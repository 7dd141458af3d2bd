"""Among models that cannot be told apart, the one that costs least. Outside that set nothing is traded.

The rule it stands on: of models within the noise of the best, take the simplest (the one-standard-error rule,
Breiman, Friedman, Olshen & Stone 1984, §3.4.3). "The noise" is what a test leaves undecided; whether the choice lies
within one standard error of the best too is said beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from operator import le
from typing import TYPE_CHECKING

from specweave_ml.analysis.metrics import gist, seconds_per_unit
from specweave_ml.analysis.numbers import data_size, duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from specweave_ml.analysis.numbers import NumberFormat
    from specweave_ml.analysis.table import Column, TrainingTime
    from specweave_ml.record import Experiment


@dataclass(frozen=True, slots=True)
class Cost:
    """One cost of models, by their names, where it is recorded: as text, and in which place, 0 being the lowest.

    Costs that read the same share a place: a hundredth of a second is no reason to prefer a model.
    """

    title: str
    texts: Mapping[str, str]
    places: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Saving:
    """What one model costs less than another: `training time`, `32s`, `45s`."""

    title: str
    cost: str
    other: str


@dataclass(frozen=True, slots=True)
class Tradeoff:
    """The choice among models that cannot be told apart.

    Attributes:
        recommended: the cheapest of them: of those that no other beats in every cost, the one of the shortest training
            time, then of the lowest latency, then of the smallest size, then of the best value.
        among: how many there were.
        savings: in which costs it undercuts the best value's model.
        cheaper_elsewhere: other models that no other beats in every cost, each with where it undercuts the
            recommended one.
        not_compared: the costs that are not recorded for all of them, and so did not count.
        within_one_error: whether its value lies within one standard error of the best; None where it is the best
            itself, or no standard error is known.
    """

    recommended: str
    among: int
    savings: tuple[Saving, ...]
    cheaper_elsewhere: tuple[tuple[str, tuple[Saving, ...]], ...]
    not_compared: tuple[str, ...]
    within_one_error: bool | None


def recommend(
    models: Sequence[Experiment], costs: Sequence[Cost], column: Column, standard_error: float | None
) -> Tradeoff:
    """The cheapest of the models that cannot be told apart.

    Args:
        models: these models, the best value first.
        costs: what they cost, the first one deciding first.
        column: the metric that decides.
        standard_error: of the best one's value, in the metric's unit.
    """
    best = models[0]
    known = [cost for cost in costs if all(model.name in cost.places for model in models)]
    chosen, *undominated = _pareto(models, known)
    others = [(model.name, _savings(model.name, chosen.name, known)) for model in undominated]
    behind = abs((column.value(best) or 0.0) - (column.value(chosen) or 0.0))
    return Tradeoff(
        recommended=chosen.name,
        among=len(models),
        savings=_savings(chosen.name, best.name, known),
        cheaper_elsewhere=tuple((name, savings) for name, savings in others if savings),
        not_compared=tuple(cost.title for cost in costs if cost not in known),
        within_one_error=None if chosen is best or standard_error is None else behind <= standard_error,
    )


def _pareto(models: Sequence[Experiment], costs: Sequence[Cost]) -> list[Experiment]:
    """The models that no other beats in one cost without losing in another, the cheapest first."""
    front: list[tuple[Experiment, list[int]]] = []
    for model, paid in sorted(
        ((model, [cost.places[model.name] for cost in costs]) for model in models), key=lambda row: row[1]
    ):
        # Whoever beats a model stands before it in this order.
        if not any(other != paid and all(map(le, other, paid)) for _, other in front):
            front.append((model, paid))
    return [model for model, _ in front]


def _savings(one: str, other: str, costs: Sequence[Cost]) -> tuple[Saving, ...]:
    cheaper = [cost for cost in costs if cost.places[one] < cost.places[other]]
    return tuple(Saving(cost.title, cost.texts[one], cost.texts[other]) for cost in cheaper)


def costs_of(
    models: Sequence[Experiment],
    columns: Sequence[Column],
    formats: Mapping[str, NumberFormat],
    time: TrainingTime,
) -> tuple[Cost, ...]:
    """Training time, latency and size of models, each where it is recorded.

    Latency and size are metrics of such a name (the one that most experiments logged); without one, the size is that
    of the artifact `model.*`.
    """
    trained = {model.name: time.seconds[model.name] for model in models if model.name in time.seconds}
    latency = [column for column in columns if gist(column.name) == ("latency", frozenset())]
    # What a process needed is no size of its model.
    size = [each for each in columns if each.metric.cost == "size" and "memory" not in each.metric.key.split("_")]
    return (
        _cost("training time", trained, duration),
        _logged("latency", latency, models, formats),
        _logged("size", size, models, formats) if size else _cost("size", _saved_sizes(models), data_size),
    )


def _cost(title: str, values: Mapping[str, float], text: Callable[[float], str]) -> Cost:
    texts = {name: text(value) for name, value in values.items()}
    in_order = dict.fromkeys(texts[name] for name in sorted(values, key=lambda name: values[name]))
    places = {shown: place for place, shown in enumerate(in_order)}
    return Cost(title, texts, {name: places[shown] for name, shown in texts.items()})


def _logged(
    title: str, columns: Sequence[Column], models: Sequence[Experiment], formats: Mapping[str, NumberFormat]
) -> Cost:
    column = max(columns, key=lambda column: column.count, default=None)
    if column is None:
        return _cost(title, {}, str)
    logged = {model.name: column.value(model) for model in models}
    values = {name: value for name, value in logged.items() if value is not None and isfinite(value)}
    if column.metric.key.endswith("_bytes"):
        return _cost(title, values, data_size)
    unit = seconds_per_unit(column.name)
    if unit is None:
        return _cost(column.title, values, formats[column.name])
    return _cost(title, values, lambda value: duration(value * unit))


def _saved_sizes(models: Sequence[Experiment]) -> dict[str, float]:
    """The bytes of the saved models, where each saved one."""
    sizes = {model.name: _saved_size(model) for model in models}
    return {name: size for name, size in sizes.items() if size is not None}


def _saved_size(model: Experiment) -> float | None:
    saved = (facts.get("bytes") for name, facts in model.artifacts.items() if name.startswith("model."))
    return next((size for size in saved if isinstance(size, int)), None)
