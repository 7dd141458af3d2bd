"""Searches: the numbers are scikit-learn's, the record has every trial, and what was done is not done again."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy
import pytest
from scipy.stats import loguniform
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import make_scorer, mean_squared_error
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    PredefinedSplit,
    RandomizedSearchCV,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from odd_estimators import Odd, Unpicklable
from specweave_ml import UsageError, load_experiment, load_experiments, track_grid_search, track_hyperparameters
from specweave_ml.errors import NotFound, SpecweaveWarning
from specweave_ml.store.reader import read_experiment

pytestmark = pytest.mark.usefixtures("_tracked")

X, y = load_breast_cancer(return_X_y=True)
X, y = StandardScaler().fit_transform(X[::3]), y[::3]
ROWS = numpy.arange(len(y))
TREE = DecisionTreeClassifier(random_state=0)
GRID = {"max_depth": [1, 2, 3], "min_samples_leaf": [1, 10]}
PIPE = make_pipeline(StandardScaler(), LogisticRegression())


def same_as_sklearn(search: GridSearchCV | RandomizedSearchCV, estimator, grid, **options) -> None:
    """Winner, fold scores and means are the same numbers, to the last bit."""
    fit_options = {name: options[name] for name in ("groups", "sample_weight") if name in options}
    search.fit(X, y, **fit_options)
    found = track_hyperparameters(estimator, grid, X, y, **options)
    theirs = search.cv_results_
    metric = found.metric if f"mean_test_{found.metric}" in theirs else "score"
    assert found.best_trial == search.best_index_
    assert found.best_params == search.best_params_
    assert found.best_score == search.best_score_
    assert [trial["params"] for trial in found.trials] == theirs["params"]
    assert [trial["scores"][found.metric] for trial in found.trials] == list(theirs[f"mean_test_{metric}"])
    for trial in found.trials:
        folds = [theirs[f"split{fold}_test_{metric}"][trial["number"]] for fold in range(search.n_splits_)]
        assert trial["folds"][found.metric] == folds
    recorded = load_experiment(found.experiment)
    assert [trial["folds"] for trial in recorded.trials] == [trial["folds"] for trial in found.trials]
    numpy.testing.assert_array_equal(found.best_model.predict(X), search.best_estimator_.predict(X))


@pytest.mark.parametrize(
    "cv",
    [
        None,
        4,
        KFold(3, shuffle=True, random_state=1),
        RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0),
        ShuffleSplit(4, random_state=0),
        TimeSeriesSplit(3),
        PredefinedSplit(ROWS % 4 - 1),
        [(ROWS[ROWS % 2 == 0], ROWS[ROWS % 2 == 1]), (ROWS % 3 == 0, ROWS % 3 == 1)],
    ],
    ids=lambda cv: type(cv).__name__,
)
def test_any_splitter_gives_the_numbers_of_grid_search(cv):
    same_as_sklearn(GridSearchCV(TREE, GRID, cv=cv), TREE, GRID, cv=cv)


@pytest.mark.parametrize(
    ("estimator", "grid"),
    [
        (TREE, [{"max_depth": [1, 2]}, {"criterion": ["entropy"], "max_depth": [3]}]),
        (PIPE, {"logisticregression__C": [0.01, 1.0], "standardscaler": [StandardScaler(), MinMaxScaler()]}),
        (
            PIPE,
            [{"logisticregression": [SVC()], "logisticregression__gamma": [0.1, 1.0]}, {"logisticregression__C": [1]}],
        ),
        (SVC(), {"C": numpy.logspace(-2, 2, 3), "kernel": ["linear", "rbf"]}),
    ],
    ids=["list of grids", "steps and their params", "a step that changes", "numpy values"],
)
def test_any_grid(estimator, grid):
    same_as_sklearn(GridSearchCV(estimator, grid, cv=3), estimator, grid, cv=3)


def test_random_search_with_distributions():
    grid = {"C": loguniform(1e-3, 1e3), "kernel": ["linear", "rbf"]}
    theirs = RandomizedSearchCV(SVC(), grid, n_iter=6, cv=3, random_state=7)
    same_as_sklearn(theirs, SVC(), grid, n_iter=6, cv=3, random_state=7)
    (found,) = load_experiments()
    plan = json.loads((found.path / "search.json").read_text())
    assert (found.name, plan["sampler"], plan["random_state"]) == ("svc-random-search", "random", 7)
    assert plan["log_params"] == {"C": True}


def test_groups_and_weights_go_where_scikit_learn_sends_them():
    groups, weights = ROWS % 7, 1.0 + (ROWS % 5)
    grid = {"max_depth": [2, 4]}
    same_as_sklearn(GridSearchCV(TREE, grid, cv=GroupKFold(3)), TREE, grid, cv=GroupKFold(3), groups=groups)
    options = {"sample_weight": weights, "cv": 3}
    same_as_sklearn(GridSearchCV(TREE, grid, cv=3), TREE, grid, **options)
    several = ["accuracy", "roc_auc"]
    theirs = GridSearchCV(TREE, grid, cv=3, scoring=several, refit="accuracy")
    same_as_sklearn(theirs, TREE, grid, scoring=several, **options)


def test_fit_params_are_cut_to_the_rows_of_the_fold():
    weights = 1.0 + (ROWS % 5)
    theirs = GridSearchCV(PIPE, {"logisticregression__C": [0.1, 1]}, cv=3).fit(
        X, y, logisticregression__sample_weight=weights
    )
    found = track_hyperparameters(
        PIPE, {"logisticregression__C": [0.1, 1]}, X, y, cv=3, fit_params={"logisticregression__sample_weight": weights}
    )
    assert found.best_score == theirs.best_score_


def test_several_metrics_and_the_one_that_decides():
    several = ["roc_auc", "accuracy", "neg_log_loss"]
    theirs = GridSearchCV(TREE, GRID, cv=3, scoring=several, refit="neg_log_loss")
    same_as_sklearn(theirs, TREE, GRID, cv=3, scoring=several, refit="neg_log_loss")
    (found,) = load_experiments()
    assert set(several) <= set(found.metrics)
    assert [set(fold.metrics) for fold in found.folds] == [set(several)] * 3
    first = track_hyperparameters(TREE, GRID, X, y, cv=3, scoring=several)
    assert first.metric == "roc_auc"


def test_a_name_that_says_lower_is_better_has_the_natural_sign():
    features, target = load_diabetes(return_X_y=True)
    grid = {"alpha": [0.01, 1.0, 100.0]}
    theirs = GridSearchCV(Ridge(), grid, scoring="neg_mean_squared_error").fit(features, target)
    for scoring in (
        "mse",
        {"mse": "neg_mean_squared_error"},
        {"mse": make_scorer(mean_squared_error, greater_is_better=False)},
    ):
        found = track_hyperparameters(Ridge(), grid, features, target, scoring=scoring)
        assert (found.metric, found.direction) == ("mse", "minimize")
        assert (found.best_score, found.best_params) == (-theirs.best_score_, theirs.best_params_)
    kept = track_hyperparameters(Ridge(), grid, features, target, scoring="neg_mean_squared_error")
    assert (kept.direction, kept.best_score) == ("maximize", theirs.best_score_)


def test_a_function_of_ones_own_says_which_way():
    def cost(model, rows, truth):
        return float((model.predict(rows) != truth).sum())

    found = track_hyperparameters(TREE, GRID, X, y, cv=3, scoring=cost, direction="minimize")
    accuracy = track_hyperparameters(
        TREE, GRID, X, y, cv=KFold(3), scoring={"hits_gained": lambda m, a, b: m.score(a, b)}, direction="max"
    )
    assert found.best_score == min(trial["scores"]["cost"] for trial in found.trials)
    assert accuracy.best_score == max(trial["scores"]["hits_gained"] for trial in accuracy.trials)


def test_the_class_as_the_seed_gives_it_and_what_the_record_has(project):
    results = track_hyperparameters(
        model=RandomForestClassifier,
        param_grid={"n_estimators": [3, 6], "max_depth": [2], "random_state": [0]},
        X_train=X,
        y_train=y,
        increment="0042",
        tags=["search"],
        description="forests",
    )
    found = load_experiment(results.experiment)
    assert (found.name, found.status, found.tags) == ("random-forest-classifier-grid-search", "finished", ("search",))
    assert found.params == {"model": "RandomForestClassifier", **results.best_params}
    assert found.metrics["accuracy"] == pytest.approx(results.best_score)
    assert found.metrics["training_seconds"] > 0
    assert [(fold.n_train, fold.n_test) for fold in found.folds] == [(152, 38)] * 5
    assert len({fold.split for fold in found.folds}) == 5
    assert {"search.json", "trials.csv", "model.pkl", "importance.md", "importance.svg"} <= set(found.artifacts)
    assert found.metadata["trials"] == 2
    first = found.trials[0]
    assert (first["number"], first["status"], first["error"]) == (0, "finished", None)
    assert first["params"] == {"n_estimators": 3, "max_depth": 2, "random_state": 0}
    assert first["fit_seconds"] > 0
    assert first["score_seconds"] > 0


def test_the_table_and_trials_csv_say_the_same():
    results = track_hyperparameters(TREE, [{"max_depth": [1, None]}, {"criterion": ["gini"]}], X, y, cv=3)
    table = results.to_dataframe()
    assert list(table["trial"]) == [0, 1, 2]
    assert {
        "param.max_depth",
        "param.criterion",
        "metric.accuracy",
        "metric.accuracy_std",
        "metric.accuracy_fold_2",
    } <= {*table}
    assert table["metric.accuracy_std"][0] == pytest.approx(numpy.std(results.trials[0]["folds"]["accuracy"], ddof=1))
    text = (load_experiment(results.experiment).path / "trials.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["param.max_depth"] for row in rows] == ["1", "None", ""]
    assert [float(row["metric.accuracy_fold_1"]) for row in rows] == list(table["metric.accuracy_fold_1"])


def test_grid_search_gives_the_model_and_the_results():
    best_model, results = track_grid_search(TREE, GRID, X, y, increment="0042")
    assert best_model is results.best_model
    assert best_model.get_params()["max_depth"] == results.best_params["max_depth"]
    assert not hasattr(TREE, "tree_")


def test_without_a_refit_there_is_no_model():
    results = track_hyperparameters(TREE, GRID, X, y, cv=3, refit=False)
    assert results.best_model is None
    assert "model.pkl" not in load_experiment(results.experiment).artifacts


def test_a_search_without_a_target():
    from sklearn.cluster import KMeans

    found = track_hyperparameters(KMeans(n_init=1, random_state=0), {"n_clusters": [2, 3]}, X, cv=3)
    theirs = GridSearchCV(KMeans(n_init=1, random_state=0), {"n_clusters": [2, 3]}, cv=3).fit(X)
    assert (found.metric, found.best_score) == ("score", theirs.best_score_)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_trial_that_fails_is_a_trial(n_jobs):
    results = track_hyperparameters(Odd(fail_at=2), {"level": [1, 2, 3]}, X, y, cv=3, n_jobs=n_jobs)
    found = load_experiment(results.experiment)
    assert [trial["status"] for trial in found.trials] == ["finished", "failed", "finished"]
    failed = found.trials[1]
    assert failed["error"] == {"type": "ValueError", "message": "level 2 cannot be fitted; password=[redacted]"}
    assert (failed["scores"], failed["folds"]) == ({}, {})
    assert found.status == "finished"
    assert found.notes[0].startswith("1 of 3 trials failed; the first: ValueError: level 2 cannot be fitted")
    assert results.best_trial == 0


def test_a_metric_that_fails_costs_only_its_own_scores():
    def broken(model, rows, truth):
        raise RuntimeError("no such thing")

    results = track_hyperparameters(
        TREE, GRID, X, y, cv=3, scoring={"accuracy": "accuracy", "auc": broken}, direction="maximize"
    )
    trial = load_experiment(results.experiment).trials[0]
    assert (trial["status"], trial["error"]["message"]) == ("finished", "auc: RuntimeError: no such thing")
    assert numpy.isnan(trial["scores"]["auc"])
    assert trial["scores"]["accuracy"] > 0.5


def test_when_all_fail_the_record_is_kept_and_the_error_says_why():
    with pytest.raises(UsageError, match="none of 2 trials gave a value of accuracy; the first: ValueError: level 2"):
        track_hyperparameters(Odd(fail_at=2), {"level": [2], "seconds": [0, 0.0]}, X, y, cv=3)
    (found,) = load_experiments()
    assert (found.status, len(found.trials)) == ("failed", 2)
    assert "trials.csv" in found.artifacts


def test_a_model_that_cannot_be_pickled_is_named(project):
    with pytest.warns(SpecweaveWarning, match="cannot be pickled"):
        results = track_hyperparameters(Unpicklable(), {"level": [1, 2]}, X, y, cv=3)
    found = load_experiment(results.experiment)
    assert found.status == "finished"
    assert "model.pkl" not in found.artifacts
    assert "the model (Unpicklable)" in found.notes[0]
    assert "cannot be pickled" in found.notes[0]
    assert results.best_model.said_ in (0, 1)


def test_trials_are_readable_while_it_runs(project):
    seen: list[int] = []

    def watched(model, rows, truth):
        (running,) = load_experiments()
        seen.append(len(running.trials))
        assert running.status == "running"
        return float(model.score(rows, truth))

    track_hyperparameters(TREE, {"max_depth": [1, 2, 3]}, X, y, cv=2, scoring=watched, direction="maximize")
    assert seen == [0, 0, 1, 1, 2, 2]


interruption: list[int] = []


def accuracy(model, rows, truth):
    """The scorer of the searches that are cut short: Ctrl-C comes when `interruption` has counted down."""
    if interruption and not interruption.pop():
        raise KeyboardInterrupt
    return float(model.score(rows, truth))


def searched(log: Path, **options):
    """A search over four levels, or others, whose fits leave a line each."""
    log.write_text("")
    levels = options.pop("levels", [1, 2, 3, 4])
    return track_hyperparameters(Odd(log=str(log)), {"level": levels}, X, y, cv=2, scoring=accuracy, **options)


def interrupted(log: Path, **options) -> None:
    """The same, ended by Ctrl-C in its third trial."""
    interruption[:] = range(6)
    with pytest.raises(KeyboardInterrupt):
        searched(log, **options)
    assert not interruption


def test_a_search_that_was_cut_short_goes_on_without_fitting_again(tmp_path):
    log = tmp_path / "fits"
    interrupted(log)
    (killed,) = load_experiments()
    assert (killed.status, len(killed.trials)) == ("killed", 2)
    results = searched(log)
    assert log.read_text().split() == ["3", "3", "4", "4", "1"]  # what was missing, and the best on all rows
    (found,) = load_experiments()
    assert (found.name, found.status, found.metadata["sessions"]) == (results.experiment, "finished", 2)
    assert [trial["number"] for trial in results.trials] == [0, 1, 2, 3]
    again = searched(log)
    assert again.experiment == f"{results.experiment}-2"  # one that ended is done
    assert len(log.read_text().split()) == 9


def test_another_search_does_not_go_on(tmp_path):
    log = tmp_path / "fits"
    interrupted(log)
    assert searched(log, levels=[1, 2, 3]).experiment == "odd-grid-search-2"
    assert searched(log).experiment == "odd-grid-search"  # the one that was cut short, not the last of that name
    with pytest.raises(UsageError, match="looked for something else"):
        searched(log, levels=[1, 2], resume=True)
    interrupted(log, name="other")
    assert searched(log, name="other", resume=False).experiment == "other-2"
    with pytest.raises(NotFound):
        searched(log, name="third", resume=True)


def test_one_that_ended_goes_on_when_told_to(tmp_path):
    log = tmp_path / "fits"
    first = searched(log)
    second = searched(log, resume=True)
    assert second.experiment == first.experiment
    assert log.read_text().split() == ["1"]  # nothing but the refit
    assert [trial["folds"] for trial in second.trials] == [trial["folds"] for trial in first.trials]


def test_a_random_search_without_a_seed_keeps_its_points(tmp_path):
    log = tmp_path / "fits"
    options = {"n_iter": 4, "name": "drawn"}
    interrupted(log, **options)
    before = load_experiment("drawn").trials
    results = searched(log, **options)
    assert results.experiment == "drawn"
    assert [trial["params"] for trial in results.trials][:2] == [trial["params"] for trial in before]


def test_a_failed_trial_is_tried_again(tmp_path):
    fails_once = Odd(fail_at=1, once=str(tmp_path / "failed"))
    with pytest.raises(UsageError):
        track_hyperparameters(fails_once, {"level": [1]}, X, y, cv=2)
    track_hyperparameters(fails_once, {"level": [1]}, X, y, cv=2)
    (found,) = load_experiments()
    assert (found.status, found.metadata["sessions"]) == ("finished", 2)
    assert [trial["status"] for trial in found.trials] == ["finished"]


def test_switched_off_it_searches_and_writes_nothing(project, monkeypatch):
    monkeypatch.setenv("SPECWEAVE_MODE", "disabled")
    results = track_hyperparameters(TREE, GRID, X, y, cv=3)
    assert results.best_params == GridSearchCV(TREE, GRID, cv=3).fit(X, y).best_params_
    assert len(results.to_dataframe()) == 6
    assert load_experiments() == []


def test_progress_on_a_terminal_only(capsys, monkeypatch):
    track_hyperparameters(TREE, {"max_depth": [1, 2]}, X, y, cv=2)
    assert "trials" not in capsys.readouterr().err
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    track_hyperparameters(TREE, {"max_depth": [1, 2]}, X, y, cv=2)
    said = capsys.readouterr().err
    assert "\r1 of 2 trials, best accuracy 0." in said
    assert said.count("\n") - said.count("is taken") == 1


def test_frames_and_lists_are_rows_too():
    import pandas

    frame = pandas.DataFrame(X, columns=[f"feature {number}" for number in range(X.shape[1])])
    labels = pandas.Series(numpy.where(y, "benign", "malignant"), name="diagnosis")
    theirs = GridSearchCV(TREE, GRID, cv=3).fit(frame, labels)
    assert track_hyperparameters(TREE, GRID, frame, labels, cv=3).best_score == theirs.best_score_
    theirs = GridSearchCV(TREE, GRID, cv=3).fit(X.tolist(), y.tolist())
    assert track_hyperparameters(TREE, GRID, X.tolist(), y.tolist(), cv=3).best_score == theirs.best_score_


def test_the_folds_of_a_search_are_those_of_the_same_cv_elsewhere():
    one = track_hyperparameters(TREE, GRID, X, y, cv=StratifiedKFold(5))
    other = track_hyperparameters(PIPE, {"logisticregression__C": [1]}, X, y, cv=5)
    splits = [[fold.split for fold in load_experiment(found.experiment).folds] for found in (one, other)]
    assert splits[0] == splits[1]


def test_a_record_of_another_program_is_read_as_far_as_it_goes(project):
    folder = project / ".specweave/increments/0042-recommendation-model/experiments/odd"
    folder.mkdir(parents=True)
    opened = '{"open":{"schema":1,"session":1,"writer":"","pid":1,"host":"h","at":"2026-03-01T09:30:00.000Z"}}\n'
    lines = [
        {"trial": {"params": {"a": 1}}},
        {"trial": {"number": 5, "params": 3, "scores": {"x": "NaN", "y": "?"}, "folds": {"x": [1, "?"], "y": 2}}},
        {"trial": {"number": True, "values": [[1, 0.5], 3], "error": "text", "fit_seconds": "soon"}},
        {"trial": 4},
    ]
    (folder / "journal.jsonl").write_text(opened + "".join(json.dumps(line) + "\n" for line in lines))
    found = read_experiment(str(folder), "0042")
    assert [trial["number"] for trial in found.trials] == [1, 5, 6]
    assert found.trials[1]["folds"] == {"x": [1, None]}
    assert found.trials[2]["params"] == {"a": 1}
    assert found.trials[0]["values"] == [(1, 0.5)]
