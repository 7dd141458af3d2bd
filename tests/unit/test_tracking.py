"""`track_experiment`: every way to start an experiment, and to go on with one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from specweave_ml.errors import NotFound, Refused, UsageError
from specweave_ml.record import ExperimentMetadata
from specweave_ml.store.load import load_experiment, load_experiments
from specweave_ml.tracking import TrackedExperiment, track_experiment, track_model
from tracked import wait_for_the_capture

EXPERIMENTS = Path(".specweave/increments/0042-recommendation-model/experiments")
pytestmark = pytest.mark.usefixtures("_tracked")


def test_a_block_makes_the_files_of_the_seed():
    with track_experiment("xgboost-v1") as experiment:
        experiment.log_param("n_estimators", 100)
        experiment.log_metric("auc", 0.87)
        experiment.save_model({"any": "model"}, "model.pkl")
    names = {file.name for file in (EXPERIMENTS / "xgboost-v1").iterdir()}
    assert names == {"params.json", "metrics.json", "model.pkl", "metadata.yaml", "journal.jsonl"}
    assert json.loads((EXPERIMENTS / "xgboost-v1/params.json").read_text()) == {"n_estimators": 100}
    assert json.loads((EXPERIMENTS / "xgboost-v1/metrics.json").read_text()) == {"auc": 0.87}
    assert load_experiment("xgboost-v1").status == "finished"


def test_a_plain_handle_is_ended_by_finish():
    experiment = track_experiment("x", increment="0042")
    experiment.log_metric("auc", 0.5)
    assert load_experiment("x").status == "running"
    experiment.finish()
    experiment.finish()
    assert load_experiment("x").status == "finished"
    assert load_experiment("x").duration_seconds is not None


@pytest.mark.parametrize("status", ["finished", "failed", "killed"])
def test_finish_may_say_how(status):
    track_experiment("x").finish(status)
    assert load_experiment("x").status == status


@pytest.mark.parametrize("status", ["running", "stale", "done", "", 5])
def test_finish_takes_no_other_word(status):
    with pytest.raises(UsageError):
        track_experiment("x").finish(status)


def test_metadata_instead_of_a_name():
    metadata = ExperimentMetadata(
        name="xgboost-v3",
        description="XGBoost with feature engineering v2",
        tags=["production-candidate", "feature-eng-v2"],
        git_commit="a3b8c9d",
        data_version="v2024-01",
        author="someone@example.com",
    )
    with track_experiment(metadata, tags=["more"], description="said at the call") as experiment:
        assert experiment.name == "xgboost-v3"
    found = load_experiment("xgboost-v3")
    assert found.description == "said at the call"
    assert found.tags == ("production-candidate", "feature-eng-v2", "more")
    assert found.metadata["author"] == "someone@example.com"
    assert found.metadata["data_version"] == "v2024-01"
    assert found.metadata["code"]["declared"] == "a3b8c9d"


def test_metadata_with_nothing_but_a_name():
    with track_experiment(ExperimentMetadata("plain")):
        pass
    assert load_experiment("plain").description == ""
    assert "author" not in load_experiment("plain").metadata


def test_keywords_of_the_start():
    with track_experiment(
        "x", description="what is tried", tags="one", repeat_of="x-0", durability="fsync"
    ) as experiment:
        experiment.log_metric("auc", 0.5)
    found = load_experiment("x")
    assert (found.description, found.tags, found.repeat_of, found.metrics) == (
        "what is tried",
        ("one",),
        "x-0",
        {"auc": 0.5},
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": ""},
        {"name": "   "},
        {"name": None},
        {"name": 5},
        {"name": b"x"},
        {"name": ["x"]},
        {"name": "x", "resume": "maybe"},
        {"name": "x", "resume": []},
        {"name": "x", "on_exists": "overwrite"},
        {"name": "x", "durability": "none"},
        {"name": "x", "tags": [""]},
        {"name": "x", "tags": [5]},
        {"name": "x", "tags": 5},
        {"name": "x", "increment": ""},
        {"name": "x", "increment": "../x"},
        {"name": ExperimentMetadata("")},
    ],
    ids=str,
)
def test_a_mistake_at_the_start_raises_and_leaves_nothing(arguments):
    with pytest.raises(UsageError):
        track_experiment(**arguments)
    assert list(load_experiments()) == []


def test_no_such_increment():
    with pytest.raises(NotFound):
        track_experiment("x", increment="0099")


def test_a_taken_name_gives_the_next_one_with_a_notice(capsys):
    for expected in ("x", "x-2", "x-3"):
        with track_experiment("x") as experiment:
            assert experiment.name == expected
    assert "x-2" in capsys.readouterr().err


def test_a_taken_name_may_be_refused():
    with track_experiment("x", on_exists="error"):
        pass
    with pytest.raises(Refused):
        track_experiment("x", on_exists="error")
    assert len(load_experiments()) == 1


def test_the_name_of_an_archived_one_is_taken_too():
    with track_experiment("x"):
        pass
    (EXPERIMENTS / "_archive").mkdir()
    os.rename(EXPERIMENTS / "x", EXPERIMENTS / "_archive" / "x")
    with track_experiment("x") as experiment:
        assert experiment.name == "x-2"


@pytest.mark.parametrize(
    "name", ["My model: v1", "größe", "日本語", "a" * 300, "con", "comparison.md", ".hidden", "a/b", "\ud800"]
)
def test_a_name_that_is_no_folder_is_kept_beside_one_that_is(name):
    with track_experiment(name) as experiment:
        experiment.log_metric("auc", 0.5)
    (found,) = load_experiments()
    assert found.name == experiment.name == found.metadata["name"]
    assert found.metadata["original_name"] == name
    assert load_experiment(name).metrics == {"auc": 0.5}


def test_track_model_is_the_same():
    with track_model("x", increment="0042") as experiment:
        assert isinstance(experiment, TrackedExperiment)


# Resuming


def finished(name: str) -> None:
    with track_experiment(name) as experiment:
        for step in range(5):
            experiment.log_metric("loss", 1.0, step=step)
        experiment.log_param("lr", 0.1)
    wait_for_the_capture()


@pytest.mark.parametrize("word", ["must", True, "allow"])
def test_resume_goes_on_in_a_new_session(word):
    finished("x")
    with track_experiment("x", resume=word) as experiment:
        assert experiment.name == "x"
        assert experiment.params == {"lr": 0.1}
        assert load_experiment("x").status == "running"
        experiment.log_metric("loss", 2.0, step=3)
    found = load_experiment("x")
    assert (found.status, found.metadata["sessions"], found.metrics) == ("finished", 2, {"loss": 2.0})
    assert [point.value for point in found.history("loss")] == [1, 1, 1, 2]
    assert len(found.history("loss", all=True)) == 6


def test_a_late_word_of_the_first_session_leaves_a_resumed_one_running_and_is_kept():
    first = track_experiment("x")
    first.finish()
    wait_for_the_capture()
    with track_experiment("x", resume=True) as second:
        first.log_note("said late")
        assert load_experiment("x").status == "running"
        second.log_metric("loss", 2.0)
    assert load_experiment("x").notes == ("said late",)
    first.log_note("said later still")
    assert load_experiment("x").notes == ("said late", "said later still")


@pytest.mark.parametrize("word", ["must", True])
def test_resume_of_nothing_is_not_found(word):
    with pytest.raises(NotFound):
        track_experiment("x", resume=word)


@pytest.mark.parametrize("word", ["allow", "never", False, None])
def test_other_words_start_anew(word):
    with track_experiment("x", resume=word) as experiment:
        assert experiment.name == "x"
    assert "sessions" not in load_experiment("x").metadata


def test_never_takes_the_next_name():
    finished("x")
    with track_experiment("x", resume="never") as experiment:
        assert experiment.name == "x-2"


def test_who_lives_is_not_resumed():
    experiment = track_experiment("x")
    with pytest.raises(Refused):
        track_experiment("x", resume=True)
    experiment.finish()
    track_experiment("x", resume=True).finish()


def test_a_resume_keeps_words_and_takes_new_ones_and_forgets_the_error():
    experiment = track_experiment("x", tags=["first"], description="one")
    with pytest.raises(KeyError), experiment:
        raise KeyError(experiment.log_note("one"))
    assert load_experiment("x").error is not None
    with track_experiment("x", resume=True, tags=["second"], description="two") as experiment:
        experiment.log_note("two")
    found = load_experiment("x")
    assert (found.tags, found.notes, found.description) == (("first", "second"), ("one", "two"), "two")
    assert (found.error, found.status) == (None, "finished")


def test_the_time_of_sessions_is_added():
    finished("x")
    first = load_experiment("x")
    finished_again = track_experiment("x", resume=True)
    finished_again.finish()
    second = load_experiment("x")
    assert second.started == first.started
    assert second.duration_seconds >= first.duration_seconds
