"""The corrected resampled t-test against the numbers that others published."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measurements import alike
from specweave_ml.analysis.corrected_t import corrected_t, posterior
from specweave_ml.analysis.measured import by_t

TEN_BY_TEN = 100
TENTH = 10 / 90  # n_test / n_train of 10-fold cross-validation


def differences(mean: float, deviation: float, count: int) -> list[float]:
    """So many numbers of exactly this mean and (count - 1) standard deviation."""
    odd = [mean] * (count % 2)
    each = deviation * sqrt((count - 1) / (count - len(odd)))
    return [mean + each, mean - each] * (count // 2) + odd


def of_differences(values: list[float], ratio: float, **more: int):
    return corrected_t(values, [0.0] * len(values), ratio, **more)


# scikit-learn's example "Statistical comparison of models using grid search": four SVMs, ten times 10-fold.
SCIKIT_LEARN = differences(0.01, 0.03829708431, TEN_BY_TEN)


def test_scikit_learns_two_best_models():
    found = of_differences(SCIKIT_LEARN, TENTH)
    assert found.difference / found.standard_error == pytest.approx(0.750, abs=5e-4)
    assert found.p / 2 == pytest.approx(0.227, abs=5e-4)
    assert (found.low, found.high) == pytest.approx((-0.016445, 0.036445), abs=5e-7)


def test_trap_the_uncorrected_test_finds_a_difference_there():
    naive = of_differences(SCIKIT_LEARN, 0)
    assert naive.difference / naive.standard_error == pytest.approx(2.611, abs=5e-4)
    assert naive.p / 2 == pytest.approx(0.005, abs=5e-4)
    assert naive.low > 0


def test_scikit_learns_posterior():
    found = of_differences(SCIKIT_LEARN, TENTH)
    assert posterior(found, 0).better == pytest.approx(0.773, abs=5e-4)
    practical = posterior(found, 0.01)
    assert practical.equal == pytest.approx(0.432, abs=5e-4)
    assert practical.worse + practical.equal + practical.better == pytest.approx(1)
    lower = posterior(found, 0.01, higher_is_better=False)
    assert (lower.worse, lower.better) == (practical.better, practical.worse)


def test_scikit_learns_fifty_percent_interval():
    from scipy.special import stdtrit

    found = of_differences(SCIKIT_LEARN, TENTH)
    reach = stdtrit(TEN_BY_TEN - 1, 0.75) * found.standard_error
    assert (found.difference - reach, found.difference + reach) == pytest.approx((0.000977, 0.019023), abs=5e-7)


@pytest.mark.parametrize(
    ("t", "one_sided"),
    [(1.657, 0.302), (4.565, 0.000), (1.111, 0.807), (3.851, 0.001)],
    ids=["rbf-3_poly", "rbf-2_poly", "linear-3_poly", "3_poly-2_poly"],
)
def test_scikit_learns_six_pairs_corrected_by_bonferroni(t, one_sided):
    found = of_differences(differences(t * sqrt(1 / TEN_BY_TEN + TENTH), 1.0, TEN_BY_TEN), TENTH)
    assert found.difference / found.standard_error == pytest.approx(t)
    # The page multiplies by 6, the pairs of four models, and prints three decimals of a t that it rounded too.
    assert min(1, 6 * found.p / 2) == pytest.approx(one_sided, abs=1e-3)


@pytest.mark.parametrize(
    ("folds", "of", "corrected", "naive"),
    [(3, 3, 3.93, None), (5, 5, 1.86, 1.24), (10, 10, 1.04, 0.72), (25, 5, 1.11, None), (100, 10, 0.69, 0.20)],
    ids=["3-fold", "5-fold", "10-fold", "5 times 5-fold", "10 times 10-fold"],
)
def test_how_big_a_difference_folds_can_see(folds, of, corrected, naive):
    one_deviation = differences(0.1, 1.0, folds)
    assert of_differences(one_deviation, 1 / (of - 1)).detectable == pytest.approx(corrected, abs=0.005)
    if naive is not None:
        assert of_differences(one_deviation, 0).detectable == pytest.approx(naive, abs=0.005)


def test_the_detectable_difference_is_where_p_passes_five_percent():
    scores = [0.81, 0.84, 0.79, 0.86, 0.80]
    found = of_differences(scores, 0.25)
    at_the_limit = by_t(found.detectable, found.standard_error, found.df)
    assert at_the_limit.p == pytest.approx(0.05)
    assert found.difference - found.low == pytest.approx(found.detectable)


def test_more_pairs_widen_the_interval_and_leave_p_and_the_detectable_difference():
    two = of_differences(SCIKIT_LEARN, TENTH)
    four = of_differences(SCIKIT_LEARN, TENTH, pairs=6)
    assert four.high - four.low > two.high - two.low
    assert (four.p, four.detectable) == (two.p, two.detectable)


def test_no_spread_is_never_divided_by():
    equal = corrected_t([0.8, 0.9, 0.7], [0.8, 0.9, 0.7], 0.5)
    assert (equal.difference, equal.low, equal.p, equal.detectable, equal.untested) == (0, None, None, None, True)
    # In decimals the difference is 0.01 in every fold; in floats it is so but for the last digit.
    shifted = corrected_t([0.91, 0.87, 0.83], [0.90, 0.86, 0.82], 0.5)
    assert shifted.untested
    assert shifted.difference == pytest.approx(0.01)
    assert posterior(shifted, 0.02).equal == 1
    assert posterior(shifted, 0.001).better == 1
    assert posterior(equal, 0).equal == 1


def test_mistakes_of_the_caller():
    with pytest.raises(ValueError, match="at least two"):
        corrected_t([0.8], [0.7], 0.5)
    with pytest.raises(ValueError, match="zip"):
        corrected_t([0.8, 0.9], [0.7], 0.5)
    with pytest.raises(ValueError, match="negative"):
        posterior(of_differences(SCIKIT_LEARN, TENTH), -0.01)


scores = st.lists(
    st.tuples(st.floats(0, 1).map(lambda x: round(x, 3)), st.floats(0, 1).map(lambda x: round(x, 3))),
    min_size=3,
    max_size=12,
)


@given(scores, st.floats(0.05, 1), st.integers(-50, 50))
def test_a_constant_added_to_both_changes_nothing(pairs, ratio, constant):
    a, b = zip(*pairs, strict=True)
    one, other = corrected_t(a, b, ratio), corrected_t([x + constant for x in a], [x + constant for x in b], ratio)
    assert alike(one, other)


@given(scores, st.floats(0.05, 1))
def test_the_other_way_round_only_the_sign_changes(pairs, ratio):
    a, b = zip(*pairs, strict=True)
    one, other = corrected_t(a, b, ratio), corrected_t(b, a, ratio)
    assert one.difference == -other.difference
    assert one.p == other.p
    assert one.low is None or one.low == pytest.approx(-other.high)


@given(scores, st.floats(0.05, 1), st.permutations(range(12)))
def test_the_order_of_the_folds_changes_nothing(pairs, ratio, order):
    shuffled = [pairs[at] for at in order if at < len(pairs)]
    (a, b), (c, d) = zip(*pairs, strict=True), zip(*shuffled, strict=True)
    one, other = corrected_t(a, b, ratio), corrected_t(c, d, ratio)
    assert alike(one, other)


@given(scores, st.floats(0.05, 1), st.integers(2, 40))
def test_more_folds_never_widen_the_claim_by_themselves(pairs, ratio, times):
    """The same differences over and over say little more: the corrected interval stays above what it tends to."""
    a, b = zip(*pairs, strict=True)
    once, often = corrected_t(a, b, ratio), corrected_t(a * times, b * times, ratio)
    if once.untested:
        assert often.untested
        return
    naive_claim = corrected_t(a * times, b * times, 0)
    assert often.detectable <= once.detectable
    assert often.detectable > naive_claim.detectable
    assert often.standard_error >= sqrt(ratio) * once.standard_error / sqrt(1 / len(a) + ratio) * 0.8
