"""Callbacks of XGBoost and LightGBM: every round a point, the best one the model's own value."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy
import pytest
import xgboost
from sklearn.base import clone

from specweave import load_experiment, track_boosting_model
from specweave_ml.analysis.metrics import understand
from specweave_ml.errors import MissingDependency, SpecweaveWarning, UsageError

pytestmark = pytest.mark.usefixtures("_tracked")

_RANDOM = numpy.random.RandomState(0)
X = _RANDOM.uniform(size=(400, 4))
y = (X[:, 0] + 0.4 * _RANDOM.uniform(size=400) > 0.7).astype(int)
X_train, X_test, y_train, y_test = X[:300], X[300:], y[:300], y[300:]
PARAMS = {"max_depth": 3, "eta": 0.3, "objective": "binary:logistic", "eval_metric": ["logloss", "auc"], "nthread": 1}
LIGHT = {"objective": "binary", "metric": ["binary_logloss", "auc"], "verbose": -1, "num_leaves": 5, "num_threads": 1}


def matrices() -> tuple[xgboost.DMatrix, xgboost.DMatrix]:
    return xgboost.DMatrix(X_train, label=y_train), xgboost.DMatrix(X_test, label=y_test)


def values(name: str, metric: str) -> list[float]:
    return [point.value for point in load_experiment(name).history(metric)]


def test_the_neighbours_snippet() -> None:
    names: dict[str, Any] = {"xgb": xgboost, "X_train": X_train, "y_train": y_train, "params": {"max_depth": 2}}
    snippet = """
from specweave import track_boosting_model

dtrain = xgb.DMatrix(X_train, label=y_train)
with track_boosting_model("xgboost", increment="0042") as tracked:
    model = xgb.train(params, dtrain, callbacks=[tracked.callback])
"""
    exec(compile(snippet, "snippet", "exec"), names)  # noqa: S102 - the neighbours' words are to be run
    found = load_experiment("xgboost")
    assert (found.status, list(found.artifacts)) == ("finished", ["model.ubj"])
    assert found.params.items() >= {"max_depth": 2, "booster": "gbtree", "objective": "reg:squarederror"}.items()
    assert found.notes == ("There was no evaluation set to evaluate on, so the model has no metric of its own.",)


def test_xgboost_train() -> None:
    dtrain, dtest = matrices()
    seen: dict[str, Any] = {}
    with track_boosting_model("xgboost") as tracked:
        model = xgboost.train(
            PARAMS,
            dtrain,
            num_boost_round=60,
            evals=[(dtrain, "train"), (dtest, "test")],
            evals_result=seen,
            early_stopping_rounds=4,
            verbose_eval=False,
            callbacks=[tracked.callback],
        )
    found = load_experiment("xgboost")
    for of in ("train", "test"):
        for metric in ("logloss", "auc"):
            assert values("xgboost", f"{of}/{metric}") == seen[of][metric]
    assert [point.step for point in found.history("test/auc")] == list(range(len(seen["test"]["auc"])))
    assert found.metrics["best_iteration"] == model.best_iteration < 59
    assert found.metrics["logloss"] == seen["test"]["logloss"][model.best_iteration]
    assert found.metrics["auc"] == seen["test"]["auc"][model.best_iteration] == model.best_score
    assert 0 < found.metrics["training_seconds"] < 60
    assert found.params.items() >= {"max_depth": 3, "learning_rate": 0.3, "scale_pos_weight": 1}.items()
    assert not found.params.keys() & {"eta", "max_cached_hist_node"}
    assert found.notes == ()


def test_xgboost_estimator_and_a_model_that_trains_on() -> None:
    with track_boosting_model("xgboost", name="first") as tracked:
        xgboost.XGBClassifier(n_estimators=3, callbacks=[tracked.callback], n_jobs=1).fit(
            X_train, y_train, eval_set=[(X_train, y_train), (X_test, y_test)], verbose=False
        )
    found = load_experiment("first")
    assert found.metrics["logloss"] == values("first", "validation_1/logloss")[-1]
    assert "best_iteration" not in found.metrics
    dtrain, dtest = matrices()
    with track_boosting_model("xgboost", name="on") as tracked:
        model = xgboost.train(PARAMS, dtrain, 2, evals=[(dtest, "test")], callbacks=[tracked.callback], verbose_eval=0)
        xgboost.train(
            PARAMS, dtrain, 3, evals=[(dtest, "test")], callbacks=[tracked.callback], xgb_model=model, verbose_eval=0
        )
    assert [point.step for point in load_experiment("on").history("test/logloss")] == [0, 1, 2, 3, 4]


def test_linear_and_multiclass_boosters() -> None:
    classes = numpy.arange(300) % 3
    dtrain = xgboost.DMatrix(X_train, label=classes)
    with track_boosting_model("xgboost") as tracked:
        params = {"booster": "gblinear", "objective": "multi:softprob", "num_class": 3, "eval_metric": "mlogloss"}
        xgboost.train(params, dtrain, 2, evals=[(dtrain, "valid")], callbacks=[tracked.callback], verbose_eval=False)
    found = load_experiment("xgboost")
    assert found.params.items() >= {"booster": "gblinear", "objective": "multi:softprob"}.items()
    assert found.metrics["logloss"] == values("xgboost", "valid/logloss")[-1]


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_cross_validation(library: str) -> None:
    with track_boosting_model(library) as tracked:
        if library == "xgboost":
            table = xgboost.cv(PARAMS, matrices()[0], 3, nfold=3, callbacks=[tracked.callback])
            mean, spread = table["test-auc-mean"], table["test-auc-std"]
        else:
            seen = lightgbm.cv(LIGHT, lightgbm.Dataset(X_train, y_train), 3, nfold=3, callbacks=[tracked.callback])
            mean, spread = seen["valid auc-mean"], seen["valid auc-stdv"]
    of = "test" if library == "xgboost" else "valid"
    assert values(library, f"{of}/auc") == pytest.approx(list(mean))
    assert values(library, f"{of}/auc_std") == pytest.approx(list(spread))
    found = load_experiment(library)
    assert (found.metrics["auc"], found.artifacts, found.notes) == (pytest.approx(list(mean)[-1]), {}, ())


def test_lightgbm_train() -> None:
    data = lightgbm.Dataset(X_train, y_train)
    seen: dict[str, Any] = {}
    with track_boosting_model("lightgbm") as tracked:
        model = lightgbm.train(
            LIGHT,
            data,
            num_boost_round=80,
            valid_sets=[data, lightgbm.Dataset(X_test, y_test, reference=data)],
            valid_names=["training", "held"],
            callbacks=[
                tracked.callback,
                lightgbm.record_evaluation(seen),
                lightgbm.early_stopping(5, first_metric_only=True, verbose=False),
            ],
        )
    found = load_experiment("lightgbm")
    assert values("lightgbm", "held/auc") == seen["held"]["auc"]
    assert values("lightgbm", "training/logloss") == seen["training"]["binary_logloss"]
    assert found.metrics["best_iteration"] == model.best_iteration - 1 < 79
    assert found.metrics["logloss"] == seen["held"]["binary_logloss"][model.best_iteration - 1]
    assert found.params.items() >= {"objective": "binary", "num_leaves": 5, "num_iterations": 80}.items()
    assert list(found.artifacts) == ["model.txt"]
    assert found.artifacts["model.txt"]["format"] == "lightgbm"


def test_lightgbm_estimator_without_an_evaluation_set() -> None:
    with track_boosting_model("lightgbm") as tracked:
        lightgbm.LGBMClassifier(n_estimators=2, verbose=-1, n_jobs=1).fit(
            X_train, y_train, callbacks=[tracked.callback]
        )
    found = load_experiment("lightgbm")
    assert (found.status, set(found.metrics)) == ("finished", {"training_seconds"})
    assert found.params["learning_rate"] == 0.1


def test_only_the_training_set_gives_the_model_no_metric() -> None:
    dtrain, _ = matrices()
    with track_boosting_model("xgboost") as tracked:
        xgboost.train(PARAMS, dtrain, 2, evals=[(dtrain, "dtrain")], callbacks=[tracked.callback], verbose_eval=False)
    found = load_experiment("xgboost")
    assert "logloss" not in found.metrics
    assert found.notes[0].startswith("There was only the training set")


def test_comparison_understands_the_names() -> None:
    for name in ("train/logloss", "validation_0/auc", "valid_1/mae", "test/mse", "valid/error", "logloss", "mae"):
        assert understand(name).direction is not None
    assert [understand(f"{of}/auc").split for of in ("train", "test", "validation_0")] == ["train", "test", "val"]


def test_one_callback_records_one_training() -> None:
    with track_boosting_model("xgboost", name="x") as tracked:
        model = xgboost.XGBClassifier(n_estimators=1, callbacks=[tracked.callback], n_jobs=1)
        model.fit(X_train, y_train)
        with pytest.raises(UsageError, match="has recorded a training already"):
            clone(model).fit(X_train, y_train)
    with track_boosting_model("lightgbm", name="l") as tracked:
        data = lightgbm.Dataset(X_train, y_train)
        lightgbm.train(LIGHT, data, 1, callbacks=[tracked.callback])
        with pytest.raises(UsageError, match="call track_boosting_model again"):
            lightgbm.train(LIGHT, data, 1, callbacks=[tracked.callback])


def test_what_of_ours_fails_ends_the_record_of_the_rounds_and_not_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    dtrain, dtest = matrices()
    tracked = track_boosting_model("xgboost")
    with monkeypatch.context() as patched:
        patched.setattr(type(tracked.experiment), "log_metrics", lambda *_, **__: 1 / 0)
        with pytest.warns(SpecweaveWarning, match="the rounds from here on"):
            model = xgboost.train(
                PARAMS, dtrain, 3, evals=[(dtest, "test")], callbacks=[tracked.callback], verbose_eval=0
            )
    tracked.finish()
    assert model.num_boosted_rounds() == 3
    found = load_experiment("xgboost")
    assert found.notes[0].startswith("Not recorded: the rounds from here on: ZeroDivisionError")
    assert found.status == "finished"


def test_a_training_that_fails() -> None:
    with pytest.raises(xgboost.core.XGBoostError), track_boosting_model("xgboost") as tracked:
        xgboost.train({"objective": "no:such"}, matrices()[0], 2, callbacks=[tracked.callback])
    assert load_experiment("xgboost").status == "failed"


@pytest.mark.parametrize("library", ["catboost", "", 5, None])
def test_other_libraries(library: Any) -> None:
    with pytest.raises(UsageError, match="expected: xgboost or lightgbm"):
        track_boosting_model(library)


def test_a_library_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "lightgbm", None)
    with pytest.raises(MissingDependency, match="lightgbm"):
        track_boosting_model("lightgbm")


def test_as_a_plain_object() -> None:
    tracked = track_boosting_model("XGBoost", increment="0042")
    xgboost.train(PARAMS, matrices()[0], 1, callbacks=[tracked.callback])
    tracked.add_tag("mine")
    tracked.finish()
    tracked.finish()
    found = load_experiment("xgboost")
    assert (found.status, found.tags, list(found.artifacts)) == ("finished", ("mine",), ["model.ubj"])
