"""Numbers and durations as text, the same on every machine."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, isnan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MISSING = "–"

_LEAST_DECIMALS = 2
_MOST_DECIMALS = 10
_A_COUNT = 100
_TINY = 1e-3
_HUGE = 1e15


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How the numbers of one column are written: `.2f`, `.0f` or `.2e`, the same for all of them."""

    spec: str = ".2f"

    def __call__(self, value: float | None) -> str:
        """The text of a value; `–` when there is none, NaN and the infinities by the names the record gives them."""
        if value is None:
            return MISSING
        if not isfinite(value):
            return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"
        text = format(value, self.spec)
        return text.removeprefix("-") if float(text) == 0 else text


def number_format(values: Iterable[float], *, higher_first: bool = True, precision: int | None = None) -> NumberFormat:
    """Two decimals, or as many as tell the best value from the second.

    Counts (whole numbers, one of them 100 or more) have none; very small or very large numbers have an exponent.
    Values that differ only beyond the tenth decimal read the same.

    Args:
        values: the column's values; those that are no numbers do not count.
        higher_first: whether the best is the highest.
        precision: decimals, when somebody asked for a number of them.
    """
    if precision is not None:
        return NumberFormat(f".{precision}f")
    numbers = [float(value) for value in values if isfinite(value)]
    largest = max(map(abs, numbers), default=0.0)
    style = "e" if 0 < largest < _TINY or largest >= _HUGE else "f"
    if style == "f" and largest >= _A_COUNT and all(number.is_integer() for number in numbers):
        return NumberFormat(".0f")
    distinct = sorted({float(format(number, f".{_MOST_DECIMALS}{style}")) for number in numbers}, reverse=higher_first)
    specs = [f".{decimals}{style}" for decimals in range(_LEAST_DECIMALS, _MOST_DECIMALS + 1)]
    if len(distinct) < 2:
        return NumberFormat(specs[0])
    return NumberFormat(next((spec for spec in specs if _told_apart(distinct[0], distinct[1], spec)), specs[-1]))


def _told_apart(best: float, second: float, spec: str) -> bool:
    """Whether the two read differently, and their difference does not read as nothing."""
    return format(best, spec) != format(second, spec) and float(format(abs(best - second), spec)) > 0


def percent(change: float) -> str:
    """A relative change with its sign, by two significant digits or to the whole percent: `+134%`, `-2.5%`."""
    return f"{change:+.0%}" if abs(change) >= 0.0995 else f"{change * 100:+.2g}%"


def duration(seconds: float | None) -> str:
    """A duration as people say it: `40ms`, `0.4s`, `2s`, `320s`, `25min`, `3h 20min`, `2d 4h`."""
    if seconds is None or not isfinite(seconds) or seconds < 0:
        return MISSING
    if seconds < 0.1:
        milliseconds = round(seconds * 1000)
        return f"{milliseconds}ms" if milliseconds else "<1ms" if seconds else "0s"
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + "s"
    if seconds < 599.5:
        return f"{seconds:.0f}s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes}min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}h {minutes}min" if minutes else f"{hours}h"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days}d {hours}h" if hours else f"{days}d"


def data_size(size: float) -> str:
    """A number of bytes by three significant digits: `812 bytes`, `1.25 MB`."""
    for unit, each in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= 0.9995 * each:
            return f"{significant(size / each)} {unit}"
    return f"{size:.0f} bytes"


def significant(value: float, digits: int = 3, *, sign: bool = False) -> str:
    """A number by its significant digits, trailing zeros too: `0.0402`, `-0.0200`, `12.0`, `1250`."""
    if not isfinite(value):
        return NumberFormat()(value)
    plus = "+" if sign else ""
    exponent = int(format(value, f".{digits - 1}e").rpartition("e")[2])
    if -5 <= exponent < 15:
        return format(value, f"{plus}.{max(0, digits - 1 - exponent)}f")
    return format(value, f"{plus}.{digits - 1}e")


def with_spread(value: str, spread: float | None) -> str:
    """A mean with the spread around it, which has two significant digits: `0.87 ± 0.0042`."""
    return value if spread is None else f"{value} ± {significant(spread, 2) if spread else '0'}"


def rounded_down(value: float, digits: int = 2) -> str:
    """A positive number by its first significant digits, never above it: what is said to be below it then is."""
    from decimal import ROUND_DOWN, Context

    return significant(float(Context(prec=digits, rounding=ROUND_DOWN).create_decimal(repr(value))), digits)


def p_value(p: float) -> str:
    """A p-value by two significant digits: `0.023`, `1`, and `<0.001`."""
    return "<0.001" if p < 0.001 else "1" if p > 0.995 else significant(p, 2)
