"""What should stand where: the input of a sync."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from specweave_ml.errors import UsageError
from specweave_ml.living_docs.markers import ID

if TYPE_CHECKING:
    from specweave_ml.living_docs.markers import Style


@dataclass(frozen=True, slots=True)
class Region:
    """A generated part of a document.

    Attributes:
        id: its identity, such as `inc-0042`; regions stand in the order of their ids, numbers by value.
        body: the Markdown that was generated, complete in itself: every fence closed, no link definition.
        heading: the line written above it once, such as `## Recommendation Model (Increment 0042)`. After that it is
            the people's. A section they wrote by hand is recognised by what stands in the last parentheses.
    """

    id: str
    body: str
    heading: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(ID, self.id):
            raise UsageError("this is no id of a region", received=self.id, expected="such as inc-0042")


@dataclass(frozen=True, slots=True)
class Document:
    """A document and the regions that should stand in it.

    Attributes:
        path: relative to the project's root, with `/`.
        regions: those of this sync. Other regions in the document are left alone.
        preamble: what a new document starts with.
        style: how markers are written; by default `mdx` in a file of that suffix, else `html`.
        complete: `regions` is all that belongs here, so that pruning may remove what else is there.
    """

    path: str
    regions: tuple[Region, ...]
    preamble: str = ""
    style: Style | None = None
    complete: bool = False

    def __post_init__(self) -> None:
        path = self.path
        if not path or path.startswith(("/", "..")) or "\0" in path or os.path.normpath(path) != path:
            raise UsageError("a document lies inside the project", received=path, expected="a relative path")
        ids = [region.id for region in self.regions]
        if len({*ids}) < len(ids):
            raise UsageError("two regions of one id", path=path, received=sorted(ids))

    @property
    def marker_style(self) -> Style:
        """How the markers of this document are written."""
        return self.style or ("mdx" if self.path.endswith(".mdx") else "html")


def order_key(region: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts ids with their numbers by value: `inc-0042`, `inc-0042E`, `inc-0100`, `inc-10000`."""
    pieces = re.findall(r"[0-9]+|[^0-9]+", region)
    return tuple((0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces)
