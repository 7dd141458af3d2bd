"""The new document, piece by piece: people's text, our regions, and what stands between a new region and the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from specweave_ml.living_docs.markers import begin_marker, end_marker
from specweave_ml.living_docs.text import bare, split_lines, with_newlines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from specweave_ml.living_docs.markers import Style
    from specweave_ml.living_docs.place import Place
    from specweave_ml.living_docs.regions import Live, Reading


@dataclass(frozen=True, slots=True)
class Section:
    """A region as it should come out: its body, the hash its marker carries, and the heading of a new one."""

    id: str
    body: str
    sha256: str
    heading: str | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the new document; `section` is what a region should be read back as."""

    kind: Literal["people", "space", "heading", "region"]
    text: str
    section: Section | None = None


def assemble(
    reading: Reading,
    renewed: Mapping[str, Section | None],
    inserted: Sequence[tuple[Place, Section]],
    *,
    newline: str,
    style: Style,
) -> list[Piece]:
    """The pieces of the new document; joined, they are its text.

    Args:
        reading: the document as it stands.
        renewed: the regions in it that change; None removes one.
        inserted: new regions, in their order.
        newline: the ending of generated lines.
        style: how their markers are written.
    """
    # A section that people wrote ends where the next one begins: what it adopts goes before what is new there.
    places = sorted(inserted, key=lambda each: (each[0].line, not each[0].adopted))
    pieces: list[Piece] = []
    line = 0
    for live in [*reading.regions, None]:
        end = live.begin if live else len(reading.lines)
        while places and places[0][0].line <= end:
            place, section = places.pop(0)
            pieces += _people(reading, line, place.line)
            line = place.line
            pieces += _insertion(reading, place, section, pieces, newline, style)
        pieces += _people(reading, line, end)
        if live:
            pieces += _standing(reading, live, renewed, newline, style)
            line = live.end + 1
    return pieces


def _people(reading: Reading, start: int, stop: int) -> list[Piece]:
    return [Piece("people", "".join(reading.lines[start:stop]))] if start < stop else []


def _standing(
    reading: Reading, live: Live, renewed: Mapping[str, Section | None], newline: str, style: Style
) -> list[Piece]:
    lines = reading.lines[live.begin : live.end + 1]
    if live.id not in renewed:
        return [Piece("region", "".join(lines), Section(live.id, live.body, live.sha256))]
    section = renewed[live.id]
    if section is None:
        return []
    ending = lines[-1][len(bare(lines[-1])) :]
    return [Piece("region", _region(section, newline, style) + ending, section)]


def _insertion(
    reading: Reading, place: Place, section: Section, before: Sequence[Piece], newline: str, style: Style
) -> Iterator[Piece]:
    space = _space_after(before, newline)
    if space:
        yield Piece("space", space)
    if section.heading and not place.adopted:
        yield Piece("heading", section.heading + newline)
        yield Piece("space", newline)
    yield Piece("region", _region(section, newline, style) + newline, section)
    if place.line < len(reading.lines) and bare(reading.lines[place.line]).strip(" \t"):
        yield Piece("space", newline)


def _space_after(pieces: Sequence[Piece], newline: str) -> str:
    """What makes the text so far end with a blank line."""
    text = "".join(piece.text for piece in pieces[-2:])
    words = text.rstrip("\r\n")
    if not words:
        return ""
    ended = len(split_lines(text[len(words) :]))
    return newline * max(0, 2 - ended)


def _region(section: Section, newline: str, style: Style) -> str:
    begin, end = begin_marker(section.id, section.sha256, style), end_marker(section.id, style)
    body = [section.body, ""] if section.body else []
    return with_newlines("\n".join([begin, "", *body, end]), newline)
