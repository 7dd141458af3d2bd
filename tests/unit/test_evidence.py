"""The table "what to do when": which records allow which test, and what is said where none is possible."""

from __future__ import annotations

from math import nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measurements import alike
from records import INCREMENT, cross_validated, experiment
from specweave_ml.analysis.comparison import Findings
from specweave_ml.analysis.corrected_t import corrected_t
from specweave_ml.analysis.evidence import MOST_PAIRWISE, Evidence
from specweave_ml.analysis.holm import holm
from specweave_ml.analysis.proportions import mcnemar, newcombe
from specweave_ml.reports import Comparison

ONE = [0.871, 0.884, 0.858, 0.889, 0.863]
TWO = [0.868, 0.879, 0.861, 0.871, 0.866]
LOW = [0.652, 0.641, 0.660, 0.648, 0.655]


def findings(*experiments, **asked) -> Findings:
    return Findings.of(experiments, INCREMENT, **asked)


def evidence(*experiments, outcomes=None, **asked) -> Evidence:
    return findings(*experiments, **asked).with_outcomes(outcomes or {}).evidence


def on_folds(**scores) -> Evidence:
    return evidence(*(cross_validated(name, {"accuracy": of_folds}) for name, of_folds in scores.items()))


def test_one_value_each():
    found = evidence(experiment("a", {"auc": 0.9}), experiment("b", {"auc": 0.8}))
    assert found == Evidence(why_not="one value each")
    assert found.as_dict() == {"test": None, "pairs": [], "detectable": None, "why_not": "one value each"}


@pytest.mark.parametrize("experiments", [[], [experiment("a", {"auc": 0.9})], [experiment("a", {"quux": 0.9})]])
def test_nothing_to_compare(experiments):
    assert evidence(*experiments) == Evidence(why_not="fewer than two models to compare")


def test_two_models_on_the_same_folds():
    found = on_folds(one=ONE, two=TWO)
    expected = corrected_t(ONE, TWO, 0.25)
    assert (found.test, found.tested, found.size, found.why_not) == ("corrected t", ("one", "two"), 5, None)
    assert found.pairs[0].measured == expected
    assert found.pairs[0].p_holm == expected.p
    assert found.indistinguishable == ("one", "two")
    assert found.detectable == expected.detectable == pytest.approx(expected.difference - expected.low)
    assert findings(*(cross_validated(n, {"accuracy": s}) for n, s in [("one", ONE), ("two", TWO)])).posterior(0.01)[
        "two"
    ].equal == pytest.approx(0.8, abs=0.1)


def test_more_models_on_the_same_folds():
    found = on_folds(one=ONE, two=TWO, low=LOW)
    raw = [corrected_t(a, b, 0.25).p for a, b in [(ONE, TWO), (ONE, LOW), (TWO, LOW)]]
    assert [(pair.a, pair.b) for pair in found.pairs] == [("one", "two"), ("one", "low"), ("two", "low")]
    assert [pair.measured.p for pair in found.pairs] == raw
    assert [pair.p_holm for pair in found.pairs] == holm(raw)
    assert found.comparisons == 3
    assert found.indistinguishable == ("one", "two")
    assert found.told_apart == ("low",)
    assert alike(found.pairs[0].measured, corrected_t(ONE, TWO, 0.25, pairs=3))


def test_difference_is_a_minus_b_also_where_lower_is_better():
    found = evidence(
        cross_validated("high", {"rmse": [3.3, 3.1, 3.4, 3.2]}), cross_validated("low", {"rmse": [2.8, 2.7, 2.9, 2.8]})
    )
    assert [(pair.a, pair.b) for pair in found.pairs] == [("low", "high")]
    assert found.pairs[0].measured.difference == pytest.approx(-0.45)
    assert found.pairs[0].measured.high < 0
    assert found.indistinguishable == ()


def test_the_folds_are_paired_by_their_split_and_not_by_their_number():
    folds: list[dict[str, Any]] = [
        {"i": at, "repeat": 0, "n_train": 80, "n_test": 20, "split": split, "m": {"auc": score}}
        for at, (split, score) in enumerate(zip("cab", [0.3, 0.1, 0.2], strict=True))
    ]
    turned = [{**fold, "i": 2 - fold["i"]} for fold in folds]
    found = evidence(experiment("a", {"auc": 0.2}, folds=folds), experiment("b", {"auc": 0.2}, folds=turned))
    assert found.equal == ("b",)


def test_unequal_folds_mean_sizes():
    def unequal(name, scores):
        folds = [
            {"i": at, "split": f"s{at}", "n_train": n_train, "n_test": n_test, "m": {"auc": score}}
            for at, (n_train, n_test, score) in enumerate(zip([66, 67, 67], [34, 33, 33], scores, strict=True))
        ]
        return experiment(name, {"auc": sum(scores) / 3}, folds=folds)

    found = evidence(unequal("a", [0.9, 0.8, 0.7]), unequal("b", [0.85, 0.7, 0.7]))
    assert alike(found.pairs[0].measured, corrected_t([0.9, 0.8, 0.7], [0.85, 0.7, 0.7], 100 / 200))


@pytest.mark.parametrize(
    ("other", "why_not"),
    [
        (cross_validated("b", {"accuracy": TWO}, split="else"), "other folds than the best one: b"),
        (cross_validated("b", {"accuracy": TWO[:4]}), "other folds than the best one: b"),
        (cross_validated("b", {"accuracy": [0.8, 0.7]}), "only 2 of at least 3 folds: b"),
        (cross_validated("b", {"accuracy": TWO}, split=None), "no split_id to say whether the folds are the same: b"),
        (cross_validated("b", {"accuracy": TWO}, n_test=None), "no n_train and n_test for every fold: b"),
        (cross_validated("b", {"accuracy": TWO}, n_train=None), "no n_train and n_test for every fold: b"),
        (cross_validated("b", {"accuracy": TWO}, metrics={"accuracy": 0.5}), "folds whose mean is not the accuracy: b"),
        (experiment("b", {"accuracy": 0.8}), "one value: b"),
        (experiment("b", {"accuracy": 0.8}, folds="edited"), "one value: b"),
    ],
)
def test_folds_that_cannot_be_compared(other, why_not):
    found = evidence(cross_validated("a", {"accuracy": ONE}), other)
    assert (found.test, found.why_not) == (None, why_not)
    # With a third model, the two that can be compared are, and the document says which one was not.
    third = evidence(cross_validated("a", {"accuracy": ONE}), other, cross_validated("c", {"accuracy": LOW}))
    assert (third.tested, third.why_not) == (("a", "c"), why_not)


def test_a_fold_without_a_number():
    odd = cross_validated("b", {"accuracy": [0.8, 0.9, 0.7]})
    odd.metadata["folds"][1]["m"]["accuracy"] = "NaN"
    holed = cross_validated("c", {"accuracy": [0.8, 0.9, 0.7]})
    del holed.metadata["folds"][1]["m"]["accuracy"]
    assert evidence(cross_validated("a", {"accuracy": ONE}), odd, holed).why_not == "a fold without a number: b, c"


@pytest.mark.parametrize("size", [1e308, 1e200, -1e308])
def test_numbers_too_large_to_reckon_with_are_no_crash(size):
    folds = [cross_validated(name, {"reward": [size, size / 2, size]}) for name in ("a", "b")]
    repeated = [
        experiment(f"{name}-{seed}", {"reward": size * share}, params={"x": name, "seed": seed})
        for name in ("a", "b")
        for seed, share in enumerate((1, 0.5, 1))
    ]
    for experiments in (folds, repeated):
        found = Comparison.of(experiments, INCREMENT)
        assert found.evidence.test is None
        assert found.to_json()
        assert found.to_markdown()


def test_folds_that_somebody_edited_are_no_crash():
    odd = [{"i": [1], "repeat": {}, "n_train": "9", "n_test": 1, "split": "s", "m": {"auc": 0.5}}] * 3
    more = [
        {"i": at, "repeat": "x", "n_train": 9, "n_test": 1, "split": "s", "m": {"auc": 0.5}} for at in ("1", 2, None)
    ]
    models = [experiment(name, {"auc": 0.5}, folds=folds) for name, folds in [("a", odd), ("b", more), ("c", more)]]
    assert evidence(*models).why_not == "no n_train and n_test for every fold: a"
    assert evidence(*models, experiment("d", {"auc": 0.4}, repeat_of="a", folds=odd)).tested == ("b", "c")
    assert evidence(*models[1:]).equal == ("c",)


def test_two_folds_a_repeat_are_not_what_the_test_was_made_for():
    def five_by_two(name, scores):
        folds = [
            {"i": at % 2, "repeat": at // 2, "n_train": 50, "n_test": 50, "split": f"s{at}", "m": {"auc": score}}
            for at, score in enumerate(scores)
        ]
        return experiment(name, {"auc": sum(scores) / len(scores)}, folds=folds)

    found = evidence(five_by_two("a", [0.9, 0.8] * 5), five_by_two("b", [0.8, 0.85] * 5))
    assert found.why_not == "two folds a repeat, for which the corrected test was not made: a, b"


def test_where_the_best_one_has_one_value_nothing_is_said_of_the_set():
    best = experiment("best", {"accuracy": 0.95})
    found = evidence(best, cross_validated("a", {"accuracy": ONE}), cross_validated("b", {"accuracy": TWO}))
    assert (found.test, found.indistinguishable, found.why_not) == (None, (), "one value: best")


def test_all_differences_0_and_the_same_difference_everywhere():
    lower = [round(score - 0.05, 3) for score in ONE]
    found = on_folds(one=ONE, same=ONE, lower=lower)
    assert found.equal == ("same",)
    assert found.alike == ()
    assert found.told_apart == ()
    assert [pair.measured.p for pair in found.pairs] == [None, None, None]
    assert found.detectable is None


def runs(name: str, *values: float):
    return [
        experiment(f"{name}-{seed}", {"auc": value}, params={"model": name, "seed": seed})
        for seed, value in enumerate(values)
    ]


def test_repeats_are_independent_runs():
    found = evidence(*runs("a", 0.91, 0.93, 0.92), *runs("b", 0.90, 0.94, 0.89, 0.91), experiment("c", {"auc": 0.5}))
    assert (found.test, found.tested, found.size) == ("Welch t", ("a-0", "b-0"), 3)
    assert found.indistinguishable == ("a-0", "b-0")
    assert found.why_not == "one value: c"
    assert evidence(*runs("a", 0.91, 0.93, 0.92), *runs("b", 0.5, 0.52, 0.51)).told_apart == ("b-0",)


def test_of_two_repeats_only_the_points():
    found = evidence(*runs("a", 0.91, 0.93), *runs("b", 0.90, 0.94, 0.89))
    assert (found.test, found.why_not) == (None, "only 2 of at least 3 repeats: a-0")


def test_the_same_seeds_do_not_make_two_models_a_pair():
    values = [0.80, 0.85, 0.90]
    shifted = [value - 0.01 for value in values]
    found = evidence(*runs("a", *values), *runs("b", *shifted))
    assert found.indistinguishable == ("a-0", "b-0")


def answers(right: str) -> dict[str, float]:
    return {f"q{at}": float(answer) for at, answer in enumerate(right)}


def answered(**by_name: str) -> Evidence:
    experiments = [
        experiment(name, {"accuracy": right.count("1") / len(right)}, counts={"accuracy": len(right)})
        for name, right in by_name.items()
    ]
    return evidence(*experiments, outcomes={name: answers(right) for name, right in by_name.items()})


def test_right_or_wrong_on_the_same_items():
    found = answered(a="1" * 40, b="1" * 30 + "0" * 10)
    assert (found.test, found.size) == ("exact McNemar", 40)
    assert found.pairs[0].measured.p == found.pairs[0].p_holm == mcnemar(10, 0)
    assert found.told_apart == ("b",)
    assert answered(a="1" * 39 + "0", b="0" + "1" * 36 + "000").indistinguishable == ("a", "b")


def test_real_valued_outcomes_by_the_mean_paired_difference():
    errors = {"a": [0.1, 0.4, 0.2, 0.9], "b": [0.3, 0.5, 0.1, 1.2]}
    experiments = [experiment(name, {"mae": sum(values) / 4}) for name, values in errors.items()]
    found = evidence(*experiments, outcomes={n: dict(zip("wxyz", v, strict=True)) for n, v in errors.items()})
    assert found.test == "paired t"
    assert alike(found.pairs[0].measured, corrected_t(errors["a"], errors["b"], 0))


def test_outcomes_that_cannot_be_compared():
    a, b = experiment("a", {"accuracy": 1.0}), experiment("b", {"accuracy": 0.5})
    right = {"x": 1.0, "y": 1.0}

    def why_not(outcomes):
        return evidence(a, b, outcomes={"a": right, "b": outcomes}).why_not

    assert why_not({"x": 1.0, "z": 0.0}) == "other test items than the best one: b"
    assert why_not({"x": 0.5, "y": 0.5}) == "another kind of outcome than the best one's: b"
    assert why_not({"x": 0.0, "y": 0.0}) == "outcomes whose mean is not the accuracy: b"
    assert why_not({"x": nan, "y": 1.0}) == "outcomes that are no numbers, or only one: b"
    root = {"x": 4.0, "y": 4.0}  # squared errors: their mean is not the metric, its root is
    found = evidence(experiment("a", {"rmse": 2.0}), experiment("b", {"rmse": 2.0}), outcomes={"a": root, "b": root})
    assert found.why_not == "outcomes whose mean is not the rmse: a, b"


def counted(metric: str, *values: float, n: int = 1000, **counts: int) -> Evidence:
    return evidence(
        *(
            experiment(f"m{at}", {metric: value, "other": 1}, counts={metric: n, **counts})
            for at, value in enumerate(values)
        )
    )


def test_proportions_of_a_count():
    found = counted("accuracy", 0.87, 0.86)
    assert (found.test, found.size, found.indistinguishable) == ("Newcombe 10", 1000, ("m0", "m1"))
    assert found.pairs[0].measured == newcombe(0.87, 1000, 0.86, 1000)
    assert found.pairs[0].as_dict() | {"low": 0, "high": 0, "difference": 0} == {
        "a": "m0", "b": "m1", "difference": 0, "low": 0, "high": 0, "p": None, "p_holm": None,
    }  # fmt: skip
    assert counted("accuracy", 0.87, 0.80).told_apart == ("m1",)
    # Widened for three pairs, the interval of the two best holds 0.
    assert counted("accuracy", 0.87, 0.838).told_apart == ("m1",)
    assert counted("accuracy", 0.87, 0.838, 0.5).indistinguishable == ("m0", "m1")


@pytest.mark.parametrize("metric", ["accuracy", "val_accuracy", "top5_accuracy", "hit_rate@10", "error_rate", "recall"])
def test_metrics_that_are_proportions(metric):
    assert counted(metric, 0.87, 0.86).test == "Newcombe 10"


@pytest.mark.parametrize(
    "metric", ["f1", "auc", "rmse", "balanced_accuracy", "macro_precision", "precision@10", "ndcg@10", "error", "quux"]
)
def test_metrics_that_are_none(metric):
    found = evidence(
        *(experiment(name, {metric: 0.5}, counts={metric: 1000}) for name in ("a", "b")), direction="maximize"
    )
    assert (found.test, found.why_not) == (None, f"a count, but {metric} is no proportion of it: a, b")


def test_precision_needs_a_count_of_its_own():
    assert counted("precision", 0.87, 0.86, n=300, accuracy=1000).test == "Newcombe 10"
    found = counted("precision", 0.87, 0.86, n=1000, accuracy=1000)
    assert found.why_not == "the count of another metric, where precision needs its own: m0, m1"


def test_a_count_that_somebody_edited():
    found = evidence(*(experiment(name, {"accuracy": 0.5}, counts={"accuracy": 0}) for name in ("a", "b")))
    assert found.why_not == "no accuracy between 0 and 1 with a count: a, b"


def test_the_stronger_record_decides():
    both = [cross_validated(n, {"accuracy": s}, counts={"accuracy": 500}) for n, s in [("one", ONE), ("two", TWO)]]
    assert evidence(*both).test == "corrected t"
    apart = [
        cross_validated(n, {"accuracy": s}, split=n, counts={"accuracy": 500}) for n, s in [("a", ONE), ("b", TWO)]
    ]
    assert evidence(*apart).test == "Newcombe 10"


def test_very_many_models_are_tested_against_the_best_and_corrected_for_all_pairs():
    many = [
        cross_validated(
            f"m-{at}",
            {
                "accuracy": [
                    score - at / 1000 + (at * 31 + place * place * 17) % 13 / 500 for place, score in enumerate(ONE)
                ]
            },
        )
        for at in range(MOST_PAIRWISE + 1)
    ]
    found = evidence(*many)
    assert found.comparisons == len(many) * (len(many) - 1) // 2
    assert len(found.pairs) == len(many) - 1 == len(found.as_dict()["pairs"])
    assert all(pair.p_holm >= pair.measured.p for pair in found.pairs if not pair.measured.untested)
    fewer = evidence(*many[:11])
    assert len(fewer.pairs) == 55
    assert len(fewer.as_dict()["pairs"]) == 10


def test_the_names_of_very_many_are_not_all_listed():
    ones = [experiment(f"m-{at}", {"accuracy": 0.5}) for at in range(9)]
    found = evidence(cross_validated("a", {"accuracy": ONE}), cross_validated("b", {"accuracy": TWO}), *ones)
    assert found.why_not == "one value: m-0, m-1, m-2, m-3, m-4 and 4 more"


score_lists = st.lists(st.lists(st.integers(500, 1000), min_size=4, max_size=4), min_size=2, max_size=5)


@given(score_lists, st.randoms(use_true_random=False))
def test_the_order_of_the_experiments_changes_nothing(rows, random):
    experiments = [
        cross_validated(f"e-{at}", {"accuracy": [score / 1000 for score in scores]}) for at, scores in enumerate(rows)
    ]
    shuffled = [*experiments]
    random.shuffle(shuffled)
    assert findings(*experiments).as_dict() == findings(*shuffled).as_dict()


@given(score_lists, st.integers(1, 50))
def test_a_constant_added_to_all_changes_nothing(rows, constant):
    def of(added):
        return evidence(
            *(cross_validated(f"e-{at}", {"reward": [s / 1000 + added for s in row]}) for at, row in enumerate(rows))
        )

    one, other = of(0), of(constant)
    if one.tested != other.tested:  # equal means may change places in the last digit
        return
    assert (one.indistinguishable, one.equal) == (other.indistinguishable, other.equal)
    assert all(alike(a.measured, b.measured) for a, b in zip(one.pairs, other.pairs, strict=True))


@given(score_lists)
def test_a_pair_that_is_told_apart_differs_by_more_than_the_detectable_difference(rows):
    found = evidence(*(cross_validated(f"e-{at}", {"reward": [s / 1000 for s in row]}) for at, row in enumerate(rows)))
    for pair in found.pairs:
        if pair.p_holm is not None and pair.told_apart:
            assert abs(pair.measured.difference) >= pair.measured.detectable - 1e-9
