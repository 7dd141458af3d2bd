"""The tasks for agents can be solved with the command line as it is, and their checks can fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

EVALS = Path(__file__).parents[2] / "evals"
TASKS = json.loads((EVALS / "evals.json").read_text())["evals"]
TRIGGERS = json.loads((EVALS / "trigger_evals.json").read_text())


def run(*arguments: str, code: int = 0, path: str = "") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, str(EVALS / "run.py"), *arguments],
        env={**os.environ, "PATH": f"{path}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_the_references_solve_them_and_neither_nothing_nor_the_mistake_does() -> None:
    results = json.loads(run("--reference", "--json").stdout)["results"]
    assert [result["name"] for result in results] == [task["name"] for task in TASKS]
    assert [result for result in results if result["problems"] or result["blind"]] == []


def test_the_tasks_are_written_for_other_runners_too() -> None:
    assert len(TASKS) >= 12
    assert [task["id"] for task in TASKS] == [*range(1, len(TASKS) + 1)]
    for task in TASKS:
        assert task["assertions"] == task["expectations"]
        assert all(isinstance(text, str) for text in (task["prompt"], *task["expectations"], *task["files"]))
        assert task["checks"]
        assert all((EVALS.parent / name).is_file() for name in task["files"])


def test_the_triggers_are_twelve_and_twelve() -> None:
    assert len({trigger["query"] for trigger in TRIGGERS}) == 24
    assert sum(trigger["should_trigger"] for trigger in TRIGGERS) == 12


def test_without_an_agent_nothing_is_claimed() -> None:
    done = run("--agent", "no-such-agent -p", code=3)
    assert done.stderr == "there is no command 'no-such-agent' here: no agent was run, and nothing is claimed\n"
    assert done.stdout == ""


def test_an_agent_works_in_a_copy_with_the_skill_and_is_judged_by_what_it_leaves(tmp_path: Path) -> None:
    agent = tmp_path / "some-agent"
    agent.write_text("#!/bin/sh\ntest -f .claude/skills/experiment-tracker/SKILL.md && specweave-ml show xgboost-v2\n")
    agent.chmod(0o755)
    chosen = ["--only", "which-hyperparameters", "--only", "wrong-increment"]
    done = run("--agent", "some-agent --quiet", *chosen, code=1, path=str(tmp_path))
    assert "ok    which-hyperparameters  (called specweave-ml 1x)" in done.stdout
    assert "FAIL  wrong-increment  (called specweave-ml 1x)" in done.stdout
    assert done.stdout.endswith("1 of 2 tasks pass (one try each, no rate)\n")
