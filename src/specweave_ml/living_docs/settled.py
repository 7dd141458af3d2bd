"""Knowing that there is nothing to do without parsing the document, which takes a fifth of a second a megabyte.

Each question is answered only where the plain text leaves no doubt; with any doubt the document is parsed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from specweave_ml.living_docs.markers import ID, fingerprint
from specweave_ml.living_docs.renewal import DELETED, RegionChange
from specweave_ml.living_docs.text import normal_body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from specweave_ml.living_docs.wanted import Document

_MARKER = re.compile(
    rf"^<!-- specweave:(?:(begin) v1 ({ID}) sha256=([0-9a-f]{{16}})|end v1 ({ID})) -->[ \t]*\r?$", re.MULTILINE
)
_ANYTHING_LIKE_IT = re.compile(r"specweave\s*:\s*(?:begin|end)\b", re.IGNORECASE)
_GIT_CONFLICT = re.compile(r"^<<<<<<< ", re.MULTILINE)
_LONE_CR = re.compile(r"\r(?!\n)")
_FRONT_MATTER_ENDS = re.compile(r"^(?: {0,3}-{3,}|\.\.\.)[ \t]*\r?$", re.MULTILINE)
# Lines that could open something in which a later line at the margin would be no block of its own. Behind a bullet,
# a quote or four spaces they cannot: such a container ends where a comment stands at the margin.
_OPENS = re.compile(r"^( {0,3})(`{3,}|~{3,}|<)([^\n]*)", re.MULTILINE)


def find_settled(text: str, document: Document, bases: Mapping[str, str], *, prune: bool) -> list[RegionChange] | None:
    """What a sync of a settled document reports; None when there is something to do, or it is not certain.

    Args:
        text: the document.
        document: what should stand in it.
        bases: what was generated last time, by region.
        prune: whether regions that nothing is generated for should go.
    """
    if document.marker_style != "html" or _GIT_CONFLICT.search(text) or _LONE_CR.search(text):
        return None
    hashes = _regions(text)
    if hashes is None or not _markers_are_live(text):
        return None
    wanted = {region.id: normal_body(region.body) for region in document.regions}
    if document.complete and (hashes.keys() - wanted.keys() or (prune and bases.keys() - wanted.keys())):
        return None
    changes: list[RegionChange] = []
    for region, body in wanted.items():
        if region in hashes and hashes[region] == fingerprint(body) and bases.get(region) == body:
            changes.append(RegionChange(region, "unchanged", "nothing new"))
        elif region not in hashes and region in bases:
            changes.append(RegionChange(region, "opted_out", DELETED))
        else:
            return None
    return changes


def _regions(text: str) -> dict[str, str] | None:
    """The hashes of all regions, when each is there once, whole, and nothing else is like a marker."""
    markers = _MARKER.findall(text)
    if len(markers) != len(_ANYTHING_LIKE_IT.findall(text)):
        return None
    hashes: dict[str, str] = {}
    opened = ""
    for begins, begun, sha256, ended in markers:
        if bool(begins) == bool(opened) or begun in hashes or ended != opened:
            return None
        if begins:
            hashes[begun] = sha256
        opened = begun
    return None if opened else hashes


def _markers_are_live(text: str) -> bool:
    start = _behind_front_matter(text)
    fence = ""
    for found in _OPENS.finditer(text, start):
        indent, mark, rest = found.groups()
        if fence:
            if mark == "<" and _MARKER.match(found[0]):
                return False
            if mark.startswith(fence) and not rest.strip(" \t\r"):
                fence = ""
        elif mark == "<":
            if not (rest.startswith("!--") and "-->" in rest):
                return False
        elif indent:  # it may stand in a list
            return False
        elif mark[0] != "`" or "`" not in rest:
            fence = mark
    return not fence and _ANYTHING_LIKE_IT.search(text, 0, start) is None


def _behind_front_matter(text: str) -> int:
    """Where the Markdown starts; the end of the text where that is not certain."""
    if not text.startswith("---"):
        return 0
    closing = _FRONT_MATTER_ENDS.search(text, 4)
    return closing.end() if closing and text[3:4] != "-" else len(text)
