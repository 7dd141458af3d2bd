from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records import INCREMENT, cross_validated, experiment
from specweave_ml.analysis.comparison import Findings
from specweave_ml.analysis.ranking import is_baseline
from specweave_ml.analysis.table import MOST_COLUMNS
from specweave_ml.errors import NotFound, UsageError
from specweave_ml.store.decision import Decision


def compare(*experiments, decision=None, **asked) -> Findings:
    return Findings.of(experiments, INCREMENT, decision, **asked)


def of_metrics(*metrics: dict[str, float]) -> Findings:
    return compare(*(experiment(f"exp-{number}", logged) for number, logged in enumerate(metrics)))


@pytest.mark.parametrize(
    ("logged", "primary"),
    [
        ([{"f1": 0.5, "accuracy": 0.5, "loss": 1}], "accuracy"),
        ([{"loss": 1, "rmse": 2}], "rmse"),
        ([{"f1": 0.5, "accuracy": 0.5}, {"f1": 0.6}], "f1"),
        ([{"accuracy": 0.9, "val_accuracy": 0.8, "train_accuracy": 1.0}], "val_accuracy"),
        ([{"train_accuracy": 0.9}, {"train_accuracy": 0.9, "val_loss": 2.0}], "val_loss"),
        ([{"train_accuracy": 0.9}], "train_accuracy"),
        ([{"test_accuracy": 0.9, "val_accuracy": 0.9}], "val_accuracy"),
        ([{"accuracy": 0.9, "balanced_accuracy": 0.8}], "accuracy"),
        ([{"quux": 1.0, "reward": 3.0}], "reward"),
        ([{"quux": 1.0, "explained_variance": 3.0}], "explained_variance"),
        ([{"quux": 1.0, "latency_ms": 3.0}], "quux"),
        ([{"latency_ms": 3.0}], None),
        ([{}], None),
        ([], None),
    ],
)
def test_primary_metric_when_nobody_declared_one(logged, primary):
    assert of_metrics(*logged).primary == primary


def test_a_measure_on_folds_goes_before_the_same_on_test_data():
    both = cross_validated("a", {"accuracy": [0.8, 0.9]}, metrics={"test_accuracy": 0.95, "f1": 0.7})
    assert compare(both).primary == "accuracy"
    assert compare(experiment("a", {"accuracy": 0.8, "test_accuracy": 0.95})).primary == "test_accuracy"


def test_primary_metric_asked_for_goes_before_the_one_of_the_decision():
    both = experiment("a", {"accuracy": 0.5, "Precision@10": 0.2, "loss": 1.0})
    decision = Decision(primary="loss", direction="min")
    assert compare(both, decision=decision).primary == "loss"
    asked = compare(both, decision=decision, metric="precision_at_10")
    assert (asked.primary, asked.direction, asked.chosen.why) == ("Precision@10", "maximize", "asked for")


def test_primary_metric_that_nobody_logged():
    finished = experiment("a", {"accuracy": 0.5})
    with pytest.raises(NotFound) as caught:
        compare(finished, experiment("b", {"acuracy": 1}, status="failed"), metric="acuracy")
    assert caught.value.expected == "one of accuracy"
    ignored = compare(finished, decision=Decision(primary="f1"))
    assert ignored.primary == "accuracy"
    assert ignored.problems == ("decision.md names f1 as primary metric, which no finished experiment logged",)


def test_unknown_direction_wins_nothing_until_it_is_declared():
    quux = [experiment("a", {"quux": 1.0}), experiment("b", {"quux": 2.0})]
    unknown = compare(*quux)
    assert (unknown.primary, unknown.direction, unknown.best, unknown.recommended) == ("quux", None, None, None)
    assert compare(*quux, direction="maximize").best == "b"
    assert compare(*quux, decision=Decision(direction="down")).best == "a"
    assert compare(*quux, decision=Decision(direction="down"), direction="up").best == "b"


def test_a_direction_of_the_decision_holds_for_its_metric_only():
    both = [experiment("a", {"quux": 1.0, "loss": 1.0}), experiment("b", {"quux": 2.0, "loss": 2.0})]
    decision = Decision(primary="quux", direction="maximize")
    assert compare(*both, decision=decision).best == "b"
    assert compare(*both, decision=decision, metric="loss").best == "a"


def test_a_direction_that_is_none():
    with pytest.raises(UsageError):
        compare(experiment("a", {"quux": 1.0}), direction="sideways")
    damaged = compare(experiment("a", {"loss": 1.0}), decision=Decision(direction="sideways"))
    assert damaged.direction == "minimize"
    assert "sideways" in damaged.problems[0]


@pytest.mark.parametrize("status", ["running", "stale", "failed", "killed"])
def test_only_finished_ones_compete(status):
    found = compare(experiment("good", {"accuracy": 0.9}, status=status), experiment("fair", {"accuracy": 0.8}))
    assert found.best == "fair"
    assert [row.name for row in found.rows] == ["fair", "good"]
    assert [row[0] for row in found.table().rows] == ["fair"]


@pytest.mark.parametrize("kind", ["foreign", "unreadable"])
def test_folders_that_are_no_experiments_do_not_compete(kind):
    found = compare(experiment("x", {"accuracy": 1.0}, kind=kind), experiment("fair", {"accuracy": 0.8}))
    assert found.best == "fair"
    assert [folder.name for folder in found.strangers] == ["x"]
    assert len(found.rows) == 1


@pytest.mark.parametrize("value", [nan, inf, -inf])
@pytest.mark.parametrize("metric", ["accuracy", "loss"])
def test_what_is_no_number_never_wins(metric, value):
    found = compare(experiment("a", {metric: value}), experiment("b", {metric: 0.1}))
    assert [ranked.name for ranked in found.ranked] == ["b"]


def test_ties_go_by_name_as_people_count():
    found = of_metrics(*[{"auc": 0.9}] * 12)
    assert [ranked.name for ranked in found.ranked][:3] == ["exp-0", "exp-1", "exp-2"]
    assert found.ranked[-1].name == "exp-11"


@pytest.mark.parametrize(
    "name",
    [
        "baseline",
        "exp-001-baseline",
        "xgboost-baseline",
        "Dummy",
        "dummy_classifier",
        "baseline-random",
        "random",
        "majority",
        "majority-class",
        "exp-2-stratified",
        "random-classifier-v2",
        "Random_Guess",
    ],
)
def test_baselines_by_name(name):
    assert is_baseline(experiment(name))


@pytest.mark.parametrize(
    "name",
    [
        "random-forest",
        "exp-003-random-forest",
        "rf-random-search",
        "xgb-stratified-kfold",
        "majority-vote-ensemble",
        "xgboost",
        "exp-001",
        "baselined",
        "randomized",
    ],
)
def test_names_of_models_are_no_baselines(name):
    assert not is_baseline(experiment(name))


def test_baseline_by_tag():
    assert is_baseline(experiment("popularity", tags=["baseline"]))


def test_the_best_baseline_is_the_reference_unless_the_decision_names_one():
    found = [
        experiment("baseline-random", {"accuracy": 0.12}),
        experiment("popularity", {"accuracy": 0.18}, tags=["baseline"]),
        experiment("xgboost", {"accuracy": 0.26}),
        experiment("baseline-failed", {"accuracy": 0.3}, status="failed"),
    ]
    assert compare(*found).baseline == "popularity"
    assert compare(*found, decision=Decision(baseline="xgboost")).baseline == "xgboost"
    wrong = compare(*found, decision=Decision(baseline="baseline-failed"))
    assert wrong.baseline == "popularity"
    assert "baseline-failed" in wrong.problems[0]
    assert compare(experiment("xgboost", {"accuracy": 0.26})).baseline is None


def test_selected_is_what_the_decision_says():
    found = compare(experiment("a", {"auc": 0.9}), decision=Decision(selected="gone"))
    assert found.selected == "gone"
    assert found.problems == ("decision.md selects gone, which is not among the experiments",)


def test_spellings_of_one_metric_are_one_column():
    found = of_metrics({"Precision@10": 0.1}, {"precision_at_10": 0.2}, {"precision_at_10": 0.3})
    assert found.table().titles[1] == "Precision@10"
    assert [row[1] for row in found.table().rows] == ["0.10", "0.20", "0.30"]
    assert found.primary == "precision_at_10"


def test_spellings_that_one_experiment_keeps_apart_stay_apart():
    found = of_metrics({"Loss": 0.1, "loss": 0.2}, {"loss": 0.3})
    assert found.primary == "loss"
    assert found.table().titles[1:] == ("loss", "Loss")
    assert [row[1:] for row in found.table().rows] == [("0.20", "0.10"), ("0.30", "–")]


def test_too_many_metrics_leave_the_rare_ones_out_but_never_the_primary():
    rare = {f"rare_{number}": 1.0 for number in range(20)}
    common = {f"common_{number}": 1.0 for number in range(MOST_COLUMNS)}
    found = compare(
        experiment("a", {**common, **rare, "accuracy": 0.5}),
        experiment("b", common),
        decision=Decision(primary="accuracy"),
    )
    table = found.table()
    assert table.titles[:2] == ("Experiment", "Accuracy")
    assert len(table.titles) == 1 + MOST_COLUMNS
    assert len(table.left_out) == 21
    assert set(table.left_out) & set(common) == {f"common_{MOST_COLUMNS - 1}"}


def test_training_time_is_the_metric_where_somebody_logged_it_else_the_duration():
    durations = [experiment("a", {"auc": 0.9}, seconds=2), experiment("b", {"auc": 0.9})]
    assert [row[-1] for row in compare(*durations).table().rows] == ["2s", "–"]
    logged = [experiment("a", {"fit_time_ms": 400}, seconds=2), experiment("b", {"auc": 0.9}, seconds=3)]
    assert [row[-1] for row in compare(*logged).table().rows] == ["0.4s", "–"]
    assert compare(*logged).table().titles == ("Experiment", "AUC", "Training Time")


def test_table_best_first_and_with_a_precision():
    found = compare(
        experiment("a", {"loss": 0.31, "quux": 1}),
        experiment("b", {"loss": 0.12, "quux": 2}),
        experiment("c", {"quux": 0}),
    )
    assert [row[0] for row in found.table(sort_by="loss").rows] == ["b", "a", "c"]
    assert [row[0] for row in found.table(sort_by="quux").rows] == ["b", "a", "c"]
    assert found.table(precision=1).rows[0][1] == "0.3"
    with pytest.raises(NotFound):
        found.table(sort_by="f1")


def test_a_table_cut_short_keeps_the_best_and_the_baseline():
    many = [experiment(f"m-{number}", {"auc": number / 100}) for number in range(50)]
    found = compare(*many, experiment("dummy", {"auc": 0.0}))
    assert [row[0] for row in found.table(most_rows=3).rows] == ["dummy", "m-48", "m-49"]


def test_one_edited_value_does_not_take_the_comparison_down():
    odd = experiment("odd", {"auc": "high"}, seconds="long", error="?")  # as somebody's editor may leave them
    found = compare(odd, experiment("b", {"auc": 0.7}))
    assert found.best == "b"
    assert found.table().rows[1] == ("odd", "–")


def test_only_params_that_differ():
    found = compare(
        experiment("a", params={"lr": 0.1, "depth": 3, "seed": 1, "nan": nan, "one": 1}),
        experiment("b", params={"lr": 0.2, "depth": 3, "seed": 1, "nan": nan, "one": 1.0}),
        experiment("c", params={"lr": 0.2, "depth": 3, "extra": None, "nan": nan, "one": 1}),
        experiment("d", params={"lr": 0.9}, status="failed"),
    )
    assert found.differing_params == {
        "lr": {"a": 0.1, "b": 0.2, "c": 0.2},
        "seed": {"a": 1, "b": 1},
        "extra": {"c": None},
    }


def test_the_value_true_is_not_the_value_one():
    found = compare(experiment("a", params={"x": True}), experiment("b", params={"x": 1}))
    assert found.params_table().rows == (("x", "True", "1"),)


def test_json_of_the_contract():
    found = compare(
        experiment("dummy", {"auc": 0.5, "loss": nan}, seconds=1, params={"k": inf}),
        experiment("tree", {"auc": 0.7}, tags=["v2"], params={"k": 2}),
        experiment("net", status="failed", error={"type": "OSError", "message": "disk"}),
    )
    assert found.as_dict() == {
        "schema": 1,
        "increment": INCREMENT,
        "primary": {"metric": "auc", "direction": "maximize", "why": "logged by both finished experiments"},
        "baseline": "dummy",
        "best": "tree",
        "recommended": "tree",
        "selected": None,
        "indistinguishable": [],
        "evidence": {"test": None, "pairs": [], "detectable": None, "why_not": "one value each"},
        "rows": [
            {
                "name": "dummy",
                "status": "finished",
                "metrics": {"auc": 0.5, "loss": "NaN"},
                "training_seconds": 1,
                "tags": [],
                "baseline": True,
                "reason": None,
            },
            {
                "name": "net",
                "status": "failed",
                "metrics": {},
                "training_seconds": None,
                "tags": [],
                "baseline": False,
                "reason": "OSError: disk",
            },
            {
                "name": "tree",
                "status": "finished",
                "metrics": {"auc": 0.7},
                "training_seconds": None,
                "tags": ["v2"],
                "baseline": False,
                "reason": None,
            },
        ],
        "differing_params": {"k": {"dummy": "Infinity", "tree": 2}},
    }
    assert next(iter(found.as_dict())) == "schema"


def test_nothing_to_compare():
    found = compare()
    assert (found.best, found.baseline, found.primary, found.rows) == (None, None, None, ())
    assert found.as_dict()["primary"] == {
        "metric": None,
        "direction": None,
        "why": "no finished experiment logged a metric of how good its model is",
    }
    assert found.to_dataframe().empty


def test_dataframe():
    frame = compare(experiment("a", {"auc": 0.9}, seconds=3), experiment("b", status="failed")).to_dataframe()
    assert list(frame.index) == ["a", "b"]
    assert list(frame.columns) == ["status", "auc", "training_seconds"]
    assert frame.loc["a", "auc"] == 0.9


names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+=-]{0,12}", fullmatch=True)
metrics = st.dictionaries(
    st.sampled_from(["accuracy", "val_loss", "train_f1", "quux", "fit_time"]), st.floats(), max_size=4
)
statuses = st.sampled_from(["finished", "finished", "failed", "running"])


@given(st.lists(st.tuples(names, metrics, statuses), max_size=8, unique_by=lambda made: made[0]), st.randoms())
def test_the_order_of_experiments_changes_nothing(made, random):
    one = [experiment(name, logged, status=status) for name, logged, status in made]
    other = list(one)
    random.shuffle(other)
    assert compare(*one).to_json() == compare(*other).to_json()
    assert compare(*one).table() == compare(*other).table()
