"""What cannot be meant is said before anything is fitted, and leaves no experiment behind."""

from __future__ import annotations

import subprocess
import sys

import numpy
import pandas
import pytest
from scipy.stats import uniform
from sklearn.datasets import load_iris
from sklearn.linear_model import Ridge
from sklearn.metrics import get_scorer_names, make_scorer, mean_absolute_error
from sklearn.model_selection import GroupKFold, RepeatedStratifiedKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from odd_estimators import AnyKeyword, Odd, Uncloneable
from specweave_ml import UsageError, compare_models, load_experiments, track_cross_validation, track_hyperparameters
from specweave_ml.training.scoring import scoring_of

pytestmark = pytest.mark.usefixtures("_tracked")

X, y = load_iris(return_X_y=True)
TREE = DecisionTreeClassifier()
GRID = {"max_depth": [1, 2]}


def loss(model, rows, truth):
    return 1.0


def profit(model, rows, truth):
    return 1.0


def accuracy_of(truth, said):
    return 1.0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"param_grid": {}}, "the grid is empty"),
        ({"param_grid": []}, "the grid is empty"),
        ({"param_grid": [{"max_depth": [1]}, {}]}, "the grid is empty"),
        ({"param_grid": {"max_depth": []}}, "the grid cannot be meant: .*'max_depth'"),
        ({"param_grid": {"max_depth": numpy.array([])}}, "the grid cannot be meant: .*'max_depth'"),
        ({"n_iter": 0}, "no point to try"),
        ({"param_grid": {"max_depth": 3}}, "the grid cannot be meant"),
        ({"param_grid": {"max_depth": "deep"}}, "the grid cannot be meant"),
        ({"param_grid": 7}, "the grid is empty"),
        ({"param_grid": {"max_dept": [1]}}, "no param 'max_dept'.*\n.*\n.*one of max_depth"),
        ({"param_grid": {"unheard_of": [1]}}, "no param 'unheard_of'"),
        ({"param_grid": {"step__max_depth": [1]}}, "no param 'step__max_depth'"),
        ({"param_grid": {"min_impurity_decrease": uniform(0, 1)}}, "is a distribution"),
        ({"cv": 51}, "51 folds need 51 rows of every class, and class 0 has 50"),
        ({"cv": StratifiedKFold(60)}, "60 folds need"),
        ({"cv": RepeatedStratifiedKFold(n_splits=60)}, "60 folds need"),
        ({"cv": 1}, "the rows cannot be split"),
        ({"cv": "five"}, "the rows cannot be split"),
        ({"cv": GroupKFold(3)}, "the rows cannot be split: The 'groups' parameter"),
        ({"cv": [([0, 1], [])]}, "a fold has no rows"),
        ({"cv": []}, "a fold has no rows"),
        ({"y_train": numpy.where(y == 2, numpy.nan, y)}, "y has 50 missing values"),
        ({"y_train": [None, *y[1:].tolist()]}, "y has 1 missing value "),
        ({"y_train": pandas.Series(y, dtype="Int64").mask(y == 1)}, "y has 50 missing values"),
        ({"y_train": pandas.Series(["a"] * 149 + [None])}, "y has 1 missing value "),
        ({"y_train": y[:-1]}, "X and y are not of the same length"),
        ({"sample_weight": [1.0]}, "X and sample_weight are not of the same length"),
        ({"groups": [1]}, "X and groups are not of the same length"),
        ({"X_train": X[:0], "y_train": y[:0]}, "there are no rows"),
        ({"X_train": 5}, "X is no table"),
        ({"model": Uncloneable}, "cannot be cloned"),
        ({"model": Uncloneable()}, "cannot be cloned"),
        ({"model": make_pipeline}, "no estimator"),
        ({"model": type("Needy", (Odd,), {"__init__": lambda self, needed: None})}, "cannot be made without arguments"),
        ({"model": object()}, "no estimator"),
        ({"scoring": "acuracy"}, "no such metric(.|\n)*accuracy"),
        ({"scoring": []}, "no metric is given"),
        ({"scoring": 3}, "no such metric"),
        ({"scoring": ["accuracy", "f1_macro"], "refit": "f1"}, "not measured(.|\n)*accuracy, f1_macro"),
        ({"scoring": profit}, "which way is 'profit' better"),
        ({"scoring": loss}, "which way is 'loss' better"),
        ({"scoring": accuracy_of}, "it is a function of true and predicted values"),
        ({"scoring": mean_absolute_error}, "it is a function of true and predicted values"),
        ({"scoring": make_scorer(mean_absolute_error)}, "lower is better, and its scorer that higher"),
        ({"scoring": profit, "direction": "sideways"}, "a direction says"),
        ({"scoring": "accuracy", "direction": "minimize"}, "accuracy is better when higher"),
    ],
)
def test_what_cannot_be_meant(wrong, said):
    with pytest.raises(UsageError, match=said) as caught:
        track_hyperparameters(**{"model": TREE, "param_grid": GRID, "X_train": X, "y_train": y, **wrong})
    assert caught.value.expected or caught.value.received is not None
    assert load_experiments() == []


def test_a_model_without_a_score_needs_a_scorer():
    class Scoreless(StandardScaler):  # type: ignore[misc]  # scikit-learn has no types
        pass

    with pytest.raises(UsageError, match="cannot be scored"):
        track_hyperparameters(Scoreless(), {"with_mean": [True, False]}, X, y)


def test_a_slip_is_seen_where_any_keyword_is_taken():
    for name in ("learning_rat", "learningrate"):
        with pytest.raises(UsageError, match=f"no param '{name}'.*\n.*\n.*one of learning_rate"):
            track_hyperparameters(AnyKeyword(), {name: [1]}, X, y)
    results = track_hyperparameters(AnyKeyword(), {"eta": [0.1, 0.2]}, X, y, cv=2)  # another name of the library's own
    assert results.best_params == {"eta": 0.1}


def test_real_boosting_libraries():
    lightgbm, xgboost = pytest.importorskip("lightgbm"), pytest.importorskip("xgboost")
    for model, wrong, right in (
        (xgboost.XGBClassifier, "n_estimator", "n_estimators"),
        (xgboost.XGBClassifier(max_depth=2), "colsample_by_tree", "colsample_bytree"),
        (lightgbm.LGBMClassifier, "learning_rates", "learning_rate"),
    ):
        with pytest.raises(UsageError, match=f"no param '{wrong}'.*\n.*\n.*one of {right}"):
            track_hyperparameters(model, {wrong: [1]}, X, y)


@pytest.mark.parametrize("name", ["track_hyperparameters", "track_cross_validation", "compare_models"])
def test_without_scikit_learn_the_error_says_what_to_install(name):
    code = f"import sys; sys.modules['sklearn'] = None; from specweave import {name}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MissingDependency" in done.stderr
    assert 'pip install "specweave-ml[sklearn]"' in done.stderr


def test_every_scorer_of_scikit_learn_says_which_way_is_better():
    for name in get_scorer_names():
        found = scoring_of(Ridge(), name)
        assert (found.primary, found.direction, dict(found.signs)) == (name, "maximize", {name: 1})


@pytest.mark.parametrize("cv", [200, StratifiedKFold(51)])
def test_cross_validation_looks_too(cv):
    with pytest.raises(UsageError):
        track_cross_validation(TREE, X, y, cv=cv)
    with pytest.raises(UsageError, match="no mean over rows"):
        track_cross_validation(Ridge(), X, y, cv=3, outcomes=True)
    assert load_experiments() == []


def test_comparing_looks_too():
    for models, data, said in (
        ({}, (X, y), "no models"),
        ({"tree": TREE}, (X, y[:5]), "not of the same length"),
        ({"tree": TREE}, (X, None), "not of the same length"),
        ({"tree": DecisionTreeClassifier}, (X, y), "tree is no model"),
        ({"tree": StandardScaler()}, (X, y), "tree is no model"),
        ([object()], (X, y), "this is no model"),
        ({"tree": TREE, "odd": Uncloneable()}, (X, y, X, y), "cannot be cloned"),
        ({"tree": TREE}, (X, y, X, numpy.where(y == 2, numpy.nan, y)), "missing values"),
    ):
        with pytest.raises(UsageError, match=said):
            compare_models(models, *data)
    with pytest.raises(UsageError, match="no such metric"):
        compare_models({"tree": TREE}, X, y, X, y, metrics=["akkuracy"])
    assert load_experiments() == []
