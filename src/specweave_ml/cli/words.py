"""`note`, `tag` and `status`: a person's words on an experiment, also while it runs and after it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from specweave_ml.cli import options
from specweave_ml.cli.output import one_line, print_json, say
from specweave_ml.errors import Refused, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENDINGS = ("finished", "failed", "killed")


@click.command("note")
@options.name
@click.argument("text", nargs=-1, required=True)
@options.increment
@options.dry_run
@options.as_json
def note(name: str, text: tuple[str, ...], increment: str | None, *, dry_run: bool, as_json: bool) -> int:
    """Add a note to an experiment.

    What was seen, why it failed, what to try next. Works while it runs and after it ended.
    """
    from specweave_ml.redact import redact_text
    from specweave_ml.store.writer import milliseconds

    words = redact_text(" ".join(text)).strip()
    if not words:
        raise UsageError("a note needs words", received=" ".join(text))
    line = {"note": words, "t": milliseconds()}
    return _say_it(name, increment, [line], {"note": words}, dry_run=dry_run, as_json=as_json)


@click.command("tag")
@options.name
@click.argument("tags", nargs=-1, required=True)
@options.increment
@options.dry_run
@options.as_json
def tag(name: str, tags: tuple[str, ...], increment: str | None, *, dry_run: bool, as_json: bool) -> int:
    """Add tags to an experiment, such as production."""
    from specweave_ml.redact import redact_text

    words = [redact_text(word).strip() for word in tags]
    if not all(words):
        raise UsageError("a tag is a non-empty word", received=" ".join(tags), expected="a word such as production")
    lines = [{"tag": word} for word in words]
    return _say_it(name, increment, lines, {"tags": words}, dry_run=dry_run, as_json=as_json)


@click.command("status")
@options.name
@click.argument("status", type=click.Choice(_ENDINGS), metavar="STATUS")
@options.increment
@options.dry_run
@options.as_json
def status(name: str, status: str, increment: str | None, *, dry_run: bool, as_json: bool) -> int:
    """Say how an experiment ended.

    STATUS is finished, failed or killed. A stale one was killed; a finished one may have failed after all. Its small
    files are made again from its journals, whatever they said before.
    """
    from specweave_ml.store.writer import milliseconds

    line = {"status": status, "t": milliseconds()}
    return _say_it(name, increment, [line], {"status": status}, dry_run=dry_run, as_json=as_json)


def _say_it(
    name: str,
    increment: str | None,
    lines: Sequence[dict[str, Any]],
    said: dict[str, Any],
    *,
    dry_run: bool,
    as_json: bool,
) -> int:
    from specweave_ml.cli.lookup import find_experiment

    experiment, where = find_experiment(name, increment)
    if experiment.kind != "experiment":
        raise Refused(
            "nothing can be added to a folder that is foreign or cannot be read",
            received=experiment.name,
            path=experiment.path,
            expected="an experiment that specweave-ml recorded",
        )
    if not dry_run:
        from specweave_ml.store.afterwards import add_lines

        add_lines(str(experiment.path), lines, ends=experiment.status == "stale" and "status" in lines[0])
    if as_json:
        print_json({"increment": where.name, "name": experiment.name, **said, "written": not dry_run})
    else:
        ((key, value),) = said.items()
        words = one_line(f"{key} {', '.join(value) if isinstance(value, list) else value}")
        say(f"{experiment.name} of {where.name}: {words}" + (" (dry run: nothing was written)" if dry_run else ""))
    return 0
