"""Where a value stands in a picture, at which values the ticks stand, and coordinates as text.

Everything is rounded to a tenth of a pixel, so the last bits in which machines differ are never written.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor, isfinite, log10
from typing import TYPE_CHECKING, TypeGuard

from specweave_ml.analysis.numbers import significant
from specweave_ml.escape import Escaped
from specweave_ml.pictures.lettering import exponent_of, fixed, power

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_TICKS = 7

_LARGEST, _MOST = 1e300, 1e307
_SMALLEST, _LEAST = 1e-300, 1e-307
_FINEST = 1e-6
"""A range narrower than this part of its values is one value: its ticks would need more digits than have room."""

_PLAIN_FROM, _PLAIN_TO = -3, 5
_PADDING = 0.04


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled value of an axis."""

    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Scale:
    """Values to pixels.

    Attributes:
        low: the value at `start`.
        high: the value at `end`.
        start: in pixels; on a vertical axis it is larger than `end`.
        end: in pixels.
        ticks: round values between `low` and `high`.
        shift: the power of ten that the ticks' numbers are to be multiplied by.
        log: whether equal factors are equal distances.
    """

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[Tick, ...] = ()
    shift: int = 0
    log: bool = False

    def __call__(self, value: float) -> float:
        """Where a value stands; outside the axis, at its nearer end."""
        value = min(max(value, self.low), self.high)
        if self.log:
            part = (log10(value) - log10(self.low)) / (log10(self.high) - log10(self.low))
        else:
            part = (value - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * part

    def reaches(self, value: float) -> bool:
        """Whether a value lies between the ends."""
        return self.low <= value <= self.high

    @property
    def unit(self) -> str:
        """What the numbers are to be multiplied by, such as `×10⁶`; empty where they stand for themselves."""
        return power(self.shift) if self.shift else ""

    def text(self, value: float) -> str:
        """A value in the unit of the ticks, to three digits of what the axis spans."""
        if self.log:
            return significant(value)
        decimals = max(0, self.shift + 2 - exponent_of(self.high - self.low))
        return fixed(Decimal(value).scaleb(-self.shift), decimals)

    @property
    def marks(self) -> list[tuple[Escaped, str]]:
        """The ticks as (coordinate, text)."""
        return [(coordinate(self(tick.value)), tick.text) for tick in self.ticks]


def drawable(value: float | None) -> TypeGuard[float]:
    """Whether a value can stand on an axis: a finite number, and none of those whose differences overflow."""
    return value is not None and isfinite(value) and abs(value) <= _LARGEST


def linear(values: Iterable[float], start: float, end: float, *, about: int = 5, pad: bool = True) -> Scale:
    """An axis on which equal differences are equal distances.

    Args:
        values: what it has to reach; each `drawable`.
        start: in pixels.
        end: in pixels.
        about: how many ticks there are to be, give or take a few.
        pad: whether the outermost values keep a little distance from the ends.
    """
    low, high = _range(values)
    if pad:
        padding = (high - low) * _PADDING
        low, high = low - padding, high + padding
    step, exponent = _step(high - low, about)
    unit = float(f"{step}e{exponent}")
    multiples = range(ceil(round(low / unit, 6)), floor(round(high / unit, 6)) + 1)
    largest = exponent_of(max(abs(low), abs(high)))
    shift = 0 if _PLAIN_FROM <= largest < _PLAIN_TO else largest
    decimals = max(0, shift - exponent)
    # Through text: the value nearest to the tick's own digits, with no error added up on the way.
    ticks = tuple(
        Tick(float(f"{multiple * step}e{exponent}"), fixed(Decimal(multiple * step).scaleb(exponent - shift), decimals))
        for multiple in multiples
    )
    return Scale(low, high, start, end, ticks, shift)


def logarithmic(values: Sequence[float], start: float, end: float, ladder: Sequence[Tick] = ()) -> Scale:
    """An axis on which equal factors are equal distances.

    Args:
        values: what it has to reach; each `drawable` and above 0.
        start: in pixels.
        end: in pixels.
        ladder: the ticks to choose from; by default 1, 2 and 5 of every power of ten.
    """
    low, high = max(min(values), _SMALLEST), max(values)
    margin = max(10 ** (_PADDING * (log10(high) - log10(low))), 1.2)
    low, high = max(low / margin, _LEAST), min(high * margin, _MOST)
    steps = ladder or _decades(exponent_of(low), exponent_of(high))
    return Scale(low, high, start, end, _few(steps, low, high), log=True)


def far_apart(values: Sequence[float], factor: float) -> bool:
    """Whether the highest is so many times the lowest that only a logarithmic axis shows them all."""
    return min(values) > 0 and max(values) / max(min(values), _SMALLEST) >= factor


def coordinate(pixels: float) -> Escaped:
    """A coordinate as text, to the tenth of a pixel."""
    return Escaped(_tenths(tenths(pixels)))


def tenths(pixels: float) -> int:
    """A coordinate in tenths of a pixel. It is rounded twice, so that no last bit decides what is half a tenth."""
    return round(round(pixels, 6) * 10)


def polyline(points: Iterable[tuple[float, float]]) -> Escaped:
    """The `d` of a path through points given in pixels: each as its distance from the one before it."""
    absolute = [(tenths(x), tenths(y)) for x, y in points]
    (x, y), *rest = absolute
    parts = [f"M{_tenths(x)} {_tenths(y)}"]
    for next_x, next_y in rest:
        if (next_x, next_y) != (x, y):
            across, down = _tenths(next_x - x), _tenths(next_y - y)
            parts.append(f"l{across}{'' if down.startswith('-') else ' '}{down}")
            x, y = next_x, next_y
    return Escaped("".join(parts))


def _tenths(number: int) -> str:
    whole, part = divmod(abs(number), 10)
    text = f"{whole or ''}.{part}" if part else str(whole)
    return f"-{text}" if number < 0 else text


def _range(values: Iterable[float]) -> tuple[float, float]:
    """The lowest and the highest value, some way apart."""
    kept = [0.0 if abs(value) < _SMALLEST else value for value in values]
    low, high = min(kept), max(kept)
    largest = max(abs(low), abs(high))
    if high - low > largest * _FINEST:
        return low, high
    return (low - largest * 0.05, high + largest * 0.05) if largest else (-1.0, 1.0)


def _step(span: float, about: int) -> tuple[int, int]:
    """The distance of ticks: 1, 2 or 5, and the power of ten it is to be multiplied by."""
    digits, _, exponent = f"{span / about:e}".partition("e")
    step = next((step for step in (1, 2, 5) if float(digits) <= step), None)
    return (step, int(exponent)) if step else (1, int(exponent) + 1)


def _decades(first: int, last: int) -> list[Tick]:
    """1, 2 and 5 of each power of ten."""
    return [Tick(float(f"{digit}e{e}"), _plain(digit, e)) for e in range(first, last + 1) for digit in (1, 2, 5)]


def _plain(digit: int, exponent: int) -> str:
    if _PLAIN_FROM <= exponent < _PLAIN_TO:
        return fixed(Decimal(digit).scaleb(exponent), max(0, -exponent))
    return f"{digit}{power(exponent)}" if digit > 1 else power(exponent).removeprefix("×")


def _few(ladder: Sequence[Tick], low: float, high: float) -> tuple[Tick, ...]:
    """The ticks in a range; of too many every third, sixth, …, so that of 1, 2, 5, 10 the powers of ten remain."""
    for stride in (1, *range(3, len(ladder) + 3, 3)):
        ticks = tuple(tick for tick in ladder[::stride] if low <= tick.value <= high)
        if len(ticks) <= MOST_TICKS:
            break
    return ticks
