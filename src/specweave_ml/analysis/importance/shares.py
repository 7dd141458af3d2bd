"""Parts of the variance, and which of them can be put in order."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy import float64
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the variance of the scores, from 0 to 1.

    Attributes:
        params: one param, or the two whose interaction it is; none for all other interactions together.
        value: how large a part.
        low: where its spread begins; None where nothing says how much it varies.
        high: where it ends.
    """

    params: tuple[str, ...]
    value: float
    low: float | None = None
    high: float | None = None

    def is_beyond(self, other: Share) -> bool:
        """Whether its spread begins where that of the other has ended."""
        return self.low is not None and other.high is not None and self.low > other.high

    @property
    def text(self) -> str:
        """How large, by three decimals."""
        return _decimals(self.value)

    @property
    def reach(self) -> str:
        """From where to where it varies, `0.741 to 0.770`; empty where nothing says so."""
        return "" if self.low is None or self.high is None else f"{_decimals(self.low)} to {_decimals(self.high)}"


def _decimals(value: float) -> str:
    return f"{value:.3f}" if value >= 0.0005 or not value else "<0.001"


def share(params: tuple[str, ...], value: float, spread: Sequence[float] | NDArray[float64] = ()) -> Share:
    """A share whose spread reaches over these values and its own; the last bits, in which machines differ, are cut."""
    value, *ends = (min(max(round(float(each), 9), 0.0), 1.0) for each in (value, *spread))
    return Share(params, value, min(value, *ends), max(value, *ends)) if ends else Share(params, value)


def in_order(shares: Iterable[Share]) -> tuple[Share, ...]:
    """Largest first, equals by name."""
    return tuple(sorted(shares, key=lambda each: (-each.value, each.params)))


def ranked(
    mains: Sequence[Share], most: int, told_apart: Callable[[Share, Share], bool]
) -> tuple[tuple[str, ...], ...]:
    """The params in sets, the most important first: each of a set is told apart from each of what comes after it.

    The last set is not among them, as nothing is said of it; where no two can be told apart there is none.

    Args:
        mains: the params' shares, largest first.
        most: how many of them, from the first, may be placed at all.
        told_apart: whether the first of two shares is larger beyond doubt.
    """
    sets: list[tuple[str, ...]] = []
    start = 0
    for end in range(1, min(most + 1, len(mains))):
        if all(told_apart(one, other) for one, other in product(mains[:end], mains[end:])):
            sets.append(tuple(each.params[0] for each in mains[start:end]))
            start = end
    return tuple(sets)
