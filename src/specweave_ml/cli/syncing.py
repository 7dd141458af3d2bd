"""`sync-docs`: the project's documents brought up to date, or checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from specweave_ml.cli import options
from specweave_ml.cli.output import count, hint, page, print_json, say
from specweave_ml.errors import UsageError

if TYPE_CHECKING:
    from specweave_ml.living_docs import SyncPlan

_STALE = 1
_CONFLICT = 5


@click.command("sync-docs")
@click.argument("action", type=click.Choice(["update"]), metavar="update", expose_value=False)
@options.increment_argument
@click.option("--all", "everything", is_flag=True, help="All increments, not one.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 unless everything is there and up to date.")
@click.option("--prune", is_flag=True, help="With --all: remove sections of increments that have no experiments.")
@click.option("--restore", is_flag=True, help="Bring back sections that somebody deleted.")
@options.no_pull
@options.dry_run
@options.as_json
def sync_docs(
    increment: str | None,
    *,
    everything: bool,
    check: bool,
    prune: bool,
    restore: bool,
    no_pull: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Bring the documents of INCREMENT up to date.

    What goes there: what was tried in INCREMENT, which model was chosen and why, how to train it again.

    Generated parts are renewed; what people wrote around them stays, and so do their edits inside, merged with new
    data. Where both changed the same, that part stays as it is and the exit code is 5. --dry-run shows the changes.
    """
    from specweave_ml.documents.sync import plan_sync, sync

    if everything and increment is not None:
        raise UsageError("--all is about every increment", received=increment, next_step="leave one of the two out")
    if prune and not everything:
        raise UsageError(
            "--prune has to look at every increment", next_step="specweave-ml sync-docs update --all --prune"
        )
    act = plan_sync if check or dry_run else sync
    if act is sync and not no_pull:
        _pull_first(increment, everything=everything)
    plan = act([increment] if increment else None, everything=everything, prune=prune, restore=restore)
    if as_json:
        _print_json(plan)
    else:
        _print(plan, check=check, dry_run=dry_run)
    _warn_of_taken_numbers(plan)
    if check:
        return 0 if plan.is_current else _STALE
    return _CONFLICT if plan.conflicts else 0


def _pull_first(increment: str | None, *, everything: bool) -> None:
    from specweave_ml.cli.pulling import pull_first
    from specweave_ml.project import find_increment, find_root, list_increments

    for where in list_increments(find_root()) if everything else [find_increment(increment)]:
        pull_first(where)


def _print(plan: SyncPlan, *, check: bool, dry_run: bool) -> None:
    if dry_run and plan.diff:
        say(plan.diff)
    for change in plan.changes:
        if change.action != "unchanged" or any(region.outcome != "unchanged" for region in change.regions):
            say(f"{change.action}  {change.path}  ({change.why})")
    if not dry_run:
        for change in plan.conflicts:
            if change.diff:
                say(change.diff)
    if not plan.changes:
        say("there are no experiments to write about")
    say(_summary(plan, check=check, dry_run=dry_run))


def _print_json(plan: SyncPlan) -> None:
    """The whole plan; of very many documents, those that change first."""
    from specweave_ml.cli.output import encode

    whole: dict[str, Any] = plan.as_dict()
    documents = sorted(whole["documents"], key=lambda each: each["action"] == "unchanged")
    shown = page(documents, encode, limit=None)
    cut = {"total": len(documents), "returned": len(shown), "truncated": len(shown) < len(documents)}
    print_json({**whole, **cut, "documents": shown})


def _summary(plan: SyncPlan, *, check: bool, dry_run: bool) -> str:
    looked_at = f"{count(plan.checked, 'region')} checked, {plan.opted_out} opted out"
    documents = f"{plan.changed} of {count(len(plan.changes), 'document')}"
    if check:
        verdict = "everything is up to date" if plan.is_current else _what_is_wrong(plan)
        return f"{verdict}; {looked_at}"
    changed = f"{documents} {'would change' if dry_run else 'changed'}"
    conflicts = f"; {count(len(plan.conflicts), 'document')} left for a person to look at" if plan.conflicts else ""
    return f"{changed}; {looked_at}{conflicts}"


def _what_is_wrong(plan: SyncPlan) -> str:
    if not plan.checked + plan.opted_out:
        return "nothing was found to check, which is no pass"
    wrong = sum(change.action != "unchanged" for change in plan.changes)
    return f"{wrong} of {count(len(plan.changes), 'document')} not up to date; next: specweave-ml sync-docs update"


def _warn_of_taken_numbers(plan: SyncPlan) -> None:
    """A number is a guess until it is merged; while the file is new, it can still be renamed."""
    from specweave_ml.documents.targets import find_targets
    from specweave_ml.living_docs.adr import number_clashes

    records = find_targets(plan.root).records
    for clash in number_clashes(plan.root, records) if records else ():
        hint(f"warning: {clash.path} has the number of {clash.taken_by} on {clash.branch}: rename it before merging")
