"""What all pictures share: an opaque card with a title, a line below it, a legend and notes.

The card is opaque because an image follows neither the theme of the page nor that of a printer: its colours were
chosen for its own background. Whatever a colour says is said by a shape or a fill, too.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from specweave_ml import escape
from specweave_ml.escape import Escaped
from specweave_ml.pictures.lettering import lines
from specweave_ml.pictures.scale import coordinate
from specweave_ml.render import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH = 720
MARGIN = 24
TOP = 80
"""Where the plot may begin, below title and subtitle."""

_LEGEND = 26
_LINE = 16

CIRCLE = Escaped("m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z")
DIAMOND = Escaped("m0-6l6 6-6 6-6-6z")
SQUARE = Escaped("m-4-4h8v8h-8z")
TRIANGLE = Escaped("m0-5.5l5.5 9.5h-11z")
POINTING_DOWN = Escaped("m0 5.5l5.5-9.5h-11z")
CROSS = Escaped("m-4-4l8 8m0-8l-8 8")
BEYOND = "A triangle stands for a model that lies beyond the edge; its number is beside it."

SHAPES = (CIRCLE, SQUARE, TRIANGLE, DIAMOND, POINTING_DOWN, CROSS)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is committed.

    Attributes:
        svg: the text of the file.
        alt: what it shows, in words, for those who cannot see it.
    """

    svg: str
    alt: str

    def link(self, path: str) -> Escaped:
        """The Markdown that shows it, given its path relative to the document."""
        return Escaped(f"![{escape.alt(self.alt, limit=1000)}]({quote(path)})")


class Mark(NamedTuple):
    """A small shape in its place."""

    x: float
    y: float
    shape: Escaped

    @property
    def d(self) -> Escaped:
        """The path it is drawn by."""
        return Escaped(f"M{coordinate(self.x)} {coordinate(self.y)}{self.shape}")


class Key(NamedTuple):
    """An entry of the legend: a class of the template, the shape, what it means, and how wide that is in pixels."""

    style: str
    shape: Escaped
    says: str
    width: int


def drawn_by_style(marks: Iterable[tuple[str, Escaped]]) -> dict[str, Escaped]:
    """All shapes of a style as one path."""
    paths: defaultdict[str, str] = defaultdict(str)
    for style, d in marks:
        paths[style] += d
    return {style: Escaped(d) for style, d in paths.items()}


def told(sentences: Sequence[str], most: int = 5) -> list[str]:
    """The first few of them, and how many there are more."""
    more = len(sentences) - most
    return [*sentences[:most], *([f"And {more} more."] if more > 0 else [])]


def draw(
    template: str,
    *,
    bottom: int,
    title: str,
    subtitle: str,
    words: Iterable[str],
    legend: Iterable[Key] = (),
    notes: Iterable[str] = (),
    **values: Any,
) -> str:
    """The text of a picture.

    Args:
        template: which one, such as `differences`.
        bottom: where the plot with its axis ends, in pixels.
        title: what is shown.
        subtitle: the finding, on one line.
        words: all that is shown, in sentences.
        legend: what the shapes mean.
        notes: what is to be known about it, in sentences.
        **values: what else the template shows.
    """
    entries, at = [], MARGIN
    for key in legend:
        entries.append((key, Mark(at + 6, bottom + 16, key.shape), at + 18))
        at += key.width
    text = [line for note in notes for line in lines(note)]
    first_note = bottom + (_LEGEND if entries else 0) + 16
    return render(
        f"pictures/{template}.svg",
        width=WIDTH,
        margin=MARGIN,
        height=first_note + _LINE * len(text) + (4 if text else -4),
        title=title,
        subtitle=subtitle,
        words=" ".join(words),
        legend=entries,
        legend_y=bottom + 20,
        notes=[(first_note + _LINE * number, line) for number, line in enumerate(text)],
        **values,
    )
