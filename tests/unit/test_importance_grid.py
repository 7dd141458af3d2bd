"""Exact shares of a full grid, and what its folds say of them."""

from __future__ import annotations

from itertools import product
from math import pi, sin
from statistics import fmean

import numpy
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from importance_cases import CASES, grid, trial
from specweave_ml.analysis.corrected_t import corrected_t
from specweave_ml.analysis.importance.axes import varied
from specweave_ml.analysis.importance.grid import examine_grid
from specweave_ml.analysis.importance.importance import importance
from specweave_ml.analysis.importance.trials import complete_trials

SCORES = st.floats(-1000, 1000).map(lambda value: round(value, 3))


def shares_of(rows, metric="accuracy"):
    return {each.params: each.value for each in importance(rows, metric).shares}


def scored(levels, scores, names="abcdef"):
    """A grid of numbered levels with these scores, the last param the fastest."""
    points = product(*map(range, levels))
    return [trial(dict(zip(names, point, strict=False)), score) for point, score in zip(points, scores, strict=True)]


@st.composite
def grids(draw):
    levels = draw(st.lists(st.integers(2, 4), min_size=2, max_size=4))
    count = int(numpy.prod(levels))
    scores = draw(st.lists(SCORES, min_size=count, max_size=count))
    assume(max(scores) - min(scores) > 0.01)
    return levels, scores


def test_two_by_two_by_hand():
    # Means of a: 1.5, 4.5; of b: 2, 4; around the mean 3 their variances are 2.25 and 1, of 3.5 in all.
    shares = shares_of(scored((2, 2), (1, 2, 3, 6)))
    assert shares == pytest.approx({("a",): 2.25 / 3.5, ("b",): 1 / 3.5, ("a", "b"): 0.25 / 3.5}, abs=1e-9)


def test_an_interaction_without_any_effect_of_its_params():
    assert shares_of(scored((2, 2), (0, 1, 1, 0))) == {("a",): 0, ("b",): 0, ("a", "b"): 1}
    found = importance(scored((2, 2, 2), (0, 1, 1, 0, 1, 0, 0, 1)), "accuracy")
    assert [each for each in found.shares if each.value] == [found.shares[-1]]
    assert (found.shares[-1].params, found.shares[-1].value) == ((), 1)


def test_the_ishigami_function():
    """sin x + 7 sin² y + 0.1 z⁴ sin x on (-π, π): the published Sobol' indices .3139, .4424, 0 and, of x with z, .2437."""
    steps = 24
    at = [-pi + 2 * pi * (step + 0.5) / steps for step in range(steps)]
    rows = scored(
        (steps,) * 3, [sin(x) + 7 * sin(y) ** 2 + 0.1 * z**4 * sin(x) for x, y, z in product(at, at, at)], "xyz"
    )
    shares = shares_of(rows)
    assert shares["x",] == pytest.approx(0.3139, abs=0.002)
    assert shares["y",] == pytest.approx(0.4424, abs=0.005)
    assert shares["x", "z"] == pytest.approx(0.2437, abs=0.005)
    assert shares["z",] == shares["x", "y"] == shares["y", "z"] == shares[()] == 0


@given(grids())
def test_shares_are_parts_of_one_whole(given_):
    shares = shares_of(scored(*given_))
    assert sum(shares.values()) == pytest.approx(1, abs=1e-6)
    assert all(0 <= value <= 1 for value in shares.values())


@given(grids(), st.randoms(use_true_random=False), st.floats(0.01, 100), st.integers(-100, 100))
def test_order_unit_and_zero_of_the_scores_change_nothing(given_, random, factor, shift):
    rows = scored(*given_)
    moved = [trial(row["params"], factor * row["scores"]["accuracy"] + shift) for row in rows]
    random.shuffle(moved)
    assert shares_of(moved) == pytest.approx(shares_of(rows), abs=1e-6)
    worse = [trial(row["params"], -row["scores"]["accuracy"]) for row in rows]
    assert shares_of(worse) == pytest.approx(shares_of(rows), abs=1e-9)


@given(grids(), st.randoms(use_true_random=False))
def test_what_the_values_are_called_changes_nothing(given_, random):
    rows = scored(*given_)
    names = ["x", None, True, 1e-9, [1, 2], {"a": 1}, "7", 7.5]
    random.shuffle(names)
    renamed = [
        trial({param: names[value] for param, value in row["params"].items()}, row["scores"]["accuracy"])
        for row in rows
    ]
    assert shares_of(renamed) == pytest.approx(shares_of(rows), abs=1e-9)


@given(grids(), st.integers(2, 3))
def test_a_param_that_does_nothing_has_no_share_and_changes_none(given_, more):
    rows = scored(*given_)
    wider = [trial({**row["params"], "z": z}, row["scores"]["accuracy"]) for row in rows for z in range(more)]
    shares = shares_of(wider)
    before = shares_of(rows)
    assert all(value == 0 for params, value in shares.items() if "z" in params)
    assert {params: shares[params] for params in before} == pytest.approx(before, abs=1e-9)


def test_a_combination_that_was_tried_again_counts_once_by_its_mean():
    rows = scored((2, 2), (1, 2, 3, 6))
    again = [*rows, trial({"a": 1.0, "b": 1}, 8), trial({"a": 1, "b": 1}, 4)]
    found = importance(again, "accuracy")
    assert shares_of(again) == shares_of(rows)
    assert (found.n, found.combinations) == (6, 4)


def test_the_spread_reaches_over_the_shares_without_one_fold():
    rows = grid({"a": [1, 2], "b": [1, 2, 3]}, lambda a, b: 0.02 * a + 0.005 * b, spread=0.05)
    spreads = {each.params: (each.value, each.low, each.high) for each in importance(rows, "accuracy").shares}
    without = [
        shares_of([trial(row["params"], fmean(numpy.delete(row["folds"]["accuracy"], fold))) for row in rows])
        for fold in range(5)
    ]
    for params, (value, low, high) in spreads.items():
        assert low == pytest.approx(min(value, *(each[params] for each in without)), abs=1e-8)
        assert high == pytest.approx(max(value, *(each[params] for each in without)), abs=1e-8)


@pytest.mark.parametrize("seed", range(5))
def test_of_two_values_the_folds_are_asked_by_the_corrected_t_test(seed):
    random = numpy.random.RandomState(seed)
    rows = [
        trial({"a": a, "b": b}, folds=[random.rand() + 0.2 * a for _ in range(5)])
        for a, b in product(range(2), range(3))
    ]
    trials, _ = complete_trials(rows, "accuracy")
    chance = examine_grid(varied(trials, {}), trials, ratio=0.25).chance
    by_a = [
        [fmean(row["folds"]["accuracy"][fold] for row in rows if row["params"]["a"] == a) for fold in range(5)]
        for a in (0, 1)
    ]
    assert chance["a"] == pytest.approx(corrected_t(by_a[1], by_a[0], 0.25).p, rel=1e-9)


def test_sizes_of_folds_that_are_not_recorded_are_taken_as_those_of_five():
    rows = CASES["two-out-of-many"]().trials
    trials, _ = complete_trials(rows, "rmse")
    axes = varied(trials, {})
    assert examine_grid(axes, trials) == examine_grid(axes, trials, 0.25) != examine_grid(axes, trials, 0.1)


def test_what_is_the_same_in_every_fold():
    rows = [
        trial({"a": a, "b": b}, folds=[0.1 * a + 0.7 * fold for fold in range(4)]) for a, b in product(range(3), "xy")
    ]
    trials, _ = complete_trials(rows, "accuracy")
    assert examine_grid(varied(trials, {}), trials).chance == {"a": 0, "b": 1}
    assert importance(rows, "accuracy").order == (("a",),)


def said_of(seed, effect, levels=(3, 3)):
    random = numpy.random.RandomState(seed)
    rows = [
        trial(dict(zip("ab", point, strict=True)), folds=[effect * point[0] + random.randn() for _ in range(5)])
        for point in product(*map(range, levels))
    ]
    return importance(rows, "accuracy")


def test_nothing_is_said_of_noise_and_much_of_an_effect():
    noise = [said_of(seed, 0, (2, 10)) for seed in range(40)]
    assert sum(bool(each.order) for each in noise) <= 1
    assert {each.why_not for each in noise if not each.order} <= {"noise", "alike"}
    assert sum(said_of(seed, 3).order == (("a",),) for seed in range(40)) >= 38


def test_equal_effects_are_not_put_in_order():
    def found(seed, more):
        random = numpy.random.RandomState(seed)
        rows = [
            trial({"a": a, "b": b}, folds=[2 * a * more + 2 * b + random.randn() for _ in range(5)])
            for a, b in product(range(3), range(3))
        ]
        return importance(rows, "accuracy")

    equal = [found(seed, 1) for seed in range(40)]
    assert sum(bool(each.order) for each in equal) <= 4
    assert {each.why_not for each in equal if not each.order} == {"alike"}
    assert all(found(seed, 3).order == (("a",),) for seed in range(10))


@pytest.mark.parametrize(("folds", "why"), [(0, "folds"), (1, "folds"), (2, "folds"), (3, "")])
def test_without_three_folds_nothing_is_called_the_most_important(folds, why):
    rows = grid({"a": [1, 2], "b": [1, 2, 3]}, lambda a, b: a + 0.1 * b, folds=folds)
    found = importance(rows, "accuracy")
    assert (found.why_not, found.method, bool(found.shares)) == (why, "anova", True)
    assert (found.shares[0].low is None) == (folds < 2)


def test_scores_of_any_size():
    rows = scored((2, 2), (1, 2, 3, 6))
    for factor in (1e-150, 1e99, -1e-12):
        sized = [trial(row["params"], factor * row["scores"]["accuracy"]) for row in rows]
        assert shares_of(sized) == pytest.approx(shares_of(rows), abs=1e-9)
