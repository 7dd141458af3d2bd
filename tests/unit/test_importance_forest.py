"""Searches that are no full grid: what a forest finds, and when anything is said of it."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import numpy
import pytest
from sklearn.tree import DecisionTreeRegressor

from importance_cases import drawn, grid, trial
from picture_cases import noise
from specweave_ml.analysis.importance.axes import slices, varied
from specweave_ml.analysis.importance.forest import _parts, forest_shares
from specweave_ml.analysis.importance.importance import importance
from specweave_ml.analysis.importance.shares import Share, ranked, share
from specweave_ml.analysis.importance.trials import Trial, complete_trials

FOUR = ("a", "b", "c", "d")


def clear(a, b, c, _):
    return a + 0.5 * b + 0.25 * c


def prepared(rows, log_params=None):
    trials, _ = complete_trials(rows, "accuracy")
    return varied(trials, log_params or {}), trials


def axis_of(values, log_params=None, param="x"):
    (axis,) = varied([Trial({param: value, "other": 1}, 0) for value in values], log_params or {})
    return axis


# Shares.


def test_a_tree_by_hand():
    # Split at y < 0.5, then at z < 0.75: leaves 0.1, 0.2 and 0.5 with volumes 0.375, 0.125 and 0.5.
    tree = SimpleNamespace(
        node_count=5,
        feature=numpy.array([1, 2, -2, -2, -2]),
        threshold=numpy.array([0.5, 0.75, -2, -2, -2]),
        children_left=numpy.array([1, 2, -1, -1, -1]),
        children_right=numpy.array([4, 3, -1, -1, -1]),
        value=numpy.array([0, 0, 0.1, 0.2, 0.5]).reshape(5, 1, 1),
    )
    axes, trials = prepared(drawn(20, lambda *_: 0, "xyz"))
    assert _parts(tree, axes, trials) == pytest.approx([0, 0.974026, 0.012987, 0.012987], abs=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_the_shares_of_a_tree_are_those_of_the_grid_of_its_predictions(seed):
    random = numpy.random.RandomState(seed)
    levels: dict[str, list[object]] = {"a": [1, 2, 3], "b": ["x", "y", "z", "w"], "c": [0.1, 1.0, 10.0, 100.0, 1000.0]}
    points = [dict(zip(levels, point, strict=True)) for point in product(*levels.values())]
    axes, everywhere = prepared([trial(point, float(random.randn())) for point in points])
    some = [each for each in everywhere if random.rand() < 0.6]
    codes = numpy.array([[axis.code(each) for axis in axes] for each in everywhere])
    known = [everywhere.index(each) for each in some]
    tree = DecisionTreeRegressor(random_state=seed).fit(codes[known], [each.score for each in some])
    predicted = [trial(each.params, float(score)) for each, score in zip(everywhere, tree.predict(codes), strict=True)]
    exact = {each.params: each.value for each in importance(predicted, "accuracy").shares}
    *mains, rest = _parts(tree.tree_, axes, everywhere)
    assert mains == pytest.approx([exact[axis.param,] for axis in axes], abs=1e-9)
    assert rest == pytest.approx(sum(value for params, value in exact.items() if len(params) != 1), abs=1e-8)


def test_shares_of_a_forest_are_parts_of_one_whole_with_a_spread():
    axes, trials = prepared(drawn(60, clear, FOUR))
    forest = forest_shares(axes, trials)
    assert [each.params for each in forest.shares] == [("a",), ("b",), ("c",), ("d",), ()]
    assert sum(each.value for each in forest.shares) == pytest.approx(1, abs=1e-8)
    assert all(0 <= each.low <= each.value <= each.high <= 1 for each in forest.shares)
    assert 0.5 < forest.r2 < 1


def test_what_happens_in_the_small_decades_counts_on_a_log_scale():
    def scored(number):
        rate = 10 ** (4 * noise(number, "rate") - 2)
        return trial({"C": rate, "z": noise(number, "z")}, (rate > 0.01) + noise(number, "z") + 0.2 * noise(number))

    rows = [scored(number) for number in range(150)]
    by_factors, evenly = (
        {each.params: each.value for each in importance(rows, "accuracy", log_params={"C": log}).shares}
        for log in (True, False)
    )
    assert by_factors["C",] > 0.6
    assert evenly["C",] < 0.2
    assert importance(rows, "accuracy") == replace(
        importance(rows, "accuracy", log_params={"C": True}), marginals=importance(rows, "accuracy").marginals
    )


def test_the_order_in_which_trials_arrived_changes_nothing():
    rows = drawn(50, clear, FOUR)
    assert importance(rows[::-1], "accuracy") == importance(rows, "accuracy")


def test_scores_of_any_size_and_sign():
    rows = drawn(50, clear, FOUR)
    usual = importance(rows, "accuracy")
    for factor in (1e-150, -1e98):
        sized = [trial(row["params"], factor * row["scores"]["accuracy"]) for row in rows]
        assert importance(sized, "accuracy").order == usual.order


def test_a_param_that_not_every_trial_has():
    rows = [
        trial(
            {"kernel": "rbf", "gamma": 10 ** (3 * noise(n))} if n % 2 else {"kernel": "linear"}, 1 + (n % 2) * noise(n)
        )
        for n in range(60)
    ]
    found = importance(rows, "accuracy")
    assert found.method == "fanova"
    assert [each.has_gaps for each in found.marginals if each.param == "gamma"] == [True]
    gamma = next(each for each in found.marginals if each.param == "gamma")
    assert (gamma.slices[-1].label, gamma.slices[-1].n) == ("not set", 30)
    assert sum(each.value for each in found.shares) == pytest.approx(1, abs=1e-8)


# What is said.


@pytest.mark.parametrize(
    ("size", "why", "needed"), [(1, "few", 0), (2, "few", 40), (39, "few", 40), (40, "", 0), (79, "", 0)]
)
def test_how_many_combinations_are_needed(size, why, needed):
    found = importance(drawn(size, clear, FOUR), "accuracy")
    assert (found.why_not, found.needed) == (why, needed)
    assert bool(found.shares) == bool(found.order) == (found.r2 is not None) == (not why)


def test_beyond_the_first_only_of_more():
    assert importance(drawn(79, clear, FOUR), "accuracy").order == (("a",),)
    assert importance(drawn(300, clear, FOUR), "accuracy").order == (("a",), ("b",), ("c",))


def test_a_few_combinations_tried_again_and_again_are_few():
    rows = [trial({"a": a, "b": a % 7, "c": a % 3}, noise(a)) for a in range(12)]
    assert importance(rows * 10, "accuracy").why_not == "few"


def test_noise_is_not_ranked():
    found = importance(drawn(120, lambda *_: 0, FOUR), "accuracy")
    assert (found.why_not, found.method, found.shares, found.order) == ("unpredictable", "", (), ())
    assert found.r2 < 0.3
    assert [each.param for each in found.marginals] == [*FOUR]


def test_equals_are_not_ranked():
    found = importance(drawn(100, lambda a, b, *_: a + b, FOUR), "accuracy")
    assert found.order in {(), (("a", "b"),), (("b", "a"),)}


def test_nearly_a_full_grid_needs_as_many_as_any_search():
    rows = grid({"a": [1, 2, 3], "b": [1, 2, 3], "c": [1, 2, 3, 4]}, lambda a, b, c: a + 0.3 * b + 0.1 * c)
    assert importance(rows, "accuracy").method == "anova"
    assert importance(rows[:-1], "accuracy").method == "fanova"
    assert importance(rows[:29], "accuracy").why_not == "few"


def test_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    found = importance(drawn(60, clear, FOUR), "accuracy")
    assert (found.why_not, found.shares, len(found.marginals)) == ("library", (), 4)
    assert importance(grid({"a": [1, 2], "b": [1, 2]}, lambda a, b: a + b), "accuracy").method == "anova"


def test_trials_that_do_not_count_are_counted():
    extra = [trial({"a": 1}, status="failed"), trial({"a": 1}, status="pruned"), trial({"a": 1}, float("inf"))]
    extra += [trial({"a": 1}, float("nan")), trial({"a": 1}, 0.9, metric="other"), trial({"a": 1}, 1e200)]
    found = importance([*extra, *drawn(60, clear, FOUR)], "accuracy")
    assert (found.n, found.left_out) == (60, {"failed": 1, "pruned": 1, "without a number": 4})
    assert found.order[0] == ("a",)


def shares(*ends):
    return [share((name,), (low + high) / 2, (low, high)) for name, (low, high) in zip("abcdef", ends, strict=False)]


@pytest.mark.parametrize(
    ("ends", "most", "order"),
    [
        ([(0.7, 0.8), (0.2, 0.3), (0.0, 0.1)], 3, (("a",), ("b",))),
        ([(0.7, 0.8), (0.2, 0.3), (0.0, 0.1)], 1, (("a",),)),
        ([(0.7, 0.8), (0.2, 0.3), (0.0, 0.1)], 0, ()),
        ([(0.4, 0.8), (0.3, 0.5), (0.0, 0.1)], 3, (("a", "b"),)),
        ([(0.4, 0.8), (0.3, 0.5), (0.0, 0.3)], 3, ()),
        ([(0.5, 0.6), (0.1, 0.7), (0.0, 0.05)], 3, (("a", "b"),)),
        ([(0.5, 0.6)], 1, ()),
    ],
)
def test_only_what_does_not_overlap_is_told_apart(ends, most, order):
    assert ranked(shares(*ends), most, Share.is_beyond) == order


def test_what_has_no_spread_is_not_told_apart():
    assert ranked([share(("a",), 0.9), share(("b",), 0.1)], 2, Share.is_beyond) == ()


# Values of params.


def test_values_stand_in_order():
    axis = axis_of([10, "sqrt", 2.5, None, True, 9, [1]])
    assert list(axis.values) == ["2.5", "9", "10", '"sqrt"', "[1]", "null", "true"]


def test_the_same_value_written_otherwise_is_one():
    (axis,) = varied([Trial({"x": value}, 0) for value in (1, 1.0, 2)], {})
    assert [*axis.values] == ["1", "2"]


@pytest.mark.parametrize(
    ("values", "recorded", "log"),
    [
        ([10 ** (-4 + number / 5) for number in range(20)], None, "judged"),
        ([number / 20 for number in range(1, 21)], None, ""),
        ([1 + 50 * number for number in range(20)], None, ""),
        ([10 ** (-1 + number / 20) for number in range(20)], None, ""),
        ([10 ** (-1 + number / 20) for number in range(20)], True, "recorded"),
        ([10 ** (-4 + number / 5) for number in range(20)], False, ""),
        ([-(10**number) for number in range(20)], True, ""),
        ([10**number for number in range(8)], None, ""),
        ([10**number for number in range(400)], None, ""),
    ],
    ids=[
        "factors",
        "even",
        "even over three decades",
        "one decade",
        "recorded",
        "recorded as even",
        "negative",
        "few",
        "beyond",
    ],
)
def test_which_params_stand_on_a_log_scale(values, recorded, log):
    assert axis_of(values, {} if recorded is None else {"x": recorded}).log == log


def test_slices_of_a_range_hold_about_as_many_trials_each():
    axes, trials = prepared(drawn(53, clear, FOUR))
    for axis in axes:
        found = slices(axis, trials)
        assert sum(each.n for each in found) == 53
        assert [each.n for each in found] == pytest.approx([10.6] * 5, abs=1)
        assert all(each.low <= each.mean <= each.high for each in found)


def test_slices_of_many_words_are_the_most_frequent_and_the_others():
    words = [f"w{number}" for number in range(20) for _ in range(20 - number)]
    axis = axis_of(words)
    found = slices(axis, [Trial({"x": word}, 1.0) for word in words])
    assert [(each.label, each.n) for each in found] == [(f"w{n}", 20 - n) for n in range(7)] + [("13 other values", 91)]


def test_slices_of_the_same_number_again_and_again():
    values = [5] * 90 + [*range(10)]
    found = slices(axis_of(values), [Trial({"x": value}, float(value)) for value in values])
    assert sum(each.n for each in found) == 100
    assert "5" in {label for each in found for label in each.label.split(" to ")}
