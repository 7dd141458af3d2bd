"""Tasks for an agent that has the skill, judged by the state they leave: `python evals/run.py --reference`.

`--reference` replays the scripted solution of each task and applies the checks. It proves that the tasks can be solved
with the command line as it is, that an untouched project fails every one, and that an easy mistake is noticed. It says
nothing of agents. `--agent COMMAND` lets a real one try: COMMAND gets the prompt as its last argument, runs in a copy
of the project in which the skill is installed, and what it prints is its answer.
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checks import failures
from projects import Project, build
from reference import MISTAKES, SOLUTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).resolve().parent
AGENT = "claude --allowedTools Bash,Edit,Read,Skill,Write --permission-mode acceptEdits -p"
PATIENCE = 900  # seconds for a task


@dataclass(frozen=True)
class Result:
    """How a task went.

    Attributes:
        name: of the task.
        problems: the checks that fail after the solution, or after the agent.
        blind: checks that pass where they must fail: `untouched`, `mistake`.
        used: how often an agent called `specweave-ml`, which says whether it found the skill, apart from its success.
    """

    name: str
    problems: list[str]
    blind: tuple[str, ...] = ()
    used: int | None = None

    @property
    def ok(self) -> bool:
        """Whether the task is solved, and its checks can fail."""
        return not self.problems and not self.blind


class Copies:
    """Fresh copies of the projects, each made once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    def fresh(self, name: str) -> Project:
        """A copy of the project of that name that nobody has touched."""
        original = self._folder / name
        if not original.exists():
            build(name, original)
        self._number += 1
        copy = self._folder / f"{name}-{self._number}"
        shutil.copytree(original, copy)
        return Project(copy)


def by_reference(task: dict[str, Any], copies: Copies) -> Result:
    """The solution's failures, and whether the checks notice that nothing, or the wrong thing, was done."""
    name, checks = task["name"], task["checks"]
    solved, wrong = copies.fresh(task["project"]), copies.fresh(task["project"])
    problems = failures(checks, solved, SOLUTIONS[name](solved))
    untouched = failures(checks, copies.fresh(task["project"]), "")
    mistaken = failures(checks, wrong, MISTAKES[name](wrong))
    blind = [what for what, found in (("untouched", untouched), ("mistake", mistaken)) if not found]
    return Result(name, problems, tuple(blind))


def by_agent(task: dict[str, Any], copies: Copies, command: Sequence[str]) -> Result:
    """What is wrong after a real agent has tried."""
    project = copies.fresh(task["project"])
    for kind in ("claude", "codex"):
        project.run("skill", "install", "--agent", kind)
    tools = Path(tempfile.mkdtemp(prefix="tools-", dir=project.root.parent))
    calls = tools / "calls"
    counted = tools / "specweave-ml"
    start = "import sys; from specweave_ml.cli import main; sys.exit(main())"
    words = [shlex.quote(word) for word in (str(calls), sys.executable, start)]
    counted.write_text('#!/bin/sh\necho called >>{}\nexec {} -I -c {} "$@"\n'.format(*words))
    counted.chmod(0o755)
    path = f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    try:
        done = subprocess.run(
            [*command, task["prompt"]],
            cwd=project.root,
            env={**os.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        answer = done.stdout
    except subprocess.TimeoutExpired:
        return Result(task["name"], [f"no answer within {PATIENCE} seconds"])
    used = calls.read_text().count("called") if calls.exists() else 0
    return Result(task["name"], failures(task["checks"], project, answer), used=used)


def main() -> int:
    """Run the tasks; 0 when all pass, 1 when one does not, 3 when there is no agent to run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--reference", action="store_true", help="replay the scripted solutions")
    how.add_argument("--agent", nargs="?", const=AGENT, metavar="COMMAND", help=f"run an agent, by default: {AGENT}")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this task; repeatable")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    asked = parser.parse_args()
    command = shlex.split(asked.agent or "")
    if command and shutil.which(command[0]) is None:
        print(f"there is no command {command[0]!r} here: no agent was run, and nothing is claimed", file=sys.stderr)
        return 3
    tasks = json.loads((HERE / "evals.json").read_text())["evals"]
    folder = Path(tempfile.mkdtemp()).resolve()
    atexit.register(shutil.rmtree, folder)  # behind the library's last words on the projects, which it registers later
    copies = Copies(folder)
    results = [
        by_agent(task, copies, command) if command else by_reference(task, copies)
        for task in tasks
        if not asked.only or task["name"] in asked.only
    ]
    report(results, as_json=asked.json, agent=bool(command))
    return 0 if results and all(result.ok for result in results) else 1


def report(results: list[Result], *, as_json: bool, agent: bool) -> None:
    """Print how each task went, and what that says."""
    if as_json:
        print(json.dumps({"results": [{**asdict(result), "ok": result.ok} for result in results]}))
        return
    for result in results:
        used = "" if result.used is None else f"  (called specweave-ml {result.used}x)"
        print(f"{'ok  ' if result.ok else 'FAIL'}  {result.name}{used}")
        for problem in (*result.problems, *(f"the checks do not notice: {what}" for what in result.blind)):
            print(f"      {problem}")
    solved = f"{sum(result.ok for result in results)} of {len(results)} tasks"
    meaning = "one try each, no rate" if agent else "the scripted solutions, which say nothing of agents"
    print(f"{solved} pass ({meaning})")


if __name__ == "__main__":
    sys.exit(main())
