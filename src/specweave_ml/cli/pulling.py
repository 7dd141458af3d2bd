"""`pull` and `import`: runs of other tools as experiments, from the increment itself or from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from specweave_ml.cli import options
from specweave_ml.cli.output import READABLE, count, hint, one_line, print_json, say, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specweave_ml.foreign import Source
    from specweave_ml.project import Increment
    from specweave_ml.store.pulling import Pulled

_MOST_LINES = 20


@click.command("pull")
@options.increment_argument
@options.dry_run
@options.as_json
def pull(increment: str | None, *, dry_run: bool, as_json: bool) -> int:
    """Bring in what other tools recorded.

    That is what MLflow, Weights & Biases and TensorBoard left inside INCREMENT.

    Runs that are new or have changed become experiments; the others cost nothing, and nothing of the tools is touched.
    `list`, `compare` and `sync-docs` do this first, unless --no-pull.
    """
    from specweave_ml.project import find_increment
    from specweave_ml.sources import live_sources

    where = find_increment(increment)
    return _bring([*live_sources(where)], where, dry_run=dry_run, as_json=as_json)


@click.command("import")
@click.argument("source", metavar="SOURCE")
@click.argument("path", required=False)
@click.option("-i", "--increment", metavar="INCREMENT", help="Where they are to go, such as 0042.")
@options.dry_run
@options.as_json
def import_runs(source: str, path: str | None, increment: str | None, *, dry_run: bool, as_json: bool) -> int:
    """Bring runs that lie elsewhere into an increment.

    SOURCE is mlflow, wandb or tensorboard. PATH is an mlruns folder or an mlflow.db, a wandb folder, or a folder with
    event files; without it, the place where the tool itself would look in this project. Nothing there is changed, no
    model is loaded, and the tool need not be installed. A second time brings only what is new.
    """
    from specweave_ml.project import find_increment
    from specweave_ml.sources import open_source

    where = find_increment(increment)
    return _bring([open_source(source, path, where)], where, dry_run=dry_run, as_json=as_json)


def pull_first(increment: Increment) -> None:
    """What a reading command does before it reads; what fails is said, and the command goes on."""
    from specweave_ml.sources import live_sources

    for source in live_sources(increment):
        from specweave_ml.store.pulling import pull

        try:
            pulled = pull(source, increment.experiments, increment.name)
        except OSError as error:  # a StoreError is one too
            hint(f"warning: the runs of {source.tool} are not brought in: {error}")
        else:
            for path, why in pulled.problems.items():
                hint(f"warning: {path}: {why}")


def _bring(sources: Sequence[Source], where: Increment, *, dry_run: bool, as_json: bool) -> int:
    from specweave_ml.store.pulling import foresee, pull

    act = foresee if dry_run else pull
    found = {source.tool: act(source, where.experiments, where.name) for source in sources}
    if as_json:
        _print_json(where, found, dry_run=dry_run)
        return 0
    for pulled in found.values():
        _print(pulled)
    say(_summary(where, found, dry_run=dry_run))
    return 0


def _print(pulled: Pulled) -> None:
    lines = [f"new      {name}" for name in pulled.created] + [f"renewed  {name}" for name in pulled.updated]
    lines += [f"without  {name}: {one_line('; '.join(what))}" for name, what in pulled.left_out.items()]
    for line in lines[:_MOST_LINES]:
        say(line)
    if len(lines) > _MOST_LINES:
        say(f"… and {len(lines) - _MOST_LINES} more lines; all with --json")
    for path, why in pulled.problems.items():
        hint(f"not read: {path}: {one_line(why)}")


def _summary(where: Increment, found: dict[str, Pulled], *, dry_run: bool) -> str:
    if not found:
        return f"no other tool has recorded anything in {where.name}"
    each = []
    for tool, pulled in found.items():
        unread = f", {len(pulled.problems)} not read" if pulled.problems else ""
        new, renewed = count(len(pulled.created), "new experiment"), f"{len(pulled.updated)} renewed"
        each.append(f"{tool}: {new}, {renewed}, {pulled.unchanged} unchanged{unread}")
    return f"{where.name}: {'; '.join(each)}{' (nothing was written)' if dry_run else ''}"


def _print_json(where: Increment, found: dict[str, Pulled], *, dry_run: bool) -> None:
    sources = [
        {
            "tool": tool,
            "created": pulled.created,
            "updated": pulled.updated,
            "unchanged": pulled.unchanged,
            "left_out": pulled.left_out,
            "problems": [{"path": path, "why": why} for path, why in pulled.problems.items()],
        }
        for tool, pulled in found.items()
    ]
    short, cut = shortened({"increment": where.name, "dry_run": dry_run, "sources": sources}, READABLE)
    print_json({**short, **({"cut": cut} if cut else {})})
