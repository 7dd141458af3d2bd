"""Models compared on the same rows: each an experiment, with what an honest comparison and a trade-off need."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import precision_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from odd_estimators import Odd, Unpicklable
from specweave_ml import UsageError, compare_models, load_experiment, load_experiments
from specweave_ml.errors import SpecweaveWarning

pytestmark = pytest.mark.usefixtures("_tracked")

COMPARISON = Path(".specweave/increments/0042-recommendation-model/experiments/comparison.md")
X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
COSTS = {"training_seconds", "inference_microseconds_per_row", "model_size_bytes"}


def models():
    return {
        "tree": DecisionTreeClassifier(random_state=0),
        "logistic": make_pipeline(StandardScaler(), LogisticRegression(C=0.5)),
        "majority": DummyClassifier(),
    }


def test_trained_and_compared(project):
    comparison = compare_models(models(), X_train, y_train, X_test, y_test, increment="0042", tags=["first"])
    assert comparison.best == "logistic"
    assert comparison.baseline == "majority"
    assert comparison.evidence.test == "exact McNemar"
    assert COMPARISON.read_text() == comparison.to_markdown()
    found = load_experiment("tree")
    fitted = DecisionTreeClassifier(random_state=0).fit(X_train, y_train)
    said = fitted.predict(X_test)
    assert found.metrics["accuracy"] == fitted.score(X_test, y_test)
    assert found.metrics["precision"] == precision_score(y_test, said)
    assert found.metrics["roc_auc"] == roc_auc_score(y_test, fitted.predict_proba(X_test)[:, 1])
    assert found.counts == {"accuracy": len(y_test), "precision": int(said.sum()), "recall": int(y_test.sum())}
    assert set(found.metrics) >= COSTS
    assert found.metrics["model_size_bytes"] == found.artifacts["model.pkl"]["bytes"]
    assert found.params == {"model": "DecisionTreeClassifier", "random_state": 0}
    assert found.tags == ("first",)
    assert load_experiment("logistic").params["logisticregression__C"] == 0.5
    assert "baseline" in load_experiment("majority").tags


def test_fitted_models_are_tested_as_they_are():
    fitted = {name: model.fit(X_train, y_train) for name, model in models().items()}
    comparison = compare_models(fitted, X_test, y_test, metrics=["accuracy", "f1"], increment="0042")
    assert comparison.best == "logistic"
    found = load_experiment("tree")
    assert set(found.metrics) == {"accuracy", "f1", *COSTS} - {"training_seconds"}
    again = compare_models(fitted, X_test=X_test, y_test=y_test, metrics=["accuracy"])
    assert len(again.experiments) == 6


def test_on_the_same_folds_and_then_on_the_test_rows():
    comparison = compare_models(models(), X_train, y_train, X_test, y_test, cv=5)
    assert (comparison.evidence.test, comparison.evidence.size) == ("corrected t", 5)
    splits = {tuple(fold.split for fold in found.folds) for found in load_experiments()}
    assert len(splits) == 1
    found = load_experiment("tree")
    assert found.metrics["accuracy"] == pytest.approx(numpy.mean([fold.metrics["accuracy"] for fold in found.folds]))
    assert found.metrics["test_accuracy"] == DecisionTreeClassifier(random_state=0).fit(X_train, y_train).score(
        X_test, y_test
    )
    assert found.counts["test_accuracy"] == len(y_test)
    assert "outcomes-test_accuracy.csv" in found.artifacts


def test_on_folds_only():
    comparison = compare_models([DecisionTreeClassifier, LogisticRegression(max_iter=5_000)], X[::4], y[::4], cv=3)
    assert {found.name for found in comparison.experiments} == {"decision-tree-classifier", "logistic-regression"}
    assert comparison.evidence.test == "corrected t"
    assert "training_seconds" in load_experiment("decision-tree-classifier").metrics


def test_one_that_fails_is_a_failed_experiment_and_the_others_go_on():
    odd = {"broken": Odd(fail_at=0), **models()}
    with pytest.warns(SpecweaveWarning, match="broken: ValueError: level 0 cannot be fitted"):
        comparison = compare_models(odd, X_train, y_train, X_test, y_test)
    assert load_experiment("broken").status == "failed"
    assert comparison.best == "logistic"
    with (
        pytest.warns(SpecweaveWarning),
        pytest.raises(UsageError, match="every model failed; the first: alone: ValueError"),
    ):
        compare_models({"alone": Odd(fail_at=0)}, X_train, y_train, X_test, y_test)


def test_one_that_cannot_be_saved_has_no_size():
    with pytest.warns(SpecweaveWarning, match="cannot be pickled"):
        compare_models({"odd": Unpicklable(level=1)}, X_train, y_train, X_test, y_test)
    found = load_experiment("odd")
    assert found.status == "finished"
    assert "model_size_bytes" not in found.metrics


def test_classes_with_names_and_more_than_two():
    features, target = load_iris(return_X_y=True)
    names = numpy.array(["setosa", "versicolor", "virginica"])[target]
    compare_models({"tree": DecisionTreeClassifier()}, features[::2], names[::2], features[1::2], names[1::2])
    found = load_experiment("tree")
    assert {"accuracy", "precision_macro", "recall_macro", "f1_macro"} <= set(found.metrics)
    assert found.counts == {"accuracy": 75}
    two = names[:100]
    compare_models({"two": DecisionTreeClassifier()}, features[:100:2], two[::2], features[1:100:2], two[1::2])
    assert "f1_macro" in load_experiment("two").metrics


def test_regression_is_compared_row_by_row():
    features, target = load_diabetes(return_X_y=True)
    rows = features[:300], target[:300], features[300:], target[300:]
    comparison = compare_models({"ridge": Ridge(0.1), "plain": LinearRegression()}, *rows)
    assert comparison.primary == "mae"
    assert comparison.evidence.test == "paired t"
    found = load_experiment("ridge")
    assert found.metrics["mae"] == pytest.approx(numpy.abs(Ridge(0.1).fit(*rows[:2]).predict(rows[2]) - rows[3]).mean())
    named = compare_models({"ridge": Ridge()}, *rows, metrics=["rmse", "neg_median_absolute_error"])
    assert load_experiment("ridge-2").metrics["rmse"] > 0
    assert load_experiment("ridge-2").metrics["neg_median_absolute_error"] < 0
    assert named.chosen.direction == "minimize"


def test_a_metric_that_a_model_cannot_give_is_noted():
    class Silent(RandomForestClassifier):  # type: ignore[misc]  # scikit-learn has no types
        predict_proba = None

        def predict(self, rows):
            return numpy.ones(len(rows), dtype=int)

    compare_models({"silent": Silent(n_estimators=2)}, X_train, y_train, X_test, y_test)
    found = load_experiment("silent")
    assert "roc_auc" not in found.metrics
    assert found.metrics["recall"] == 1
    assert found.notes[0].startswith("Not measured: roc_auc: ")


def test_a_comparison_that_people_changed_is_left_as_it_is():
    compare_models({"tree": DecisionTreeClassifier()}, X_train, y_train, X_test, y_test)
    COMPARISON.write_text(COMPARISON.read_text() + "\nMy own words.\n")
    with pytest.warns(SpecweaveWarning, match="comparison.md was changed by hand"):
        comparison = compare_models({"other": DecisionTreeClassifier()}, X_train, y_train, X_test, y_test)
    assert len(comparison.experiments) == 2
    assert COMPARISON.read_text().endswith("My own words.\n")
    COMPARISON.unlink()  # or the end of the tests would say so once more


def test_switched_off_nothing_is_written(project, monkeypatch):
    monkeypatch.setenv("SPECWEAVE_MODE", "disabled")
    comparison = compare_models(models(), X_train, y_train, X_test, y_test)
    assert comparison.best is None
    assert not COMPARISON.exists()
