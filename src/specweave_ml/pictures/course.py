"""How a metric went while a model was trained: one history as it is, several by their mean and their range."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from specweave_ml.analysis.moments import mean
from specweave_ml.pictures.scale import drawable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specweave_ml.record import History

_LEAST_POINTS = 2


@dataclass(frozen=True, slots=True)
class Course:
    """Values over steps. `means`, `lows` and `highs` are the same where there is one history.

    Attributes:
        name: the model's.
        steps: in order; the numbers of the points, from 1, where not every point has a step.
        means: of the histories, at each step.
        lows: the lowest of them.
        highs: the highest of them.
        members: how many histories there are.
        left_out: how many values were no numbers.
        stepped: whether `steps` are those that were logged.
    """

    name: str
    steps: Sequence[float]
    means: Sequence[float]
    lows: Sequence[float]
    highs: Sequence[float]
    members: int
    left_out: int
    stepped: bool

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        return min(self.lows), max(self.highs)


def course(name: str, histories: Sequence[History], *, stepped: bool = True) -> Course | None:
    """How a metric went over the steps that all histories share; None for fewer than two points.

    Where several share no two steps, it is how the first of them went.

    Args:
        name: the model's.
        histories: one for each time it was trained.
        stepped: whether it goes over the logged steps, and points without one are none of the curve; else over the
            numbers of the points. All curves of one picture have to go over the same thing.
    """
    tracks = [_track(history, stepped=stepped) for history in histories]
    left_out = sum(not drawable(value) for history in histories for value in history.values)
    tracks = [track for track in tracks if len(track) >= _LEAST_POINTS]
    if not tracks:
        return None
    if len(tracks) > 1:
        at = [dict(track) for track in tracks]
        shared = [step for step in at[0] if all(step in values for values in at[1:])]
        if len(shared) >= _LEAST_POINTS:
            rows = [[values[step] for values in at] for step in shared]
            lows, highs = [min(row) for row in rows], [max(row) for row in rows]
            return Course(name, shared, [mean(row) for row in rows], lows, highs, len(at), left_out, stepped)
    steps, values = zip(*tracks[0], strict=True)
    return Course(name, steps, values, values, values, 1, left_out, stepped)


def has_steps(history: History) -> bool:
    """Whether two points or more were logged with a step; beside them often stands the last value without one."""
    return len([*islice((step for step in history.steps if step is not None), _LEAST_POINTS)]) == _LEAST_POINTS


def _track(history: History, *, stepped: bool) -> list[tuple[float, float]]:
    """The points that can be drawn, in the order of their steps."""
    steps = history.steps if stepped else range(1, len(history) + 1)
    points = zip(steps, history.values, strict=True)
    return [(step, value) for step, value in points if drawable(step) and drawable(value)]
