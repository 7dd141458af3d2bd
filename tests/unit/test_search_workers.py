"""Worker processes that die: what came is kept, the rest is done again, and only a killer is given up."""

from __future__ import annotations

import threading

import numpy
import pytest
from joblib import parallel_config
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeClassifier

from odd_estimators import Odd, Unsendable
from specweave_ml import UsageError, load_experiment, load_experiments, track_cross_validation, track_hyperparameters

pytestmark = pytest.mark.usefixtures("_tracked")

X, y = load_iris(return_X_y=True)
GRID = {"level": list(range(6))}


def test_a_worker_that_is_killed_once_costs_no_trial(tmp_path):
    log = tmp_path / "fits"
    model = Odd(kill_at=3, once=str(tmp_path / "killed"), log=str(log))
    results = track_hyperparameters(model, GRID, X, y, cv=3, n_jobs=2)
    assert (tmp_path / "killed").exists()
    found = load_experiment(results.experiment)
    assert [trial["status"] for trial in found.trials] == ["finished"] * 6
    lines = [line for line in (found.path / "journal.jsonl").read_text().splitlines() if line.startswith('{"trial"')]
    assert len(lines) == 6
    theirs = GridSearchCV(Odd(), GRID, cv=3).fit(X, y)
    assert [trial["scores"]["accuracy"] for trial in found.trials] == theirs.cv_results_["mean_test_score"].tolist()


def test_a_candidate_that_kills_every_worker_is_a_failed_trial(tmp_path):
    results = track_hyperparameters(Odd(kill_at=3), GRID, X, y, cv=2, n_jobs=2)
    found = load_experiment(results.experiment)
    assert [trial["status"] for trial in found.trials] == ["finished"] * 3 + ["failed"] + ["finished"] * 2
    assert found.trials[3]["error"]["type"] == "WorkerDied"
    assert found.status == "finished"


def test_threads_are_workers_too():
    names = set()

    class Named(DecisionTreeClassifier):  # type: ignore[misc]  # scikit-learn has no types
        def fit(self, *rows, **options):
            names.add(threading.current_thread().name)
            return super().fit(*rows, **options)

    grid = {"max_depth": [1, 2, 3]}
    with parallel_config(backend="threading", n_jobs=2):
        found = track_hyperparameters(Named(random_state=0), grid, X, y, cv=3, refit=False)
    assert threading.main_thread().name not in names
    assert found.best_score == GridSearchCV(DecisionTreeClassifier(random_state=0), grid, cv=3).fit(X, y).best_score_


def test_processes_give_the_numbers_of_one_process():
    one = track_cross_validation(DecisionTreeClassifier(random_state=0), X, y, cv=4, scoring=["accuracy", "f1_macro"])
    two = track_cross_validation(
        DecisionTreeClassifier(random_state=0), X, y, cv=4, scoring=["accuracy", "f1_macro"], n_jobs=2
    )
    numpy.testing.assert_array_equal(one.scores, two.scores)


def test_what_cannot_be_sent_to_a_process_is_said():
    with pytest.raises(UsageError, match=r"cannot be sent to other processes(.|\n)*n_jobs=1"):
        track_hyperparameters(Unsendable(), GRID, X, y, cv=2, n_jobs=2)
    (found,) = load_experiments()
    assert found.status == "failed"
