from __future__ import annotations

from records import INCREMENT, experiment
from specweave_ml.analysis.comparison import Findings
from specweave_ml.analysis.rationale import Balance, Difference, TrainingRank
from specweave_ml.store.decision import Decision


def facts_of(*experiments, decision=None):
    return Findings.of(experiments, INCREMENT, decision).rationale


def test_nobody_ranked_is_no_rationale():
    assert facts_of() is None
    assert facts_of(experiment("a", {"quux": 1.0})) is None


def test_against_the_baseline_and_the_second():
    facts = facts_of(
        experiment("baseline", {"accuracy": 0.18}),
        experiment("tree", {"accuracy": 0.25}),
        experiment("xgboost", {"accuracy": 0.26}),
    )
    assert facts.value == "0.26"
    assert facts.competitors == 3
    assert facts.against_baseline == Difference("baseline", "0.18", "0.08", "+44%")
    assert facts.against_second == Difference("tree", "0.25", "0.01", "+4%")
    assert [role for _, role in facts.differences] == ["baseline", "second best"]


def test_lower_is_better():
    facts = facts_of(experiment("dummy", {"rmse": 2.0}), experiment("ridge", {"rmse": 1.5}))
    assert facts.against_baseline == Difference("dummy", "2.00", "0.50", "-25%")


def test_the_baseline_is_not_named_twice_when_it_is_the_second():
    facts = facts_of(experiment("dummy", {"auc": 0.5}), experiment("tree", {"auc": 0.7}))
    assert facts.against_second is None
    assert [role for _, role in facts.differences] == ["baseline"]


def test_the_baseline_itself_is_best():
    facts = facts_of(experiment("dummy", {"auc": 0.9}), experiment("tree", {"auc": 0.7}))
    assert facts.is_reference
    assert facts.against_baseline is None
    assert facts.against_second == Difference("tree", "0.70", "0.20", "+29%")


def test_a_relative_difference_needs_a_value_above_zero():
    facts = facts_of(experiment("dummy", {"r2": -0.1}), experiment("tree", {"r2": 0.5}))
    assert facts.against_baseline == Difference("dummy", "-0.10", "0.60", None)
    assert facts_of(experiment("dummy", {"f1": 0.0}), experiment("tree", {"f1": 0.5})).against_baseline.relative is None


def test_equals_are_named_and_the_second_comes_after_them():
    facts = facts_of(*(experiment(name, {"auc": value}) for name, value in [("a", 0.9), ("b", 0.9), ("c", 0.8)]))
    assert facts.equals == ("b",)
    assert facts.against_second.name == "c"


def test_a_baseline_without_a_number_says_nothing():
    facts = facts_of(experiment("dummy", {}), experiment("a", {"auc": 0.9}), experiment("b", {"auc": 0.8}))
    assert facts.against_baseline is None
    assert facts.against_second.name == "b"


def test_an_equal_baseline_is_an_equal():
    facts = facts_of(experiment("a", {"auc": 0.9}), experiment("dummy", {"auc": 0.9}))
    assert facts.equals == ("dummy",)
    assert facts.differences == []


def test_balance_only_where_both_are_recorded():
    both = {"accuracy": 0.9, "precision": 0.85, "recall": 0.83}
    assert facts_of(experiment("a", both)).balance == Balance("0.85", "0.83", "0.02")
    assert facts_of(experiment("a", {"accuracy": 0.9, "precision": 0.85})).balance is None
    assert facts_of(experiment("a", {"accuracy": 0.9, "recall": 0.85})).balance is None
    other = experiment("b", {"accuracy": 0.1, "recall": 0.1})
    assert facts_of(experiment("a", {"accuracy": 0.9, "precision": 0.85}), other).balance is None


def test_balance_pairs_the_same_cut_and_never_takes_training_data():
    logged = {"precision@10": 0.3, "recall@10": 0.2, "recall": 0.9}
    assert facts_of(experiment("a", logged)).balance == Balance("0.30", "0.20", "0.10")
    assert facts_of(experiment("a", {"auc": 0.5, "train_precision": 0.3, "train_recall": 0.2})).balance is None


def test_training_time_has_a_place_among_those_recorded():
    facts = facts_of(
        experiment("a", {"auc": 0.9}, seconds=45),
        experiment("b", {"auc": 0.8}, seconds=32),
        experiment("c", {"auc": 0.7}),
    )
    assert facts.training == TrainingRank("45s", 2, 2)
    assert facts_of(experiment("a", {"auc": 0.9})).training is None


def test_the_baseline_of_the_decision():
    found = [experiment(name, {"auc": value}) for name, value in [("a", 0.9), ("b", 0.8), ("c", 0.7)]]
    facts = facts_of(*found, decision=Decision(baseline="c"))
    assert facts.against_baseline.name == "c"
    assert facts.against_second.name == "b"
