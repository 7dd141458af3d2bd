from __future__ import annotations

from math import nan

import pytest

from records import INCREMENT, experiment
from specweave_ml.analysis.comparison import Findings
from specweave_ml.analysis.spec_targets import read_targets
from specweave_ml.analysis.table import metric_columns
from specweave_ml.analysis.targets import Target, column_of
from specweave_ml.store.decision import Decision


def judged(spec: str, logged: dict[str, float], **said) -> list[tuple[str, str | None]]:
    found = Findings.of([experiment("a", {"score": 1.0, **logged}, **said)], INCREMENT, spec=spec)
    return [(check.outcome, check.value) for check in found.checked]


@pytest.mark.parametrize(
    ("spec", "logged", "outcome", "value"),
    [
        ("Precision@10 > 0.25", {"precision_at_10": 0.28}, "met", "0.28"),
        ("Precision@10 > 0.25", {"precision@10": 0.25}, "missed", "0.25"),
        ("Precision@10 >= 0.25", {"precision@10": 0.25}, "met", "0.25"),
        ("Precision@10 > 0.25", {"precision@5": 0.28}, "not measured", None),
        ("Precision@10 > 0.25", {"train_precision@10": 0.28}, "not measured", None),
        ("Accuracy >= 85%", {"accuracy": 0.87}, "met", "0.87"),
        ("Accuracy >= 85%", {"accuracy": 87.0}, "met", "87.00"),
        ("Accuracy >= 0.85", {"accuracy": 84.0}, "missed", "84.00"),
        ("F1-score > 0.8", {"f1": 0.81}, "met", "0.81"),
        ("F1 > 0.8", {"macro_f1": 0.81}, "not measured", None),
        ("AUC > 0.8", {"roc_auc": 0.81}, "met", "0.81"),
        ("RMSE < 2.5", {"rmse": 2.6}, "missed", "2.60"),
        ("MAPE < 15%", {"mape": 12.5}, "met", "12.50"),
        ("MAPE < 15%", {"mape": 0.125}, "met", "0.12"),
        ("Latency: <100ms inference", {"latency_ms": 48}, "met", "48ms"),
        ("Latency: <100ms inference", {"inference_time_s": 0.2}, "missed", "0.2s"),
        ("Latency: <100ms inference", {"latency": 48}, "not measured", None),
        ("p95 latency < 100 ms", {"latency_ms": 48}, "not measured", None),
        ("Latency < 0.1 s", {"latency_ms": 48}, "met", "48ms"),
        ("Accuracy > 0.5", {"accuracy": nan}, "not measured", None),
    ],
)
def test_met_missed_or_not_measured(spec, logged, outcome, value):
    assert judged(spec, logged) == [(outcome, value)]


def test_training_time_is_the_logged_one_or_the_duration():
    assert judged("Training time < 60 s", {"fit_time_ms": 61_000}) == [("missed", "61s")]
    assert judged("Training time < 60 s", {}, seconds=12) == [("met", "12s")]
    assert judged("Training time < 60 s", {}) == [("not measured", None)]


def test_the_metric_of_the_same_name_else_of_the_whole_else_of_test_else_of_validation_data():
    def of(*logged):
        (target,) = read_targets("Accuracy > 0.5", ())
        column = column_of(target, metric_columns([experiment("a", dict.fromkeys(logged, 0.5))]))
        return column.name if column else None

    assert of("val_accuracy", "test_accuracy", "accuracy") == "accuracy"
    assert of("val_accuracy", "test_accuracy", "mean_accuracy") == "mean_accuracy"
    assert of("val_accuracy", "test_accuracy", "train_accuracy") == "test_accuracy"
    assert of("val_accuracy", "train_accuracy") == "val_accuracy"
    assert of("train_accuracy", "balanced_accuracy", "f1") is None
    columns = metric_columns([experiment("a", {"val_accuracy": 0.5, "test_accuracy": 0.5})])
    assert column_of(Target("validation accuracy", ">", 0.5), columns).name == "val_accuracy"


SPEC = "Recall@10 > 0.15, Latency < 100 ms, Precision@10 > 0.25"
MODELS = [
    experiment("a", {"precision@10": 0.28, "recall@10": 0.14, "latency_ms": 5}),
    experiment("b", {"precision@10": 0.24, "recall@10": 0.16, "latency_ms": 500}),
]


def test_the_first_metric_that_spec_md_asks_for_decides_unless_somebody_declared_one():
    found = Findings.of(MODELS, INCREMENT, spec=SPEC)
    assert (found.primary, found.best) == ("recall@10", "b")
    assert found.chosen.why == "the first that spec.md sets a target for"
    assert Findings.of(MODELS, INCREMENT, Decision(primary="precision@10"), spec=SPEC).best == "a"
    assert Findings.of(MODELS, INCREMENT, metric="precision@10", spec=SPEC).best == "a"
    assert Findings.of(MODELS, INCREMENT, spec="Latency < 100 ms, F1 > 0.9").primary == "precision@10"


def test_a_target_says_which_way_is_better_where_the_name_does_not():
    models = [experiment("a", {"quux": 1.0}), experiment("b", {"quux": 2.0})]
    assert Findings.of(models, INCREMENT, spec="quux < 3").best == "a"
    assert Findings.of(models, INCREMENT, spec="quux >= 1.5").best == "b"
    assert Findings.of(models, INCREMENT, Decision(direction="down"), spec="quux >= 1.5").best == "a"
    assert Findings.of(models, INCREMENT).best is None


def test_they_are_asked_of_the_selected_model_else_of_the_recommended_one():
    def outcomes(decision=None, models=MODELS):
        found = Findings.of(models, INCREMENT, decision, spec=SPEC)
        return found.judged, [check.outcome for check in found.checked]

    assert outcomes() == ("b", ["met", "missed", "missed"])
    assert outcomes(Decision(selected="a")) == ("a", ["missed", "met", "met"])
    assert outcomes(Decision(selected="gone")) == ("b", ["met", "missed", "missed"])
    assert outcomes(models=[]) == (None, ["not measured"] * 3)
