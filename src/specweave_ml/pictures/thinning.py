"""Long histories to the few points that can be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def thinned(columns: Sequence[Sequence[float]], most: int) -> Sequence[int]:
    """The indices to keep: the first, the last, and where each column is lowest and highest in every stretch.

    A spike of one point in a million stays; an average would hide it. The same input always keeps the same points.

    Args:
        columns: values that belong together, such as the two edges of a band; all of one length.
        most: about how many indices to keep.
    """
    count = len(columns[0])
    if count <= most:
        return range(count)
    stretches = max(1, (most - 2) // (2 * len(columns)))
    kept = {0, count - 1}
    for number in range(stretches):
        stretch = range(count * number // stretches, count * (number + 1) // stretches)
        for column in columns:
            kept.add(min(stretch, key=column.__getitem__))
            kept.add(max(stretch, key=column.__getitem__))
    return sorted(kept)
