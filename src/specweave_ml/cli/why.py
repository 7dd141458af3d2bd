"""`why`: what was chosen, by whom, over what, and on which evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from specweave_ml.cli import options
from specweave_ml.cli.output import one_line, page, print_json, say
from specweave_ml.errors import first_few

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specweave_ml.documents.chosen import Chosen
    from specweave_ml.documents.reasons import Reasons
    from specweave_ml.reports import Comparison

_MOST_NAMED = 10
_MODELS = 2_000  # bytes of JSON, where nobody asked for a number of models


@click.command("why")
@options.increment_argument
@options.limit
@options.as_json
def why(increment: str | None, limit: int | None, *, as_json: bool) -> int:
    """Say what was chosen, over what, and why.

    Says so too where the comparison by itself recommends another one, or where nobody has chosen yet.
    """
    from specweave_ml.documents.chosen import choose
    from specweave_ml.documents.reasons import reasons_for
    from specweave_ml.project import find_increment
    from specweave_ml.reports import compare_experiments

    where = find_increment(increment)
    comparison = compare_experiments(where.path, write=False)
    chosen = choose(comparison)
    found = reasons_for(comparison, chosen) if chosen else None
    if as_json:
        print_json(_as_dict(comparison, chosen, limit))
        return 0
    evidence = _evidence(comparison, found) if found else ()
    for line in (*_decision(comparison, chosen), *evidence, *_others(comparison, chosen)):
        say(line)
    if comparison.selected is None and comparison.recommended:
        say(f'next: specweave-ml select {where.id} {comparison.recommended} --because "…"')
    return 0


def _decision(comparison: Comparison, chosen: Chosen | None) -> Iterator[str]:
    decision, recommended = comparison.decision, comparison.recommended
    for problem in comparison.problems:
        yield one_line(f"ignored: {problem}")
    if chosen is None or not chosen.selected:
        advice = f"the comparison recommends {recommended}" if recommended else "none can be recommended"
        yield f"Nobody has selected an experiment of {comparison.increment}; {advice}"
        return
    said = ", ".join(filter(None, (f"Selected in {comparison.increment}: {chosen.name}", decision.by, decision.date)))
    yield one_line(said)
    yield one_line(f"Because: {decision.because}" if decision.because else "No reason is recorded")
    if _agrees(comparison, chosen):
        yield "The comparison by itself recommends the same"
    elif recommended:
        yield f"The comparison by itself recommends another one: {recommended}"


def _agrees(comparison: Comparison, chosen: Chosen) -> bool:
    return comparison.recommended in {chosen.name, chosen.experiment.name}


def _evidence(comparison: Comparison, found: Reasons) -> Iterator[str]:
    from specweave_ml.cli.verdict import alike, distance, no_test

    spread = f" (std {found.spread.std} over {found.spread.over})" if found.spread else ""
    yield f"Evidence: {found.metric} {found.value}, {'the best' if found.is_best else 'not the best'}{spread}"
    for other, role in ((found.baseline, "baseline"), (found.rival, "second best" if found.is_best else "best")):
        if other:
            yield f"  {distance(other, 'below' if other.better == found.lower else 'above', role)}"
    if found.alike:
        yield f"  {alike(found.alike, found.detectable)}"
    for saving in found.savings:
        yield f"  lower {saving.title} than the best: {saving.cost} instead of {saving.other}"
    for asked in found.targets:
        yield one_line(f"  target {asked.text}: {asked.outcome}" + (f" ({asked.value})" if asked.value else ""))
    if not found.tested_on and not found.is_only:
        yield f"  {no_test(comparison.evidence)}"


def _others(comparison: Comparison, chosen: Chosen | None) -> Iterator[str]:
    column = comparison.chosen.column
    names = [
        f"{model.name} ({comparison.formats[column.name](column.value(model))})"
        for model in comparison.ranked
        if column and (chosen is None or model.name != chosen.experiment.name)
    ]
    if names:
        yield f"Over: {first_few(names, _MOST_NAMED)}"
    if comparison.unfinished:
        yield f"Did not finish: {first_few([experiment.name for experiment in comparison.unfinished], _MOST_NAMED)}"


def _as_dict(comparison: Comparison, chosen: Chosen | None, limit: int | None) -> dict[str, Any]:
    from specweave_ml.cli.output import encode

    decision = comparison.decision
    selected = chosen.name if chosen and chosen.selected else None
    over = _over(comparison, chosen)
    shown = page(over, encode, limit=limit, most=_MODELS)
    whole = comparison.as_dict()
    pairs = [pair for pair in whole["evidence"]["pairs"] if chosen and chosen.experiment.name in (pair["a"], pair["b"])]
    return {
        "increment": comparison.increment,
        "selected": selected,
        "by": decision.by if selected else None,
        "date": decision.date if selected else None,
        "because": decision.because if selected else None,
        "recommended": comparison.recommended,
        "agrees": _agrees(comparison, chosen) if chosen and selected else None,
        "primary": whole["primary"],
        "baseline": comparison.baseline,
        "value": _value(comparison, chosen),
        "indistinguishable": whole["indistinguishable"],
        "evidence": {**whole["evidence"], "pairs": list(page(pairs, encode, limit=limit, most=_MODELS // 2))},
        "total": len(over),
        "returned": len(shown),
        "truncated": len(shown) < len(over),
        "over": list(shown),
        "not_finished": [experiment.name for experiment in comparison.unfinished[:_MOST_NAMED]],
        "problems": list(comparison.problems),
    }


def _over(comparison: Comparison, chosen: Chosen | None) -> list[dict[str, Any]]:
    column = comparison.chosen.column
    return [
        {"name": model.name, "value": column.value(model)}
        for model in comparison.ranked
        if column and (chosen is None or model.name != chosen.experiment.name)
    ]


def _value(comparison: Comparison, chosen: Chosen | None) -> Any:
    from specweave_ml.store.codec import number_to_json

    column = comparison.chosen.column
    value = column.value(chosen.experiment) if column and chosen else None
    return None if value is None else number_to_json(value)
