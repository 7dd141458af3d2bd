"""The seed's snippets of searches, cross-validation and comparison, word for word, with the real libraries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, train_test_split

from specweave import load_experiment, load_experiments
from tracked import wait_for_the_capture

xgboost = pytest.importorskip("xgboost")
lightgbm = pytest.importorskip("lightgbm")

EXPERIMENTS = Path(".specweave/increments/0042-recommendation-model/experiments")

HYPERPARAMETER_TRACKING = """
from specweave import track_hyperparameters

params_grid = {
    "n_estimators": [100, 200, 500],
    "max_depth": [3, 6, 9],
    "learning_rate": [0.01, 0.1, 0.3]
}

# Tracks all parameter combinations
results = track_hyperparameters(
    model=XGBClassifier,
    param_grid=params_grid,
    X_train=X_train,
    y_train=y_train,
    increment="0042"
)

# Generates parameter importance analysis
"""

CROSS_VALIDATION_TRACKING = """
from specweave import track_cross_validation

# Tracks each fold separately
cv_results = track_cross_validation(
    model=model,
    X=X,
    y=y,
    cv=5,
    increment="0042"
)

# Logs: mean, std, per-fold scores, fold distribution
"""

GRID_SEARCH = """
from sklearn.model_selection import GridSearchCV
from specweave import track_grid_search

param_grid = {
    "n_estimators": [100, 200, 500],
    "max_depth": [3, 6, 9]
}

# Automatically logs all combinations
best_model, results = track_grid_search(
    XGBClassifier(),
    param_grid,
    X_train,
    y_train,
    increment="0042"
)

# Creates visualization of parameter importance
"""

MODEL_COMPARISON = """
from specweave import compare_models

models = {
    "xgboost": XGBClassifier(),
    "lightgbm": LGBMClassifier(),
    "random-forest": RandomForestClassifier()
}

# Trains and compares all models
comparison = compare_models(
    models,
    X_train,
    y_train,
    X_test,
    y_test,
    increment="0042"
)

# Generates markdown comparison table
"""


@pytest.fixture
def names(project: Path) -> Iterator[dict[str, Any]]:
    """What the snippets take for granted; on few rows, where one thread is faster than many that wait for each other."""
    features, target = load_breast_cancer(return_X_y=True)
    rows = train_test_split(features[:80, :3], target[:80], random_state=0)
    given = {
        **dict(zip(("X_train", "X_test", "y_train", "y_test"), rows, strict=True)),
        "X": features,
        "y": target,
        "model": RandomForestClassifier(n_estimators=5, random_state=0),
        "XGBClassifier": xgboost.XGBClassifier,
        "LGBMClassifier": lightgbm.LGBMClassifier,
        "RandomForestClassifier": RandomForestClassifier,
    }
    with xgboost.config_context(nthread=1):
        yield given


def run(snippet: str, names: dict[str, Any]) -> dict[str, Any]:
    exec(compile(snippet, "seed", "exec"), names)  # noqa: S102 - the seed's words are to be run
    wait_for_the_capture()
    return names


def test_hyperparameter_tracking(names):
    results = run(HYPERPARAMETER_TRACKING, names)["results"]
    found = load_experiment(results.experiment, "0042")
    assert (found.name, len(found.trials)) == ("xgb-classifier-grid-search", 27)
    assert all(trial["status"] == "finished" for trial in found.trials)
    assert {"model.ubj", "importance.md", "importance.svg", "trials.csv"} <= set(found.artifacts)
    assert "learning_rate" in (found.path / "importance.md").read_text()


def test_cross_validation_tracking(names):
    cv_results = run(CROSS_VALIDATION_TRACKING, names)["cv_results"]
    found = load_experiment(cv_results.experiment)
    assert len(found.folds) == 5
    assert found.metrics["accuracy"] == pytest.approx(cv_results.mean)
    assert "cross_validation.json" in found.artifacts


def test_grid_search(names):
    run(GRID_SEARCH, names)
    best_model, results = names["best_model"], names["results"]
    theirs = GridSearchCV(xgboost.XGBClassifier(), names["param_grid"]).fit(names["X_train"], names["y_train"])
    assert (results.best_params, results.best_score) == (theirs.best_params_, theirs.best_score_)
    assert list(best_model.predict(names["X_test"])) == list(theirs.predict(names["X_test"]))
    assert len(results.to_dataframe()) == 9


def test_model_comparison(names):
    comparison = run(MODEL_COMPARISON, names)["comparison"]
    assert [found.name for found in load_experiments()] == ["xgboost", "lightgbm", "random-forest"]
    text = (EXPERIMENTS / "comparison.md").read_text()
    assert text == comparison.to_markdown()
    assert "| Experiment " in text
