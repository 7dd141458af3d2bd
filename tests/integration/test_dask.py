"""Searches on a Dask cluster of several processes: every trial and fold arrives once, and only the parent writes."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
from joblib import parallel_config
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, RepeatedStratifiedKFold, cross_validate
from sklearn.tree import DecisionTreeClassifier

from odd_estimators import Odd
from specweave_ml import load_experiment, track_cross_validation, track_hyperparameters
from tracked import wait_for_the_capture

distributed = pytest.importorskip("distributed")
# Its worker processes say on their way out what nobody reads any more.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

X, y = load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two worker processes that stand in a folder of their own."""
    folder = tmp_path_factory.mktemp("workers")
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address="localhost:0",  # None still asks for port 8787, which another test process may have
            local_directory=str(folder),
            silence_logs="CRITICAL",
        ) as processes,
        distributed.Client(processes) as client,
    ):
        client.run(os.chdir, folder)
        yield client


def lines_of(folder: Path, kind: str) -> list[dict[str, Any]]:
    """The lines of a kind in the only journal there is."""
    (journal,) = folder.glob("journal*.jsonl")
    rows = [json.loads(line) for line in journal.read_text().splitlines()]
    return [row[kind] for row in rows if kind in row]


def test_a_search_gives_the_numbers_of_one_machine(project, cluster):
    grid = {"max_depth": [1, 2, 3, None], "min_samples_leaf": [1, 5]}
    theirs = GridSearchCV(DecisionTreeClassifier(random_state=0), grid, cv=3).fit(X, y)
    with parallel_config(backend="dask"):
        found = track_hyperparameters(DecisionTreeClassifier(random_state=0), grid, X, y, cv=3)
    assert (found.best_params, found.best_score) == (theirs.best_params_, theirs.best_score_)
    assert [trial["scores"]["accuracy"] for trial in found.trials] == theirs.cv_results_["mean_test_score"].tolist()
    trials = lines_of(load_experiment(found.experiment).path, "trial")
    assert Counter(trial["number"] for trial in trials) == dict.fromkeys(range(8), 1)
    wait_for_the_capture()


def test_every_fold_arrives_once(project, cluster):
    cv = RepeatedStratifiedKFold(n_splits=5, n_repeats=3, random_state=0)
    model = DecisionTreeClassifier(random_state=0)
    with parallel_config(backend="dask"):
        found = track_cross_validation(model, X, y, cv=cv)
    numpy.testing.assert_array_equal(found.scores, cross_validate(model, X, y, cv=cv)["test_score"])
    folds = lines_of(load_experiment(found.experiment).path, "fold")
    assert Counter((fold["repeat"], fold["i"]) for fold in folds) == {(r, i): 1 for r in range(3) for i in range(5)}
    wait_for_the_capture()


def test_a_worker_that_is_killed_costs_no_trial(project, cluster, tmp_path):
    log, killed = tmp_path / "fits", tmp_path / "killed"
    model = Odd(kill_at=4, once=str(killed), log=str(log), seconds=0.02)
    before = set(cluster.run(os.getpid).values())
    with parallel_config(backend="dask"):
        found = track_hyperparameters(model, {"level": list(range(8))}, X, y, cv=3, refit=False)
    assert killed.exists()
    cluster.wait_for_workers(2)
    assert set(cluster.run(os.getpid).values()) != before
    recorded = load_experiment(found.experiment)
    assert [trial["status"] for trial in recorded.trials] == ["finished"] * 8
    trials = lines_of(recorded.path, "trial")
    assert Counter(trial["number"] for trial in trials) == dict.fromkeys(range(8), 1)
    assert all(len(trial["folds"]["accuracy"]) == 3 for trial in trials)
    wait_for_the_capture()


@pytest.mark.slow  # a worker process starts anew for each of its deaths
def test_a_candidate_that_kills_its_workers_is_a_failed_trial(project, cluster):
    cluster.wait_for_workers(2)  # on one core joblib fits in this process
    with parallel_config(backend="dask"):
        found = track_hyperparameters(Odd(kill_at=1), {"level": [0, 1, 2]}, X, y, cv=2, refit=False)
    recorded = load_experiment(found.experiment)
    assert [trial["status"] for trial in recorded.trials] == ["finished", "failed", "finished"]
    assert recorded.trials[1]["error"]["type"] == "WorkerDied"
    wait_for_the_capture()
