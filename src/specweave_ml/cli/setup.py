"""`init`: make a place for experiments."""

from __future__ import annotations

import click

from specweave_ml.cli import options
from specweave_ml.cli.output import count, print_json, say

_DONE = {"create": "created", "unchanged": "unchanged", "left": "left as it is"}


@click.command("init")
@options.increment_argument
@options.dry_run
@options.as_json
def init(increment: str | None, *, dry_run: bool, as_json: bool) -> int:
    """Make a place for experiments.

    A folder for the experiments of INCREMENT, git files for it, and an example script. INCREMENT may be new, such as
    0042-recommendation-model; without it, the active one is meant, or 0001-experiments in a project that has none. A
    folder without .specweave becomes a project. What is there already stays as it is.
    """
    from specweave_ml.scaffold import EXAMPLE, apply_scaffold, plan_scaffold

    scaffold = plan_scaffold(increment)
    if not dry_run:
        apply_scaffold(scaffold)
    if as_json:
        steps = [{"path": each.path, "action": each.action, "why": each.why} for each in scaffold.steps]
        print_json({"increment": scaffold.increment, "written": not dry_run, "steps": steps})
        return 0
    new = sum(step.action == "create" for step in scaffold.steps)
    for step in scaffold.steps:
        did = "would create" if dry_run and step.action == "create" else _DONE[step.action]
        say(f"{did}  {step.path}  ({step.why})")
    say()
    would = "would be created" if dry_run else "created"
    say(f"{new} of {count(len(scaffold.steps), 'path')} {would} for {scaffold.increment}; next: python {EXAMPLE}")
    return 0
