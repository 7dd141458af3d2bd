"""How much each param of a search matters: bars with their spread, and how the scores went with each value."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from specweave_ml.analysis.numbers import NumberFormat, number_format
from specweave_ml.escape import Escaped
from specweave_ml.pictures.card import CIRCLE, TOP, Mark, Picture, draw, told
from specweave_ml.pictures.lettering import MINUS, counted, cut, exponent_of, lines
from specweave_ml.pictures.scale import Scale, coordinate, linear

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from specweave_ml.analysis.importance.importance import Importance, Marginal
    from specweave_ml.analysis.importance.shares import Share

MOST_PARAMS = 8
MOST_PAIRS = 3

_PLOT = (240, 560)
_NAME_CELLS = 27
_PITCH = 22
_SLICE_PITCH = 17
_LINE = 16
_AXIS = 44
_LEAST_SHOWN = 0.005
_PLAIN = (1e-3, 1e6)


class _Bar(NamedTuple):
    """A share: its name, the bar, the line over its spread, the number, and whether it is an interaction."""

    y: int
    name: str
    bar: Escaped
    spread: Escaped
    text: str
    joint: bool


class _Row(NamedTuple):
    """A line of the second part: a param's name alone, or a value with its mean between the lowest and the highest."""

    y: int
    label: str
    line: Escaped = Escaped("")
    dot: Escaped = Escaped("")
    mean: str = ""
    n: int = 0


class _Block(NamedTuple):
    """One of the two parts."""

    top: int
    axis: int
    scale: Scale
    rows: Sequence[_Bar | _Row]


def importance_picture(found: Importance, finding: str, method: Sequence[str]) -> Picture | None:
    """Bars where the shares are more than noise, and below them the means by value; None where nothing was varied.

    Args:
        found: what the search says.
        finding: the same in a sentence.
        method: how it was found, in sentences.
    """
    if not found.marginals:
        return None
    first, *more = lines(finding)
    top = TOP + _LINE * len(more)
    # Bars of noise look like importance.
    bars = _bars(found.shares, top + 12) if found.why_not in {"", "alike"} else None
    slices = _slices(found.marginals[:MOST_PARAMS], (bars.axis + _AXIS if bars else top) + 12)
    title = f"Hyperparameter importance for {cut(found.metric, 40)}"
    words = [*_shares_in_words(found), *_means_in_words(found)]
    svg = draw(
        "importance",
        bottom=slices.axis + 24,
        title=title,
        subtitle=first,
        words=[finding, *words],
        notes=[*_notes(found, bars), *method],
        more=[(57 + _LINE * number, line) for number, line in enumerate(more, 1)],
        metric=cut(found.metric, 40),
        bars=bars,
        slices=slices,
    )
    return Picture(svg, f"{title}. {' '.join([finding, *told(words)])}")


def _bars(shares: Sequence[Share], top: int) -> _Block:
    mains = [each for each in shares if len(each.params) == 1][:MOST_PARAMS]
    pairs = [each for each in shares if len(each.params) == 2 and each.value >= _LEAST_SHOWN][:MOST_PAIRS]
    scale = linear([0.0, *(each.high or 0.0 for each in (*mains, *pairs))], *_PLOT, pad=False)
    rows = [_bar(each, top + _PITCH * place + _PITCH // 2, scale) for place, each in enumerate([*mains, *pairs])]
    return _Block(top, top + _PITCH * len(rows), scale, rows)


def _bar(each: Share, y: int, scale: Scale) -> _Bar:
    start, end, low, high = (coordinate(scale(value or 0.0)) for value in (0, each.value, each.low, each.high))
    bar = Escaped(f"M{start} {y - 6}H{end}v12H{start}z")
    spread = Escaped(f"M{low} {y}H{high}M{low} {y - 3}v6M{high} {y - 3}v6")
    name = " × ".join(cut(param, _NAME_CELLS if len(each.params) == 1 else 12) for param in each.params)
    return _Bar(y, name, bar, spread, each.text, len(each.params) > 1)


def _slices(marginals: Sequence[Marginal], top: int) -> _Block:
    every = [each for marginal in marginals for each in marginal.slices]
    scale = linear([end for each in every for end in (each.low, each.high)], *_PLOT)
    number = mean_format(marginals)
    rows: list[_Row] = []
    y = top
    for marginal in marginals:
        y += _PITCH
        rows.append(_Row(y, cut(marginal.param, _NAME_CELLS)))
        for each in marginal.slices:
            y += _SLICE_PITCH
            line = Escaped(f"M{coordinate(scale(each.low))} {y}H{coordinate(scale(each.high))}")
            dot = Mark(scale(each.mean), y, CIRCLE).d
            mean = number(each.mean).replace("-", MINUS)
            rows.append(_Row(y, cut(each.label, _NAME_CELLS), line, dot, mean, each.n))
    return _Block(top, y + 12, scale, rows)


def mean_format(marginals: Sequence[Marginal]) -> NumberFormat:
    """How means over slices are written: by as many decimals as show two digits of what lies between them."""
    means = [each.mean for marginal in marginals for each in marginal.slices]
    span = max(means) - min(means)
    if not span or not _PLAIN[0] <= max(map(abs, means)) < _PLAIN[1]:
        return number_format(means)
    return number_format(means, precision=min(max(2, 1 - exponent_of(span)), 10))


def _shares_in_words(found: Importance) -> Iterator[str]:
    for each in found.mains[:MOST_PARAMS]:
        yield f"{cut(each.params[0], 60)}: share {each.text}{f' ({each.reach})' if each.reach else ''}."


def _means_in_words(found: Importance) -> Iterator[str]:
    number = mean_format(found.marginals)
    for marginal in found.marginals[:MOST_PARAMS]:
        means = ", ".join(f"{cut(each.label, 30)}: {number(each.mean)} of {each.n}" for each in marginal.slices)
        yield f"Means by {cut(marginal.param, 60)}: {means}."


def _notes(found: Importance, bars: _Block | None) -> Iterator[str]:
    yield "Dots: the mean of the trials with that value; lines: from the lowest to the highest of them."
    if bars and any(isinstance(each, _Bar) and each.joint for each in bars.rows):
        yield "Outlined bars: interactions of two params."
    hidden = len(found.marginals) - MOST_PARAMS
    if hidden > 0:
        yield f"Not drawn: {counted(hidden, 'more param')}."
