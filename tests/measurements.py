"""Comparing what tests say of differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from specweave_ml.analysis.measured import Measured


def alike(one: Measured, other: Measured) -> bool:
    """Whether the two say the same, but for rounding."""
    pairs = [(one.difference, other.difference), (one.low, other.low), (one.high, other.high), (one.p, other.p)]
    return all(a is b if None in {a, b} else a == pytest.approx(b, rel=1e-6, abs=1e-9) for a, b in pairs)
