"""Holm's correction against the numbers of García & Herrera (JMLR 9, 2008): five classifiers on thirty data sets."""

from __future__ import annotations

from itertools import combinations
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specweave_ml.analysis.holm import holm

# Printed as 2.100, 3.250, 2.200, 4.333 and 3.117; means of thirty ranks are sixtieths.
RANKS = {"C4.5": 126 / 60, "1NN": 195 / 60, "NB": 132 / 60, "Kernel": 260 / 60, "CN2": 187 / 60}
DATA_SETS = 30
PUBLISHED = [
    ("C4.5", "Kernel", 4.487e-8, 4.487e-7),
    ("NB", "Kernel", 1.736e-7, 1.563e-6),
    ("Kernel", "CN2", 0.002880, 0.02304),
    ("C4.5", "1NN", 0.004849, 0.03394),
    ("1NN", "Kernel", 0.007963, 0.04778),
]


def p_values() -> dict[frozenset[str], float]:
    """Two-sided, from z = (R_i - R_j) / √(k(k + 1)/6N)."""
    from scipy.special import ndtr

    error = sqrt(len(RANKS) * (len(RANKS) + 1) / (6 * DATA_SETS))
    return {frozenset(pair): 2 * ndtr(-abs(RANKS[pair[0]] - RANKS[pair[1]]) / error) for pair in combinations(RANKS, 2)}


@pytest.mark.parametrize(("a", "b", "raw", "adjusted"), PUBLISHED)
def test_the_published_pairs(a, b, raw, adjusted):
    found = p_values()
    corrected = dict(zip(found, holm([*found.values()]), strict=True))
    assert found[frozenset((a, b))] == pytest.approx(raw, rel=4e-4)
    assert corrected[frozenset((a, b))] == pytest.approx(adjusted, rel=4e-4)


def test_from_the_printed_p_values_the_printed_ones_come_out_and_the_sixth_is_not_rejected():
    raw = [row[2] for row in PUBLISHED]
    sixth = 0.05056 / 5
    adjusted = holm([*raw, sixth, 0.3, 0.4, 0.5, 0.6])
    assert adjusted[:5] == pytest.approx([row[3] for row in PUBLISHED], rel=5e-4)
    assert max(adjusted[:5]) < 0.05 < adjusted[5]


def test_trap_their_nemenyi_is_bonferroni():
    """What they print as Nemenyi's p of Kernel-CN2 is p · m, not the studentized range's .02407."""
    assert pytest.approx(0.02880) == 0.002880 * 10
    assert holm([0.002880], comparisons=10) == pytest.approx([0.02880])


def test_never_falls_where_p_rises():
    assert holm([0.01, 0.011, 0.04]) == pytest.approx([0.03, 0.03, 0.04])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1, 1]
    with pytest.raises(ValueError, match="at least as many"):
        holm([0.1, 0.2], comparisons=1)


p_lists = st.lists(st.floats(0, 1), max_size=12)


@given(p_lists, st.randoms(use_true_random=False))
def test_the_order_changes_nothing(values, random):
    order = [*range(len(values))]
    random.shuffle(order)
    shuffled = holm([values[at] for at in order])
    assert [shuffled[order.index(at)] for at in range(len(values))] == pytest.approx(holm(values))


@given(p_lists, st.integers(0, 30))
def test_between_the_raw_p_and_bonferroni(values, more):
    adjusted = holm(values, len(values) + more)
    for raw, corrected in zip(values, adjusted, strict=True):
        assert raw <= corrected <= min(1, raw * (len(values) + more)) or corrected == pytest.approx(raw)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.integers(1, 12))
def test_of_some_p_values_it_is_never_smaller_than_of_all(values, kept):
    some = values[:kept]
    whole = holm(values)[:kept]
    for part, full in zip(holm(some, len(values)), whole, strict=True):
        assert part >= full or part == pytest.approx(full)
