"""The plan of `init`, and what becomes of it when somebody was faster."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import EXPERIMENTS, snapshot
from repositories import git
from specweave_ml.errors import NotFound, Refused, StoreError, UsageError
from specweave_ml.scaffold import EXAMPLE, FIRST_INCREMENT, apply_scaffold, plan_scaffold
from specweave_ml.scaffold.hints import RUBRIC
from specweave_ml.scaffold.scripts import training_scripts

MEMORIES = ".specweave/skill-memories"
DONE = f"{MEMORIES}/done.md"
PAGE = "docs/models.md"
FRONT_MATTER = "---\nincrement: defaults\n---\n"
REGION = re.compile(r"<!-- specweave:begin v1 .*?<!-- specweave:end v1 experiment-tracker -->", re.DOTALL)


def test_a_plan_writes_nothing(project: Path) -> None:
    before = snapshot(project)
    scaffold = plan_scaffold()
    assert [step.path for step in scaffold.steps] == [
        str(EXPERIMENTS),
        f"{EXPERIMENTS}/.gitignore",
        f"{EXPERIMENTS}/.gitattributes",
        EXAMPLE,
        f"{MEMORIES}/sync-docs.md",
        f"{MEMORIES}/done.md",
        f"{MEMORIES}/increment.md",
        RUBRIC,
    ]
    assert snapshot(project) == before
    assert not (project / EXPERIMENTS).exists()


def test_what_appeared_meanwhile_is_not_overwritten(project: Path) -> None:
    scaffold = plan_scaffold()
    (project / "examples").mkdir()
    (project / EXAMPLE).write_text("mine\n")
    with pytest.raises(StoreError, match="not there a moment ago"):
        apply_scaffold(scaffold)
    assert (project / EXAMPLE).read_text() == "mine\n"


def test_a_checkout_with_other_line_ends_is_still_ours(project: Path) -> None:
    apply_scaffold(plan_scaffold())
    example = project / EXAMPLE
    example.write_bytes(example.read_bytes().replace(b"\n", b"\r\n"))
    assert {step.action for step in plan_scaffold().steps} == {"unchanged"}


def test_git_changes_no_line_end_of_what_is_generated(project: Path) -> None:
    apply_scaffold(plan_scaffold())
    git(project, "init", "--quiet")
    names = ("x/journal.2.jsonl", "x/params.json", "x/metadata.yaml", "comparison.md", "_pictures/cost.svg")
    paths = [f"{EXPERIMENTS}/{name}" for name in names]
    said = git(project, "check-attr", "text", "--", *paths, f"{EXPERIMENTS}/decision.md").splitlines()
    assert said == [*(f"{path}: text: unset" for path in paths), f"{EXPERIMENTS}/decision.md: text: unspecified"]


def test_the_increment_that_is_meant(tmp_path: Path) -> None:
    start = str(tmp_path)
    assert plan_scaffold(None, start).increment == FIRST_INCREMENT
    assert plan_scaffold("0042E-imported", start).increment == "0042E-imported"
    apply_scaffold(plan_scaffold("0042-search", start))
    assert plan_scaffold(None, start).increment == "0042-search"
    assert plan_scaffold("42", start).increment == "0042-search"
    apply_scaffold(plan_scaffold("0043-ranking", start))
    with pytest.raises(NotFound, match="not clear"):
        plan_scaffold(None, start)
    with pytest.raises(Refused, match="another increment"):
        plan_scaffold("0043-other", start)
    with pytest.raises(UsageError) as raised:
        plan_scaffold("ranking", start)
    assert raised.value.next_step == "specweave-ml init 0044-what-it-is-about"


def test_the_example_needs_nothing_but_the_standard_library(project: Path) -> None:
    apply_scaffold(plan_scaffold())
    done = subprocess.run([sys.executable, "-X", "importtime", EXAMPLE], capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "specweave_ml" in loaded
    assert {"sklearn", "pandas"}.isdisjoint(loaded)


# What SpecWeave and agents are told


def init(project: Path, **options) -> dict[str, str]:
    """The action of each step, which was done."""
    scaffold = plan_scaffold(None, str(project), **options)
    apply_scaffold(scaffold)
    return {step.path: step.action for step in scaffold.steps}


def write(project: Path, path: str, content: str | bytes) -> Path:
    file = project / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


@pytest.mark.parametrize(
    ("path", "content", "known"),
    [
        (".specweave/config.json", "{}", True),
        (".specweave/docs/internal/README.md", "# Docs", True),
        (".specweave/increments/0001-x/metadata.json", '{"status": "planned"}', True),
        (".specweave/increments/0001-x/spec.md", "---\nstatus: completed\n---\n", True),
        (".specweave/increments/_archive/0001-x/metadata.json", '{"status": "completed"}', True),
        (".specweave/increments/0001-x/spec.md", "# Targets\n\nAccuracy > 0.8\n", False),
        (".specweave/docs/internal/architecture/ml-models.md", "# Models", False),
        (".specweave/experiment-tracker.yaml", "documents: {}\n", False),
    ],
)
def test_only_a_project_of_specweave_is_told_something(tmp_path: Path, path: str, content: str, known: bool) -> None:
    write(tmp_path, path, content)
    scaffold = plan_scaffold("0001-x", str(tmp_path))
    assert scaffold.is_of_specweave is known
    assert bool(scaffold.hints.changes) is known


@pytest.mark.parametrize(
    "words", ["- **2026-01-01**: Ask first.", "# Done\r\n\r\nwords\r\n", "\ufeff# Done\n", "", "\n\n"]
)
def test_peoples_own_words_stay_byte_for_byte(project: Path, words: str) -> None:
    memory = write(project, DONE, words)
    assert init(project)[DONE] == "update"
    told = memory.read_bytes().decode()
    assert REGION.search(told)
    assert REGION.sub("", told).strip("\r\n") == words.strip("\r\n")
    assert told.startswith(words)
    before = snapshot(project)
    assert "update" not in init(project).values()
    assert snapshot(project) == before


def test_an_edit_inside_stays_and_what_was_deleted_stays_away(project: Path) -> None:
    init(project)
    memory = project / DONE
    edited = memory.read_text().replace("never tick it unseen.", "never tick it unseen.\n- Ask Kim.")
    memory.write_text(edited)
    assert init(project)[DONE] == "unchanged"
    assert memory.read_text() == edited
    memory.write_text("# Done Memory\n")
    assert init(project)[DONE] == "left"
    assert memory.read_text() == "# Done Memory\n"
    assert init(project, restore=True)[DONE] == "update"
    assert "specweave-ml doctor" in memory.read_text()


def criteria(text: str) -> dict[str, dict[str, str]]:
    """The criteria of a rubric as SpecWeave's own parser reads them: line by line, behind the front matter."""
    lines = text.removeprefix("\ufeff").split("\n")
    dashes = [number for number, line in enumerate(lines) if line.strip() == "---"]
    found: dict[str, dict[str, str]] = {}
    fields: dict[str, str] = {}
    for line in lines[dashes[1] :]:
        if head := re.match(r"^###\s+(R-[A-Z0-9-]+\d+):\s+(.+?)\s+\[(blocking|advisory)\]\s*$", line):
            fields = found[head[1]] = {"severity": head[3]}
        elif field := re.match(r"^-\s+\*\*(\w[\w\s]*)\*\*:\s+([^\r\n]+)\Z", line):
            fields[field[1].lower()] = field[2].strip()
    return found


OWN = "\n## Security\n\n### R-X01: Nothing leaks [blocking]\n- **Evaluator**: command\n- **Verify**: make scan\n"


@pytest.mark.parametrize(
    "before", [None, FRONT_MATTER, f"{FRONT_MATTER}{OWN}", f"\ufeff{FRONT_MATTER}{OWN}- **Source**: us"]
)
def test_the_criterion_is_one_that_specweave_reads(project: Path, before: str | None) -> None:
    if before is not None:
        write(project, RUBRIC, before)
    assert init(project)[RUBRIC] == ("create" if before is None else "update")
    text = (project / RUBRIC).read_text()
    assert text.startswith(before or "---\n")
    found = criteria(text)
    ours = found.pop("R-ML01")
    assert (ours["severity"], ours["evaluator"], ours["verify"]) == ("blocking", "command", "specweave-ml doctor")
    assert found == (criteria(before) if before else {})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("# Rubric\n\nno front matter\n", "no front matter"),
        ("", "no front matter"),
        (f"{FRONT_MATTER}{OWN}".replace("\n", "\r\n"), "do not end in LF"),
        (f"{FRONT_MATTER}### R-ML01: Mine [advisory]\n- **Evaluator**: manual\n", "of somebody's own"),
        (f"{FRONT_MATTER}{'x' * 2_000_000}", "too large"),
        (b"---\n---\n\xff\xfe", "not UTF-8"),
        (f"{FRONT_MATTER}```\nan open fence\n", "left open"),
    ],
)
def test_a_rubric_that_cannot_take_it_is_left_as_it_is(project: Path, content: str | bytes, why: str) -> None:
    rubric = write(project, RUBRIC, content)
    before = rubric.read_bytes()
    (step,) = [step for step in plan_scaffold(None, str(project)).steps if step.path == RUBRIC]
    assert step.action == "left"
    assert why in step.why
    assert init(project)[DONE] == "create", "the others are not held up"
    assert rubric.read_bytes() == before


def test_a_folder_in_the_place_of_a_file_and_a_link_out_are_left(project: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "done.md").write_text("theirs\n")
    (project / MEMORIES).symlink_to(outside)
    (project / RUBRIC).mkdir()
    actions = init(project)
    assert [actions[path] for path in (DONE, f"{MEMORIES}/increment.md", RUBRIC)] == ["left", "left", "left"]
    assert {path.name: path.read_text() for path in outside.iterdir()} == {"done.md": "theirs\n"}
    assert not (project / ".specweave/docs-sync").exists()


def test_a_place_of_bases_that_leads_out_is_not_written_to(project: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (project / ".specweave/docs-sync").symlink_to(outside)
    assert init(project)[DONE] == "left"
    assert [*outside.iterdir()] == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_may_not_be_read_is_left(project: Path) -> None:
    write(project, DONE, "secret").chmod(0)
    assert init(project)[DONE] == "left"


def test_a_file_that_changed_meanwhile_is_not_overwritten(project: Path) -> None:
    scaffold = plan_scaffold()
    write(project, DONE, "somebody was faster\n")
    with pytest.raises(StoreError, match="somebody else"):
        apply_scaffold(scaffold)
    assert (project / DONE).read_text() == "somebody was faster\n"
    assert REGION.search((project / RUBRIC).read_text())


@pytest.mark.parametrize(
    ("there", "told"),
    [([], ["AGENTS.md"]), (["CLAUDE.md"], ["CLAUDE.md"]), (["AGENTS.md", "CLAUDE.md"], ["AGENTS.md", "CLAUDE.md"])],
)
def test_agents_are_told_where_they_look_and_only_when_asked(project: Path, there: list[str], told: list[str]) -> None:
    for name in there:
        write(project, name, "# Rules\n")
    init(project)
    assert all((project / name).read_text() == "# Rules\n" for name in there)
    assert [name for name in init(project, agents=PAGE) if name in {"AGENTS.md", "CLAUDE.md"}] == told
    for name in told:
        text = (project / name).read_text()
        assert text.startswith("# Rules\n" if there else "<!-- specweave:begin")
        region = REGION.search(text)
        assert region
        assert len([line for line in region[0].splitlines() if line.startswith("- ")]) == 3
        assert PAGE in region[0]


def test_one_file_of_two_names_is_told_once(project: Path) -> None:
    write(project, "AGENTS.md", "# Rules\n")
    (project / "CLAUDE.md").symlink_to("AGENTS.md")
    assert "CLAUDE.md" not in init(project, agents=PAGE)
    assert (project / "AGENTS.md").read_text().count("specweave:begin") == 1


def test_no_section_of_specweave_is_entered(project: Path) -> None:
    closed = '<!-- SW:SECTION:docs version="1" -->\n## Docs\n<!-- SW:END:docs -->\n'
    write(project, "CLAUDE.md", closed)
    write(project, "AGENTS.md", closed.replace("<!-- SW:END:docs -->\n", ""))
    actions = init(project, agents=PAGE)
    assert (actions["CLAUDE.md"], actions["AGENTS.md"]) == ("update", "left")
    assert (project / "CLAUDE.md").read_text().startswith(closed)


# Training scripts


def test_training_scripts_are_seen_and_others_are_not(tmp_path: Path) -> None:
    trains = "from sklearn.svm import SVC\n\nSVC().fit(X, y)\n"
    for path in ("train.py", "src/models/forest.py", "a/b/c/deep.py"):
        write(tmp_path, path, trains)
    cell = ["import xgboost as xgb\n", "model.fit(X, y)"]
    write(tmp_path, "notebook.ipynb", json.dumps({"cells": [{"source": cell}]}, indent=1))
    for path in (".venv/x.py", "tests/test_x.py", "a/b/c/d/too_deep.py", "node_modules/x.py"):
        write(tmp_path, path, trains)
    write(tmp_path, "tracked.py", f"from specweave import track_experiment\n{trains}")
    write(tmp_path, "plots.py", "import sklearn\n")
    write(tmp_path, "tailor.py", "suit.fit(customer)\n")
    (tmp_path / "elsewhere").symlink_to(tmp_path / "src")
    os.mkfifo(tmp_path / "pipe.py")
    assert training_scripts(str(tmp_path)) == ["notebook.ipynb", "train.py", "src/models/forest.py", "a/b/c/deep.py"]


def test_the_look_is_bounded(tmp_path: Path) -> None:
    for number in range(300):
        write(tmp_path, f"folder-{number}/a.py", "print('no')\n")
        write(tmp_path, f"folder-{number}/z.py", "import torch\nloss.backward()\n")
    assert len(training_scripts(str(tmp_path))) == 5
