"""Cross-validation: scikit-learn's numbers, and for every fold what a corrected comparison needs."""

from __future__ import annotations

import hashlib
import json
import struct

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeavePOut,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
    cross_validate,
)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from odd_estimators import Odd
from specweave_ml import UsageError, compare_experiments, load_experiment, track_cross_validation
from specweave_ml.training.cross_validation import distribution
from specweave_ml.training.folds import splits_of

X, y = load_breast_cancer(return_X_y=True)
X, y = X[::3], y[::3]
ROWS = numpy.arange(len(y))
TREE = DecisionTreeClassifier(random_state=0)

tracked = pytest.mark.usefixtures("_tracked")


@tracked
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize(
    "cv", [4, RepeatedStratifiedKFold(n_splits=5, n_repeats=3, random_state=0), ShuffleSplit(3, random_state=1)]
)
def test_the_numbers_are_those_of_cross_validate(cv, n_jobs):
    theirs = cross_validate(TREE, X, y, cv=cv, scoring=["accuracy", "roc_auc"])
    found = track_cross_validation(TREE, X, y, cv=cv, scoring=["accuracy", "roc_auc"], n_jobs=n_jobs)
    for name in ("test_accuracy", "test_roc_auc"):
        numpy.testing.assert_array_equal(found[name], theirs[name])
    numpy.testing.assert_array_equal(found["test_score"], found.scores)
    assert found.mean == theirs["test_accuracy"].mean()
    assert found.std == theirs["test_accuracy"].std(ddof=1)
    recorded = load_experiment(found.experiment)
    scores = [fold.metrics["accuracy"] for fold in recorded.folds]
    numpy.testing.assert_array_equal(scores, theirs["test_accuracy"])
    assert recorded.metrics["accuracy"] == pytest.approx(found.mean)
    assert all(fold.fit_seconds > 0 and fold.score_seconds > 0 for fold in recorded.folds)
    assert len({fold.split for fold in recorded.folds}) == len(scores)
    assert set(dict(found)) == {"test_accuracy", "test_roc_auc", "test_score", "fit_time", "score_time"}


@tracked
def test_weights_and_groups_go_where_cross_validate_sends_them():
    groups, weights = ROWS % 5, 1.0 + ROWS % 3
    options = {"cv": GroupKFold(3), "groups": groups}
    theirs = cross_validate(TREE, X, y, params={"sample_weight": weights}, **options)
    found = track_cross_validation(TREE, X, y, sample_weight=weights, **options)
    numpy.testing.assert_array_equal(found.scores, theirs["test_score"])


@tracked
def test_the_distribution_stands_in_the_record_and_the_table():
    found = track_cross_validation(
        TREE, X, y, cv=RepeatedStratifiedKFold(n_splits=4, n_repeats=2, random_state=0), name="tree", tags="cv"
    )
    recorded = load_experiment("tree")
    saved = json.loads((recorded.path / "cross_validation.json").read_text())
    spread = saved["metrics"]["accuracy"]
    assert saved["cv"] == "RepeatedStratifiedKFold(n_repeats=2, n_splits=4, random_state=0)"
    assert (spread["folds"], spread["mean"], spread["std"]) == (8, found.mean, found.std)
    assert [spread[name] for name in ("min", "median", "max")] == numpy.quantile(found.scores, [0, 0.5, 1]).tolist()
    table = found.to_dataframe()
    assert list(table["repeat"]) == [0] * 4 + [1] * 4
    assert list(table["fold"]) == [*range(4), *range(4)]
    assert list(table["test_accuracy"]) == found.scores.tolist()
    assert recorded.tags == ("cv",)
    assert recorded.metrics["training_seconds"] == pytest.approx(table["fit_time"].mean())
    assert repr(found).startswith("<CrossValidation tree: accuracy 0.")


@tracked
def test_a_seed_call_with_keywords():
    found = track_cross_validation(model=TREE, X=X, y=y, cv=5, increment="0042")
    assert len(found.scores) == 5
    assert found.experiment == "decision-tree-classifier-cross-validation"


@tracked
def test_outcomes_add_up_to_the_metric():
    found = track_cross_validation(TREE, X, y, cv=5, outcomes=True)
    recorded = load_experiment(found.experiment)
    lines = (recorded.path / "outcomes-accuracy.csv").read_text().splitlines()
    assert len(lines) == len(y) + 1
    values = [float(line.split(",")[1]) for line in lines[1:]]
    assert sum(values) / len(values) == pytest.approx(found.mean, abs=0.002)
    features, target = load_diabetes(return_X_y=True)
    ridge = track_cross_validation(
        Ridge(), features, target, cv=2, scoring=["r2", "neg_mean_absolute_error"], outcomes=True
    )
    assert "outcomes-neg_mean_absolute_error.csv" in load_experiment(ridge.experiment).artifacts


@tracked
def test_two_models_on_the_same_folds_are_compared_by_the_corrected_test(project):
    cv = RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=0)
    track_cross_validation(TREE, X, y, cv=cv, name="tree")
    track_cross_validation(SVC(), X, y, cv=cv, name="svc")
    comparison = compare_experiments()
    assert comparison.evidence.test == "corrected t"
    assert comparison.evidence.size == 10


@tracked
def test_a_fold_that_fails_fails_the_experiment_and_leaves_the_others(tmp_path):
    with pytest.raises(UsageError, match="1 of 3 folds failed; the first: ValueError: level 0"):
        track_cross_validation(Odd(fail_at=0, once=str(tmp_path / "failed")), X, y, cv=3)
    recorded = load_experiment("odd-cross-validation")
    assert (recorded.status, len(recorded.folds)) == ("failed", 2)


@tracked
def test_a_metric_that_fails_on_some_folds_is_noted():
    def broken(model, rows, truth):
        raise RuntimeError("no")

    found = track_cross_validation(
        TREE, X, y, cv=2, scoring={"accuracy": "accuracy", "auc": broken}, direction="maximize"
    )
    recorded = load_experiment(found.experiment)
    assert recorded.notes == ("A metric was not measured on 2 of 2 folds; the first: scorer: auc: RuntimeError: no",)
    assert json.loads((recorded.path / "cross_validation.json").read_text())["metrics"]["auc"]["mean"] is None


def places(cv) -> list[tuple[int, int]]:
    splits, _ = splits_of(cv, TREE, X, y, ROWS % 7 if isinstance(cv, GroupKFold) else None)
    return [(split.repeat, split.fold) for split in splits]


def test_repeats_are_told_from_folds():
    assert places(KFold(3)) == [(0, 0), (0, 1), (0, 2)]
    assert places(RepeatedKFold(n_splits=2, n_repeats=3, random_state=0)) == [
        (r, f) for r in range(3) for f in range(2)
    ]
    assert places(RepeatedStratifiedKFold(n_splits=3, n_repeats=2)) == [(r, f) for r in range(2) for f in range(3)]
    assert places(StratifiedShuffleSplit(4, random_state=0)) == [(0, fold) for fold in range(4)]
    assert places(ShuffleSplit(3, test_size=2, random_state=0)) == [(0, 0), (0, 1), (0, 2)]
    assert places(TimeSeriesSplit(3)) == [(0, 0), (0, 1), (0, 2)]
    assert places(GroupKFold(4)) == [(0, fold) for fold in range(4)]
    by_hand = [(ROWS[20:], ROWS[:20]), (ROWS[:20], ROWS[20:]), (ROWS[30:], ROWS[:30]), (ROWS[:30], ROWS[30:])]
    assert places(by_hand) == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_overlapping_splits_are_no_repeats():
    splits, _ = splits_of(LeavePOut(2), TREE, X[:5], y[:5])
    assert {split.repeat for split in splits} <= {0, 1, 2, 3, 4}
    assert len({(split.repeat, split.fold) for split in splits}) == 10


@given(st.permutations(range(12)), st.integers(1, 11))
def test_a_split_id_says_which_rows_and_not_in_which_order(rows, size):
    test, train = numpy.array(rows[:size]), numpy.array(rows[size:])
    (split,), _ = splits_of([(train, test)], TREE, X[:12], y[:12])
    (sorted_one,), _ = splits_of([(train[::-1], numpy.sort(test))], TREE, X[:12], y[:12])
    (as_mask,), _ = splits_of([(~numpy.isin(ROWS[:12], test), numpy.isin(ROWS[:12], test))], TREE, X[:12], y[:12])
    assert split.split_id == sorted_one.split_id == as_mask.split_id
    assert split.sizes == {"n_train": 12 - size, "n_test": size, "split_id": split.split_id, "repeat": 0}
    (other,), _ = splits_of([(test, train)], TREE, X[:12], y[:12])
    assert other.split_id != split.split_id


def test_a_split_id_is_the_same_on_every_machine():
    (split,), _ = splits_of([([2, 3], [1, 0])], TREE, X[:4], y[:4])
    assert split.split_id == hashlib.sha256(struct.pack("<2q", 0, 1)).hexdigest()[:16]


def test_a_distribution_of_one_fold_has_no_spread():
    assert distribution([0.5]) == {
        "folds": 1,
        "mean": 0.5,
        "std": None,
        "min": 0.5,
        "q1": 0.5,
        "median": 0.5,
        "q3": 0.5,
        "max": 0.5,
    }
