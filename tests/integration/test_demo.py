"""The demo does what the README says of it, in a copy of the clone's layout."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from specweave_ml import load_experiments

SCRIPT = Path(__file__).parents[2] / "examples" / "demo.py"


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A folder with the script and what an earlier demo left, in which the demo has run."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / "examples").mkdir()
    shutil.copy(SCRIPT, folder / "examples")
    earlier = folder / "demo" / ".specweave" / "increments" / "0042-tumour-diagnosis"
    earlier.mkdir(parents=True)
    (earlier / "left-over.txt").write_text("")
    (folder / "screen.txt").write_text(run_demo(folder).stdout)
    return folder


def run_demo(folder):
    command = [sys.executable, "examples/demo.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)


def test_it_shows_the_commands_and_the_comparison(clone):
    screen = (clone / "screen.txt").read_text()
    for line in ("$ specweave-ml list 0042", "$ specweave-ml compare 0042", "**Best Model**: exp-00"):
        assert line in screen
    comparison = next((clone / "demo").rglob("comparison.md"))
    assert comparison.read_text() in screen


def test_it_begins_anew(clone):
    assert not list(clone.rglob("left-over.txt"))


def test_it_leaves_experiments_that_can_be_read(clone, monkeypatch):
    monkeypatch.chdir(clone / "demo")
    experiments = load_experiments("0042")
    assert [(each.name, each.status) for each in experiments] == [
        ("exp-001-baseline", "finished"),
        ("exp-002-logistic-sgd", "finished"),
        ("exp-003-gradient-boosting", "finished"),
        ("exp-004-neural-net", "finished"),
        ("exp-005-svm-missing-values", "failed"),
    ]
    *finished, failed = experiments
    for each in finished:
        assert {"confusion_matrix.png", "model.pkl"} <= set(each.artifacts)
        assert each.metrics["accuracy"] > 0.6
        assert each.data[0]["version"].startswith("scikit-learn-")
    assert [len(each.history("watch_loss")) for each in finished] == [0, 40, 200, 60]
    assert "feature_importance.csv" in finished[2].artifacts
    assert failed.error["type"] == "ValueError"
    assert failed.notes[0].startswith("FAILED: Input X contains NaN")


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "examples").mkdir()
    shutil.copy(SCRIPT, tmp_path / "examples")
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "precious.txt").write_text("keep")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run_demo(tmp_path)
    assert "stays as it is" in caught.value.stderr
    assert (tmp_path / "demo" / "precious.txt").read_text() == "keep"
