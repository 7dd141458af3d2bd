"""The names that neighbouring skills call, as their pages show them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest
from lightgbm import LGBMClassifier
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from xgboost import XGBClassifier

from specweave import (
    ModelExperiment,
    load_experiment,
    load_experiments,
    run_experiments,
    track_pytorch_model,
    track_sklearn_model,
    train_baseline_model,
)
from specweave_ml.errors import SpecweaveWarning, UsageError
from specweave_ml.training.torch_model import series_of

pytestmark = pytest.mark.usefixtures("_tracked")

INCREMENT = Path(".specweave/increments/0042-recommendation-model")


def data(kind: Any = make_classification) -> dict[str, Any]:
    features, target = kind(160, 5, random_state=0)
    X_train, X_test, y_train, y_test = train_test_split(features, target, random_state=0)  # noqa: N806
    return {"X_train": X_train, "X_test": X_test, "y_train": y_train, "y_test": y_test}


def run(snippet: str, **names: Any) -> dict[str, Any]:
    exec(compile(snippet, "snippet", "exec"), names)  # noqa: S102 - the neighbours' words are to be run
    return names


def test_run_experiments_as_its_page_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    names = run(
        """
from xgboost import XGBClassifier
from specweave import ModelExperiment, run_experiments

# Parallel experiments with auto-tracking
experiments = [
    ModelExperiment("xgboost", XGBClassifier, params_xgb),
    ModelExperiment("lightgbm", LGBMClassifier, params_lgbm),
]

results = run_experiments(
    experiments,
    increment="0042",
    save_to="experiments/"
)
""",
        LGBMClassifier=LGBMClassifier,
        params_xgb={"n_estimators": 3, "n_jobs": 1},
        params_lgbm={"n_estimators": 100, "verbose": -1, "n_jobs": 1},
        **data(),
    )
    assert {row.name for row in names["results"].rows} == {"xgboost", "lightgbm"}
    assert "the variables X_train, y_train, X_test, y_test are used" in capsys.readouterr().err
    assert (INCREMENT / "experiments/comparison.md").is_file()
    assert sorted(path.name for path in INCREMENT.iterdir()) == ["experiments", "metadata.json"]
    found = load_experiment("lightgbm")
    assert found.params.items() >= {"n_estimators": 100, "verbose": -1, "model": "LGBMClassifier"}.items()
    assert {"accuracy", "roc_auc", "training_seconds"} <= found.metrics.keys()
    assert found.artifacts


def test_run_experiments_with_data_and_a_copy() -> None:
    tried = [
        ModelExperiment("good", LogisticRegression, {"C": 2.0}),
        ModelExperiment("bad", RandomForestClassifier, {"max_depth": -1}),
    ]
    with pytest.warns(SpecweaveWarning, match="a model failed"):
        comparison = run_experiments(tried, "0042", "reports", metrics=["accuracy"], **data())
    assert comparison.best == "good"
    assert {each.name: each.status for each in load_experiments()} == {"good": "finished", "bad": "failed"}
    copy = (INCREMENT / "reports/comparison.md").read_text()
    assert copy == (INCREMENT / "experiments/comparison.md").read_text()


@pytest.mark.parametrize(
    ("tried", "options", "said"),
    [
        ([], {}, "no experiments to run"),
        ([("xgboost", XGBClassifier)], {}, "no experiments to run"),
        (
            [ModelExperiment("a", LogisticRegression, {"CC": 1})],
            {},
            "a: LogisticRegression cannot be made with these params",
        ),
        ([ModelExperiment("a", "LogisticRegression")], {}, "cannot be made with these params"),
        ([ModelExperiment("a", Ridge), ModelExperiment("a", Ridge)], {}, "two experiments have one name"),
        ([ModelExperiment("a", Ridge)], {}, "there is no X_train to work on"),
        ([ModelExperiment("a", Ridge)], {"X_train": [[1]], "y_train": [1]}, "there is no X_test to work on"),
        ([ModelExperiment("a", Ridge)], {"save_to": "../../elsewhere"}, "leads out of the increment"),
        ([ModelExperiment("a", Ridge)], {"save_to": "/elsewhere"}, "leads out of the increment"),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_is_fitted(tried: Any, options: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        run_experiments(tried, increment="0042", **options)
    assert load_experiments() == []


def test_run_experiments_on_folds() -> None:
    given = data()
    comparison = run_experiments(
        [ModelExperiment("a", LogisticRegression), ModelExperiment("b", LogisticRegression, {"C": 0.01})],
        increment="0042",
        X_train=given["X_train"],
        y_train=given["y_train"],
        cv=3,
    )
    assert {len(each.folds) for each in load_experiments()} == {3}
    assert comparison.best in {"a", "b"}


def test_baselines_as_their_page_has_them() -> None:
    names = run(
        """
from specweave import train_baseline_model

baseline_results = train_baseline_model(
    strategies=["random", "popularity", "rule-based"]
)
# Requirement: New model must beat best baseline by 20%+
""",
        **data(),
    )
    assert {row.name for row in names["baseline_results"].rows} == {
        "baseline-random",
        "baseline-popularity",
        "baseline-rule-based",
    }
    found = load_experiments()
    assert all(each.status == "finished" and "baseline" in each.tags for each in found)
    assert load_experiment("baseline-random").params["strategy"] == "uniform"
    assert load_experiment("baseline-rule-based").metrics["accuracy"] > 0.6


def test_baselines_of_numbers_and_of_ones_own() -> None:
    train_baseline_model(["mean", "median", "rule-based"], "0042", tags=["nightly"], **data(make_regression))
    assert load_experiment("baseline-mean").tags == ("baseline", "nightly")
    assert {"mae", "r2"} <= load_experiment("baseline-median").metrics.keys()
    train_baseline_model({"mine": Ridge(alpha=1.0)}, "0042", **data(make_regression))
    assert "baseline" in load_experiment("baseline-mine").tags
    train_baseline_model("majority", "0042", **data())
    assert load_experiment("baseline-majority").status == "finished"


@pytest.mark.parametrize(
    ("strategy", "kind"), [("mean", make_classification), ("majority", make_regression), ("zzz", make_classification)]
)
def test_a_baseline_that_there_is_not(strategy: str, kind: Any) -> None:
    with pytest.raises(UsageError, match="no such baseline for this target"):
        train_baseline_model([strategy], "0042", **data(kind))
    assert load_experiments() == []


def test_a_scikit_learn_model_as_its_page_has_it() -> None:
    names = run(
        """
from sklearn.ensemble import RandomForestClassifier
from specweave import track_sklearn_model

model = RandomForestClassifier(n_estimators=100)
with track_sklearn_model(model, increment="0042") as tracked:
    tracked.fit(X_train, y_train)
    tracked.evaluate(X_test, y_test)
""",
        **(given := data()),
    )
    found = load_experiment("random-forest-classifier")
    assert found.status == "finished"
    assert found.params.items() >= {"n_estimators": 100, "model": "RandomForestClassifier", "max_depth": None}.items()
    assert found.metrics["accuracy"] == names["model"].score(given["X_test"], given["y_test"])
    assert found.counts["accuracy"] == 40
    assert 0 < found.metrics["training_seconds"] < 60
    assert list(found.artifacts)[-1] == "model.pkl"
    assert [(each["name"], each["shape"]) for each in found.data] == [("X_train", [120, 5]), ("y_train", [120])]


def test_fit_and_evaluate_give_back() -> None:
    given = data(make_regression)
    tracked = track_sklearn_model(Ridge(), "0042", name="mine", tags=["x"])
    assert tracked.fit(given["X_train"], given["y_train"], sample_weight=numpy.ones(120)) is tracked
    assert set(tracked.evaluate(given["X_test"], given["y_test"])) == {"mae", "r2"}
    assert set(tracked.evaluate(given["X_test"], given["y_test"], metrics="rmse")) == {"rmse"}
    tracked.finish()
    assert load_experiment("mine").tags == ("x",)
    assert repr(tracked).startswith("<TrackedModel in <TrackedExperiment mine (finished)")


def test_what_a_scikit_learn_model_cannot_be_given() -> None:
    with pytest.raises(UsageError, match="this cannot be fitted"):
        track_sklearn_model(LogisticRegression)
    given = data()
    with pytest.raises(UsageError, match="missing value"), track_sklearn_model(LogisticRegression()) as tracked:
        tracked.fit(given["X_train"], [float("nan")] * 120)
    found = load_experiment("logistic-regression")
    assert (found.status, found.artifacts) == ("failed", {})


@pytest.mark.parametrize(
    ("name", "series"),
    [
        ("loss_epoch_0", ("loss", 0)),
        ("val/loss_epoch_12", ("val/loss", 12)),
        ("loss-epoch-3", ("loss", 3)),
        ("loss_epoch", ("loss_epoch", None)),
        ("epoch_3", ("epoch_3", None)),
        ("accuracy", ("accuracy", None)),
        ("loss_epoch_x", ("loss_epoch_x", None)),
        (5, (5, None)),
    ],
)
def test_a_name_with_an_epoch_is_a_point_of_a_series(name: Any, series: tuple[Any, Any]) -> None:
    assert series_of(name) == series


@pytest.mark.parametrize("thing", [LogisticRegression(), None, "model", int])
def test_no_pytorch_model(thing: Any) -> None:
    with pytest.raises(UsageError, match="no PyTorch model"):
        track_pytorch_model(thing)
    assert load_experiments() == []
