"""The axes of a metric and of a cost: linear, or by factors where only that shows all values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from specweave_ml.analysis.numbers import duration
from specweave_ml.pictures.scale import Scale, Tick, far_apart, linear, logarithmic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specweave_ml.analysis.metrics import Direction

_COSTS_FAR_APART = 8
_METRICS_FAR_APART = 100

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_UNITS = (("days", _DAY, 3 * _DAY), ("hours", _HOUR, 3 * _HOUR), ("minutes", _MINUTE, 5 * _MINUTE), ("seconds", 1, 0))
_DURATIONS = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500),
    *(20 * _MINUTE, _HOUR, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, _DAY),
    *(2 * _DAY, 5 * _DAY, 10 * _DAY, 20 * _DAY, 50 * _DAY, 100 * _DAY),
)


def metric_axis(values: Sequence[float], direction: Direction | None, start: float, end: float) -> Scale:
    """The axis of a metric."""
    # Losses and errors fall over powers of ten; what is better when higher mostly ends at 1.
    if direction == "minimize" and far_apart(values, _METRICS_FAR_APART):
        return logarithmic(values, start, end)
    return linear(values, start, end)


def cost_axis(costs: Sequence[float], start: float, end: float, *, is_time: bool) -> tuple[Scale, str]:
    """The axis of a cost, and the unit to write beside its title.

    Args:
        costs: in seconds where they are times.
        start: in pixels.
        end: in pixels.
        is_time: whether they are.
    """
    if far_apart(costs, _COSTS_FAR_APART):
        durations = [Tick(seconds, duration(seconds)) for seconds in _DURATIONS] if is_time else ()
        return logarithmic(costs, start, end, durations), ""
    reach = [*costs, 0.0] if 0 <= min(costs) <= max(costs) / 2 else costs
    if not is_time:
        scale = linear(reach, start, end)
        return scale, scale.unit
    name, size = next((name, size) for name, size, since in _UNITS if max(costs) >= since or not since)
    scale = linear([cost / size for cost in reach], start, end)
    ticks = tuple(Tick(tick.value * size, tick.text) for tick in scale.ticks)
    unit = f"({name}{scale.unit})"
    return replace(scale, low=scale.low * size, high=scale.high * size, ticks=ticks), unit
