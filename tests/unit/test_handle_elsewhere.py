"""The handle switched off, in other processes, and beside what others do."""

from __future__ import annotations

import errno
import logging
import os
import pickle
import warnings
from pathlib import Path

import numpy
import pytest

from specweave_ml.errors import SpecweaveWarning, StoreError, UsageError
from specweave_ml.record import Experiment
from specweave_ml.store.journal import Journal
from specweave_ml.store.load import load_experiment, load_experiments
from specweave_ml.tracking import track_experiment
from tracked import wait_for_the_capture

EXPERIMENTS = Path(".specweave/increments/0042-recommendation-model/experiments")
pytestmark = pytest.mark.usefixtures("_tracked")


def test_the_off_switch_writes_nothing_and_takes_every_call(monkeypatch, tmp_path):
    monkeypatch.setenv("SPECWEAVE_MODE", "disabled")
    monkeypatch.chdir(tmp_path)  # no project needed either
    with track_experiment("x", tags=["a"]) as experiment:
        experiment.log_param("lr", 0.1)
        experiment.log_params({"a": 1})
        experiment.log_metric("auc", 0.5, step=1)
        experiment.log_metrics({"a": 1.0}, n=5)
        experiment.log_fold(0, {"f": 1.0})
        experiment.log_outcomes("auc", ["a"], [1])
        experiment.log_note("x")
        experiment.add_tag("x")
        experiment.log_dataset("d", "s3://x")
        assert experiment.save_artifact("a.txt", "x") is None
        experiment.save_model({"a": 1})
        experiment.save_report("r.md", "x")
        assert (experiment.params["lr"], experiment.metrics["auc"], experiment.status) == (0.1, 0.5, "running")
        with pytest.raises(UsageError):
            experiment.log_metric("auc", "text")
        with pytest.raises(UsageError):
            experiment.save_artifact("../x", "x")
    experiment.set_status("failed")
    assert experiment.status == "failed"
    assert track_experiment("x", resume=True).name == "x"
    with pytest.raises(UsageError):
        track_experiment("")
    assert sorted(path for path in tmp_path.rglob("*") if "project" not in path.parts) == []


def test_the_off_switch_survives_the_way_to_a_worker(monkeypatch):
    monkeypatch.setenv("SPECWEAVE_MODE", "disabled")
    experiment = pickle.loads(pickle.dumps(track_experiment("x")))  # noqa: S301 - our own
    experiment.log_metric("auc", 0.5)
    experiment.finish()
    assert list(load_experiments()) == []


def test_a_pickled_handle_writes_into_the_same_experiment():
    with track_experiment("x") as experiment:
        other = pickle.loads(pickle.dumps(experiment))  # noqa: S301 - our own
        third = pickle.loads(pickle.dumps(other))  # noqa: S301 - our own
        for number, handle in enumerate((experiment, other, third)):
            handle.log_metric("auc", number)
        other.finish()
        assert load_experiment("x").status == "running"
        assert len(list((EXPERIMENTS / "x").glob("journal*"))) == 2
    assert sorted(point.value for point in load_experiment("x").history("auc")) == [0, 1, 2]


def test_a_pickled_handle_of_an_experiment_that_is_gone_is_our_error():
    import shutil

    with track_experiment("x") as experiment:
        pass
    sent = pickle.dumps(experiment)
    wait_for_the_capture()
    shutil.rmtree(EXPERIMENTS / "x")
    with pytest.raises(StoreError):
        pickle.loads(sent)  # noqa: S301 - our own


def test_a_folder_that_goes_away_stops_no_training():
    import shutil

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with track_experiment("x") as experiment:
            experiment.log_metric("auc", 0.5)
            wait_for_the_capture()
            shutil.rmtree(EXPERIMENTS / "x")
            experiment._writer._due = 0
            for number in range(5):
                experiment.log_metric("auc", number)
                experiment.save_artifact("a.txt", "x")
    assert [each.category for each in said] == [SpecweaveWarning] * len(said)
    assert said


def test_nothing_is_changed_for_others_logging_and_random_numbers():
    import random

    random.seed(1)
    numpy.random.seed(1)  # noqa: NPY002 - the global generator is the point
    level, handlers = logging.root.level, list(logging.root.handlers)
    with track_experiment("x"):
        pass
    first = (random.random(), numpy.random.rand())  # noqa: NPY002, S311 - the same
    random.seed(1)
    numpy.random.seed(1)  # noqa: NPY002
    assert first == (random.random(), numpy.random.rand())  # noqa: NPY002, S311
    assert (logging.root.level, logging.root.handlers) == (level, handlers)


def test_the_handle_says_what_it_is():
    with track_experiment("x") as experiment:
        assert repr(experiment) == "<TrackedExperiment x (running) of 0042-recommendation-model>"
        assert experiment.increment == "0042-recommendation-model"
        assert experiment.path == Path.cwd() / EXPERIMENTS / "x"
        assert isinstance(experiment.read(), Experiment)


def test_metadata_says_how_it_ran():
    with track_experiment("x"):
        pass
    wait_for_the_capture()
    metadata = load_experiment("x").metadata
    assert metadata["schema"] == 1
    assert len(metadata["id"]) == 16
    assert {"code", "command", "environment", "capture", "journals"} <= set(metadata)
    assert load_experiment("x").problems == ()


def test_a_journal_that_cannot_be_synced_is_said_once_and_never_tried_again(monkeypatch):
    tries = []

    def fail(_journal: Journal) -> None:
        tries.append(1)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    experiment = track_experiment("x")
    wait_for_the_capture()
    monkeypatch.setattr(Journal, "sync", fail)
    with pytest.warns(SpecweaveWarning, match="may not survive a power cut"):
        experiment.finish()
    assert len(tries) == 1
    assert load_experiment("x").metadata["sync_failed"] == os.strerror(errno.EIO)
    assert load_experiment("x").status == "finished"
