"""What can be said to a live experiment: params, metrics, folds, outcomes."""

from __future__ import annotations

import math
import sys
import warnings
from pathlib import Path

import numpy
import pandas
import pytest

from specweave_ml.errors import SpecweaveWarning, UsageError
from specweave_ml.store.load import load_experiment
from specweave_ml.store.projections import project as make_small_files
from specweave_ml.tracking import track_experiment

EXPERIMENTS = Path(".specweave/increments/0042-recommendation-model/experiments")
pytestmark = pytest.mark.usefixtures("_tracked")


def test_params_keep_their_kind():
    given = {
        "none": None,
        "true": True,
        "whole": 7,
        "huge": 2**100,
        "negative": -(2**64),
        "float": 0.1,
        "small": 1e-05,
        "text": "größe \U0001f680",
        "nan": math.nan,
        "inf": -math.inf,
        "nan text": "NaN",
        "list": [1, [2.5, None]],
        "dict": {"a": {"b": [1]}},
        "dollar": {"$float": "x"},
        "surrogate": "\ud800",
        "\ud801": "a name of one",
    }
    with track_experiment("x") as experiment:
        experiment.log_params(given)
        assert repr(experiment.params) == repr(given)
        assert repr(load_experiment("x").params) == repr(given)
    assert repr(load_experiment("x").params) == repr(given)
    make_small_files(str(EXPERIMENTS / "x"), None, sync=False, ended=True)
    assert repr(load_experiment("x").params) == repr(given)


def test_params_of_other_kinds():
    with track_experiment("x") as experiment:
        experiment.log_param("tuple", (1, 2))
        experiment.log_param("numpy", numpy.float64(0.5))
        experiment.log_param("array", numpy.array([1, 2]))
        experiment.log_param("path", Path("data/x.csv"))
        experiment.log_param("class", dict)
        experiment.log_param("sys", sys.version)
    params = load_experiment("x").params
    assert params == {
        "tuple": [1, 2],
        "numpy": 0.5,
        "array": [1, 2],
        "path": "data/x.csv",
        "class": "builtins.dict",
        "sys": sys.version,
    }


def test_params_of_an_estimator():
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    pipeline = Pipeline([("scale", StandardScaler()), ("forest", RandomForestClassifier(max_depth=6))])
    with track_experiment("x") as experiment:
        experiment.log_params(pipeline.get_params())
    params = load_experiment("x").params
    assert params["forest__max_depth"] == 6
    assert params["forest__max_samples"] is None
    assert "StandardScaler" in params["scale"]


def test_the_same_param_again_is_silent_and_another_warns_once():
    with track_experiment("x") as experiment:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for value in (0.1, 0.1, numpy.float64(0.1)):
                experiment.log_param("lr", value)
        with pytest.warns(SpecweaveWarning, match="lr"):
            experiment.log_param("lr", 0.2)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            experiment.log_param("lr", 0.3)
    assert load_experiment("x").params == {"lr": 0.3}
    journal = (EXPERIMENTS / "x" / "journal.jsonl").read_text()
    assert [value for value in ("0.1", "0.2", "0.3") if f'"lr":{value}' in journal] == ["0.1", "0.2", "0.3"]


def test_warnings_as_errors_stop_no_training(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with track_experiment("x") as experiment:
            experiment.log_param("lr", 0.1)
            experiment.log_param("lr", 0.2)
    assert "lr" in capsys.readouterr().err


class Scalar:
    """A scalar as torch and jax have it."""

    def __init__(self, value: float) -> None:
        self.value = value

    def item(self) -> float:
        return self.value


METRICS = {
    "float": 0.1,
    "whole": 3,
    "true": True,
    "numpy": numpy.float32(0.5),
    "numpy whole": numpy.int64(7),
    "one element": numpy.array([0.25]),
    "torch": Scalar(0.125),
    "nan": math.nan,
    "inf": math.inf,
    "-inf": -math.inf,
    "huge": 2**70,
    "small": 1e-300,
    "big": 1e300,
    "round": 1e16,
    "precision@10": 0.5,
    "val/loss: a b": 0.5,
    "größe \U0001f680": 0.5,
    "\ud800": 0.5,
    'quote " back \\ new\nline': 0.5,
}


@pytest.mark.parametrize("together", [False, True])
def test_metrics_of_all_kinds(together):
    with track_experiment("x") as experiment:
        if together:
            experiment.log_metrics(METRICS)
        for name, value in {} if together else METRICS.items():
            experiment.log_metric(name, value)
        running = load_experiment("x")
        assert repr(running.metrics) == repr(experiment.metrics)
    found = load_experiment("x")
    expected = {name: value.item() if hasattr(value, "item") else value for name, value in METRICS.items()}
    expected |= {"huge": float(2**70), "true": 1}
    assert repr(found.metrics) == repr(experiment.metrics) == repr(running.metrics)
    assert found.metrics == pytest.approx(expected, nan_ok=True)
    assert found.problems == ()
    for name in METRICS:
        assert len(found.history(name)) == 1


@pytest.mark.parametrize(
    "value", [None, "0.5", [1], numpy.array([1, 2]), {"a": 1}, 1j, object()], ids=lambda v: type(v).__name__
)
def test_a_metric_that_is_no_number_raises_and_names_it(value):
    with track_experiment("x") as experiment:
        with pytest.raises(UsageError, match="auc"):
            experiment.log_metric("auc", value)
        with pytest.raises(UsageError, match="auc"):
            experiment.log_metrics({"good": 1, "auc": value})
        with pytest.raises(UsageError, match="auc"):
            experiment.log_fold(0, {"auc": value})
    assert load_experiment("x").metrics == {}


@pytest.mark.parametrize("name", [None, 5, "", "x" * 501, ["a"], {"a": 1}, b"auc"], ids=lambda v: type(v).__name__)
def test_a_name_that_is_none_raises(name):
    with track_experiment("x") as experiment:
        with pytest.raises(UsageError):
            experiment.log_metric(name, 1.0)
        with pytest.raises(UsageError):
            experiment.log_metrics({name: 1.0} if name.__hash__ else {"good": 1.0, 5: 1.0})
    assert load_experiment("x").params == {}


@pytest.mark.parametrize("step", [math.nan, math.inf, "1", [1], object()], ids=lambda v: type(v).__name__)
def test_a_step_that_is_no_number_raises(step):
    with track_experiment("x") as experiment, pytest.raises(UsageError):
        experiment.log_metric("auc", 1.0, step=step)


def test_steps_of_all_kinds():
    with track_experiment("x") as experiment:
        for step in (3, numpy.int64(1), 2.5, Scalar(0), 1e-05, 1e16, True):
            experiment.log_metric("auc", 1.0, step)
        experiment.log_metric("auc", 2.0)
    found = load_experiment("x")
    assert [point.step for point in found.history("auc")] == [0, 1e-05, 1, 1, None, 2.5, 3, 1e16]
    assert found.problems == ()


def test_the_last_value_is_the_last_logged():
    with track_experiment("x") as experiment:
        experiment.log_metric("auc", 0.9, step=9)
        experiment.log_metric("auc", 0.1, step=1)
    assert load_experiment("x").metrics == {"auc": 0.1}


def test_counts_behind_proportions():
    with track_experiment("x") as experiment:
        experiment.log_metric("accuracy", 0.87, n=1000)
        experiment.log_metrics({"a": 0.5, "b": 0.5}, n=10)
        experiment.log_metrics({"c": 0.5, "d": 0.5}, n={"c": 20})
        experiment.log_metric("b", 0.6)
        for count in (0, -1, 1.5, "10", math.nan):
            with pytest.raises(UsageError):
                experiment.log_metric("accuracy", 0.9, n=count)
    found = load_experiment("x")
    assert found.counts == {"accuracy": 1000, "a": 10, "c": 20}
    assert found.metrics["accuracy"] == 0.87


def test_folds():
    with track_experiment("x") as experiment:
        experiment.log_fold(0, {"auc": 0.8, "f1": 0.5}, n_train=90, n_test=10, split_id="s0")
        experiment.log_fold(numpy.int64(1), {"auc": 0.9}, n_train=90, n_test=10, split_id="s1")
        experiment.log_fold(0, {"auc": 0.7}, repeat=1)
        for arguments in ((-1, {"auc": 1}), (1.5, {"auc": 1}), ("0", {"auc": 1}), (0, {})):
            with pytest.raises(UsageError):
                experiment.log_fold(*arguments)
        with pytest.raises(UsageError):
            experiment.log_fold(0, {"auc": 1}, n_test=0)
    found = load_experiment("x")
    assert found.metrics == {"auc": pytest.approx(0.8), "f1": 0.5}
    assert [(fold.repeat, fold.index, fold.n_test, fold.split) for fold in found.folds] == [
        (0, 0, 10, "s0"),
        (0, 1, 10, "s1"),
        (1, 0, None, None),
    ]
    assert found.folds[0].metrics == {"auc": 0.8, "f1": 0.5}


def test_outcomes():
    with track_experiment("x") as experiment:
        experiment.log_outcomes("accuracy", ["a", "b,c", "d\n"], numpy.array([1, 0, 1]))
        experiment.log_outcomes("precision@10", range(2), [0.5, math.nan])
        for ids, values in ((["a"], []), ([], []), (["a"], ["x"])):
            with pytest.raises(UsageError):
                experiment.log_outcomes("accuracy", ids, values)
    outcomes = load_experiment("x").metadata["outcomes"]
    frame = pandas.read_csv(EXPERIMENTS / "x" / outcomes["accuracy"], lineterminator=None)
    assert list(frame.columns) == ["id", "value"]
    assert list(frame["id"]) == ["a", "b,c", "d\n"]
    assert list(frame["value"]) == [1, 0, 1]
    assert (EXPERIMENTS / "x" / outcomes["precision@10"]).is_file()


def test_what_is_accepted_is_readable_however_large():
    words = "1,2,3;" * 200_000
    with track_experiment("x") as experiment:
        experiment.log_note(words)
        experiment.log_params({f"p{number}": number for number in range(100_000)})
        experiment.log_metrics({f"m{number}": number for number in range(100_000)})
        running = load_experiment("x")
        assert (running.notes, len(running.params), len(running.metrics), running.problems) == (
            (words,),
            100_000,
            100_000,
            (),
        )
    found = load_experiment("x")
    assert (found.notes, len(found.params), len(found.metrics), found.problems) == ((words,), 100_000, 100_000, ())
