"""How good against how expensive: every model a point, and a line through those that no other beats for less."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from specweave_ml.pictures.axes import cost_axis, metric_axis
from specweave_ml.pictures.card import (
    BEYOND,
    CIRCLE,
    DIAMOND,
    POINTING_DOWN,
    TOP,
    TRIANGLE,
    Key,
    Mark,
    Picture,
    draw,
    drawn_by_style,
    told,
)
from specweave_ml.pictures.lettering import counted, cut
from specweave_ml.pictures.pareto import Priced, on_the_front
from specweave_ml.pictures.placing import place_numbers
from specweave_ml.pictures.scale import Scale, drawable, polyline

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from specweave_ml.analysis.metrics import Direction
    from specweave_ml.escape import Escaped

MOST_NAMED = 20
MOST_DRAWN = 200

_LEFT, _RIGHT = 70, 372
_KEY = 404
_TOP = TOP + 12
_NAME_CELLS = 21
_PITCH = 20
_LEAST_HEIGHT = 216
_MOST_AWAY = 12
"""What lies farther from the best than so many times the median stands at the edge."""

_LEGEND = {
    "front": Key("front", CIRCLE, "on the line: none is better for less", 220),
    "behind": Key("behind", CIRCLE, "beaten by another", 134),
    "equal": Key("behind", DIAMOND, "diamond: cannot be told apart from the best", 270),
}


class _Point(NamedTuple):
    number: int
    model: Priced
    x: float
    y: float
    on_front: bool
    equal: bool
    beyond: int

    def drawn(self, x: float, y: float) -> tuple[str, Escaped]:
        """Its style, and its shape in a place."""
        shape = (DIAMOND if self.equal else CIRCLE, TRIANGLE, POINTING_DOWN)[self.beyond]
        return "front" if self.on_front else "behind", Mark(x, y, shape).d


class _Plot(NamedTuple):
    """The axes, the points best first, and the lines beside the plot as (y, point, name)."""

    across: Scale
    unit: str
    down: Scale
    bottom: int
    points: list[_Point]
    rows: list[tuple[int, _Point, str]]


def cost_picture(
    models: Sequence[Priced],
    *,
    metric: str,
    direction: Direction,
    cost: str,
    is_time: bool,
    equal: Collection[str] = (),
) -> Picture | None:
    """Cost and metric of models; None for fewer than two, or where all cost the same.

    Args:
        models: best first.
        metric: its title.
        direction: which way it is better; a cost is always better when it is lower.
        cost: its title.
        is_time: whether it is one.
        equal: the models that cannot be told apart from the best, the best among them.
    """
    shown = [model for model in models if drawable(model.value) and drawable(model.cost)]
    if len(shown) < 2 or len({model.cost for model in shown}) < 2:
        return None
    plot = _lay_out(shown, direction, equal, is_time=is_time)
    title = f"{cut(metric, 30)} against {cut(cost, 24)}"
    finding, words = _finding(shown, direction), [*_in_words(plot.points, metric, cost)]
    line = _line([point for point in plot.points if point.on_front])
    svg = draw(
        "cost",
        bottom=plot.bottom + 38,
        title=title,
        subtitle=finding,
        words=[finding, *told(words, MOST_NAMED)],
        legend=_legend(plot.points),
        notes=_notes(plot, undrawn=len(shown) - len(plot.points), left_out=len(models) - len(shown)),
        shapes=_shapes(plot),
        numbers=_numbers(plot, line),
        rows=plot.rows,
        line=polyline(line),
        left=_LEFT,
        right=_RIGHT,
        top=_TOP,
        axis=plot.bottom,
        across=plot.across,
        down=plot.down,
        metric=" ".join(filter(None, [cut(metric, 24), plot.down.unit])),
        below=" ".join(filter(None, [cut(cost, 24), plot.unit])),
        columns=f"{cut(metric, 14)} · {cut(cost, 14)}",
    )
    return Picture(svg, f"{title}. {' '.join([finding, *told(words)])}")


def _lay_out(models: Sequence[Priced], direction: Direction, equal: Collection[str], *, is_time: bool) -> _Plot:
    front = {model.name for model in on_the_front(models, direction)}
    # Those that matter first, whatever their rank; a sort keeps the order of the others.
    foremost = sorted(enumerate(models, 1), key=lambda each: each[1].name not in front and each[1].name not in equal)
    drawn = sorted(foremost[:MOST_DRAWN], key=lambda each: each[0])
    named = {number for number, _ in foremost[:MOST_NAMED]}
    bottom = _TOP + max(_LEAST_HEIGHT, _PITCH * len(named))
    across, unit = cost_axis([model.cost for _, model in drawn], _LEFT, _RIGHT, is_time=is_time)
    down = metric_axis(_near_the_best([model.value for _, model in drawn]), direction, bottom, _TOP)
    points = [
        _Point(
            number,
            model,
            across(model.cost),
            down(model.value),
            on_front=model.name in front,
            equal=model.name in equal,
            beyond=0 if down.reaches(model.value) else 1 if model.value > down.high else -1,
        )
        for number, model in drawn
    ]
    beside = [point for point in points if point.number in named]
    rows = [
        (_TOP + _PITCH * place + 10, point, cut(point.model.name, _NAME_CELLS)) for place, point in enumerate(beside)
    ]
    return _Plot(across, unit, down, bottom, points, rows)


def _near_the_best(values: Sequence[float]) -> list[float]:
    """The values, best first, without those so far off that the others would lie on each other."""
    best, *others = values
    away = sorted(abs(value - best) for value in others)
    edge = away[len(away) // 2] * _MOST_AWAY
    return [value for value in values if not edge or abs(value - best) <= edge]


def _line(front: Sequence[_Point]) -> list[tuple[float, float]]:
    """Level with each model until the next better one is affordable, then up or down to that."""
    corners: list[tuple[float, float]] = []
    for point in sorted(front, key=lambda point: point.model.cost):
        if corners:
            corners.append((point.x, corners[-1][1]))
        corners.append((point.x, point.y))
    return [*corners, (_RIGHT, corners[-1][1])]


def _shapes(plot: _Plot) -> dict[str, Escaped]:
    """The points, and the same shapes again beside their names."""
    points = [point.drawn(point.x, point.y) for point in plot.points]
    return drawn_by_style([*points, *(point.drawn(_KEY, y) for y, point, _ in plot.rows)])


def _numbers(plot: _Plot, line: Sequence[tuple[float, float]]) -> list[tuple[Escaped, Escaped, int]]:
    named = {point.number: (point.x, point.y) for _, point, _ in plot.rows}
    return place_numbers(named, [(point.x, point.y) for point in plot.points], line, plot.bottom)


def _finding(models: Sequence[Priced], direction: Direction) -> str:
    front, count = len(on_the_front(models, direction)), len(models)
    if front == 1:
        return "One model is the best and the cheapest at once."
    return f"{'All' if front == count else f'{front} of'} {count} models are on the line: no other is better for less."


def _in_words(points: Sequence[_Point], metric: str, cost: str) -> Iterator[str]:
    for point in points:
        model = point.model
        front = ", on the line" if point.on_front else ""
        equal = ", cannot be told apart from the best" if point.equal and point.number > 1 else ""
        numbers = f"{cut(metric, 24)} {model.value_text}, {cut(cost, 24)} {model.cost_text}"
        yield f"{cut(model.name, 60)}: {numbers}{front}{equal}."


def _legend(points: Sequence[_Point]) -> list[Key]:
    present = {
        "front": any(point.on_front for point in points),
        "behind": not all(point.on_front for point in points),
        "equal": any(point.equal for point in points),
    }
    return [key for name, key in _LEGEND.items() if present[name]]


def _notes(plot: _Plot, *, undrawn: int, left_out: int) -> Iterator[str]:
    if plot.across.log or plot.down.log:
        both = plot.across.log and plot.down.log
        axes = "Both axes go" if both else "The cost goes" if plot.across.log else "The metric goes"
        yield f"{axes} by factors: equal distances are equal ratios."
    if any(point.beyond for point in plot.points):
        yield BEYOND
    unnamed = len(plot.points) - len(plot.rows)
    if unnamed:
        yield f"{counted(unnamed, 'more point')} without a number: those on the line and the best are named."
    if undrawn:
        yield f"Not drawn: {counted(undrawn, 'more model')}."
    if left_out:
        yield f"Left out, as the metric or the cost is no number: {counted(left_out, 'model')}."
