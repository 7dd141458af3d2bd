"""`note`, `tag`, `status`, `archive`, `restore`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from command_line import EXPERIMENTS, CommandLine, snapshot
from specweave_ml import load_experiment, track_experiment
from specweave_ml.store.verify import verify

TRAIN = """
import sys
from specweave_ml import track_experiment
exp = track_experiment("live")
exp.log_metric("loss", 0.5)
print("started", flush=True)
sys.stdin.read()
exp.finish()
"""


@contextmanager
def running() -> Iterator[subprocess.Popen[str]]:
    """A process that tracks the experiment `live` until its stdin is closed."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", TRAIN], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        try:
            yield process
        finally:
            if process.stdin is not None:
                process.stdin.close()


def archived(run: CommandLine) -> set[str]:
    rows = run("list", "--archived", "--limit", "0", "--json").json["experiments"]
    return {row["name"] for row in rows if row.get("archived")}


def test_words_on_an_ended_experiment(seed: Path, run: CommandLine) -> None:
    done = run("note", "exp-002-xgboost", "Deeper", "trees", "overfit")
    assert done.last_line == "exp-002-xgboost of 0042-recommendation-model: note Deeper trees overfit"
    run("tag", "exp-002-xgboost", "production", "reviewed")
    run("status", "exp-002-xgboost", "failed")
    experiment = load_experiment("exp-002-xgboost")
    assert experiment.notes == ("Deeper trees overfit",)
    assert experiment.tags == ("production", "reviewed")
    assert experiment.status == "failed"
    integrity = verify(str(experiment.path))
    assert [*integrity.changed, *integrity.behind, *integrity.differing] == []


def test_words_on_a_running_experiment_stay_when_it_ends(project: Path, run: CommandLine) -> None:
    with running():
        run("note", "live", "looks good so far")
        run("tag", "live", "watched")
        assert load_experiment("live").status == "running"
        assert load_experiment("live").notes == ("looks good so far",)
    experiment = load_experiment("live")
    assert (experiment.status, experiment.notes, experiment.tags) == ("finished", ("looks good so far",), ("watched",))


def test_a_stale_experiment_is_told_that_it_was_killed(project: Path, run: CommandLine) -> None:
    with running() as process:
        process.send_signal(signal.SIGKILL)
    assert load_experiment("live").status == "stale"
    run("status", "live", "killed")
    experiment = load_experiment("live")
    assert (experiment.status, experiment.metrics) == ("killed", {"loss": 0.5})
    assert (experiment.path / "metrics.json").read_text() == '{\n  "loss": 0.5\n}\n'


def test_a_dry_run_of_words_writes_nothing(seed: Path, run: CommandLine) -> None:
    before = snapshot(seed)
    assert run("note", "exp-002-xgboost", "x", "--dry-run", "--json").json["written"] is False
    run("tag", "exp-002-xgboost", "x", "--dry-run")
    run("status", "exp-002-xgboost", "failed", "--dry-run")
    assert snapshot(seed) == before


def test_secrets_do_not_reach_the_record(seed: Path, run: CommandLine) -> None:
    token = "ghp_" + "a1B2" * 9
    assert token not in run("note", "exp-002-xgboost", f"pushed with {token}").out
    run("tag", "exp-002-xgboost", token)
    assert token not in "".join(path.read_text() for path in load_experiment("exp-002-xgboost").path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["note", "exp-002-xgboost", " "], 2),
        (["note", "exp-002-xgboost"], 2),
        (["tag", "exp-002-xgboost", ""], 2),
        (["status", "exp-002-xgboost", "running"], 2),
        (["note", "exp-999", "x"], 4),
        (["note", "foreign", "x"], 5),
        (["archive"], 2),
        (["archive", "exp-002-xgboost", "--older-than", "6m"], 2),
        (["archive", "--older-than", "soon"], 2),
        (["archive", "exp-999"], 4),
        (["archive", "foreign"], 5),
        (["restore", "exp-999"], 4),
    ],
)
def test_what_cannot_be_meant(seed: Path, run: CommandLine, arguments: list[str], code: int) -> None:
    (seed / EXPERIMENTS / "foreign").mkdir()
    before = snapshot(seed)
    done = run(*arguments, "--json", code=code)
    assert done.json["error"]
    assert done.err.startswith("error: ")
    assert snapshot(seed) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes where others may not")
def test_a_word_that_the_disk_refuses_is_an_error(seed: Path, run: CommandLine) -> None:
    folder = load_experiment("exp-002-xgboost").path
    folder.chmod(0o500)
    try:
        run("note", "exp-002-xgboost", "lost", code=7)
    finally:
        folder.chmod(0o700)


def test_a_word_that_a_full_disk_refuses_is_an_error(
    seed: Path, run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("specweave_ml.store.journal.Journal.sync", full)
    assert "No space left on device" in run("note", "exp-002-xgboost", "lost", "--json", code=7).json["error"]


def test_archive_and_restore_change_nothing_inside(seed: Path, run: CommandLine) -> None:
    run("note", "exp-003-lightgbm", "keep me")
    folder = seed / EXPERIMENTS / "exp-003-lightgbm"
    before = snapshot(folder)
    done = run("archive", "exp-003-lightgbm", "exp-001-baseline")
    assert done.last_line == "2 of 2 experiments archived; comparison.md follows with specweave-ml compare"
    assert not folder.exists()
    assert snapshot(seed / EXPERIMENTS / "_archive" / "exp-003-lightgbm") == before
    assert archived(run) == {"exp-003-lightgbm", "exp-001-baseline"}
    assert run("list", "--json").json["total"] == 6
    assert run("show", "exp-003-lightgbm", "--json").json["experiment"]["archived"] is True
    again = run("archive", "exp-003-lightgbm", "--json").json
    assert again["kept"] == [{"name": "exp-003-lightgbm", "why": "it is archived already"}]
    run("restore", "exp-003-lightgbm")
    assert snapshot(folder) == before
    assert archived(run) == {"exp-001-baseline"}


def test_a_dry_run_moves_nothing(seed: Path, run: CommandLine) -> None:
    before = snapshot(seed)
    said = run("archive", "exp-003-lightgbm", "--dry-run", "--json").json
    assert said["written"] is False
    assert [each["name"] for each in said["archived"]] == ["exp-003-lightgbm"]
    assert snapshot(seed) == before


def test_the_selected_one_stays(seed: Path, run: CommandLine) -> None:
    decision = seed / EXPERIMENTS / "decision.md"
    decision.write_text("---\nselected: exp-002-xgboost\n---\n")
    assert "selected" in run("archive", "exp-003-lightgbm", "exp-002-xgboost", "--json", code=5).json["error"]
    assert archived(run) == set()
    decision.write_text("---\nselected: [broken\n---\n")
    assert "cannot be read" in run("archive", "exp-003-lightgbm", "--json", code=5).json["error"]


def test_a_running_one_stays(project: Path, run: CommandLine) -> None:
    with running():
        assert "running" in run("archive", "live", "--json", code=5).json["error"]
        run("status", "live", "failed")  # whatever is said of it, its process still writes
        assert "running" in run("archive", "live", "--json", code=5).json["error"]
    run("archive", "live")


def test_by_age(golden: Path, run: CommandLine) -> None:
    (golden / "decision.md").write_text("---\nselected: failed\n---\n")
    with track_experiment("fresh"):
        pass
    said = run("archive", "--older-than", "1d", "--json").json
    moved = {each["name"] for each in said["archived"]}
    assert {"every-line", "killed", "resumed", "siblings", "stale"} <= moved
    assert moved.isdisjoint({"fresh", "failed", "optuna-study", "unreadable"})
    assert said["kept"] == [{"name": "failed", "why": "this experiment is the selected one"}]
    assert run("archive", "--older-than", "1d").last_line == "0 of 4 experiments archived"


def test_a_restored_name_that_was_taken_meanwhile_is_refused(seed: Path, run: CommandLine) -> None:
    run("archive", "exp-003-lightgbm")
    with track_experiment("exp-003-lightgbm") as exp:
        assert exp.name == "exp-003-lightgbm-2"
    (seed / EXPERIMENTS / "exp-003-lightgbm").mkdir()
    refused = run("restore", "exp-003-lightgbm", "--json", code=5)
    assert "there already" in refused.json["error"]
    assert archived(run) == {"exp-003-lightgbm"}
