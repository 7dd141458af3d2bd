"""`instrument`: make a training script record itself."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from specweave_ml.cli import options
from specweave_ml.cli.output import count, hint, print_json, say

if TYPE_CHECKING:
    from specweave_ml.instrument import Instrumentation

_MOST_LEFT_OUT = 10
_BY_HAND = """\b
By hand:
    from specweave import track_experiment
    exp = track_experiment("train", increment="0042")
    exp.log_params({"learning_rate": learning_rate})
    exp.log_metric("accuracy", accuracy)
"""


@click.command("instrument", epilog=_BY_HAND)
@click.argument("script")
@options.increment
@click.option("--name", metavar="NAME", help="What the experiment is called. Default: the script's own name.")
@click.option("--apply", "write", is_flag=True, help="Write the change; without it, it is only shown.")
@options.dry_run
@options.as_json
def instrument(
    script: str, increment: str | None, name: str | None, *, write: bool, dry_run: bool, as_json: bool
) -> int:
    """Make a training script record itself.

    Shows the smallest change to SCRIPT, a .py file or a notebook, as a diff. Lines are put in, and nothing else is
    touched: params and metrics that have a name or are printed, folds, histories, saved models. Whatever is not sure
    to be there when the line runs is left out and said, so the script goes on as it did. It is read, never run.

    A script that records itself already stays as it is. One that is not understood is left alone (exit code 5), with
    the reason; then the lines below are to be put in by hand, where the values are.
    """
    from specweave_ml.instrument import apply, plan

    write = write and not dry_run
    change = plan(script, increment, name)
    if write and change.is_changed:
        apply(change)
    if as_json:
        print_json(_document(change, written=write and change.is_changed))
    else:
        options_given = [*(("-i", increment) if increment else ()), *(("--name", name) if name else ())]
        _say_it(change, shlex.join([change.path, *options_given]), write=write)
    return 0


def _document(change: Instrumentation, *, written: bool) -> dict[str, object]:
    return {
        "path": change.path,
        "increment": change.increment,
        "name": change.name,
        "action": "unchanged" if not change.is_changed else "applied" if written else "planned",
        "diff": change.diff,
        "records": list(change.records),
        "left_out": [{"line": each.line, "what": each.what, "why": each.why} for each in change.left_out],
    }


def _say_it(change: Instrumentation, arguments: str, *, write: bool) -> None:
    if not change.is_changed:
        say(f"unchanged  {change.path} records itself already: it imports specweave")
        return
    if not write:
        say(change.diff.rstrip("\n"))
        say()
    for each in change.records:
        say(f"records  {each}")
    for left in change.left_out[:_MOST_LEFT_OUT]:
        say(f"not recorded  line {left.line}: {left.what}: {left.why}")
    if len(change.left_out) > _MOST_LEFT_OUT:
        say(f"not recorded  and {len(change.left_out) - _MOST_LEFT_OUT} more, which --json lists")
    say()
    where = f"experiment {change.name} of {change.increment}"
    if write:
        said = count(len(change.records), "thing")
        say(f"written  {change.path}: {said} for {where}; next: run it in the project, then specweave-ml list")
        hint("SPECWEAVE_MODE=disabled runs it without recording")
    else:
        say(f"nothing was written; to write it: specweave-ml instrument {arguments} --apply")
