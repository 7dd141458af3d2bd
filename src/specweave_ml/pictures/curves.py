"""Learning curves: a line a model; of one that was trained several times, the mean, in a band from end to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from specweave_ml.analysis.numbers import significant
from specweave_ml.pictures.axes import metric_axis
from specweave_ml.pictures.card import SHAPES, TOP, Mark, Picture, draw, told
from specweave_ml.pictures.lettering import counted, cut
from specweave_ml.pictures.scale import Scale, linear, polyline, tenths
from specweave_ml.pictures.thinning import thinned

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from specweave_ml.analysis.metrics import Direction
    from specweave_ml.escape import Escaped
    from specweave_ml.pictures.course import Course

MOST_CURVES = len(SHAPES)

_LEFT, _RIGHT = 70, 500
_HEIGHT = 228
_NAME_CELLS = 24
_PITCH = 38
_MOST_POINTS = 200
_MOST_POINTS_TOGETHER = 480


class _Curve(NamedTuple):
    style: str
    line: Escaped
    band: Escaped | None
    end: Mark
    key: Mark
    name: str
    label_y: int
    last: str


def curves_picture(
    courses: Sequence[Course],
    *,
    metric: str,
    direction: Direction | None,
    several: str = "repeats",
) -> Picture | None:
    """The learning curves of a metric; None where nothing has two points.

    Args:
        courses: one for each model, the best first.
        metric: its title.
        direction: which way is better.
        several: what a model that was trained several times was trained on: `repeats` or `folds`.
    """
    shown = courses[:MOST_CURVES]
    if not shown:
        return None
    top, bottom = TOP + 12, TOP + 12 + _HEIGHT
    down = metric_axis([end for course in shown for end in course.range], direction, bottom, top)
    across = linear([end for course in shown for end in (course.steps[0], course.steps[-1])], _LEFT, _RIGHT, pad=False)
    places = _apart([tenths(down(course.means[-1])) // 10 for course in shown], top + 8, bottom - 8)
    step = "step" if all(course.stepped for course in shown) else "point"
    title = f"{cut(metric, 40)} while training"
    words = [*_in_words(shown, direction, step, several)]
    finding = _finding(shown, direction, down, step, several)
    columns = "last value (lowest to highest)" if any(course.members > 1 for course in shown) else "last value"
    svg = draw(
        "curves",
        bottom=bottom + 34,
        title=title,
        subtitle=finding,
        words=words,
        notes=_notes(shown, len(courses) - len(shown), down, several),
        curves=[
            _curve(number, course, across, down, places[number], _MOST_POINTS_TOGETHER // len(shown))
            for number, course in enumerate(shown)
        ],
        left=_LEFT,
        right=_RIGHT,
        top=top,
        axis=bottom,
        across=across,
        down=down,
        metric=" ".join(filter(None, [cut(metric, 40), down.unit])),
        below=" ".join(filter(None, [step, across.unit])),
        columns=" ".join(filter(None, [columns, down.unit])),
    )
    return Picture(svg, f"{title}. {' '.join([finding, *told(words)] if len(shown) > 1 else words)}")


def _curve(number: int, course: Course, across: Scale, down: Scale, label_y: int, most: int) -> _Curve:
    several = course.members > 1
    columns = [course.lows, course.highs, course.means] if several else [course.means]
    kept = thinned(columns, min(_MOST_POINTS, most))
    xs = [across(course.steps[index]) for index in kept]
    ys, lows, highs = ([down(values[index]) for index in kept] for values in (course.means, course.lows, course.highs))
    edge = [*zip(xs, highs, strict=True), *zip(xs[::-1], lows[::-1], strict=True)]
    last = down.text(course.means[-1])
    reach = f" ({down.text(course.lows[-1])} to {down.text(course.highs[-1])})" if several else ""
    return _Curve(
        style=f"c{number}",
        line=polyline(zip(xs, ys, strict=True)),
        band=polyline(edge) if several else None,
        end=Mark(xs[-1], ys[-1], SHAPES[number]),
        key=Mark(_RIGHT + 24, label_y - 4, SHAPES[number]),
        name=cut(course.name, _NAME_CELLS),
        label_y=label_y,
        last=last + reach,
    )


def _apart(wanted: Sequence[int], top: int, bottom: int) -> list[int]:
    """Where labels stand: beside the ends of their lines, but so far from each other that all can be read."""
    order = sorted(range(len(wanted)), key=lambda index: (wanted[index], index))
    places = [*wanted]
    least = top
    for index in order:
        places[index] = least = max(wanted[index], least)
        least += _PITCH
    most = bottom - 16
    for index in reversed(order):
        places[index] = most = min(places[index], most)
        most -= _PITCH
    return places


def _finding(courses: Sequence[Course], direction: Direction | None, down: Scale, step: str, several: str) -> str:
    """Which curve ends best; of a single one, how it went."""
    if len(courses) == 1:
        course = courses[0]
        start = f"Mean of {course.members} {several}: from" if course.members > 1 else "From"
        return f"{start} {_way(course, direction, step)}."
    if direction is None:
        return f"{len(courses)} models; which way is better is not known."
    best = (min if direction == "minimize" else max)(courses, key=lambda course: course.means[-1])
    word = "Lowest" if direction == "minimize" else "Highest"
    return f"{word} last value: {cut(best.name, 40)}, {' '.join([down.text(best.means[-1]), down.unit]).strip()}."


def _in_words(courses: Sequence[Course], direction: Direction | None, step: str, several: str) -> Iterator[str]:
    for course in courses:
        mean = f", mean of {course.members} {several}" if course.members > 1 else ""
        yield f"{cut(course.name, 60)}{mean}: from {_way(course, direction, step)}."


def _way(course: Course, direction: Direction | None, step: str) -> str:
    """From where to where, and where it was best."""
    means = course.means
    first, last = (f"{significant(means[at])} at {step} {course.steps[at]:.15g}" for at in (0, -1))
    said = f"{first} to {last}"
    if direction is None:
        return said
    lowest = direction == "minimize"
    at = (min if lowest else max)(range(len(means)), key=means.__getitem__)
    return f"{said}; {'lowest' if lowest else 'highest'} {significant(means[at])} at {step} {course.steps[at]:.15g}"


def _notes(courses: Sequence[Course], hidden: int, down: Scale, several: str) -> Iterator[str]:
    counts = sorted({course.members for course in courses if course.members > 1})
    if counts:
        many = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        yield f"A band reaches from the lowest to the highest of {many} {several}; the line in it is their mean."
    if down.log:
        yield "The metric goes by factors: equal distances are equal ratios."
    if hidden:
        yield f"Not drawn: {counted(hidden, 'more model')} with a history."
    for course in courses:
        if course.left_out:
            yield f"Left out of {cut(course.name, 40)}: {counted(course.left_out, 'value')}, NaN or infinite."
