"""The differences to the best model: a dot and its interval for each, and grey where a difference would be noise."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from specweave_ml.analysis.numbers import significant
from specweave_ml.escape import Escaped
from specweave_ml.pictures.card import (
    BEYOND,
    CIRCLE,
    DIAMOND,
    SQUARE,
    TOP,
    Key,
    Mark,
    Picture,
    draw,
    drawn_by_style,
    told,
)
from specweave_ml.pictures.lettering import counted, cut
from specweave_ml.pictures.scale import Scale, coordinate, drawable, linear

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from specweave_ml.analysis.metrics import Direction

Standing = Literal["best", "equal", "apart", "untested"]

MOST_ROWS = 40

_PLOT = (240, 604)
_NAME_CELLS = 27
_MOST_ZOOM = 5
"""What lies farther from the best than so many times the reach of those nearest to it stands at the edge."""

_SHAPES: dict[Standing, Escaped] = {"best": DIAMOND, "equal": CIRCLE, "apart": CIRCLE, "untested": SQUARE}
_OFF_THE_EDGE = {True: Escaped("m-2 0l7-5v10z"), False: Escaped("m2 0l-7-5v10z")}
_GOES_ON = {True: Escaped("m4-4l-4 4 4 4"), False: Escaped("m-4-4l4 4-4 4")}
_BAND = Escaped("m-6-5h12v10h-12z")
_SAID: tuple[tuple[Standing, str, str], ...] = (
    ("equal", "cannot be told apart from it", "cannot be told apart from it"),
    ("apart", "is worse", "are worse"),
    ("untested", "has no interval", "have no interval"),
)
_MEANINGS: dict[Standing, tuple[str, int]] = {
    "best": ("best value", 92),
    "equal": ("cannot be told apart from it", 186),
    "apart": ("worse", 68),
    "untested": ("no interval", 96),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One model against the best.

    Attributes:
        name: the model's.
        value: its metric minus the best one's, in the metric's unit; 0 for the best itself.
        standing: `equal` when it cannot be told apart from the best, `apart` when the records say that it is worse,
            `untested` when they say nothing.
        low: where the interval begins; None where there is none.
        high: where it ends.
    """

    name: str
    value: float
    standing: Standing
    low: float | None = None
    high: float | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends, when there are two that can be drawn."""
        if self.low is None or self.high is None or not drawable(self.low) or not drawable(self.high):
            return None
        return self.low, self.high


@dataclass(frozen=True, slots=True)
class Noise:
    """How small a difference means nothing.

    Attributes:
        reach: in the metric's unit, to both sides of 0.
        label: what the grey is, in three or four words.
        says: the same in a sentence, with the number.
    """

    reach: float
    label: str
    says: str


class _Row(NamedTuple):
    """A line of the picture: the two texts, and the model between them."""

    y: int
    model: Difference
    name: str
    value: str


def differences_picture(
    models: Sequence[Difference],
    *,
    metric: str,
    direction: Direction,
    best_value: str,
    method: str,
    noise: Noise | None = None,
) -> Picture | None:
    """The interval plot; None where no model has an interval.

    Args:
        models: best first, the best itself among them.
        metric: its title.
        direction: which way is better.
        best_value: the best model's value as text.
        method: what the lines are, in a sentence.
        noise: the grey band.
    """
    can_be_drawn = [model for model in models if drawable(model.value)]
    shown = can_be_drawn[:MOST_ROWS]
    if len(shown) < 2 or not any(model.interval for model in shown):
        return None
    scale = _scale(shown, noise)
    pitch = 28 if len(shown) <= 12 else 22 if len(shown) <= 24 else 18
    top, bottom = TOP + 12, TOP + 12 + pitch * len(shown)
    title, first = f"{cut(metric, 40)}: difference to the best", f"{cut(shown[0].name, 60)} is first."
    finding, words = _finding(shown, best_value), [*_in_words(shown)]
    notes = [method, *([noise.says] if noise else []), *_notes(models, can_be_drawn, scale)]
    rows = [_row(model, top + pitch * place + pitch // 2, scale) for place, model in enumerate(shown)]
    svg = draw(
        "differences",
        bottom=bottom + 24,
        title=title,
        subtitle=finding,
        words=[first, finding, *words, *notes],
        legend=_legend(shown, noise),
        notes=notes,
        rows=rows,
        lines=drawn_by_style((row.model.standing, _line(row, scale)) for row in rows),
        marks=drawn_by_style((row.model.standing, _mark(row, scale).d) for row in rows),
        top=top,
        axis=bottom,
        scale=scale,
        zero=coordinate(scale(0)),
        lower_is_better=direction == "minimize",
        band=_band(noise, scale) if noise else None,
    )
    return Picture(svg, f"{title}. {' '.join([first, finding, *told(words)])}")


def _scale(models: Sequence[Difference], noise: Noise | None) -> Scale:
    """Wide enough for those nearest to the best; of what is far off, only the direction is of interest."""
    reaches = {model.name: max(map(abs, (model.value, *(model.interval or ())))) for model in models[1:]}
    equal = sorted(reaches[model.name] for model in models[1:] if model.standing == "equal")
    near = max(equal[len(equal) // 2] if equal else min(reaches.values()), noise.reach if noise else 0.0)
    edge = near * _MOST_ZOOM or max(reaches.values())
    drawn = [model for model in models if abs(model.value) <= edge]
    ends = [end for model in drawn for end in (model.value, *(model.interval or ()))]
    ends += [-noise.reach, noise.reach] if noise else []
    return linear([0.0, *(min(max(end, -edge), edge) for end in ends)], *_PLOT)


def _band(noise: Noise, scale: Scale) -> tuple[Escaped, Escaped]:
    """Where it begins, and how wide it is."""
    return coordinate(scale(-noise.reach)), coordinate(scale(noise.reach) - scale(-noise.reach))


def _row(model: Difference, y: int, scale: Scale) -> _Row:
    sign = "+" if model.value > 0 else ""
    value = "best" if model.standing == "best" else sign + scale.text(model.value)
    return _Row(y, model, cut(model.name, _NAME_CELLS), value)


def _mark(row: _Row, scale: Scale) -> Mark:
    value = row.model.value
    shape = _SHAPES[row.model.standing] if scale.reaches(value) else _OFF_THE_EDGE[value < scale.low]
    return Mark(scale(value), row.y, shape)


def _line(row: _Row, scale: Scale) -> Escaped:
    """From end to end of the interval, with a tip where it goes on beyond the edge."""
    if row.model.interval is None or not scale.reaches(row.model.value):
        return Escaped("")
    low, high = row.model.interval
    line = f"M{coordinate(scale(low))} {row.y}H{coordinate(scale(high))}"
    for end in (low, high):
        if not scale.reaches(end):
            line += f"M{coordinate(scale(end))} {row.y}{_GOES_ON[end < scale.low]}"
    return Escaped(line)


def _finding(models: Sequence[Difference], best_value: str) -> str:
    """What is known of the others, in one line."""
    counts = Counter(model.standing for model in models[1:])
    others = len(models) - 1
    said = [
        f"{counts[standing]} {one if counts[standing] == 1 else more}"
        for standing, one, more in _SAID
        if counts[standing]
    ]
    rest = "The other one" if others == 1 else f"Of {others} others,"
    found = said[0].partition(" ")[2] if others == 1 else ", ".join(said)
    return f"Best value {best_value}. {rest} {found}."


def _in_words(models: Sequence[Difference]) -> Iterator[str]:
    for model in models[1:]:
        reach = " ({} to {})".format(*(significant(end, sign=True) for end in model.interval)) if model.interval else ""
        verdict = "cannot be told apart" if model.standing == "equal" else _MEANINGS[model.standing][0]
        yield f"{cut(model.name, 60)}: {significant(model.value, sign=True)}{reach}, {verdict}."


def _legend(models: Sequence[Difference], noise: Noise | None) -> list[Key]:
    present = {model.standing for model in models}
    keys = [Key(style, _SHAPES[style], *meaning) for style, meaning in _MEANINGS.items() if style in present]
    return [*keys, Key("band", _BAND, noise.label, 160)] if noise else keys


def _notes(models: Sequence[Difference], can_be_drawn: Sequence[Difference], scale: Scale) -> Iterator[str]:
    if not all(scale.reaches(model.value) for model in can_be_drawn[:MOST_ROWS]):
        yield BEYOND
    more = len(can_be_drawn) - MOST_ROWS
    if more > 0:
        yield f"Not drawn: {counted(more, 'more model')}; these are the best {MOST_ROWS}."
    missing = [cut(model.name, 36) for model in models if not drawable(model.value)]
    if missing:
        yield f"Left out, as the difference is no number: {', '.join(missing[:5])}{' …' if missing[5:] else ''}."
