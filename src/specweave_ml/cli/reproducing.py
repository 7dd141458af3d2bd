"""`reproduce`: an experiment run again from its record."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from specweave_ml.cli import options
from specweave_ml.cli.output import count, hint, one_line, print_json, say
from specweave_ml.cli.tables import print_table
from specweave_ml.errors import Refused

if TYPE_CHECKING:
    from specweave_ml.reproduction.again import Reproduction
    from specweave_ml.reproduction.recipe import Recipe

_NONE = "–"
_LONGEST = 40
_MOST_ROWS = 40


@click.command("reproduce")
@options.name
@options.increment
@click.option("--repeat", type=click.IntRange(1), default=1, metavar="N", help="Run it N times; 3 show a spread.")
@click.option(
    "--env", "environment", type=click.Choice(["current", "locked"]), default="current",
    help="The packages installed here, or the recorded ones in a new environment.",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Do not ask before recorded code runs.")
@options.dry_run
@options.as_json
def reproduce(
    name: str, increment: str | None, repeat: int, environment: str, *, yes: bool, dry_run: bool, as_json: bool
) -> int:
    """Run an experiment again, to see whether the same comes out.

    The recorded commit and changes go into a folder of their own, which is removed afterwards; your files and index are
    not touched. Recorded code runs, so you are asked first. Exit code 0: it re-ran within tolerance, which is recorded;
    1: it drifted; 5: refused, because something that a re-run needs is missing.
    """
    from specweave_ml.cli.lookup import find_experiment
    from specweave_ml.reproduction.recipe import read_recipe

    experiment, where = find_experiment(name, increment)
    try:
        recipe = read_recipe(experiment, where)
        if dry_run:
            _show_plan(recipe, environment, err=False)
            return 0
        _ask(recipe, environment, yes=yes)
        found = _run(recipe, repeat, environment)
    except Refused:
        if as_json:
            print_json({"verdict": "refused", "only_difference": None, "ingredients": [], "metrics": []})
        raise
    if as_json:
        print_json(_as_dict(found))
    else:
        _print(found, recipe)
    return 0 if found.verdict == "reproduced" else 1


def _ask(recipe: Recipe, environment: str, *, yes: bool) -> None:
    """Show what would run, and go on only with consent.

    Raises:
        Refused: nobody gave it.
    """
    _show_plan(recipe, environment, err=True)
    if yes or (sys.stdin.isatty() and click.confirm("Run it?", err=True)):
        return
    raise Refused("recorded code runs only with consent", expected="--yes", next_step="look at the command, then --yes")


def _show_plan(recipe: Recipe, environment: str, *, err: bool) -> None:
    import shlex

    from specweave_ml.reproduction.again import command_line

    variables = "".join(f"{name}={shlex.quote(value)} " for name, value in recipe.variables.items())
    packages = "the recorded packages" if environment == "locked" else "the packages installed here"
    for line in (
        f"code      {recipe.code}",
        f"command   {variables}{shlex.join(command_line(recipe))}",
        f"in        {recipe.cwd}, with {packages}",
    ):
        (hint if err else say)(line)


def _run(recipe: Recipe, repeat: int, environment: Any) -> Reproduction:
    """Run it so that the worktree goes when we are told to end, too."""
    from specweave_ml.reproduction.again import reproduce as run_again

    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return run_again(recipe, repeat=repeat, environment=environment)
    finally:
        signal.signal(signal.SIGTERM, before)


def _as_dict(found: Reproduction) -> dict[str, Any]:
    ingredients = [
        {"name": each.name, "recorded": each.recorded, "now": each.now, "status": each.status}
        for each in found.ingredients
    ]
    metrics = [
        {"name": each.name, "recorded": each.recorded, "now": each.now, "verdict": each.verdict, "why": each.why}
        for each in found.metrics
    ]
    document = {"verdict": found.verdict, "only_difference": found.only_difference, "failure": found.failure}
    return {**document, "ingredients": ingredients, "metrics": metrics}


def _print(found: Reproduction, recipe: Recipe) -> None:
    rows = [(each.name, _text(each.recorded), _text(each.now), each.status) for each in found.ingredients]
    print_table(("Ingredient", "Recorded", "Now", "Status"), rows[:_MOST_ROWS])
    if len(rows) > _MOST_ROWS:
        say(f"and {len(rows) - _MOST_ROWS} more, all with --json")
    say()
    if found.metrics:
        results = [(each.name, _text(each.recorded), _text(each.now), each.verdict, each.why) for each in found.metrics]
        print_table(("Metric", "Recorded", "Now", "Verdict", "By"), results)
        say()
    if found.failure:
        say(f"No new result: {one_line(found.failure)}")
    if found.only_difference:
        say(f"Only {one_line(found.only_difference)} differs")
    judged = sum(each.verdict in ("EXACT", "WITHIN") for each in found.metrics)
    verdict = "re-ran within tolerance" if found.verdict == "reproduced" else "drifted"
    say(f"{recipe.experiment.name}: {verdict}, {judged} of {count(len(found.metrics), 'metric')} as recorded")


def _text(value: Any) -> str:
    from specweave_ml.analysis.params import param_text

    text = _NONE if value is None else one_line(param_text(value))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
