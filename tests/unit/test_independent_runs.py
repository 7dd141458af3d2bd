from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measurements import alike
from specweave_ml.analysis.independent_runs import mean_interval, welch_t

# Student (1908), after Cushny & Peebles: the additional hours of sleep by two drugs.
FIRST = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def test_students_sleep_data():
    """R's `t.test(extra ~ group, sleep)` and its manual print t = -1.8608, df = 17.776, p = 0.07939."""
    found = welch_t(FIRST, SECOND)
    assert found.difference == pytest.approx(-1.58)
    assert found.difference / found.standard_error == pytest.approx(-1.8608, abs=5e-5)
    assert found.df == pytest.approx(17.776, abs=5e-4)
    assert found.p == pytest.approx(0.07939, abs=5e-6)
    assert (found.low, found.high) == pytest.approx((-3.3654832, 0.2054832), abs=5e-7)


def test_the_interval_of_a_mean():
    assert mean_interval(SECOND) == pytest.approx((0.8976775, 3.7623225), abs=5e-7)


def test_of_fewer_than_three_runs_and_without_spread_there_is_none():
    assert mean_interval([0.8, 0.9]) is None
    assert mean_interval([0.8, 0.8, 0.8]) is None


def test_no_spread_is_never_divided_by():
    found = welch_t([0.8, 0.8, 0.8], [0.7, 0.7, 0.7])
    assert found.untested
    assert found.difference == pytest.approx(0.1)
    one_sided = welch_t([0.8, 0.8, 0.8], [0.7, 0.71, 0.72])
    assert one_sided.df == pytest.approx(2)
    with pytest.raises(ValueError, match="at least two"):
        welch_t([0.8], [0.7, 0.7])


values = st.lists(st.floats(0, 1).map(lambda x: round(x, 3)), min_size=3, max_size=8)


@given(values, values, st.integers(-50, 50))
def test_a_constant_added_to_both_changes_nothing(a, b, constant):
    one, other = welch_t(a, b), welch_t([x + constant for x in a], [x + constant for x in b])
    assert alike(one, other)


@given(values, values, st.randoms(use_true_random=False))
def test_the_order_of_the_runs_changes_nothing(a, b, random):
    shuffled = [*a]
    random.shuffle(shuffled)
    one, other = welch_t(a, b), welch_t(shuffled, b)
    assert alike(one, other)
