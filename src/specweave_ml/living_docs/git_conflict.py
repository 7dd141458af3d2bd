"""A git conflict inside our regions: when both branches only generated, generating again settles it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specweave_ml.errors import Refused
from specweave_ml.living_docs.regions import read_regions
from specweave_ml.living_docs.text import bare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specweave_ml.living_docs.regions import Reading

_OURS, _BASE, _THEIRS, _DONE = "<<<<<<< ", "||||||| ", "=======", ">>>>>>> "


def is_conflicted(lines: Sequence[str]) -> bool:
    """Whether git left a conflict in these lines."""
    sides = _sides(lines)
    return sides is not None and len(sides[0]) < len(lines)


def read_conflicted(lines: Sequence[str]) -> tuple[Reading, frozenset[str]]:
    """The document as one side has it, and the regions that must be generated again.

    Raises:
        Refused: the sides differ in more than regions that are untouched on both.
    """
    sides = _sides(lines)
    if sides is None:
        raise _unresolved(lines, "it is not closed")
    try:
        ours, theirs = (read_regions(side) for side in sides)
    except Refused as problem:
        raise _unresolved(lines, problem.what) from None
    same_places = [each.id for each in ours.regions] == [each.id for each in theirs.regions]
    if not same_places or ours.people_lines() != theirs.people_lines():
        raise _unresolved(lines, "it is not only inside regions")
    differing = set()
    for one, other in zip(ours.regions, theirs.regions, strict=True):
        if (one.sha256, one.body) != (other.sha256, other.body):
            differing.add(one.id)
            if not (one.untouched and other.untouched):
                raise _unresolved(lines, f"{one.id} was edited by a person")
    return ours, frozenset(differing)


def _sides(lines: Sequence[str]) -> tuple[list[str], list[str]] | None:
    """The lines as each of the two branches has them; None when a conflict is cut off."""
    ours: list[str] = []
    theirs: list[str] = []
    both = [ours, theirs]
    writing = both
    for line in lines:
        if line.startswith(_OURS):
            if writing is not both:
                return None
            writing = [ours]
        elif writing is not both and line.startswith(_BASE):
            writing = []
        elif writing is not both and bare(line) == _THEIRS:
            writing = [theirs]
        elif writing is not both and line.startswith(_DONE):
            writing = both
        else:
            for side in writing:
                side.append(line)
    return (ours, theirs) if writing is both else None


def _unresolved(lines: Sequence[str], why: str) -> Refused:
    line = next(number for number, line in enumerate(lines, 1) if line.startswith(_OURS))
    return Refused(f"line {line} begins a git conflict: {why}", next_step="resolve it as in any file, then sync again")
