"""`init` and `doctor`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import EXPERIMENTS, INCREMENT, CommandLine, as_process, snapshot
from specweave_ml import track_experiment
from tracked import wait_for_the_capture

FIRST = ".specweave/increments/0001-experiments/experiments"


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is no project; the test stands in it."""
    folder = tmp_path / "bare"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def actions(done):
    return {step["path"]: step["action"] for step in done.json["steps"]}


def checks(done):
    return {check["name"]: check for check in done.json["checks"]}


def git(*arguments: str) -> str:
    settings = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main")
    return subprocess.run(["git", *settings, *arguments], check=True, capture_output=True, text=True).stdout


def test_a_bare_folder_becomes_a_project_that_runs(bare: Path, run: CommandLine) -> None:
    dry = run("init", "--dry-run", "--json")
    assert [*bare.iterdir()] == []
    assert set(actions(dry).values()) == {"create"}
    assert actions(run("init", "--json")) == actions(dry)
    assert {str(path.relative_to(bare)) for path in bare.rglob("*") if path.is_file()} == {
        f"{FIRST}/.gitignore",
        f"{FIRST}/.gitattributes",
        "examples/track_experiment.py",
    }
    subprocess.run([sys.executable, "examples/track_experiment.py"], check=True, capture_output=True)
    rows = run("list", "--json").json["experiments"]
    assert [(row["name"], row["status"]) for row in rows] == [
        ("exp-001-baseline", "finished"),
        ("exp-002-logistic", "finished"),
    ]
    assert rows[1]["metrics"]["accuracy"] > rows[0]["metrics"]["accuracy"]
    assert run("compare", "--json").json["best"] == "exp-002-logistic"


def test_a_second_time_writes_nothing(bare: Path, run: CommandLine) -> None:
    run("init", "0042-recommendation-model")
    before = snapshot(bare)
    again = run("init", "0042", "--json")
    assert set(actions(again).values()) == {"unchanged"}
    assert snapshot(bare) == before
    assert run("init").last_line.startswith("0 of 4 paths written for 0042-recommendation-model; ")


def test_a_persons_files_are_left_as_they_are(project: Path, run: CommandLine) -> None:
    (project / "examples").mkdir()
    (project / "examples/track_experiment.py").write_text("mine\n")
    (project / EXPERIMENTS).mkdir()
    (project / EXPERIMENTS / ".gitignore").write_text("*.bin\n")
    specweaves_own = snapshot(project / INCREMENT)
    done = actions(run("init", "--json"))
    assert done["examples/track_experiment.py"] == "left"
    assert done[f"{EXPERIMENTS}/.gitignore"] == "left"
    assert (project / "examples/track_experiment.py").read_text() == "mine\n"
    assert (project / EXPERIMENTS / ".gitignore").read_text() == "*.bin\n"
    assert specweaves_own.items() <= snapshot(project / INCREMENT).items()
    assert "left as it is  examples/track_experiment.py  (it is there and says something else)" in run("init").out


@pytest.mark.parametrize(
    ("increment", "code"),
    [
        ("0043", 2),
        ("recommendation", 2),
        ("../../0043-outside", 2),
        ("/0043-x", 2),
        ("0043-a/b", 2),
        ("0042-another-one", 5),
        ("", 2),
    ],
)
def test_names_that_cannot_become_an_increment(project: Path, run: CommandLine, increment: str, code: int) -> None:
    before = snapshot(project.parent)
    run("init", increment, code=code)
    assert snapshot(project.parent) == before


def test_links_are_not_followed_out_of_the_project(project: Path, tmp_path: Path, run: CommandLine) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (project / "examples").symlink_to(outside)
    assert actions(run("init", "--json"))["examples/track_experiment.py"] == "left"
    assert [*outside.iterdir()] == []
    (project / EXPERIMENTS / ".gitignore").unlink()
    (project / EXPERIMENTS / ".gitattributes").unlink()
    (project / EXPERIMENTS).rmdir()
    (project / EXPERIMENTS).symlink_to(outside)
    run("init")
    assert [*outside.iterdir()] == []


def test_git_takes_the_record_and_leaves_models(project: Path, run: CommandLine) -> None:
    run("init")
    git("init", "--quiet")
    with track_experiment("x") as exp:
        exp.log_metric("accuracy", 0.9)
        exp.save_model({"a": 1}, "model.pkl")
        exp.save_artifact("table.csv", "a,b\n")
        folder = Path(exp.path)
    (folder / "training.log").write_text("kept\n")
    git("add", ".")
    tracked = set(git("ls-files", "--", f"{EXPERIMENTS}/x").split())
    kept = ("journal.jsonl", "metadata.yaml", "metrics.json", "table.csv", "training.log")
    assert {f"{EXPERIMENTS}/x/{name}" for name in kept} <= tracked
    assert f"{EXPERIMENTS}/x/model.pkl" not in tracked
    attributes = git("check-attr", "text", "merge", "--", f"{EXPERIMENTS}/x/journal.jsonl")
    assert "text: unset" in attributes
    assert "merge: union" in attributes


def test_journals_of_two_branches_merge_line_by_line(project: Path, run: CommandLine) -> None:
    run("init")
    git("init", "--quiet")
    with track_experiment("x"):
        pass
    wait_for_the_capture()
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    git("checkout", "--quiet", "-b", "other")
    run("note", "x", "from the other branch")
    git("add", ".")
    git("commit", "--quiet", "-m", "two")
    git("checkout", "--quiet", "main")
    journal = project / EXPERIMENTS / "x/journal.jsonl"
    lines = journal.read_text()
    journal.write_text(lines + '{"note":"ours","t":1}\n')
    git("commit", "--quiet", "-a", "-m", "three")
    git("merge", "--quiet", "-m", "four", "other")
    assert journal.read_text() == lines + '{"note":"ours","t":1}\n'
    assert len([*(project / EXPERIMENTS / "x").glob("journal*.jsonl")]) == 2


@pytest.mark.parametrize("where", ["no project", "no increment", "no experiments", "an empty folder of experiments"])
def test_where_there_is_no_ml_there_is_nothing_to_check(bare: Path, run: CommandLine, where: str) -> None:
    if where != "no project":
        (bare / ".specweave/increments").mkdir(parents=True)
    if where in {"no experiments", "an empty folder of experiments"}:
        (bare / ".specweave/increments/0042-x").mkdir()
        (bare / ".specweave/increments/0043-y").mkdir()
    if where == "an empty folder of experiments":
        (bare / ".specweave/increments/0042-x/experiments").mkdir()
        (bare / ".specweave/increments/0043-y").rmdir()
    done = run("doctor", "--json")
    assert done.json["ok"] is True
    assert "nothing to check" in done.json["checks"][-1]["why"]


def test_all_is_well_after_tracking(seed: Path, run: CommandLine) -> None:
    with track_experiment("exp-002-xgboost", resume="must") as exp:
        exp.save_model({"trees": 100})
    run("sync-docs", "update")
    done = run("doctor", "0042", "--json")
    assert [*done.json] == ["schema", "ok", "checks"]
    assert all(check.keys() == {"name", "ok", "why", "next"} for check in done.json["checks"])
    assert all(check["ok"] for check in done.json["checks"])
    assert run("doctor").last_line == "23 of 23 checks are well"


def test_what_is_wrong_is_named_with_its_place_and_what_to_do(golden: Path, run: CommandLine) -> None:
    found = checks(run("doctor", "--json", code=7))
    assert "damaged/journal.jsonl:4: " in found["readable"]["why"]
    assert "unreadable/metadata.yaml" in found["readable"]["why"]
    assert found["stale"]["why"].startswith("3: ")
    assert found["stale"]["next"].startswith("specweave-ml status ")
    assert "every-line: 3" in found["dropped lines"]["why"]
    assert found["torn ends"]["ok"] is True
    assert "torn" in found["torn ends"]["why"]
    assert found["journals"]["ok"] is found["small files"]["ok"] is True


def test_a_flipped_digit_is_found(seed: Path, run: CommandLine) -> None:
    journal = seed / EXPERIMENTS / "exp-002-xgboost/journal.jsonl"
    journal.write_text(journal.read_text().replace("0.87", "0.97"))
    found = checks(run("doctor", "--json", code=1))
    assert found["journals"]["why"] == "1: exp-002-xgboost/journal.jsonl: changed since it was closed"


def test_what_doctor_says_about_small_files_mends_them(seed: Path, run: CommandLine) -> None:
    (seed / EXPERIMENTS / "exp-002-xgboost/metrics.json").write_text('{"accuracy": 0.99}\n')
    run("compare")
    found = checks(run("doctor", "--json", code=1))
    assert not found["small files"]["ok"]
    assert found["small files"]["next"].startswith("specweave-ml status exp-002-xgboost STATUS")
    run("status", "exp-002-xgboost", "finished")
    found = checks(run("doctor", "--json", code=1))
    assert found["small files"]["ok"]
    assert found["metrics documented"]["next"] == "specweave-ml compare 0042"
    run("compare")
    assert checks(run("doctor", "--json", code=1))["metrics documented"]["ok"]


def test_an_unknown_increment_is_the_callers_mistake(project: Path, run: CommandLine) -> None:
    assert "0042-recommendation-model" in run("doctor", "0099", "--json", code=4).json["expected"]


def test_where_none_is_active_there_is_nothing_to_close(seed: Path, run: CommandLine) -> None:
    (seed / INCREMENT / "metadata.json").write_text('{"status": "completed"}')
    (seed / ".specweave/increments/0007-search/experiments").mkdir(parents=True)
    found = checks(run("doctor", "--json"))["increment"]
    assert "nothing to check" in found["why"]
    assert "0007-search, 0042-recommendation-model" in found["why"]
    assert found["next"] == "specweave-ml doctor 0007"


def test_a_store_that_cannot_be_read_is_exit_7(project: Path, run: CommandLine) -> None:
    (project / EXPERIMENTS).symlink_to(EXPERIMENTS.name)  # a loop
    assert not os.path.isdir(project / EXPERIMENTS)
    (project / EXPERIMENTS).unlink()
    (project / EXPERIMENTS).write_text("a file\n")
    run("list", code=7)


@pytest.mark.parametrize(
    ("content", "ok"),
    [
        ('"""Alias."""\nfrom specweave_ml import __all__\n', True),
        ('__version__ = "0.2.0"\nraise SystemExit("the other one ran")\n', False),
        (None, False),
    ],
)
def test_the_alias_is_looked_at_and_never_run(
    project: Path, tmp_path: Path, run: CommandLine, monkeypatch: pytest.MonkeyPatch, content: str | None, ok: bool
) -> None:
    package = tmp_path / "site" / "specweave"
    package.mkdir(parents=True)
    if content is not None:
        (package / "__init__.py").write_text(content)
    monkeypatch.delitem(sys.modules, "specweave", raising=False)
    monkeypatch.setattr(
        sys, "path", [str(tmp_path / "site"), *(each for each in sys.path if not each.endswith("/src"))]
    )
    monkeypatch.setattr(sys, "meta_path", [finder for finder in sys.meta_path if "editable" not in repr(finder)])
    check = checks(run("doctor", "--json", code=0 if ok else 1))["alias"]
    assert check["ok"] is ok
    assert ok or check["next"] == "pip uninstall specweave && pip install --force-reinstall specweave-ml"


def test_without_git_doctor_says_so(project: Path) -> None:
    with track_experiment("x"):
        pass
    done = as_process("doctor", "--json", cwd=project, env={**os.environ, "PATH": "/nowhere"})
    assert done.returncode == 1
    assert "git was not found" in done.stdout
