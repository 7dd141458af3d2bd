"""What a comparison comes to, in the few lines that end `compare`; comparison.md has its own words in the templates."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from specweave_ml.analysis.evidence import ONE_VALUE_EACH
from specweave_ml.cli.output import count
from specweave_ml.errors import first_few
from specweave_ml.store.layout import COMPARISON

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from specweave_ml.analysis.evidence import Evidence
    from specweave_ml.analysis.rationale import Difference, Rationale
    from specweave_ml.documents.against import Against
    from specweave_ml.project import Increment
    from specweave_ml.reports import Comparison

_MOST_EQUALS = 5


def facts(comparison: Comparison) -> Iterator[str]:
    """The best one, what it is measured against, and the selected one."""
    found = comparison.rationale
    if found is None:
        yield f"Best: none can be named; {why_nobody(comparison)}"
        return
    lower = comparison.direction == "minimize"
    yield f"Best: {comparison.best}, {'lowest' if lower else 'highest'} {comparison.primary} ({found.value})"
    if found.equals:
        untested = "" if comparison.evidence.test else ": nothing tells them apart"
        yield f"  the same as {', '.join(found.equals[:_MOST_EQUALS])}{untested}"
    for other, role in found.differences:
        yield f"  {distance(other, 'below' if lower else 'above', role)}"
    yield from _standing(comparison, found)
    if comparison.selected:
        yield f"Selected: {comparison.selected}"


def distance(other: Difference | Against, place: str, role: str) -> str:
    """How far a model is from another, and what the records allow to be said of it."""
    said = f"{other.absolute} {place} the {role} {other.name} ({other.value})"
    if other.relative:
        said += f", {other.relative}"
    if other.interval:
        said += f": 95% interval {other.interval}, {'told apart' if other.told_apart else 'so not told apart'}"
    elif other.same_everywhere:
        said += ": the same everywhere, so there is nothing to test"
    return f"{said}; no more than the spread of repeats" if other.within_noise else said


def alike(names: Sequence[str], detectable: str | None) -> str:
    """Which models cannot be told from the one in question."""
    limit = f"; a difference below {detectable} could not have been seen" if detectable else ""
    return f"cannot be told apart from {first_few(names, _MOST_EQUALS)}{limit}"


def no_test(evidence: Evidence) -> str:
    """Why no difference could be tested."""
    return "one value each, no interval" if evidence.why_not == ONE_VALUE_EACH else f"no interval: {evidence.why_not}"


def _standing(comparison: Comparison, found: Rationale) -> Iterator[str]:
    evidence, tradeoff = comparison.evidence, comparison.tradeoff
    if evidence.alike:
        yield f"  {alike(evidence.alike, found.detectable)}"
    if found.competitors > 1 and evidence.test is None:
        yield f"  {no_test(evidence)}"
    if tradeoff and tradeoff.recommended != comparison.best:
        savings = ", ".join(f"{each.title} {each.cost} instead of {each.other}" for each in tradeoff.savings)
        yield f"Recommended: {tradeoff.recommended}{f', which costs less: {savings}' if savings else ''}"


def why_nobody(comparison: Comparison) -> str:
    """Why no model is the best."""
    if comparison.primary is None:
        return comparison.chosen.why
    if comparison.direction is None:
        return f"which way {comparison.primary} is better is not known: say --direction, or put it into decision.md"
    return f"no finished experiment has a number for {comparison.primary}"


def summary(comparison: Comparison, where: Increment, *, dry_run: bool) -> str:
    """The last line: how many of how many, and what became of the document."""
    path = os.path.relpath(f"{where.experiments}/{COMPARISON}", where.root)
    if dry_run:
        said = {None: "would be made", True: "would be updated", False: "is up to date"}
        document = f"{path} {said[document_differs(comparison, where)]}; nothing was written"
    else:
        document = f"see {path}" if os.path.isdir(where.experiments) else "nothing to write"
    total = count(len(comparison.experiments), "experiment")
    return f"{len(comparison.finished)} of {total} finished in {where.name}; {document}"


def document_differs(comparison: Comparison, where: Increment) -> bool | None:
    """Whether comparison.md says something else than its folders; None where there is no comparison.md."""
    try:
        with open(f"{where.experiments}/{COMPARISON}", "rb") as file:
            return file.read().replace(b"\r\n", b"\n") != comparison.to_markdown().encode()
    except FileNotFoundError:
        return None
