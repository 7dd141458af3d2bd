"""Intervals of proportions against the tables that Newcombe published, and McNemar's test."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specweave_ml.analysis.proportions import mcnemar, newcombe, paired_proportions, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_newcombes_table_of_single_proportions(successes, n, low, high):
    assert wilson(successes / n, n) == pytest.approx((low, high), abs=5e-5)


def test_newcombes_difference():
    found = newcombe(56 / 70, 70, 48 / 80, 80)
    assert found.difference == pytest.approx(0.2)
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert found.p is None


def test_the_two_best_of_the_skills_own_page_cannot_be_told_apart():
    found = newcombe(0.87, 1000, 0.86, 1000)
    assert (found.low, found.high) == pytest.approx((-0.020, 0.040), abs=5e-4)
    assert found.detectable == pytest.approx(found.difference - found.low)
    assert newcombe(0.87 + found.detectable, 1000, 0.86, 1000).low > 0


def test_more_pairs_widen_the_interval():
    two, six = newcombe(0.87, 1000, 0.86, 1000), newcombe(0.87, 1000, 0.86, 1000, pairs=6)
    assert six.low < two.low < two.high < six.high
    assert six.detectable == two.detectable


def test_mcnemar():
    b, c = 121, 59  # of [[101, 121], [59, 33]]: what one model alone got right, and the other
    assert mcnemar(b, c) == pytest.approx(4.4345e-6, rel=1e-4)
    # Trap: the items on which they agree say nothing, and the χ² of these two counts are 21.356 and, corrected, 20.672.
    assert (b - c) ** 2 / (b + c) == pytest.approx(21.356, abs=5e-4)
    assert (abs(b - c) - 1) ** 2 / (b + c) == pytest.approx(20.672, abs=5e-4)
    assert mcnemar(101, 33) != pytest.approx(mcnemar(b, c))
    assert mcnemar(0, 0) == mcnemar(4, 4) == mcnemar(5, 4) == 1
    assert mcnemar(5, 0) == pytest.approx(2 / 32)


def test_altmans_paired_example():
    """Statistics with Confidence (2000), page 52: 14, 5, 0 and 22 of 41 give .012 to .226 around .122."""
    found = paired_proportions(14, 5, 0, 22)
    assert found.difference == pytest.approx(0.122, abs=5e-4)
    assert (found.low, found.high) == pytest.approx((0.0115, 0.2265), abs=5e-5)


def test_a_paired_interval_is_narrower_than_an_unpaired_one():
    paired, unpaired = paired_proportions(850, 30, 20, 100), newcombe(0.88, 1000, 0.87, 1000)
    assert unpaired.low < paired.low < paired.high < unpaired.high


def test_detectable_by_mcnemar_is_the_first_difference_that_counts():
    found = paired_proportions(60, 8, 1, 31)  # nine items differ
    assert found.p < 0.05
    assert found.detectable == pytest.approx(7 / 100)
    assert mcnemar(8, 1) < 0.05 < mcnemar(7, 2)
    assert paired_proportions(90, 5, 0, 5).detectable is None  # five items can never show a difference


def test_no_item_differs():
    equal = paired_proportions(80, 0, 0, 20)
    assert (equal.difference, equal.untested) == (0, True)


def test_mistakes_of_the_caller():
    for proportion, n in ((1.2, 10), (-0.1, 10), (0.5, 0)):
        with pytest.raises(ValueError, match="between 0 and 1"):
            wilson(proportion, n)
    with pytest.raises(ValueError, match="at least one item"):
        paired_proportions(0, 0, 0, 0)


counts = st.integers(0, 200)


@given(st.floats(0, 1), st.integers(1, 100_000))
def test_an_interval_holds_its_proportion_and_stays_between_0_and_1(proportion, n):
    low, high = wilson(proportion, n)
    assert 0 <= low <= proportion + 1e-12
    assert proportion - 1e-12 <= high <= 1


@given(counts, counts, counts, counts)
def test_the_other_way_round_only_the_sign_changes(both, only_a, only_b, neither):
    if both + only_a + only_b + neither == 0:
        return
    one, other = paired_proportions(both, only_a, only_b, neither), paired_proportions(both, only_b, only_a, neither)
    assert one.difference == -other.difference
    assert one.p == other.p
    if one.low is not None:
        assert one.low <= one.difference + 1e-12
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
        # Errors instead of successes are the other way round, too.
        swapped = paired_proportions(neither, only_b, only_a, both)
        assert (swapped.low, swapped.high) == pytest.approx((other.low, other.high))
