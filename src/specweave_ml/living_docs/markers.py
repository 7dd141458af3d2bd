"""The two lines around a region, and the hash by which a region says that nobody edited it.

    <!-- specweave:begin v1 inc-0042 sha256=8f434346648f6b96 -->
    <!-- specweave:end v1 inc-0042 -->

MDX knows no HTML comments: there they are `{/* ... */}`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from specweave_ml.living_docs.text import normal_body

Style = Literal["html", "mdx"]

ID = r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*"
_COMMENT: dict[Style, tuple[str, str]] = {"html": ("<!--", "-->"), "mdx": ("{/*", "*/}")}
_WORDS = rf"specweave:(?:(begin) v1 ({ID}) sha256=([0-9a-f]{{16}})|(end) v1 ({ID}))"
_HTML_LINE = rf"<!-- {_WORDS} -->"
_MARKER: dict[Style, re.Pattern[str]] = {
    "html": re.compile(rf"{_HTML_LINE}[ \t]*"),
    "mdx": re.compile(rf"\{{/\* {_WORDS} \*/\}}[ \t]*"),
}
# Damaged by a hand or a tool, or of a version that is not known here.
_LIKE_A_MARKER = re.compile(r"(?:<!--|\{/\*)\s*specweave\s*:\s*(?:begin|end)\b.*(?:-->|\*/\})\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Marker:
    """What a marker line says; `sha256` is empty at the end of a region."""

    id: str
    sha256: str
    style: Style

    @property
    def begins(self) -> bool:
        """Whether a region starts here."""
        return self.sha256 != ""


def read_marker(line: str) -> Marker | None:
    """The marker that this line is, without its line ending; None when it is anything else."""
    for style, pattern in _MARKER.items():
        if found := pattern.fullmatch(line):
            return Marker(found[2] or found[5], found[3] or "", style)
    return None


def is_like_a_marker(line: str) -> bool:
    """Whether a line is, or was meant to be, a marker."""
    return _LIKE_A_MARKER.fullmatch(line) is not None


def begin_marker(region: str, sha256: str, style: Style) -> str:
    """The line before a region."""
    opening, closing = _COMMENT[style]
    return f"{opening} specweave:begin v1 {region} sha256={sha256} {closing}"


def end_marker(region: str, style: Style) -> str:
    """The line behind a region."""
    opening, closing = _COMMENT[style]
    return f"{opening} specweave:end v1 {region} {closing}"


def fingerprint(body: str) -> str:
    """16 hex digits of the SHA-256 of a body, the same for CRLF and LF."""
    return hashlib.sha256(normal_body(body).encode()).hexdigest()[:16]
