"""Which pictures an increment has something to show in, drawn from what was found in its records."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from specweave_ml.analysis.metrics import seconds_per_unit
from specweave_ml.analysis.numbers import duration, rounded_down, significant
from specweave_ml.analysis.samples import CORRECTED_T, MCNEMAR, NEWCOMBE, PAIRED_T, WELCH_T
from specweave_ml.pictures.cost import cost_picture
from specweave_ml.pictures.curves import curves_picture
from specweave_ml.pictures.differences import Difference, Noise, Standing, differences_picture
from specweave_ml.pictures.pareto import Priced
from specweave_ml.pictures.scale import drawable
from specweave_ml.pictures.watched import courses, trained, watched
from specweave_ml.project import folder_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from specweave_ml.analysis.comparison import Findings
    from specweave_ml.analysis.evidence import Evidence, Pair
    from specweave_ml.analysis.repeats import Repeats
    from specweave_ml.analysis.table import Column
    from specweave_ml.pictures.card import Picture
    from specweave_ml.record import Experiment, History

_METHODS = {
    CORRECTED_T: "by the corrected t-test on the same {size} folds",
    WELCH_T: "by Welch's t-test over the repeats",
    MCNEMAR: "of paired proportions on the same {size} items",
    PAIRED_T: "by the paired t-test on the same {size} items",
    NEWCOMBE: "by Newcombe's method 10, unpaired and so wider than paired ones would be",
}
_LONGEST_NUMBER = 9
_SEEN_ON = {CORRECTED_T: "on these {size} folds", WELCH_T: "with so few repeats"}


def plan_pictures(findings: Findings, histories: Mapping[tuple[str, str], History] | None = None) -> dict[str, Picture]:
    """The pictures that belong beside comparison.md, by their file names.

    Args:
        findings: the comparison.
        histories: by (experiment, metric), those that `histories_wanted` names; one that is missing is not drawn.
    """
    pictures = {
        "differences.svg": _differences(findings),
        "cost.svg": _cost(findings),
        **_curves(findings, histories or {}),
    }
    return {name: picture for name, picture in pictures.items() if picture is not None}


def histories_wanted(findings: Findings) -> list[tuple[Experiment, str]]:
    """The histories that learning curves need, as (experiment, metric)."""
    return [
        (member, name)
        for metric in watched(findings)
        for _, members in trained(findings)
        for member in members
        for name in metric.names(member)
    ]


def _curves(findings: Findings, histories: Mapping[tuple[str, str], History]) -> dict[str, Picture | None]:
    return {
        f"{folder_name(f'curve-{metric.key}')}.svg": curves_picture(
            courses(metric, findings, histories),
            metric=metric.title,
            direction=metric.direction,
            several=metric.several,
        )
        for metric in watched(findings)
    }


def _differences(findings: Findings) -> Picture | None:
    column, evidence = findings.chosen.column, findings.evidence
    if evidence.test is None or column is None or findings.direction is None:
        return None
    best = findings.ranked[0]
    pairs = {pair.b: pair for pair in evidence.of_best}
    models = [_difference(model, best, column, pairs.get(model.name)) for model in _with_a_value(findings, column)]
    reached = evidence.comparisons > 1 and any(
        model.standing == "apart" and model.interval is not None and model.interval[0] <= 0 <= model.interval[1]
        for model in models
    )
    widened = f", widened for {evidence.comparisons} pairs" if evidence.comparisons > 1 else ""
    method = f"Lines: 95 % intervals {_METHODS[evidence.test].format(size=evidence.size)}{widened}."
    if reached:
        method += " Holm's correction decides, which can tell apart what a widened line does not."
    return differences_picture(
        models,
        metric=column.title,
        direction=findings.direction,
        best_value=findings.formats[column.name](column.value(best)),
        method=method,
        noise=_noise(column, evidence, findings.repeats.get(best.name)),
    )


def _with_a_value(findings: Findings, column: Column) -> list[Experiment]:
    """The models best first, then those whose value is no number: a picture says that it leaves them out."""
    ranked = {*findings.ranked}
    others = [model for model in findings.models if model not in ranked and column.value(model) is not None]
    return [*findings.ranked, *others]


def _difference(model: Experiment, best: Experiment, column: Column, pair: Pair | None) -> Difference:
    if model is best:
        return Difference(model.name, 0.0, "best")
    if pair is None:
        return Difference(model.name, (column.value(model) or 0.0) - (column.value(best) or 0.0), "untested")
    found = pair.measured
    low, high = (None if end is None else -end for end in (found.high, found.low))
    standing: Standing = "equal" if not pair.told_apart else "untested" if found.untested else "apart"
    return Difference(model.name, -found.difference, standing, low, high)


def _noise(column: Column, evidence: Evidence, repeats: Repeats | None) -> Noise | None:
    """The spread of the best model's repeats, else the difference that could not have been seen."""
    spread = repeats.spread(column.name) if repeats else None
    if repeats and spread and drawable(spread):
        says = f"Grey: ±{significant(spread)}, the standard deviation of the best one's {len(repeats.members)} repeats"
        return Noise(spread, "spread of its repeats", f"{says}: no improvement within it.")
    if not evidence.detectable or not drawable(evidence.detectable):
        return None
    where = _SEEN_ON.get(evidence.test or "", "on these {size} items").format(size=evidence.size)
    says = f"Grey: a difference below {rounded_down(evidence.detectable)} could not have been seen {where}."
    return Noise(evidence.detectable, "too small to be seen", says)


class _Cost(NamedTuple):
    """What models cost, by their names; a time in seconds."""

    title: str
    values: Mapping[str, float]
    text: Callable[[float], str]


def _cost(findings: Findings) -> Picture | None:
    column = findings.chosen.column
    if column is None or findings.direction is None:
        return None
    text = findings.formats[column.name]
    for cost in _costs(findings):
        models = [
            Priced(model.name, value, spent, _short(text, value), _short(cost.text, spent))
            for model in _with_a_value(findings, column)
            if (spent := cost.values.get(model.name)) is not None and (value := column.value(model)) is not None
        ]
        picture = cost_picture(
            models,
            metric=column.title,
            direction=findings.direction,
            cost=cost.title,
            is_time=cost.text is duration,
            equal=findings.evidence.indistinguishable,
        )
        if picture is not None:
            return picture
    return None


def _short(text: Callable[[float], str], value: float) -> str:
    """A number as tables write it, where that is not too long for a column of a picture."""
    written = text(value)
    return written if len(written) <= _LONGEST_NUMBER else format(value, ".2e")


def _costs(findings: Findings) -> list[_Cost]:
    """The time of training, then the times and the sizes that were logged."""
    found = [_Cost("Training Time", findings.time.seconds, duration)]
    columns = [column for column in findings.columns if column.metric.cost and column is not findings.time.column]
    for column in sorted(columns, key=lambda column: (column.metric.cost == "size", -column.count)):
        unit = seconds_per_unit(column.name)
        logged = ((model.name, column.value(model)) for model in findings.ranked)
        values = {name: value * (unit or 1) for name, value in logged if value is not None}
        # A time says its own unit, so its title need not: `Latency (ms)`.
        title = column.title.partition(" (")[0] if unit else column.title
        found.append(_Cost(title, values, duration if unit else findings.formats[column.name]))
    return found
