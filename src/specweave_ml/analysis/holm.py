"""Several comparisons at once: Holm's step-down correction."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def holm(p_values: Sequence[float], comparisons: int | None = None) -> list[float]:
    """Adjusted p-values, in the order given: p̃(i) = max over j ≤ i of min(1, (m - j + 1) · p(j)), p in rising order.

    A hypothesis is rejected at alpha when its adjusted p-value is below alpha; the chance of a single false rejection
    among all of them stays below alpha, whatever depends on whatever (Holm 1979, Scand. J. Statist. 6:65-70).

    Args:
        p_values: of all comparisons, or of some of them.
        comparisons: m, how many there are in all. With more than are given, the result is never smaller than the
            one that all p-values would have given.

    Raises:
        ValueError: fewer comparisons than p-values.
    """
    total = len(p_values) if comparisons is None else comparisons
    if total < len(p_values):
        raise ValueError("there are at least as many comparisons as p-values")
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for place, at in enumerate(sorted(range(len(p_values)), key=lambda at: p_values[at])):
        highest = max(highest, min(1.0, (total - place) * p_values[at]))
        adjusted[at] = highest
    return adjusted
