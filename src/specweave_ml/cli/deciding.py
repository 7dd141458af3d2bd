"""`select` and `unselect`: a person's choice."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from specweave_ml.cli import options
from specweave_ml.cli.output import hint, one_line, print_json, say
from specweave_ml.errors import Refused, UsageError

if TYPE_CHECKING:
    from specweave_ml.project import Increment
    from specweave_ml.store.decision import Decision

_OWN_KEYS = ("selected", "by", "date", "because")


@click.command("select")
@click.argument("increment")
@options.name
@click.option("--because", required=True, metavar="WORDS", help="The reason, in your words.")
@click.option("--by", metavar="NAME", help="Who decides. Default: git's user.name, else the login name.")
@options.dry_run
@options.as_json
def select(increment: str, name: str, because: str, by: str | None, *, dry_run: bool, as_json: bool) -> int:
    """Choose an experiment of INCREMENT, and say why.

    Only a finished one can be chosen. It is kept in decision.md, a file of yours: of its bytes, only the values that
    change are touched. From then on documents say selected, not recommended, also where the comparison disagrees.
    """
    from specweave_ml.cli.lookup import find_experiment
    from specweave_ml.cli.rows import decision_of
    from specweave_ml.redact import redact_text
    from specweave_ml.store.decide import refusal_to_select

    reason = redact_text(because).strip()
    if not reason:
        raise UsageError("a decision needs its reason", received=because, next_step='say it with --because "…"')
    experiment, where = find_experiment(name, increment)
    refused = refusal_to_select(experiment)
    if refused is not None:
        raise refused
    before = decision_of(where)
    same = (before.selected, before.because) == (experiment.name, reason) and by in {None, before.by}
    said = {"selected": experiment.name, "by": by or _decider(where.root), "date": _today(), "because": reason}
    return _decide(where, before, {} if same else said, dry_run=dry_run, as_json=as_json)


@click.command("unselect")
@click.argument("increment")
@options.dry_run
@options.as_json
def unselect(increment: str, *, dry_run: bool, as_json: bool) -> int:
    """Take the choice back: documents say recommended again. The rest of decision.md stays as it is."""
    from specweave_ml.cli.rows import decision_of
    from specweave_ml.project import find_increment

    where = find_increment(increment)
    return _decide(where, decision_of(where), dict.fromkeys(_OWN_KEYS), dry_run=dry_run, as_json=as_json)


def _decide(where: Increment, before: Decision, said: dict[str, str | None], *, dry_run: bool, as_json: bool) -> int:
    """Put it into decision.md, bring comparison.md up to date, and say what is so now."""
    from specweave_ml.store.decide import apply_decision, plan_decision
    from specweave_ml.store.layout import DECISION

    path = f"{where.experiments}/{DECISION}"
    edit = plan_decision(path, said)
    if not dry_run and apply_decision(edit):
        _refresh_comparison(where)
    now = {key: said.get(key, getattr(before, key)) for key in _OWN_KEYS}
    if as_json:
        written = edit.changes_something and not dry_run
        print_json({"increment": where.name, **now, "before": before.selected, "written": written})
        return 0
    _say(where, now, before.selected)
    file = os.path.relpath(path, where.root)
    if not edit.changes_something:
        say(f"{file} says so already; nothing was written")
    elif dry_run:
        say(f"{file} would be written (dry run: nothing was)")
    else:
        say(f"written to {file}; next: specweave-ml sync-docs update {where.id}")
    return 0


def _say(where: Increment, now: dict[str, str | None], before: str | None) -> None:
    if now["selected"] is None:
        taken_back = f"; it was {before}" if before else ""
        say(one_line(f"no experiment of {where.name} is selected{taken_back}"))
        return
    instead = f" instead of {before}" if before not in {None, now["selected"]} else ""
    said = ", ".join(filter(None, (f"{now['selected']} of {where.name} is selected{instead}", now["by"], now["date"])))
    say(one_line(f"{said}: {now['because']}" if now["because"] else said))


def _refresh_comparison(where: Increment) -> None:
    from specweave_ml.reports import compare_experiments

    try:
        compare_experiments(where.path)
    except Refused as error:
        hint(f"warning: {error}")


def _decider(root: str) -> str | None:
    """Git's user.name, else the login name; None where the machine knows neither."""
    from getpass import getuser

    from specweave_ml.provenance.git import run_git

    name = run_git(root, "config", "user.name").output.decode(errors="replace").strip()
    try:
        return name or getuser()
    except (KeyError, OSError):  # a container's user without a name
        return None


def _today() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).astimezone().date().isoformat()
