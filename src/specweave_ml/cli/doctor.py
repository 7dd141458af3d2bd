"""`doctor`: is everything in order, and what to do where it is not."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from specweave_ml.cli import options
from specweave_ml.cli.output import on_terminal, print_json, say
from specweave_ml.errors import NotFound, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specweave_ml.cli.checks import Check, Records
    from specweave_ml.project import Increment

_STORE_BROKEN = 7


@click.command("doctor")
@options.increment_argument
@options.as_json
def doctor(increment: str | None, *, as_json: bool) -> int:
    """Check the installation and the records.

    And whether INCREMENT may be closed. Without INCREMENT, those are meant that wait for review in SpecWeave, else the
    active ones. SpecWeave asks this itself before it closes one: that is the criterion R-ML01, which `init` writes.

    What is asked then: experiments logged: one finished at least, and none is gone or failed without a word. best model
    saved: the selected model, else the recommended one, is there as it was saved. metrics documented: comparison.md is
    up to date. success criteria: the targets of spec.md are met; one that was not measured is not. docs in sync:
    sync-docs has nothing to write. artifacts: no saved file was changed, or is gone that git would not leave out.

    Exit code 1 where something needs a hand, 7 where the store of INCREMENT cannot be read or written, 0 where all is
    well or there are no experiments. Nothing is written.
    """
    checks = list(_checks(increment))
    ok = all(check.ok for check in checks)
    if as_json:
        shown = [{"name": each.name, "ok": each.ok, "why": each.why, "next": each.next} for each in checks]
        print_json({"ok": ok, "checks": shown})
    else:
        for check in checks:
            _print(check)
        wrong = sum(not check.ok for check in checks)
        say()
        say(f"{len(checks) - wrong} of {len(checks)} checks are well" + (f"; {wrong} need a hand" if wrong else ""))
    if any(check.broken for check in checks):
        return _STORE_BROKEN
    return 0 if ok else 1


def _checks(named: str | None) -> Iterator[Check]:
    from specweave_ml.cli import checks, surroundings
    from specweave_ml.project import find_root

    yield checks.alias()
    try:
        root = find_root()
    except NotFound as error:
        yield checks.Check("project", ok=True, why=f"nothing to check: {error.what}", next=error.next_step)
        return
    yield checks.Check("project", ok=True, why=root)
    yield checks.git(root)
    yield checks.documents(root)
    yield from surroundings.of_surroundings(root)
    increments, check = _increments(root, named)
    yield check
    for where in increments:
        for each in _of_increment(where):
            yield replace(each, why=f"{where.id}: {each.why}") if len(increments) > 1 else each


def _increments(root: str, named: str | None) -> tuple[list[Increment], Check]:
    """The increments in question, and the check that says which; an unknown name is the caller's mistake."""
    from specweave_ml.cli.checks import Check, listed
    from specweave_ml.project import find_increment, increments_in_question, list_increments

    meant = increments_in_question() if named is None else [find_increment(named)]
    having = [each for each in meant if os.path.lexists(each.experiments)]
    if meant:
        names = [each.name for each in having or meant]
        return having or meant[:1], Check("increment", ok=True, why=names[0] if len(names) == 1 else listed(names))
    others = [each for each in list_increments(root) if os.path.isdir(each.experiments)]
    if not others:
        return [], Check("increment", ok=True, why="nothing to check: no increment has experiments")
    why = f"nothing to check: no increment is active; experiments are in {listed([each.name for each in others])}"
    return [], Check("increment", ok=True, why=why, next=f"specweave-ml doctor {others[0].id}")


def _of_increment(where: Increment) -> Iterator[Check]:
    from specweave_ml.cli import checks, closing

    yield checks.disk(where)
    if not os.path.lexists(where.experiments):
        yield checks.Check("experiments", ok=True, why="nothing to check: there are none yet")
        return
    try:
        records = _read(where)
    except StoreError as error:
        why = f"{error.what}: {error.path}"
        yield checks.Check("experiments", ok=False, why=why, next=error.next_step, broken=True)
        return
    if not records.experiments:
        yield checks.Check("experiments", ok=True, why="nothing to check: there are none yet")
        return
    yield checks.locks(records.experiments)
    yield from checks.of_records(records)
    yield from closing.of_closing(where, records.experiments)


def _read(where: Increment) -> Records:
    """Every experiment read whole.

    Raises:
        StoreError: the folder of experiments cannot be read.
    """
    from specweave_ml.cli.checks import Records
    from specweave_ml.store.reader import read_experiments
    from specweave_ml.store.verify import Integrity, verify

    experiments = read_experiments(where.experiments, where.name, archived=True)
    records = Records(where, experiments)
    for experiment in experiments:
        if experiment.kind == "experiment":
            try:
                records.found[experiment.name] = verify(str(experiment.path))
            except OSError as error:
                why = f"{os.path.basename(error.filename or '')}: {error.strerror or error}"
                records.found[experiment.name] = Integrity(problems=[why])
    return records


def _print(check: Check) -> None:
    mark = ("✓" if check.ok else "✗") if on_terminal() else ("ok " if check.ok else "BAD")
    coloured = click.style(mark, fg="green" if check.ok else "red", bold=True) if on_terminal() else mark
    click.echo(f"{coloured}  ", nl=False)
    say(f"{check.name}: {check.why}")
    if check.next:
        say(f"     next: {check.next}")
