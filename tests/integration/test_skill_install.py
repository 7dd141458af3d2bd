"""`specweave-ml skill`: shown, and installed where an agent reads it, without loss of what people wrote."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import venv
from pathlib import Path

import pytest

from command_line import CommandLine, snapshot
from specweave_ml.skill import FOLDERS, MANIFEST, skill_files

ROOT = Path(__file__).parents[2]
PLACE = Path(".claude/skills/experiment-tracker")


@pytest.mark.parametrize("agent", FOLDERS)
def test_it_goes_where_the_agent_looks(
    run: CommandLine, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, agent: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    in_project, in_home = (Path(folder) / "experiment-tracker" for folder in FOLDERS[agent])
    for options, folder in ([], project / in_project), (["--user"], tmp_path / in_home):
        said = run("skill", "install", "--agent", agent, *options, "--json").json
        assert {file["action"] for file in said["files"]} == {"create"}
        assert snapshot(folder).keys() == {*skill_files(), MANIFEST}
        assert all((folder / path).read_bytes() == content for path, content in skill_files().items())


def test_a_dry_run_writes_nothing_and_a_second_time_changes_nothing(run: CommandLine, project: Path) -> None:
    dry = run("skill", "install", "--dry-run")
    assert "would be created  .claude/skills/experiment-tracker/SKILL.md" in dry.out
    assert not (project / ".claude").exists()
    first = run("skill", "install")
    assert f"{len(skill_files())} of {len(skill_files())} files changed in {PLACE}" in first.last_line
    before = snapshot(project)
    assert run("skill", "install").out == f"0 of {len(skill_files())} files changed in {PLACE}\n"
    assert snapshot(project) == before


def test_from_a_folder_below_it_goes_to_the_projects_root(run: CommandLine, project: Path, monkeypatch) -> None:
    (project / "src").mkdir()
    monkeypatch.chdir(project / "src")
    run("skill", "install")
    assert (project / PLACE / "SKILL.md").is_file()


def test_without_a_project_it_goes_here(run: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run("skill", "install")
    assert (tmp_path / PLACE / "SKILL.md").is_file()


def test_what_people_changed_stays_until_they_say_so(run: CommandLine, project: Path) -> None:
    run("skill", "install")
    page, own = project / PLACE / "references" / "review.md", project / PLACE / "references" / "ours.md"
    page.write_text("Our own way to review.\n")
    own.write_text("Ours.\n")
    before = snapshot(project)
    for dry in ([], ["--dry-run"]):
        refused = run("skill", "install", "--json", *dry, code=5)
        assert refused.json["received"] == "references/review.md"
        assert "--force" in refused.json["next"]
    assert snapshot(project) == before
    assert "replaced  .claude/skills/experiment-tracker/references/review.md" in run("skill", "install", "--force").out
    assert page.read_bytes() == skill_files()["references/review.md"]
    assert own.read_text() == "Ours.\n"


def test_a_newer_version_replaces_what_nobody_touched(run: CommandLine, project: Path, monkeypatch) -> None:
    run("skill", "install")
    edited = project / PLACE / "references" / "compare.md"
    edited.write_text("Mine.\n")
    newer = skill_files() | {"SKILL.md": b"newer\n", "references/added.md": b"added\n"}
    del newer["references/review.md"], newer["references/compare.md"]
    monkeypatch.setattr("specweave_ml.skill.skill_files", lambda: newer)
    said = {file["path"]: file["action"] for file in run("skill", "install", "--json").json["files"]}
    assert said["SKILL.md"] == "update"
    assert said["references/added.md"] == "create"
    assert said["references/review.md"] == "remove"
    assert not (project / PLACE / "references" / "review.md").exists()
    assert edited.read_text() == "Mine.\n"  # no part of the skill any more, and theirs


@pytest.mark.parametrize("manifest", ["{", "[]", '{"../../outside": "0", "/etc/passwd": "0"}', "[" * 100_000])
def test_a_damaged_list_leads_nowhere(run: CommandLine, project: Path, manifest: str) -> None:
    (project / "outside").write_text("kept\n")
    run("skill", "install")
    (project / PLACE / MANIFEST).write_text(manifest)
    run("skill", "install")
    assert (project / "outside").read_text() == "kept\n"
    assert json.loads((project / PLACE / MANIFEST).read_text()).keys() == skill_files().keys()


@pytest.mark.parametrize("link", [".claude", ".claude/skills", str(PLACE), f"{PLACE}/references"])
def test_a_link_out_of_the_project_is_not_followed(run: CommandLine, project: Path, tmp_path: Path, link: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (project / link).parent.mkdir(parents=True, exist_ok=True)
    (project / link).symlink_to(elsewhere)
    assert "link" in run("skill", "install", code=5).err
    assert not [*elsewhere.iterdir()]


def test_it_is_shown_whole_or_by_topic(run: CommandLine) -> None:
    assert run("skill", "show").out == (ROOT / "SKILL.md").read_text()
    said = run("skill", "show", "review", "--json").json
    assert said["text"] == (ROOT / "references" / "review.md").read_text()
    assert said["topics"] == ["skill", *sorted(path.stem for path in (ROOT / "references").glob("*.md"))]
    assert "one of skill, compare, document" in run("skill", "show", "cooking", code=4).err
    assert "Usage: specweave-ml skill" in run("skill", code=2).out


def as_script(name: str, *arguments: str, cwd: Path, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    command = [python, str(cwd / PLACE / "scripts" / f"{name}.py"), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def test_the_scripts_are_the_commands(run: CommandLine, project: Path) -> None:
    run("skill", "install")
    for name, command in {"scaffold": ["init"], "sync": ["sync-docs", "update"]}.items():
        done = as_script(name, "--dry-run", "--json", cwd=project)
        assert (done.returncode, json.loads(done.stdout)) == (0, run(*command, "--dry-run", "--json").json)
    assert as_script("issue", "0042", "--dry-run", cwd=project).returncode == 2
    assert as_script("scaffold", "--no-such-option", cwd=project).returncode == 2


def test_detect_names_what_the_project_declares(run: CommandLine, project: Path) -> None:
    run("skill", "install")
    (project / "requirements.txt").write_text("scikit-learn\n")
    assert as_script("detect", cwd=project).stdout == (
        "framework scikit-learn: declared in requirements.txt\nfound: 1\n"
    )
    (tool,) = json.loads(as_script("detect", "--json", cwd=project).stdout)["tools"]
    assert tool["evidence"] == ["declared in requirements.txt"]


def test_check_instrumentation_tells_by_its_exit_code(run: CommandLine, project: Path) -> None:
    run("skill", "install")
    script = project / "train.py"
    script.write_text(
        "from sklearn.dummy import DummyClassifier\n"
        "X, y = [[1], [2]], [1, 1]\n"
        "model = DummyClassifier(strategy='prior')\n"
        "model.fit(X, y)\n"
        "accuracy = model.score(X, y)\n"
    )
    before = script.read_bytes()
    asked = as_script("check_instrumentation", "train.py", "--increment", "0042", "--apply", cwd=project)
    assert asked.returncode == 1
    assert "+from specweave import track_experiment" in asked.stdout
    assert script.read_bytes() == before
    run("instrument", "train.py", "--increment", "0042", "--apply")
    said = as_script("check_instrumentation", "train.py", "--json", cwd=project)
    assert (said.returncode, json.loads(said.stdout)["action"]) == (0, "unchanged")
    script.write_text("print('nothing trains here')\n")
    assert as_script("check_instrumentation", "train.py", cwd=project).returncode == 5
    assert "Usage" in as_script("check_instrumentation", "--help", cwd=project).stdout


def test_without_the_package_a_script_says_how_to_get_it(run: CommandLine, project: Path, tmp_path: Path) -> None:
    run("skill", "install")
    venv.create(tmp_path / "bare", symlinks=True)
    done = as_script("sync", cwd=project, python=str(tmp_path / "bare" / "bin" / "python"))
    assert done.returncode == 3
    assert done.stderr == "error: specweave_ml is not installed; next: pip install specweave-ml\n"


def test_the_python_of_the_pages_runs(project: Path) -> None:
    (project / "data").mkdir()
    (project / "data" / "train.csv").write_text("a\n1\n")
    given = textwrap.dedent("""\
        import xgboost
        from sklearn.datasets import load_breast_cancer
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.linear_model import LogisticRegression
        X, y = load_breast_cancer(return_X_y=True)
        X, y, X_test, y_test = X[:200, :3], y[:200], X[200:260, :3], y[200:260]
        X_train, y_train, model = X, y, LogisticRegression(max_iter=500)
    """)
    pages = "".join(content.decode() for path, content in skill_files().items() if path.endswith(".md"))
    code = "\n".join(re.findall(r"```python\n(.*?)```", pages, re.DOTALL))
    (project / "page.py").write_text(given + code)
    done = subprocess.run(
        [sys.executable, "page.py"], cwd=project, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    recorded = [*(project / ".specweave").rglob("metadata.yaml")]
    assert len(recorded) > code.count("track_experiment(")
    assert all('status: "finished"' in each.read_text() for each in recorded)


def test_an_installed_plugin_needs_nothing_but_itself(project: Path) -> None:
    shutil.copytree(ROOT / "plugins" / "specweave", project / "cache")
    text = "".join(path.read_text() for path in (project / "cache").rglob("*") if path.is_file())
    assert ".." not in text
    assert os.path.realpath(project / "cache" / ".claude-plugin") == str(project / "cache" / ".claude-plugin")
