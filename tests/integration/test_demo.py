"""The demo does what the README says of it, in a copy of the clone's layout."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from npm import absent
from specweave_ml import load_experiments

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A folder with the script and what an earlier demo left, in which the demo has run."""
    folder = tmp_path_factory.mktemp("clone")
    shutil.copytree(EXAMPLES, folder / "examples")
    (folder / "tests").mkdir()
    for name in ("github_server.py", "npm.py"):
        shutil.copy(ROOT / "tests" / name, folder / "tests")
    (ROOT / ".node").mkdir(exist_ok=True)
    (folder / ".node").symlink_to(ROOT / ".node")
    earlier = folder / "demo" / ".specweave" / "increments" / "0042-tumour-diagnosis"
    earlier.mkdir(parents=True)
    (earlier / "left-over.txt").write_text("")
    (folder / "screen.txt").write_text(run_demo(folder).stdout)
    return folder


def run_demo(folder):
    command = [sys.executable, "examples/demo.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)


def test_it_shows_the_commands_and_what_they_say(clone):
    screen = (clone / "screen.txt").read_text()
    verbs = [line.split()[2] for line in screen.splitlines() if line.startswith("$ specweave-ml ")]
    assert verbs == ["init", "list", "compare", "select", *["sync-docs"] * 4, "reproduce", "create-issue"]
    for said in ("Best: exp-00", "✅ **SELECTED**", "\n0 of 4 documents changed; ", "everything is up to date; "):
        assert said in screen


def test_what_a_person_wrote_survives_and_is_shown(clone):
    screen = (clone / "screen.txt").read_text()
    assert "new data, and a person's edits kept" in screen
    still = [line.partition(": ")[2] for line in screen.splitlines() if "  still in line" in line]
    document = (clone / "demo" / ".specweave/docs/internal/architecture/ml-models.md").read_text()
    assert len(still) == 2
    assert {*still} <= {*document.splitlines()}
    assert "exp-006-random-forest: Random forest (acc=0.9" in document


def test_a_search_says_which_of_its_params_matter(clone):
    screen = (clone / "screen.txt").read_text()
    assert "# Hyperparameter Importance: exp-007-boosting-search" in screen
    picture = next((clone / "demo").rglob("exp-007-boosting-search/importance.svg"))
    assert "<svg" in picture.read_text()


def test_the_chosen_model_comes_out_again_in_a_new_environment(clone, monkeypatch):
    screen = (clone / "screen.txt").read_text()
    assert "exp-002-logistic: re-ran within tolerance, 5 of 6 metrics as recorded" in screen
    monkeypatch.chdir(clone / "demo")
    verified = load_experiments("0042")[1].metadata["verified"]
    assert verified["environment"] == "locked"


def test_a_retraining_issue_is_opened_on_the_emulator(clone):
    if not (shutil.which("node") and shutil.which("npm")):
        absent("the emulator of GitHub is run by Node.js, which is not here")
    _, _, issue = (clone / "screen.txt").read_text().partition("\nissue #1 of octocat/shop-1, on the emulator:\n")
    assert "Retraining key: 0042-tumour-diagnosis / retrain-with-patients-of-q1-2024" in issue


def test_it_ends_with_where_the_documents_are(clone):
    _, _, named = (clone / "screen.txt").read_text().partition("\nthe documents:\n")
    paths = named.split()
    assert {path.rpartition("/")[2] for path in paths} >= {
        "ml-models.md",
        "model-training.md",
        "0001-tumour-diagnosis-exp-002-logistic.md",
        "comparison.md",
        "experiments-0042.md",
    }
    assert all((clone / path).is_file() for path in paths)


def test_it_begins_anew(clone):
    assert not list(clone.rglob("left-over.txt"))


def test_it_leaves_experiments_that_can_be_read(clone, monkeypatch):
    monkeypatch.chdir(clone / "demo")
    experiments = load_experiments("0042")
    assert [(each.name, each.status) for each in experiments] == [
        ("exp-001-baseline", "finished"),
        ("exp-002-logistic", "finished"),
        ("exp-003-gradient-boosting", "finished"),
        ("exp-004-neural-net", "finished"),
        ("exp-004-neural-net-seed-2", "finished"),
        ("exp-004-neural-net-seed-3", "finished"),
        ("exp-005-svm-missing-values", "failed"),
        ("exp-006-random-forest", "finished"),
        ("exp-007-boosting-search", "finished"),
    ]
    *finished, search = [each for each in experiments if each.status == "finished"]
    assert len(search.trials) == 9
    for each in finished:
        assert {"confusion_matrix.png", "model.pkl"} <= set(each.artifacts)
        assert each.metrics["accuracy"] > 0.6
        assert len(each.folds) == 5
        assert each.data[0]["version"].startswith("scikit-learn-")
    assert len({tuple(fold.split for fold in each.folds) for each in finished}) == 1
    assert [len(each.history("val_loss")) for each in finished] == [0, 30, 80, 30, 30, 30, 0]
    assert "feature_importance.csv" in finished[1].artifacts
    assert [each.repeat_of for each in finished[4:6]] == ["exp-004-neural-net"] * 2
    (failed,) = [each for each in experiments if each.status == "failed"]
    assert failed.error["type"] == "ValueError"
    assert failed.notes[0].startswith("FAILED: Input X contains NaN")


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "precious.txt").write_text("keep")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run_demo(tmp_path)
    assert "stays as it is" in caught.value.stderr
    assert (tmp_path / "demo" / "precious.txt").read_text() == "keep"
