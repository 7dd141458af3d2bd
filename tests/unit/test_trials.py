"""Trials in the record: what `log_trial` keeps, and how `Experiment.trials` gives it back."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specweave_ml import UsageError, load_experiment, track_experiment
from specweave_ml.store.trials import readable_trials, trial_line

tracked = pytest.mark.usefixtures("_tracked")

NOTHING = {
    "params": {},
    "scores": {},
    "folds": {},
    "fit_seconds": None,
    "score_seconds": None,
    "values": [],
    "error": None,
}


@tracked
def test_everything_comes_back():
    with track_experiment("search") as exp:
        exp.log_trial(
            {"C": numpy.float64(0.1), "kernel": "rbf", "layers": (64, 32), "token": "hf_secret", "missing": math.nan},
            scores={"auc": numpy.float32(0.5), "loss": math.inf},
            folds={"auc": [0.25, numpy.float64(0.75)]},
            fit_seconds=1.5,
            score_seconds=0.25,
            trial=4,
        )
        exp.log_trial({"C": 1}, status="failed", error=ValueError("no password=hunter2"), trial=0)
        exp.log_trial({}, status="pruned", values={1: 0.5, 2: 0.25}, trial=2)
        exp.log_trial({}, status="failed", error="said in words", values=[(3, 0.5)], trial=3)
        running = load_experiment("search")
        assert (running.status, len(running.trials)) == ("running", 4)
    found = load_experiment("search")
    failed, pruned, said, full = found.trials
    assert failed["error"] == {"type": "ValueError", "message": "no password=[redacted]"}
    assert pruned == {**NOTHING, "number": 2, "status": "pruned", "values": [(1, 0.5), (2, 0.25)]}
    assert (said["error"], said["values"]) == ({"message": "said in words"}, [(3, 0.5)])
    assert math.isnan(full["params"].pop("missing"))
    assert full["params"] == {"C": 0.1, "kernel": "rbf", "layers": [64, 32], "token": "[redacted]"}
    assert (full["scores"], full["folds"]) == ({"auc": 0.5, "loss": math.inf}, {"auc": [0.25, 0.75]})
    assert (full["fit_seconds"], full["score_seconds"]) == (1.5, 0.25)
    assert found.metadata["trials"] == 4


@tracked
def test_numbers_are_given_to_those_without_and_the_later_one_stands():
    with track_experiment("search") as exp:
        exp.log_trial({"a": "first without"})
        exp.log_trial({"a": 7}, trial=7)
        exp.log_trial({"a": "second without"})
        exp.log_trial({"a": 8}, trial=7)
    trials = load_experiment("search").trials
    assert [(trial["number"], trial["params"]["a"]) for trial in trials] == [
        (7, 8),
        (8, "first without"),
        (9, "second without"),
    ]
    with track_experiment("none") as exp:
        pass
    assert load_experiment("none").trials == ()


@tracked
@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "done"},
        {"scores": {"auc": "high"}},
        {"scores": {"": 1}},
        {"folds": {"auc": [0.5, None]}},
        {"trial": -1},
        {"trial": 1.5},
        {"fit_seconds": "long"},
        {"values": {"first": 1}},
        {"params": {"": 1}},
    ],
)
def test_a_mistake_of_the_caller_raises_and_logs_nothing(wrong):
    with track_experiment("search") as exp, pytest.raises(UsageError):
        exp.log_trial(**{"params": {}, **wrong})
    assert load_experiment("search").trials == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.integers(-3, 3), st.dictionaries(st.sampled_from([*NOTHING, "number", "status"]), JSON)))
def test_any_line_reads(lines):
    trials = readable_trials(lines)
    assert len(trials) == len(lines)
    assert all(set(trial) == {*NOTHING, "number", "status"} for trial in trials)
    assert len({trial["number"] for trial in trials}) == len(lines)


def test_what_is_empty_takes_no_room():
    assert trial_line({}, "finished", {}, {}, {"fit_seconds": None}, ()) == {"status": "finished"}


FINGERPRINT = """
import numpy, pandas
from sklearn.tree import DecisionTreeClassifier
from specweave_ml.training.fit import Extras
from specweave_ml.training.folds import splits_of
from specweave_ml.training.resuming import fingerprint
from specweave_ml.training.scoring import scoring_of
from specweave_ml.training.workers import Work

tree = DecisionTreeClassifier(random_state=0)
X = pandas.DataFrame({"a": numpy.arange(12.0), "b": list("xyz" * 4)})
y = pandas.Series(["yes", "no"] * 6)
splits, _ = splits_of(3, tree, X, y)
work = Work(tree, X, y, splits, scoring_of(tree, ["f1_macro", "accuracy"]), Extras({"w": [1]}, {}))
print(fingerprint(work, [{"max_depth": 1, "splitter": tree, "of": len}]))
print(fingerprint(work, [{"max_depth": object()}]))
"""


def test_a_fingerprint_is_the_same_in_every_process():
    def printed() -> str:
        done = subprocess.run([sys.executable, "-c", FINGERPRINT], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    first, second = printed(), printed()
    assert first == second
    known, nameless = first.split()
    assert known != "None"
    assert nameless == "None"  # two objects without a text of their own cannot be told apart
