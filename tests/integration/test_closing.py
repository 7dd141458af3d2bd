"""What `doctor` answers before an increment is closed, and which increment it is asked about."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from command_line import EXPERIMENTS, INCREMENT, CommandLine, snapshot
from repositories import git
from specweave_ml import track_experiment
from specweave_ml.cli import main
from tracked import wait_for_the_capture

QUESTIONS = ["experiments logged", "best model saved", "metrics documented", "success criteria", "docs in sync"]


@pytest.fixture(autouse=True)
def _nobodys_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)


@pytest.fixture
def answers(capsys: pytest.CaptureFixture[str]):
    def answers(*arguments: str):
        """Every check by name; the exit code fits them."""
        capsys.readouterr()
        code = main(["doctor", *arguments, "--json"])
        done = json.loads(capsys.readouterr().out)
        assert code == (0 if done["ok"] else 1)
        assert done["ok"] is all(check["ok"] for check in done["checks"])
        return {check["name"]: check for check in done["checks"]}

    return answers


@pytest.fixture
def ready(project: Path, run: CommandLine) -> Path:
    """A project whose increment may be closed."""
    train("baseline", 0.5)
    train("forest", 0.9, model=True)
    wait_for_the_capture()
    (project / INCREMENT / "spec.md").write_text("## Success Criteria\n\nAccuracy > 0.8\n")
    run("sync-docs", "update")
    return project


def train(name: str, accuracy: float | None = None, *, model: bool = False, increment: str | None = None) -> Path:
    with track_experiment(name, increment=increment) as exp:
        if accuracy is not None:
            exp.log_metric("accuracy", accuracy)
        if model:
            exp.save_model({"name": name})
    return Path(exp.path)


def failing(found) -> list[str]:
    return [name for name, check in found.items() if not check["ok"]]


def test_all_five_are_answered_with_yes(ready: Path, answers) -> None:
    before = snapshot(ready)
    found = answers("0042")
    assert {name: found[name]["why"] for name in QUESTIONS} == {
        "experiments logged": "2 of 2 experiments finished",
        "best model saved": f"forest/model.pkl (recommended, {found['best model saved']['why'].partition(', ')[2]}",
        "metrics documented": "comparison.md says what the folders give",
        "success criteria": "1 of 1 target met by forest",
        "docs in sync": "3 documents up to date",
    }
    assert found["best model saved"]["why"].endswith(" bytes), as it was saved")
    assert all(found[name]["next"] is None for name in QUESTIONS)
    assert snapshot(ready) == before


# experiments logged


def test_nothing_that_finished_is_no_experiment_logged(project: Path, answers) -> None:
    exp = track_experiment("first")
    check = answers()["experiments logged"]
    assert (check["ok"], check["why"]) == (False, "0 of 1 experiment finished (1 running)")
    exp.finish()
    assert answers()["experiments logged"]["ok"]


def test_one_that_still_runs_beside_a_finished_one_is_only_said(ready: Path, answers) -> None:
    exp = track_experiment("another")
    check = answers()["experiments logged"]
    assert (check["ok"], check["why"]) == (True, "2 of 3 experiments finished (1 running)")
    exp.finish()


def test_a_failure_needs_a_word(ready: Path, run: CommandLine, answers) -> None:
    with pytest.raises(MemoryError), track_experiment("explained"):
        raise MemoryError("too big")
    with track_experiment("mute") as exp:
        exp.set_status("failed")
    check = answers()["experiments logged"]
    assert not check["ok"]
    assert check["why"] == "2 of 4 experiments finished (2 failed); failed, and nobody says why: 1: mute"
    run("note", "mute", "the GPU was taken", "-i", "0042")
    assert answers()["experiments logged"]["ok"]


# best model saved


def test_the_selected_one_counts_and_not_the_recommended_one(ready: Path, run: CommandLine, answers) -> None:
    run("select", "0042", "baseline", "--because", "simple")
    check = answers()["best model saved"]
    assert (check["ok"], check["why"]) == (False, "baseline (selected) saved no model")


def test_a_selected_one_that_is_not_there_is_no_yes(ready: Path, answers) -> None:
    (ready / EXPERIMENTS / "decision.md").write_text("---\nselected: gone\n---\n")
    assert "decision.md selects gone" in answers()["best model saved"]["why"]


def test_what_is_kept_beside_a_model_is_none(project: Path, answers) -> None:
    with track_experiment("forest") as exp:
        exp.log_metric("accuracy", 0.9)
        exp.save_artifact("preprocessor.pkl", {"mean": 1})
        exp.save_artifact("report.md", "words")
    assert answers()["best model saved"]["why"] == "forest (recommended) saved no model"
    with track_experiment("forest", resume="must") as exp:
        exp.save_artifact("pipeline.joblib", {"steps": 2})
    assert answers()["best model saved"]["why"].startswith("forest/pipeline.joblib (recommended, ")


def test_any_of_the_repeats_may_have_saved_it(project: Path, answers) -> None:
    for seed in (1, 2, 3):
        with track_experiment(f"forest-seed{seed}", repeat_of=None if seed == 1 else "forest-seed1") as exp:
            exp.log_param("seed", seed)
            exp.log_metric("accuracy", 0.9 + seed / 100)
            if seed == 2:
                exp.save_model({"seed": seed})
    assert answers()["best model saved"]["why"].startswith("forest-seed2/model.pkl (recommended, ")


def test_without_a_direction_nobody_knows_the_best(project: Path, answers) -> None:
    with track_experiment("x") as exp:
        exp.log_metric("zorp", 1)
        exp.save_model({})
    check = answers()["best model saved"]
    assert not check["ok"]
    assert "zorp" in check["why"]
    assert check["next"].startswith("specweave-ml select 0042 NAME")


def test_where_nothing_is_measured_nothing_is_best(project: Path, answers) -> None:
    with track_experiment("exploration") as exp:
        exp.save_report("eda.md", "What the data looks like.")
    check = answers()["best model saved"]
    assert (check["ok"], check["why"]) == (True, "nothing to choose by: no finished experiment logged a metric")


# artifacts


def test_a_changed_file_is_found_by_size_and_by_digest(ready: Path, answers) -> None:
    model = ready / EXPERIMENTS / "forest/model.pkl"
    data = model.read_bytes()
    for changed in (data + b"x", data[:-1] + b"x"):
        model.write_bytes(changed)
        found = answers()
        assert failing(found) == ["best model saved", "artifacts"]
        assert "is not the file that was saved" in found["best model saved"]["why"]
        assert found["artifacts"]["why"] == "1: forest/model.pkl changed; of 1 file"


def test_a_missing_file_is_a_fault_unless_git_leaves_it_out(ready: Path, run: CommandLine, answers) -> None:
    with track_experiment("baseline", resume="must") as exp:
        exp.save_model({})
    run("sync-docs", "update")
    (ready / EXPERIMENTS / "baseline/model.pkl").unlink()
    assert answers()["artifacts"]["why"] == "1: baseline/model.pkl gone; of 2 files"
    git(ready, "init", "--quiet")
    run("init")
    assert failing(answers()) == []
    assert "git leaves such files out: 1: baseline/model.pkl" in answers()["artifacts"]["why"]
    # The best one is asked for all the same.
    (ready / EXPERIMENTS / "forest/model.pkl").unlink()
    assert failing(answers()) == ["best model saved"]


def test_what_stands_in_the_place_of_a_file_is_not_followed(ready: Path, tmp_path: Path, answers) -> None:
    model = ready / EXPERIMENTS / "forest/model.pkl"
    outside = tmp_path / "outside.pkl"
    shutil.move(model, outside)
    model.symlink_to(outside)
    assert failing(answers()) == ["best model saved", "artifacts"]
    model.unlink()
    os.mkfifo(model)
    assert failing(answers()) == ["best model saved", "artifacts"]


def test_a_recorded_name_that_leads_out_is_not_followed(ready: Path, tmp_path: Path, answers) -> None:
    journal = ready / EXPERIMENTS / "forest/journal.jsonl"
    metadata = ready / EXPERIMENTS / "forest/metadata.yaml"
    for path in (journal, metadata):
        path.write_text(path.read_text().replace("model.pkl", "../../../../../../outside.pkl"))
    (ready.parent / "outside.pkl").write_bytes(b"secret")
    found = answers()
    assert "outside.pkl changed" in found["artifacts"]["why"]


# success criteria


@pytest.mark.parametrize(
    ("criteria", "ok", "why"),
    [
        ("Accuracy > 0.95", False, "0 of 1 target met by forest; missed 1: Accuracy > 0.95 (is 0.90)"),
        ("Recall > 0.1", False, "0 of 1 target met by forest; not measured 1: Recall > 0.1"),
        ("Accuracy >= 90%\n- Latency: <100ms", False, "1 of 2 targets met by forest; not measured 1: Latency < 100 ms"),
        ("It should be good.", True, "spec.md sets no target that names a metric and a number"),
    ],
)
def test_targets(ready: Path, run: CommandLine, answers, criteria: str, ok: bool, why: str) -> None:
    (ready / INCREMENT / "spec.md").write_text(f"## Success Criteria\n\n- {criteria}\n")
    run("sync-docs", "update")
    check = answers()["success criteria"]
    assert (check["ok"], check["why"]) == (ok, why)
    assert failing(answers()) == ([] if ok else ["success criteria"])


def test_a_spec_that_is_not_read_is_no_yes(ready: Path, answers) -> None:
    (ready / INCREMENT / "spec.md").write_text("x" * 300_000)
    assert "spec.md was not read for targets" in answers()["success criteria"]["why"]


# documents


def test_documents_that_are_behind(ready: Path, run: CommandLine, answers) -> None:
    train("better", 0.95, model=True)
    found = answers()
    assert failing(found) == ["metrics documented", "docs in sync"]
    assert found["metrics documented"]["why"] == "1: comparison.md is outdated"
    assert "ml-models.md is outdated" in found["docs in sync"]["why"]
    assert found["docs in sync"]["next"] == "specweave-ml sync-docs update 0042"
    run("sync-docs", "update", "0042")
    assert failing(answers()) == []


def test_a_section_that_a_person_deleted_is_no_fault(ready: Path, answers) -> None:
    page = ready / ".specweave/docs/internal/architecture/ml-models.md"
    page.write_text("# Our models\n")
    assert failing(answers()) == []


def test_settings_that_are_not_understood_are_no_yes(ready: Path, answers) -> None:
    (ready / ".specweave/experiment-tracker.yaml").write_text("documents:\n  modles: x.md\n")
    assert failing(answers()) == ["documents", "metrics documented", "docs in sync"]


# which increment


def set_status(project: Path, name: str, status: str) -> None:
    folder = project / ".specweave/increments" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metadata.json").write_text(json.dumps({"id": name, "status": status}))


def test_what_waits_for_review_goes_before_what_is_active(ready: Path, answers) -> None:
    set_status(ready, "0043-ranking", "active")
    train("unfinished-work", 0.1, increment="0043")
    assert answers()["increment"]["why"] == "2: 0042-recommendation-model, 0043-ranking"
    set_status(ready, INCREMENT.name, "ready_for_review")
    found = answers()
    assert (found["increment"]["why"], failing(found)) == (INCREMENT.name, [])


def test_all_that_wait_are_looked_at(ready: Path, run: CommandLine, answers) -> None:
    set_status(ready, INCREMENT.name, "ready_for_review")
    set_status(ready, "0043-ranking", "ready_for_review")
    set_status(ready, "0044-no-models", "ready_for_review")
    train("unfinished-work", 0.1, increment="0043")
    said = run("doctor", "--json", code=1).json["checks"]
    assert next(check for check in said if check["name"] == "increment")["why"] == (
        "2: 0042-recommendation-model, 0043-ranking"
    )
    logged = [check for check in said if check["name"] == "experiments logged"]
    assert [check["why"] for check in logged] == [
        "0042: 2 of 2 experiments finished",
        "0043: 1 of 1 experiment finished",
    ]


@pytest.mark.parametrize("statuses", [("active",), ("active", "active"), ("ready_for_review",), ("planned", "planned")])
def test_increments_without_experiments_may_be_closed(ready: Path, answers, statuses: tuple[str, ...]) -> None:
    (ready / EXPERIMENTS / "forest/model.pkl").write_bytes(b"broken")
    set_status(ready, INCREMENT.name, "completed")
    for number, status in enumerate(statuses):
        set_status(ready, f"005{number}-web", status)
    assert failing(answers()) == []


def test_the_variable_and_the_folder_say_which(ready: Path, answers, monkeypatch: pytest.MonkeyPatch) -> None:
    set_status(ready, "0043-ranking", "ready_for_review")
    train("unfinished-work", 0.1, increment="0043")
    monkeypatch.setenv("SPECWEAVE_INCREMENT", "0042")
    assert answers()["increment"]["why"] == INCREMENT.name
    monkeypatch.delenv("SPECWEAVE_INCREMENT")
    monkeypatch.chdir(ready / EXPERIMENTS)
    assert answers()["increment"]["why"] == INCREMENT.name


# surroundings


def test_tools_are_named_with_their_evidence(ready: Path, answers) -> None:
    (ready / "requirements.txt").write_text("scikit-learn\n")
    assert answers()["tools"]["why"] == "1: scikit-learn (declared in requirements.txt)"


def test_records_that_git_leaves_out_are_said(ready: Path, answers) -> None:
    git(ready, "init", "--quiet")
    assert answers()["git"]["why"].endswith("; the project is in a repository")
    (ready / ".gitignore").write_text("*.log\n*.jsonl\n")
    assert "leaves the records of experiments out (.gitignore:2:*.jsonl)" in answers()["git"]["why"]


@pytest.mark.parametrize("place", ["project", "home", "installed"])
def test_a_plugin_of_the_old_specweave_is_seen(ready: Path, tmp_path: Path, answers, place: str) -> None:
    assert "plugins" not in answers()
    folder = {"project": ready / ".claude", "home": tmp_path / "home/.claude"}.get(
        place, tmp_path / "home/.claude/plugins"
    )
    folder.mkdir(parents=True)
    if place == "installed":
        (folder / "installed_plugins.json").write_text('{"version": 2, "plugins": {"specweave@specweave": []}}')
    else:
        (folder / "settings.json").write_text('{"enabledPlugins": {"specweave@specweave": true, "sw@specweave": true}}')
    check = answers()["plugins"]
    assert check["ok"]
    assert "do not install specweave@specweave-ml beside it" in check["why"]
    (ready / ".claude").mkdir(exist_ok=True)
    (ready / ".claude/settings.local.json").write_text('{"enabledPlugins": {"specweave@specweave-ml": true}}')
    assert answers()["plugins"]["next"] == "claude plugin uninstall specweave@specweave-ml"


def test_hints_are_looked_at_again(ready: Path, run: CommandLine, answers) -> None:
    assert "missing or outdated in 4" in answers()["hints"]["why"]
    run("init")
    assert answers()["hints"]["why"] == "in all 4 files for SpecWeave"
    (ready / ".specweave/skill-memories/done.md").write_text("# Done Memory\n")
    check = answers()["hints"]
    assert (check["ok"], check["why"]) == (True, "deleted from 1: done.md")
    assert check["next"].startswith("specweave-ml init --restore")
