"""Mean and standard deviation, the same on every machine."""

from __future__ import annotations

from math import fsum, isfinite, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def mean(values: Sequence[float]) -> float:
    """The mean, in the values' unit. One value that is no number makes it one that is no number.

    Raises:
        ZeroDivisionError: there are no values.
    """
    return _total(values) / len(values)


def standard_deviation(values: Sequence[float]) -> float:
    """The sample standard deviation (n - 1 below the line), in the values' unit; exactly 0 when all are the same.

    Raises:
        ZeroDivisionError: there are fewer than two values.
    """
    if len(values) > 1 and min(values) == max(values):
        return 0.0
    middle = mean(values)
    return sqrt(_total([(value - middle) * (value - middle) for value in values]) / (len(values) - 1))


def _total(values: Sequence[float]) -> float:
    # `fsum` rounds once, whatever the order, but refuses what is too large and knows no sum of two infinities.
    try:
        return fsum(values) if all(map(isfinite, values)) else sum(values)
    except OverflowError:
        return sum(values)
