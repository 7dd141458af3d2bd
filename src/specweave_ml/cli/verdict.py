"""What a comparison comes to, in the few lines that end `compare`; comparison.md has its own words in the templates."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from specweave_ml.cli.output import count
from specweave_ml.store.layout import COMPARISON

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from specweave_ml.analysis.rationale import Difference
    from specweave_ml.project import Increment
    from specweave_ml.reports import Comparison

_MOST_EQUALS = 5


def facts(comparison: Comparison) -> Iterator[str]:
    """The best one, what it is measured against, and the selected one."""
    found = comparison.rationale
    if found is None:
        yield f"Best: none can be named; {_why_nobody(comparison)}"
        return
    lower = comparison.direction == "minimize"
    yield f"Best: {comparison.best}, {'lowest' if lower else 'highest'} {comparison.primary} ({found.value})"
    if found.equals:
        yield f"  the same as {', '.join(found.equals[:_MOST_EQUALS])}: nothing tells them apart"
    for other, role in found.differences:
        relative = f", {other.relative}" if other.relative else ""
        yield f"  {other.absolute} {'below' if lower else 'above'} the {role} {other.name} ({other.value}){relative}"
    if found.competitors > 1:
        yield "  one value each, no interval"
    if comparison.selected:
        yield f"Selected: {comparison.selected}"


def _why_nobody(comparison: Comparison) -> str:
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
