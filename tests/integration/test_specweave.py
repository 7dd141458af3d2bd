"""The real SpecWeave, from npm: its project, its increment, its own question before an increment is closed.

SpecWeave refuses the system's folder for temporary files, which is what TMPDIR says: here, another one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from npm import npm_package

INCREMENT = ".specweave/increments/0001-recommendation-model"
MEMORIES = ".specweave/skill-memories"
RUBRIC = ".specweave/rubric-defaults.md"
OURS = re.compile(
    rf"{INCREMENT}/(experiments/|reports/experiments-0001\.md)|\.specweave/(docs-sync|cache|skill-memories)/|{RUBRIC}$"
    r"|\.specweave/docs/internal/(architecture/(ml-models\.md|adr/0001-)|runbooks/model-training\.md)|examples/"
)
SPEC = """---
increment: 0001-recommendation-model
title: "Recommendation model"
type: experiment
status: planned
---

# Feature: Recommendation model

## User Stories

### US-001: Recommend products (P1)
**Project**: shop

**Acceptance Criteria**:
- [x] **AC-US1-01**: The model is good enough

## Success Criteria

Success metrics: Accuracy > 0.9
"""
TASKS = """# Tasks: Recommendation model

### T-001: Train and compare
**User Story**: US-001
**Satisfies ACs**: AC-US1-01
**Status**: [x] completed
"""
TRAIN = """from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from specweave_ml import track_experiment

X, X_test, y, y_test = train_test_split(*load_iris(return_X_y=True), random_state=0)
for name, model in {"baseline": DummyClassifier(), "logistic": LogisticRegression(max_iter=500)}.items():
    with track_experiment(name) as exp:
        exp.log_params(model.get_params())
        model.fit(X, y)
        exp.log_metric("accuracy", model.score(X_test, y_test), n=len(y_test))
        exp.save_model(model)
"""


@dataclass(frozen=True)
class Project:
    """A project in which SpecWeave and we work, each as a process of its own at its root."""

    package: Path
    root: Path

    @property
    def environment(self) -> dict[str, str]:
        programs = [str(Path(sys.executable).parent), str(Path(shutil.which("node") or "").parent), "/usr/bin", "/bin"]
        home = self.root.parent
        return {
            "PATH": os.pathsep.join(programs),
            "HOME": str(home / "home"),
            "TMPDIR": str(home / "temporary"),
            "CI": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "npm_config_offline": "true",
            "SPECWEAVE_SKIP_IMAGE_GEN": "true",
            "SKIP_EXTERNAL_SYNC": "true",
        }

    def run(self, *command: str, code: int | None = 0) -> str:
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert code is None or done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def specweave(self, *arguments: str, code: int | None = 0) -> str:
        program = self.package / "node_modules/specweave/bin/specweave.js"
        return self.run("node", str(program), *arguments, code=code)

    def ours(self, *arguments: str, code: int | None = 0) -> str:
        return self.run("specweave-ml", *arguments, code=code)

    def checks(self, *arguments: str, code: int) -> dict[str, dict[str, Any]]:
        said = json.loads(self.ours("doctor", "--json", *arguments, code=code))
        return {check["name"]: check for check in said["checks"]}

    def files(self) -> dict[str, bytes]:
        paths = (path for path in self.root.rglob("*") if path.is_file())
        files = {path.relative_to(self.root).as_posix(): path.read_bytes() for path in paths}
        return {name: content for name, content in files.items() if not name.startswith(".git/")}

    def status(self, status: str, increment: str = INCREMENT) -> None:
        """Set a status, as SpecWeave's skills do."""
        path = self.root / increment / "metadata.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "status": status, "testMode": "none"}))


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """SpecWeave's project with an increment in it, before we do anything."""
    folder = tmp_path_factory.mktemp("specweave")
    for name in ("shop", "home", "temporary"):
        (folder / name).mkdir()
    made = Project(npm_package("specweave", "1.0.593"), folder / "shop")
    made.run("git", "init", "--quiet")
    made.specweave("init", ".", "--quick")
    about = ("--title", "Recommendation model", "--description", "Recommend products", "--type", "experiment")
    made.specweave("create-increment", "--project", "shop", "--auto-id", "--name", "recommendation-model", *about)
    (made.root / INCREMENT / "spec.md").write_text(SPEC)
    (made.root / INCREMENT / "tasks.md").write_text(TASKS)
    made.status("active")
    made.specweave("generate-rubric", "0001-recommendation-model")
    reports = made.root / INCREMENT / "reports"
    reports.mkdir(exist_ok=True)
    passed = {"acId": "AC-US1-01", "status": "pass"}
    (reports / "grill-report.json").write_text(
        json.dumps({"shipReadiness": "READY", "acCompliance": {"results": [passed]}})
    )
    (reports / "code-review-report.json").write_text('{"summary": {"critical": 0, "high": 0, "medium": 0}}')
    (reports / "judge-llm-report.json").write_text('{"verdict": "APPROVED"}')
    (made.root / "train.py").write_text(TRAIN)
    return made


@pytest.fixture(scope="module")
def trained(initialised: Project) -> Project:
    """The same after our `init` and training."""
    made = copy_of(initialised, "trained")
    made.ours("init")
    made.run("python", "train.py")
    return made


@pytest.fixture(scope="module")
def documented(trained: Project) -> Project:
    """The same after a choice, with all documents."""
    made = copy_of(trained, "documented")
    made.ours("compare")
    made.ours("select", "1", "logistic", "--because", "It is far better than the baseline.")
    made.ours("sync-docs", "update")
    return made


@pytest.fixture
def project(documented: Project, request: pytest.FixtureRequest) -> Project:
    return copy_of(documented, request.node.name)


def copy_of(project: Project, name: str) -> Project:
    return Project(project.package, Path(shutil.copytree(project.root, project.root.parent / name)))


def test_nothing_of_specweaves_is_written(initialised: Project, documented: Project) -> None:
    before = initialised.files()
    documented.checks(code=0)
    after = documented.files()
    assert {name: after.get(name) for name in before} == before
    assert [name for name in after.keys() - before.keys() if not OURS.match(name)] == []
    assert {name for name in after if name.startswith(MEMORIES)} == {
        f"{MEMORIES}/{skill}.md" for skill in ("done", "increment", "sync-docs")
    }


def test_a_dry_run_shows_every_word_and_writes_none(initialised: Project, trained: Project) -> None:
    before = initialised.files()
    said = initialised.ours("init", "--dry-run")
    assert initialised.files() == before
    for path in (RUBRIC, *(f"{MEMORIES}/{skill}.md" for skill in ("done", "increment", "sync-docs"))):
        assert f"would create  {path}" in said
        for line in (trained.root / path).read_text().splitlines():
            assert f"+{line}" in said


def test_the_criterion_keeps_an_increment_open_until_all_is_in_order(trained: Project) -> None:
    project = copy_of(trained, "kept-open")
    refused = project.specweave("complete", "0001-recommendation-model", "--yes", code=1)
    assert "1 blocking criteria failed: R-ML01 (ML experiments are in order" in refused
    found = project.checks(code=1)
    assert [name for name, check in found.items() if not check["ok"]] == ["docs in sync"]
    project.run("sh", "-c", found["docs in sync"]["next"])
    found = project.checks("0001", code=0)
    assert found["best model saved"]["why"].startswith("logistic/model.pkl (recommended, ")
    assert found["success criteria"]["why"] == "1 of 1 target met by logistic"
    assert "(5/5 blocking passed)" in project.specweave("complete", "0001-recommendation-model", "--yes")
    assert json.loads((project.root / INCREMENT / "metadata.json").read_text())["status"] == "completed"
    project.checks(code=0)


def test_the_increment_that_is_closed_is_asked_about_and_no_other(project: Project) -> None:
    """While SpecWeave asks, the increment waits for review, and another one is the active one."""
    about = ("--title", "Search", "--description", "Find products", "--type", "feature")
    project.specweave("create-increment", "--project", "shop", "--auto-id", "--name", "search", *about)
    project.status("active", ".specweave/increments/0002-search")
    comparison = project.root / INCREMENT / "experiments/comparison.md"
    kept = comparison.read_bytes()
    comparison.unlink()
    assert "R-ML01" in project.specweave("complete", "0001-recommendation-model", "--yes", code=1)
    comparison.write_bytes(kept)
    project.specweave("complete", "0001-recommendation-model", "--yes")
    # The other one has no experiments, so there is nothing that could be wrong with it.
    assert "nothing to check" in project.checks(code=0)["experiments"]["why"]


def test_a_target_that_is_missed_or_not_measured_keeps_it_open(project: Project) -> None:
    spec = project.root / INCREMENT / "spec.md"
    spec.write_text(spec.read_text() + "- Recall@10 > 0.15\n- Accuracy >= 99.9%\n")
    project.ours("sync-docs", "update")
    check = project.checks(code=1)["success criteria"]
    assert "1 of 3 targets met by logistic" in check["why"]
    assert "not measured 1: Recall@10 > 0.15" in check["why"]
    assert "R-ML01" in project.specweave("complete", "0001-recommendation-model", "--yes", code=1)
    # A person may decide otherwise, for this increment.
    criterion = next(line for line in (project.root / RUBRIC).read_text().splitlines() if "R-ML01" in line)
    with (project.root / INCREMENT / "rubric.md").open("a") as rubric:
        rubric.write(f"\n{criterion.replace('[blocking]', '[advisory]')}\n- **Evaluator**: command\n")
        rubric.write("- **Verify**: specweave-ml doctor\n")
    assert "(4/4 blocking passed)" in project.specweave("complete", "0001-recommendation-model", "--yes")


def test_its_update_erases_hints_and_doctor_says_so(project: Project) -> None:
    memory = project.root / MEMORIES / "done.md"
    own = memory.read_text() + "\n## Learnings\n\n- **2020-01-01**: old\n- **2099-01-01**: new\n"
    memory.write_text(own)
    rubric = (project.root / RUBRIC).read_bytes()
    project.specweave("update", "--no-self", "--no-plugins")
    assert "specweave-ml doctor" not in memory.read_text()
    assert (project.root / RUBRIC).read_bytes() == rubric
    check = project.checks(code=0)["hints"]
    assert check["ok"]
    assert check["why"] == "deleted from 1: done.md"
    assert "done.md  (our part of it was deleted" in project.ours("init")
    project.ours("init", "--restore")
    assert "specweave-ml doctor" in memory.read_text()
    assert "**2099-01-01**: new" in memory.read_text()


def test_its_sync_and_its_instructions_leave_our_files(project: Project) -> None:
    project.ours("init", "--agents")
    before = {name: content for name, content in project.files().items() if OURS.match(name)}
    project.specweave("sync-living-docs", "0001-recommendation-model")
    project.specweave("update-instructions")
    after = project.files()
    assert {name: after.get(name) for name in before} == before
    assert b"`specweave-ml list`" in after["CLAUDE.md"]
    assert "AGENTS.md" not in after
    assert "unchanged  CLAUDE.md" in project.ours("init", "--agents")
    assert "up to date" in project.ours("sync-docs", "update", "--check")


def test_what_it_archives_is_still_read(project: Project) -> None:
    project.specweave("complete", "0001-recommendation-model", "--yes")
    # As its `archive` does, which in this version takes an increment for a duplicate of itself.
    archive = project.root / ".specweave/increments/_archive"
    archive.mkdir()
    shutil.move(project.root / INCREMENT, archive)
    assert "logistic" in project.ours("list", "0001")
    assert "nothing to check" in project.checks(code=0)["increment"]["why"]
    project.ours("sync-docs", "update", "0001")
    assert project.checks("0001", code=0)["best model saved"]["ok"]
