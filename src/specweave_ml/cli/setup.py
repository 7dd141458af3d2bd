"""`init`: make a place for experiments, and say so to SpecWeave and to agents."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from specweave_ml.cli import options
from specweave_ml.cli.output import count, hint, print_json, say

if TYPE_CHECKING:
    from specweave_ml.detection import Tool
    from specweave_ml.scaffold import Scaffold

_DONE = {"create": "created", "update": "updated", "unchanged": "unchanged", "left": "left as it is"}
_WRITTEN = ("create", "update")


@click.command("init")
@options.increment_argument
@click.option("--agents", is_flag=True, help="Also tell agents: three lines in AGENTS.md and CLAUDE.md.")
@click.option("--restore", is_flag=True, help="Bring back hints that somebody, or SpecWeave's update, deleted.")
@options.dry_run
@options.as_json
def init(increment: str | None, *, agents: bool, restore: bool, dry_run: bool, as_json: bool) -> int:
    """Make a place for experiments.

    A folder for the experiments of INCREMENT, git files for it, and an example script. INCREMENT may be new, such as
    0042-recommendation-model; without it, the active one is meant, or 0001-experiments in a project that has none. A
    folder without .specweave becomes a project. What is there already stays as it is.

    Where SpecWeave itself works in the project, it is told in regions of .specweave/skill-memories/ and of
    .specweave/rubric-defaults.md: sync the documents, and ask `specweave-ml doctor` before an increment is closed.
    --dry-run shows their words. No other file of SpecWeave is written.
    """
    from specweave_ml.detection import detect
    from specweave_ml.scaffold import apply_scaffold, plan_scaffold
    from specweave_ml.scaffold.scripts import training_scripts

    scaffold = plan_scaffold(increment, agents=_models_page() if agents else None, restore=restore)
    if not dry_run:
        apply_scaffold(scaffold)
    tools = detect(scaffold.root)
    scripts = [shlex.quote(path) for path in training_scripts(scaffold.root)]
    number = scaffold.increment.partition("-")[0]
    proposals = [f"specweave-ml instrument {script} --increment {number}" for script in scripts]
    if as_json:
        _print_json(scaffold, tools, proposals, dry_run=dry_run)
    else:
        _print(scaffold, tools, proposals, dry_run=dry_run)
    return 0


def _models_page() -> str:
    """The document that says which models were tried and chosen."""
    from specweave_ml.documents.targets import Targets, find_targets
    from specweave_ml.errors import NotFound
    from specweave_ml.project import find_root

    try:
        targets = find_targets(find_root())
    except NotFound:
        targets = Targets()
    return targets.models or targets.experiments or ".specweave/increments/<increment>/experiments/comparison.md"


def _print_json(scaffold: Scaffold, tools: tuple[Tool, ...], proposals: list[str], *, dry_run: bool) -> None:
    steps = [{"path": each.path, "action": each.action, "why": each.why} for each in scaffold.steps]
    found = [
        {"name": tool.name, "kind": tool.kind, "evidence": tool.evidence, "importable": tool.importable}
        for tool in tools
    ]
    print_json(
        {
            "increment": scaffold.increment,
            "written": not dry_run,
            "specweave": scaffold.is_of_specweave,
            "steps": steps,
            "tools": found,
            "proposals": proposals,
        }
    )


def _print(scaffold: Scaffold, tools: tuple[Tool, ...], proposals: list[str], *, dry_run: bool) -> None:
    from specweave_ml.scaffold import EXAMPLE

    if dry_run and scaffold.hints.diff:
        say(scaffold.hints.diff)
    for step in scaffold.steps:
        did = f"would {step.action}" if dry_run and step.action in _WRITTEN else _DONE[step.action]
        say(f"{did}  {step.path}  ({step.why})")
    if not scaffold.is_of_specweave:
        hint("SpecWeave itself does not work in this project, so there is nothing to tell it")
    say()
    for tool in tools:
        say(f"{tool.kind} {tool.name}: {described(tool)}")
    for proposal in proposals:
        say(f"could track: {proposal}")
    new = sum(step.action in _WRITTEN for step in scaffold.steps)
    would = "would be written" if dry_run else "written"
    first = proposals[0] if proposals else f"python {EXAMPLE}"
    say(f"{new} of {count(len(scaffold.steps), 'path')} {would} for {scaffold.increment}; next: {first}")


def described(tool: Tool) -> str:
    """Why a tool is named, and whether it is there."""
    return "; ".join(tool.evidence) + ("" if tool.importable else "; not installed here")
