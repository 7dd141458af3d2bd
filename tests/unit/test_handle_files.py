"""Artifacts, models, reports and data sets of an experiment."""

from __future__ import annotations

from pathlib import Path

import numpy
import pandas
import pytest

from specweave_ml.errors import NotFound, Refused, UsageError
from specweave_ml.store.load import load_experiment
from specweave_ml.tracking import track_artifacts, track_experiment

EXPERIMENTS = Path(".specweave/increments/0042-recommendation-model/experiments")
pytestmark = pytest.mark.usefixtures("_tracked")


def test_artifacts_in_both_orders(tmp_path):
    import matplotlib.figure

    figure = matplotlib.figure.Figure()
    figure.subplots().plot([1, 2])
    table = pandas.DataFrame({"feature": ["a"], "importance": [0.5]})
    with track_experiment("x") as experiment:
        experiment.save_artifact("preprocessor.pkl", {"mean": 1})
        experiment.save_artifact({"mean": 1}, "other.pkl")
        experiment.save_artifact("plots/roc.png", figure)
        experiment.save_artifact(table, "importance.csv")
        experiment.save_artifact("requirements.txt", "numpy\n")
        experiment.save_artifact("packages.txt", ["numpy", "scipy"])
        experiment.save_artifact("config.json", {"lr": 0.1})
        experiment.save_artifact("config.yaml", {"lr": 0.1})
        experiment.save_artifact("array.npy", numpy.arange(3))
        experiment.save_artifact("raw.bin", b"\x00\x01")
    found = load_experiment("x")
    assert len(found.artifacts) == 10
    for name, facts in found.artifacts.items():
        assert (EXPERIMENTS / "x" / name).stat().st_size == facts["bytes"] > 0
        assert len(facts["sha256"]) == 64
    assert (EXPERIMENTS / "x" / "plots" / "roc.png").read_bytes().startswith(b"\x89PNG")
    assert found.artifacts["importance.csv"]["format"] == "csv"


def test_existing_files_and_folders(tmp_path):
    data = tmp_path / "data"
    (data / "deep").mkdir(parents=True)
    (data / "a.csv").write_text("a")
    (data / "deep" / "b.csv").write_text("b")
    with track_experiment("x") as experiment:
        experiment.save_artifact(str(data / "a.csv"))
        experiment.log_artifact(data / "a.csv", "renamed.csv")
        experiment.log_artifact(data)
        experiment.save_artifact("by-path.csv", data / "a.csv")
        for missing in (tmp_path / "nowhere", "nowhere.csv"):
            with pytest.raises(NotFound):
                experiment.log_artifact(missing)
    names = set(load_experiment("x").artifacts)
    assert names == {"a.csv", "renamed.csv", "data/a.csv", "data/deep/b.csv", "by-path.csv"}
    assert (EXPERIMENTS / "x" / "data" / "deep" / "b.csv").read_text() == "b"


def test_an_artifact_saved_again_is_the_later_one():
    with track_experiment("x") as experiment:
        experiment.save_artifact("a.txt", "first")
        experiment.save_artifact("a.txt", "second!")
    found = load_experiment("x")
    assert (EXPERIMENTS / "x" / "a.txt").read_text() == "second!"
    assert found.artifacts["a.txt"]["bytes"] == 7


@pytest.mark.parametrize(
    "name",
    [
        "journal.jsonl",
        "journal.2.jsonl",
        "params.json",
        "metrics.json",
        "metadata.yaml",
        "metadata.json",
        "spec.md",
        "tasks.md",
    ],
)
def test_names_of_the_record_are_refused_with_a_free_one(name):
    with track_experiment("x") as experiment, pytest.raises(Refused) as caught:
        experiment.save_artifact(name, b"text")
    assert "save it as" in str(caught.value.next_step)


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "/x", "a/../b", "a\\b", "a\0b", "a\nb", "~/x", "C:x", ".hidden", "x" * 300, 5, None]
)
def test_names_that_are_not_safe_are_a_mistake(name):
    with track_experiment("x") as experiment, pytest.raises(UsageError):
        experiment.save_artifact(name, b"text")


def test_an_object_that_fits_no_suffix_is_a_mistake_and_leaves_nothing():
    with track_experiment("x") as experiment:
        for name, value in (("a.png", {"a": 1}), ("a.pkl", lambda: 0), ("a.npy", "text")):
            with pytest.raises(UsageError):
                experiment.save_artifact(name, value)
    assert load_experiment("x").artifacts == {}
    assert not list((EXPERIMENTS / "x").glob("*.png")) + list((EXPERIMENTS / "x").glob(".tmp*"))


def test_models_without_a_name_and_with_the_words_turned():
    with track_experiment("x") as experiment:
        experiment.save_model({"a": 1})
        experiment.save_model("other.pkl", {"a": 1})  # the order that people mix up
    assert set(load_experiment("x").artifacts) == {"model.pkl", "other.pkl"}


def test_many_at_once(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    with track_experiment("x") as experiment:
        track_artifacts(experiment, str(tmp_path / "a.txt"), artifacts={"b.txt": "b", "c.json": {"c": 1}})
    assert set(load_experiment("x").artifacts) == {"a.txt", "b.txt", "c.json"}


def test_reports():
    with track_experiment("x") as experiment:
        experiment.save_report("eda.md", "# Found\n")
    assert (EXPERIMENTS / "x" / "eda.md").read_text() == "# Found\n"


def test_a_report_without_words_is_one_of_this_experiment(project):
    import specweave_ml

    with specweave_ml.track_experiment("x") as experiment:
        experiment.log_metric("auc", 0.5)
        experiment.save_report("report.md")
    assert "0.5" in (EXPERIMENTS / "x" / "report.md").read_text()
    assert "<" in experiment._repr_html_()


def test_data_sets(tmp_path, project):
    (project / "data").mkdir()
    (project / "data" / "train.csv").write_text("a,b\n1,2\n")
    frame = pandas.DataFrame({"a": [1, 2], "b": [3, 4]})
    with track_experiment("x") as experiment:
        experiment.log_dataset("remote", "s3://bucket/data", version="v2024-01")
        experiment.log_dataset("dvc", "dvc:a3b8c9d")
        experiment.log_dataset("file", "data/train.csv")
        experiment.log_dataset("absolute", project / "data" / "train.csv")
        experiment.log_dataset("folder", "data")
        experiment.log_dataset("missing", "data/none.csv")
        experiment.log_dataset("outside", tmp_path)
        experiment.log_dataset("frame", frame)
        experiment.log_dataset("array", numpy.zeros((3, 2)))
        experiment.log_dataset("list", [1, 2, 3])
        experiment.log_dataset("remote", "s3://bucket/data", version="v2024-02")
        for name in ("", None, 5):
            with pytest.raises(UsageError):
                experiment.log_dataset(name, "x")
    data = {each["name"]: each for each in load_experiment("x").data}
    assert data["remote"] == {"name": "remote", "uri": "s3://bucket/data", "kind": "remote", "version": "v2024-02"}
    assert data["file"]["uri"] == data["absolute"]["uri"] == "data/train.csv"
    assert data["file"]["bytes"] == 8
    assert (data["folder"]["kind"], data["missing"]["missing"], data["outside"]["outside_project"]) == (
        "dir",
        True,
        True,
    )
    assert (data["frame"]["shape"], data["frame"]["columns"]) == ([2, 2], ["a", "b"])
    assert (data["array"]["shape"], data["list"]["shape"]) == ([3, 2], [3])
    assert str(tmp_path) not in (EXPERIMENTS / "x" / "journal.jsonl").read_text()
