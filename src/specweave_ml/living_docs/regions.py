"""Our regions in a document: which marker lines are live, and when a document is better left alone.

A marker is live where Markdown sees a comment of its own on the top level. The same line in a fence, indented,
quoted or in a sentence is text that people wrote about markers. Where the two cannot be told apart, reading refuses:
a region that is half there, there twice, or in another, and a line that is a marker by every letter and yet swallowed
by something.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from specweave_ml.errors import Refused
from specweave_ml.living_docs.blocks import parse_blocks
from specweave_ml.living_docs.markers import Marker, fingerprint, is_like_a_marker, read_marker
from specweave_ml.living_docs.text import bare, normal_body

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from markdown_it.token import Token

    from specweave_ml.living_docs.markers import Style

_INLINE_CODE = re.compile("`[^`]*`")
_MDX_COMMENT = re.compile(r"\{/\*|\*/\}")


@dataclass(frozen=True, slots=True)
class Live:
    """A region as it stands in a document: lines `begin` to `end`, its two markers, counted from 0."""

    id: str
    begin: int
    end: int
    body: str
    sha256: str
    style: Style

    @property
    def untouched(self) -> bool:
        """Whether the body is still the one that was generated."""
        return fingerprint(self.body) == self.sha256


@dataclass(frozen=True, slots=True)
class Reading:
    """A document, read.

    Attributes:
        lines: with their endings.
        tokens: its blocks.
        definitions: what its link definitions define.
        regions: ours, from top to bottom.
    """

    lines: Sequence[str]
    tokens: Sequence[Token]
    definitions: Mapping[str, tuple[str, str]]
    regions: Sequence[Live]

    def people_lines(self) -> list[str]:
        """The lines outside our regions."""
        ours = self._our_lines()
        return [line for number, line in enumerate(self.lines) if number not in ours]

    def people_tokens(self) -> Iterator[tuple[int, Token]]:
        """The tokens outside our regions, each with the first line of the top-level block it belongs to."""
        ours = self._our_lines()
        line = 0
        for token in self.tokens:
            if token.level == 0 and token.map:
                line = token.map[0]
            if line not in ours:
                yield line, token

    def _our_lines(self) -> set[int]:
        return {line for region in self.regions for line in range(region.begin, region.end + 1)}


def read_regions(lines: Sequence[str]) -> Reading:
    """Find our regions in a document.

    Raises:
        Refused: its markers cannot be relied on; the error names the line.
    """
    text = "".join(f"{bare(line)}\n" for line in lines)
    tokens, definitions = parse_blocks(text)
    live = dict(_live_markers(lines, tokens))
    _refuse_swallowed(lines, tokens, live)
    return Reading(lines, tokens, definitions, tuple(_paired(lines, live)))


def _live_markers(lines: Sequence[str], tokens: Sequence[Token]) -> Iterator[tuple[int, Marker]]:
    commented = _inside_mdx_comments(lines, tokens)
    for token in tokens:
        if token.level > 0 or token.type not in ("html_block", "paragraph_open") or not token.map:
            continue
        start, stop = token.map
        line = bare(lines[start])
        if stop - start != 1 or not is_like_a_marker(line):
            continue
        marker = read_marker(line)
        if marker is None:
            raise _refused(start, "looks like a marker and is none of this version", "restore the line or delete it")
        if token.type == "html_block" if marker.style == "html" else start not in commented:
            yield start, marker


def _inside_mdx_comments(lines: Sequence[str], tokens: Sequence[Token]) -> set[int]:
    """The lines that begin inside a comment of several lines, which Markdown takes for text."""
    if not any("{/*" in line for line in lines):
        return set()
    code = {line for token in tokens if token.type in ("fence", "code_block") for line in range(*(token.map or (0, 0)))}
    inside: set[int] = set()
    opened = False
    for number, line in enumerate(lines):
        if opened:
            inside.add(number)
        elif number in code:
            continue
        for found in _MDX_COMMENT.finditer(_INLINE_CODE.sub("", line)):
            opened = found[0] == "{/*"
    return inside


def _refuse_swallowed(lines: Sequence[str], tokens: Sequence[Token], live: Mapping[int, Marker]) -> None:
    examples: set[int] = set()
    for token in tokens:
        if token.type == "fence" and token.level == 0 and token.map:
            start, stop = token.map
            closing = bare(lines[stop - 1]).strip(" \t")
            if stop - start > 1 and len(closing) >= len(token.markup) and not closing.strip(token.markup[0]):
                examples.update(range(start, stop))
    for number, line in enumerate(lines):
        if number not in live and number not in examples and "specweave:" in line and read_marker(bare(line)):
            why = "is a marker, but an open fence, an HTML block or the text beside it takes it in"
            raise _refused(number, why, "close what is open above it, and leave a blank line around it")


def _paired(lines: Sequence[str], live: Mapping[int, Marker]) -> Iterator[Live]:
    seen: dict[str, int] = {}
    start, opened = 0, None
    for number, marker in live.items():
        if marker.begins:
            if opened:
                raise _refused(number, f"begins {marker.id} inside {opened.id}", f"end {opened.id} before it")
            if marker.id in seen:
                why = f"begins {marker.id} a second time (first in line {seen[marker.id] + 1})"
                raise _refused(number, why, "delete one of the two")
            start, opened, seen[marker.id] = number, marker, number
        elif opened is None or (opened.id, opened.style) != (marker.id, marker.style):
            raise _refused(number, f"ends {marker.id}, which was not begun", "restore its begin, or delete the line")
        else:
            body = normal_body("".join(lines[start + 1 : number]))
            yield Live(marker.id, start, number, body, opened.sha256, marker.style)
            opened = None
    if opened:
        raise _refused(start, f"begins {opened.id}, which never ends", "restore its end, or delete the line")


def _refused(line: int, why: str, next_step: str) -> Refused:
    return Refused(f"line {line + 1} {why}", next_step=next_step)
