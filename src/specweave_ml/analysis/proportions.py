"""Proportions of one test set: how sure one of them is, and the difference of two, unpaired or item by item."""

from __future__ import annotations

from bisect import bisect_left
from math import hypot, sqrt

from specweave_ml.analysis.measured import ALPHA, Measured


def wilson(proportion: float, n: int, *, alpha: float = ALPHA) -> tuple[float, float]:
    """The score interval of one proportion (Wilson 1927; method 3 of Newcombe 1998, Stat. Med. 17:857-872).

    (p + z²/2n ± z · √(p(1 - p)/n + z²/4n²)) / (1 + z²/n), z = Φ⁻¹(1 - alpha/2); never outside 0…1.

    Args:
        proportion: from 0 to 1.
        n: the count behind it.
        alpha: 0.05 for a 95 % interval.

    Raises:
        ValueError: a proportion outside 0…1, or no items.
    """
    if n < 1 or not 0 <= proportion <= 1:
        raise ValueError("a proportion lies between 0 and 1 and has a count of at least 1 behind it")
    from scipy.special import ndtri

    z = float(ndtri(1 - alpha / 2))
    middle = proportion + z * z / (2 * n)
    reach = z * sqrt(proportion * (1 - proportion) / n + z * z / (4 * n * n))
    whole = 1 + z * z / n
    return max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole)


def newcombe(a: float, n_a: int, b: float, n_b: int, *, pairs: int = 1) -> Measured:
    """The difference a - b of two proportions, as if of different items: wider than a paired interval would be.

    L = d - √((a - l_a)² + (u_b - b)²), U = d + √((u_a - a)² + (b - l_b)²) with Wilson's limits l, u (Newcombe 1998,
    Stat. Med. 17:873-890, method 10). It has no p-value: the two cannot be told apart when it contains 0.

    Args:
        a: one proportion, from 0 to 1.
        n_a: the count behind it.
        b: the other proportion.
        n_b: the count behind that.
        pairs: how many pairs are compared together: the interval is widened for all of them (Bonferroni).

    Raises:
        ValueError: as `wilson`.
    """
    low, high = _square_and_add(a, n_a, b, n_b, alpha=ALPHA / pairs)
    narrow = _square_and_add(a, n_a, b, n_b, alpha=ALPHA)
    return Measured(a - b, low, high, detectable=_towards_zero(a - b, *narrow))


def mcnemar(only_a: int, only_b: int) -> float:
    """McNemar's exact test, two-sided: 2 · P(X ≤ min(b, c)) with X ~ Binomial(b + c, ½), at most 1.

    Args:
        only_a: b, the items that only the first model got right.
        only_b: c, those that only the second did. Items of the same outcome say nothing of the difference.
    """
    if only_a + only_b == 0:
        return 1.0
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(min(only_a, only_b), only_a + only_b, 0.5)))


def paired_proportions(both: int, only_a: int, only_b: int, neither: int, *, pairs: int = 1) -> Measured:
    """The difference of two models' proportions on the same items: McNemar's exact p-value, Newcombe's interval.

    The interval is square-and-add with the correlation r between the two models' outcomes:
    L = d - √((a - l_a)² - 2r(a - l_a)(u_b - b) + (u_b - b)²), and U likewise; r comes from the four counts after a
    continuity correction (Newcombe 1998, Stat. Med. 17:2635-2650, method 10).

    Args:
        both: items that both models got right.
        only_a: items that only the first got right.
        only_b: items that only the second got right.
        neither: items that neither got right.
        pairs: how many pairs are compared together; see `newcombe`.

    Raises:
        ValueError: no items at all.
    """
    n = both + only_a + only_b + neither
    if n < 1:
        raise ValueError("a proportion needs at least one item")
    a, b = (both + only_a) / n, (both + only_b) / n
    correlation = _correlation(both, only_a, only_b, neither)
    low, high = _square_and_add(a, n, b, n, alpha=ALPHA / pairs, correlation=correlation)
    difference = (only_a - only_b) / n
    if only_a == only_b == 0:
        return Measured(difference)
    return Measured(difference, low, high, mcnemar(only_a, only_b), _detectable(only_a + only_b, n))


def _square_and_add(
    a: float, n_a: int, b: float, n_b: int, *, alpha: float, correlation: float = 0.0
) -> tuple[float, float]:
    low_a, high_a = wilson(a, n_a, alpha=alpha)
    low_b, high_b = wilson(b, n_b, alpha=alpha)
    return (
        a - b - _third_side(a - low_a, high_b - b, correlation),
        a - b + _third_side(high_a - a, b - low_b, correlation),
    )


def _third_side(one: float, other: float, correlation: float) -> float:
    if correlation == 0:
        return hypot(one, other)
    return sqrt(max(0.0, one * one - 2 * correlation * one * other + other * other))


def _correlation(both: int, only_a: int, only_b: int, neither: int) -> float:
    margins = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    if margins == 0:
        return 0.0
    above = both * neither - only_a * only_b
    half = (both + only_a + only_b + neither) / 2
    return (above if above < 0 else max(0.0, above - half)) / sqrt(margins)


def _towards_zero(difference: float, low: float, high: float) -> float:
    return difference - low if difference >= 0 else high - difference


def _detectable(discordant: int, n: int) -> float | None:
    """The smallest difference that McNemar's test calls one, with so many items of differing outcome among n."""
    few_enough = bisect_left(range(discordant // 2 + 1), ALPHA, key=lambda fewer: mcnemar(fewer, discordant - fewer))
    return (discordant - 2 * (few_enough - 1)) / n if few_enough else None
