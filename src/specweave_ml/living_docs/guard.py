"""The last look before a document is written: is it what was planned, and is everything of people's still theirs?

It reads the new text anew and believes nothing of how it was made. This catches a generated fence that leaks, an end
marker inside a body, an open `<script>`, and a link definition that would take over somebody's brackets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from specweave_ml.errors import Refused
from specweave_ml.living_docs.regions import read_regions
from specweave_ml.living_docs.text import split_lines

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from specweave_ml.living_docs.assemble import Piece
    from specweave_ml.living_docs.regions import Reading

_NEXT_STEP = "close what is left open in the document; if nothing is, this is a bug of specweave-ml"


def check_before_writing(old: Reading, pieces: Sequence[Piece]) -> None:
    """Compare the document as it stands with the one that would be written.

    Raises:
        Refused: it is not what was planned, or would change something outside our regions.
    """
    try:
        new = read_regions(split_lines("".join(piece.text for piece in pieces)))
    except Refused:
        raise _unsafe("a region would become part of a code fence or an HTML block that is left open") from None
    planned = [(each.id, each.sha256, each.body) for each in (piece.section for piece in pieces) if each]
    if [(live.id, live.sha256, live.body) for live in new.regions] != planned:
        raise _unsafe("a region would not come out as it was generated")
    people = "".join(piece.text for piece in pieces if piece.kind == "people")
    outside = "".join(piece.text for piece in pieces if piece.kind != "region")
    if people != "".join(old.people_lines()) or outside != "".join(new.people_lines()):
        raise _unsafe("text outside the regions would change")
    if old.definitions != new.definitions:
        raise _unsafe("a link definition would change what brackets outside the regions mean")
    if [*_structure(old, ())] != [*_structure(new, _heading_lines(pieces))]:
        raise _unsafe("text outside the regions would render as something else")


def _structure(reading: Reading, left_out: Container[int]) -> Iterator[tuple[object, ...]]:
    for line, token in reading.people_tokens():
        if line not in left_out:
            attributes = tuple(token.attrs.items())
            yield token.type, token.tag, token.level, token.markup, token.info, token.content, token.hidden, attributes


def _heading_lines(pieces: Sequence[Piece]) -> set[int]:
    lines: set[int] = set()
    before = 0
    for piece in pieces:
        if piece.kind == "heading":
            lines.add(before)
        before += sum(line[-1] in "\r\n" for line in split_lines(piece.text))
    return lines


def _unsafe(why: str) -> Refused:
    return Refused(f"writing would damage the document: {why}", next_step=_NEXT_STEP)
