"""Where the numbers beside points stand, so that they cover no point and no other number."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from specweave_ml.pictures.scale import coordinate, tenths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from specweave_ml.escape import Escaped

    Place = tuple[float, float]
    Box = tuple[int, int, int, int]  # its middle and half its size, in tenths of a pixel

_BESIDE = ((0, -115), (0, 125), (-125, 5), (125, 5), (-95, -85), (95, -85), (-95, 95), (95, 95))
_HALF_NUMBER = (65, 50)
_HALF_POINT = (55, 55)
_BASELINE = 3.5


def place_numbers(
    numbers: Mapping[int, Place], points: Sequence[Place], line: Sequence[Place], bottom: int
) -> list[tuple[Escaped, Escaped, int]]:
    """Each number in the first free place beside its point; if need be on the line, else left out.

    Args:
        numbers: number → its point, in pixels; the first ones choose first.
        points: all points that are drawn.
        line: the corners of a line of level and upright stretches.
        bottom: where the plot ends.

    Returns:
        (x of the middle, y of the baseline, number).
    """
    taken = [(tenths(x), tenths(y), *_HALF_POINT) for x, y in points]
    stretches = [_around(one, other) for one, other in pairwise(line)]
    placed = []
    for number, (x, y) in numbers.items():
        boxes = [(tenths(x) + right, tenths(y) + below, *_HALF_NUMBER) for right, below in _BESIDE]
        inside = [box for box in boxes if box[1] + box[3] <= bottom * 10]
        free = [box for box in inside if not any(_overlap(box, other) for other in taken)]
        beside_the_line = [box for box in free if not any(_overlap(box, stretch) for stretch in stretches)]
        for box in (beside_the_line or free)[:1]:
            taken.append(box)
            placed.append((coordinate(box[0] / 10), coordinate(box[1] / 10 + _BASELINE), number))
    return placed


def _around(one: Place, other: Place) -> Box:
    (x, y), (to_x, to_y) = one, other
    return tenths((x + to_x) / 2), tenths((y + to_y) / 2), tenths(abs(to_x - x) / 2), tenths(abs(to_y - y) / 2)


def _overlap(one: Box, other: Box) -> bool:
    return abs(one[0] - other[0]) < one[2] + other[2] and abs(one[1] - other[1]) < one[3] + other[3]
