from __future__ import annotations

from records import INCREMENT, cross_validated, experiment
from specweave_ml.analysis.comparison import Findings
from specweave_ml.analysis.rationale import Balance, Difference, TrainingRank
from specweave_ml.analysis.stability import Stability
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


FOLDS = {"a": [0.87, 0.88, 0.85, 0.89], "b": [0.86, 0.89, 0.84, 0.88], "c": [0.55, 0.57, 0.56, 0.57]}


def test_a_tested_difference_carries_its_interval():
    facts = facts_of(*(cross_validated(name, {"auc": scores}) for name, scores in FOLDS.items()))
    second = facts.against_second
    assert (second.name, second.told_apart, second.p) == ("b", False, "0.53")
    low, _, high = second.interval.partition(" to ")
    assert float(low) < 0 < float(high)
    assert facts.detectable is not None
    against = facts_of(
        *(cross_validated(name, {"auc": scores}) for name, scores in FOLDS.items()), decision=Decision(baseline="c")
    ).against_baseline
    assert (against.name, against.told_apart, against.same_everywhere) == ("c", True, False)


def test_a_difference_that_is_the_same_everywhere():
    lower = [score - 0.125 for score in FOLDS["a"]]
    second = facts_of(cross_validated("a", {"auc": FOLDS["a"]}), cross_validated("b", {"auc": lower})).against_second
    assert (second.same_everywhere, second.interval, second.p) == (True, None, None)


def test_a_difference_within_the_spread_of_repeats_is_no_improvement():
    runs = [experiment(f"r{seed}", {"auc": auc}, params={"k": 1, "seed": seed}) for seed, auc in [(1, 0.84), (2, 0.86)]]
    facts = facts_of(*runs, experiment("tuned", {"auc": 0.86}), experiment("best", {"auc": 0.9}))
    assert facts.noise_floor == "0.014"
    assert not facts.against_second.within_noise
    facts = facts_of(*runs, experiment("tuned", {"auc": 0.86}))
    assert facts.against_second.within_noise


def test_how_the_value_varies():
    folds = facts_of(cross_validated("a", {"auc": [0.8, 0.9, 0.85]}))
    assert folds.stability == Stability("folds", 3, "0.050", None)
    runs = [experiment(f"r{seed}", {"auc": 0.8 + seed / 100}, params={"k": 1, "seed": seed}) for seed in (1, 2, 3)]
    assert facts_of(*runs).stability == Stability("repeats", 3, "0.010", "0.795 to 0.845")
    assert facts_of(*runs[:2]).stability == Stability("repeats", 2, "0.0071", None)
    assert facts_of(*(experiment(f"r{s}", {"auc": 0.8}, params={"k": 1, "seed": s}) for s in (1, 2, 3))).stability == (
        Stability("repeats", 3, "0", None)
    )
    counted = experiment("a", {"accuracy": 81 / 263}, counts={"accuracy": 263})
    assert facts_of(counted).stability == Stability("items", 263, None, "0.255 to 0.366")
    assert facts_of(experiment("a", {"auc": 0.9})).stability is None
    # Folds of a number that was overwritten since are not about the value that is shown.
    assert facts_of(cross_validated("a", {"auc": [0.8, 0.9, 0.85]}, metrics={"auc": 0.5})).stability is None


def test_latency():
    assert facts_of(experiment("a", {"auc": 0.9, "latency_ms": 48})).latency == "48ms"
    assert facts_of(experiment("a", {"auc": 0.9, "latency": 48})).latency == "48.00"
    assert facts_of(experiment("a", {"auc": 0.9})).latency is None


def test_the_best_of_many_is_optimistic_unless_there_is_a_value_on_held_out_data():
    def best_of(**more):
        models = [cross_validated(name, {"val_auc": scores}, **more) for name, scores in FOLDS.items()]
        return facts_of(*models).best_of

    assert best_of() == 3
    assert best_of(metrics={"test_auc": 0.8}) is None
    assert best_of(metrics={"test_recall": 0.8}) == 3
    two = [cross_validated(name, {"auc": FOLDS[name]}) for name in "ab"]
    assert facts_of(*two).best_of is None
    assert best_of(trials=27) == 81
    searched = cross_validated("a", {"auc": FOLDS["a"]}, trials=27)
    assert facts_of(searched).best_of == 27
    assert facts_of(searched, cross_validated("b", {"auc": FOLDS["b"]})).best_of == 28
    assert facts_of(cross_validated("a", {"auc": FOLDS["a"]}, trials="many")).best_of is None
    # A score on the test rows of each fold is what the models were picked on.
    on_folds = [cross_validated(name, {"val_auc": s, "test_auc": s}) for name, s in FOLDS.items()]
    assert facts_of(*on_folds).best_of == 3
