"""`skill`: the instructions for agents, shown or installed."""

from __future__ import annotations

import os

import click

from specweave_ml.cli import options
from specweave_ml.cli.output import count, print_json, say

_AGENTS = ("claude", "codex", "cursor", "gemini", "copilot")
_WORDS = {"create": "created", "update": "updated", "remove": "removed", "replace": "replaced"}


@click.group("skill", invoke_without_command=True)
@click.pass_context
def skill(context: click.Context) -> int:
    """Show the skill for agents, or install it."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
        return 2
    return 0


@skill.command("show")
@click.argument("topic", default="skill")
@options.as_json
def show(topic: str, *, as_json: bool) -> int:
    """Print the skill, or one TOPIC of it.

    TOPIC is the name of a reference, such as compare; an unknown one lists them.
    """
    from specweave_ml.skill import topic as page
    from specweave_ml.skill import topics

    text = page(topic)
    if as_json:
        print_json({"topic": topic, "topics": list(topics()), "text": text})
    else:
        click.echo(text, nl=False)
    return 0


@skill.command("install")
@click.option("--agent", type=click.Choice(_AGENTS), default="claude", help="Whose folder of skills. Default: claude.")
@click.option("--project/--user", default=True, help="Into this project, or for all projects of yours.")
@click.option("--force", is_flag=True, help="Also over files of it that were changed by hand.")
@options.dry_run
@options.as_json
def install(agent: str, *, project: bool, force: bool, dry_run: bool, as_json: bool) -> int:
    """Copy the skill to where an agent reads it.

    The folder experiment-tracker in .claude/skills, .agents/skills (codex), .cursor/skills, .gemini/skills, or
    .github/skills (copilot). What people changed there is left, with exit code 5.
    """
    from specweave_ml.skill import apply_installation, plan_installation

    plan = plan_installation(agent, user=not project, force=force)
    if not dry_run:
        apply_installation(plan)
    folder = os.path.relpath(plan.folder) if project else plan.folder
    changed = [file for file in plan.files if file.action != "unchanged"]
    if as_json:
        files = [{"path": file.path, "action": file.action} for file in plan.files]
        print_json({"agent": agent, "folder": folder, "written": not dry_run, "files": files})
        return 0
    for file in changed:
        say(f"{'would be ' if dry_run else ''}{_WORDS[file.action]}  {os.path.join(folder, file.path)}")
    did = "would change" if dry_run else "changed"
    say(f"{len(changed)} of {count(len(plan.files), 'file')} {did} in {folder}")
    return 0
