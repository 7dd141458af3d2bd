"""Where a new region goes: into the section that people wrote for it, else by the order of the ids."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from specweave_ml.errors import Refused
from specweave_ml.living_docs.wanted import order_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specweave_ml.living_docs.regions import Live, Reading
    from specweave_ml.living_docs.wanted import Region

_PARENTHESES_AT_END = re.compile(r"\([^()]+\)$")
_NO_LEVEL = 0  # no heading is this high, so a region without one goes right behind the region before it


@dataclass(frozen=True, slots=True)
class Place:
    """Before which line a new region goes, and whether a section of people's own is waiting for it there."""

    line: int
    adopted: bool


@dataclass(frozen=True, slots=True)
class _Heading:
    line: int
    level: int
    title: str


def find_place(reading: Reading, region: Region) -> Place:
    """Where a region that is not in the document goes.

    Raises:
        Refused: several sections look like its own.
    """
    headings = _people_headings(reading)
    sections = [each for each in headings if region.heading and _is_of(each.title, region.heading)]
    if len(sections) > 1:
        lines = ", ".join(str(each.line + 1) for each in sections)
        raise Refused(
            f"{len(sections)} headings could be its section (lines {lines})",
            next_step="leave the name in one of them",
        )
    if sections:
        own = sections[0]
        after = (each.line for each in headings if each.line > own.line and each.level <= own.level)
        return Place(next(after, len(reading.lines)), adopted=True)
    return Place(_line_in_order(reading, headings, region), adopted=False)


def _people_headings(reading: Reading) -> list[_Heading]:
    found: list[_Heading] = []
    opened = None
    for line, token in reading.people_tokens():
        if token.type == "heading_open" and token.level == 0:
            opened = token
        elif opened and token.type == "inline":
            found.append(_Heading(line, int(opened.tag[1:]), token.content))
            opened = None
    return found


def _is_of(title: str, heading: str) -> bool:
    words = heading.lstrip("#").strip()
    name = _PARENTHESES_AT_END.search(words)
    return title.endswith(name[0]) if name else title == words


def _line_in_order(reading: Reading, headings: Sequence[_Heading], region: Region) -> int:
    level = len(region.heading) - len(region.heading.lstrip("#")) if region.heading else _NO_LEVEL
    key = order_key(region.id)
    smaller = [live for live in reading.regions if order_key(live.id) < key]
    if smaller:
        return _behind(reading, headings, max(smaller, key=_key), level)
    if reading.regions:
        return _before(reading, headings, min(reading.regions, key=_key), level)
    return len(reading.lines)


def _key(live: Live) -> tuple[tuple[int, int, str], ...]:
    return order_key(live.id)


def _behind(reading: Reading, headings: Sequence[_Heading], live: Live, level: int) -> int:
    """Behind a region and the people's words that follow it in its section."""
    if level == _NO_LEVEL:
        return live.end + 1
    following = next((each for each in reading.regions if each.begin > live.end), None)
    end = following.begin if following else len(reading.lines)
    ending = (each.line for each in headings if live.end < each.line < end and each.level <= level)
    line = next(ending, None)
    if line is None:
        return _before(reading, headings, following, level) if following else end
    return line


def _before(reading: Reading, headings: Sequence[_Heading], live: Live, level: int) -> int:
    """Before a region and the heading it stands under."""
    start = max((each.end for each in reading.regions if each.end < live.begin), default=-1)
    above = [each for each in headings if start < each.line < live.begin]
    owners = [each for each in above if each.level <= level] or above
    return owners[-1].line if owners and level != _NO_LEVEL else live.begin
