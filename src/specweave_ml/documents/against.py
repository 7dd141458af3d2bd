"""Two models side by side, neither of which needs to be the best: how far apart, and what can be said of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from specweave_ml.analysis.numbers import p_value, significant

if TYPE_CHECKING:
    from specweave_ml.analysis.comparison import Findings
    from specweave_ml.analysis.evidence import Pair
    from specweave_ml.analysis.rationale import Difference


@dataclass(frozen=True, slots=True)
class Against:
    """The chosen model beside another one.

    Attributes:
        name: of the other.
        value: the other's.
        better: whether the chosen model's value is the better one.
        absolute: the difference, without a sign.
        relative: the same in percent of the other's value, with a sign; empty where that says nothing.
        interval: of the difference, `+0.0512 to +0.108`; empty where there is none.
        told_apart: what the test says of the two; None where there is none.
        p: its p-value, corrected for all pairs; empty where the interval alone decides.
        same_everywhere: whether the difference is the same in every fold, run or item, which leaves nothing to test.
        within_noise: whether the difference is no larger than the spread of repeats.
    """

    name: str
    value: str
    better: bool
    absolute: str
    relative: str
    interval: str
    told_apart: bool | None
    p: str
    same_everywhere: bool
    within_noise: bool


def against(difference: Difference | None, name: str, comparison: Findings) -> Against | None:
    """A difference, and what the test says of this very pair, of which neither needs to be the best."""
    if difference is None:
        return None
    order = [model.name for model in comparison.ranked]
    pair = next((each for each in comparison.evidence.pairs if {each.a, each.b} == {name, difference.name}), None)
    return Against(
        name=difference.name,
        value=difference.value,
        better=order.index(name) < order.index(difference.name),
        absolute=difference.absolute,
        relative=difference.relative or "",
        interval=_interval(pair, name) if pair else "",
        told_apart=pair.told_apart if pair else None,
        p=p_value(pair.p_holm) if pair and pair.p_holm is not None else "",
        same_everywhere=pair is not None and pair.measured.untested,
        within_noise=difference.within_noise,
    )


def _interval(pair: Pair, name: str) -> str:
    """The interval of `name` minus the other one."""
    low, high = pair.measured.low, pair.measured.high
    if low is None or high is None:
        return ""
    ends = (low, high) if pair.a == name else (-high, -low)
    return " to ".join(significant(end, sign=True) for end in ends)
