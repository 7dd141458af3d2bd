"""`archive` and `restore`: experiments out of sight, and back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from specweave_ml.cli import options
from specweave_ml.cli.output import count, print_json, say
from specweave_ml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specweave_ml.errors import Refused
    from specweave_ml.project import Increment
    from specweave_ml.record import Experiment

    Chosen = list[tuple[Experiment, Increment]]
    Kept = list[dict[str, str]]


@click.command("archive")
@options.names
@click.option("--older-than", metavar="AGE", help="Those that ended longer ago: 90d, 12w, 6m (months), 1y.")
@options.increment
@options.dry_run
@options.as_json
def archive(
    names: tuple[str, ...], older_than: str | None, increment: str | None, *, dry_run: bool, as_json: bool
) -> int:
    """Put experiments aside, by name or by age.

    They go to _archive/, out of lists and comparisons, and `restore` brings them back. The one that decision.md
    selects, and running ones, stay.
    """
    from specweave_ml.store.archive import archive_experiment

    if bool(names) == bool(older_than):
        raise UsageError(
            "say which", expected="names of experiments, or --older-than 6m", next_step="specweave-ml list"
        )
    if older_than:
        chosen, kept, total = _old(older_than, increment)
    else:
        chosen, kept = _named(names, increment)
        total = len(names)
    moved = []
    for experiment, where in chosen:
        if not dry_run:
            archive_experiment(where.experiments, experiment.name)
        moved.append(_moved(experiment, where, f"_archive/{experiment.name}"))
    _report("archived", moved, kept, total, dry_run=dry_run, as_json=as_json)
    return 0


@click.command("restore")
@click.argument("names", nargs=-1, required=True)
@options.increment
@options.dry_run
@options.as_json
def restore(names: tuple[str, ...], increment: str | None, *, dry_run: bool, as_json: bool) -> int:
    """Bring archived experiments back."""
    from specweave_ml.cli.lookup import find_experiment
    from specweave_ml.store.archive import restore_experiment
    from specweave_ml.store.layout import ARCHIVE

    moved: list[dict[str, str]] = []
    kept: Kept = []
    for experiment, where in [find_experiment(name, increment) for name in names]:
        if not (experiment.archived or os.path.isdir(f"{where.experiments}/{ARCHIVE}/{experiment.name}")):
            kept.append({"name": experiment.name, "why": "it is not archived"})
            continue
        if not dry_run:
            restore_experiment(where.experiments, experiment.name)
        moved.append(_moved(experiment, where, experiment.name))
    _report("restored", moved, kept, len(names), dry_run=dry_run, as_json=as_json)
    return 0


def _named(names: Sequence[str], increment: str | None) -> tuple[Chosen, Kept]:
    """All of them may be moved or lie there already; else none is."""
    from specweave_ml.cli.lookup import find_experiment

    chosen: Chosen = []
    kept: Kept = []
    for experiment, where in [find_experiment(name, increment) for name in names]:
        if experiment.archived:
            kept.append({"name": experiment.name, "why": "it is archived already"})
            continue
        obstacle = _obstacle(experiment, where)
        if obstacle is not None:
            raise obstacle
        chosen.append((experiment, where))
    return chosen, kept


def _old(age: str, increment: str | None) -> tuple[Chosen, Kept, int]:
    """What is old enough and may be moved, what is old enough and stays, and how many there are in all."""
    from datetime import UTC, datetime

    from specweave_ml.project import find_increment
    from specweave_ml.store.archive import cutoff, ended_before
    from specweave_ml.store.load import load_experiments

    moment = cutoff(age, datetime.now(UTC))
    where = find_increment(increment)
    found = load_experiments(where.path)
    chosen: Chosen = []
    kept: Kept = []
    for experiment in found:
        if not ended_before(experiment, moment):
            continue
        obstacle = _obstacle(experiment, where)
        if obstacle is None:
            chosen.append((experiment, where))
        else:
            kept.append({"name": experiment.name, "why": obstacle.what})
    return chosen, kept, len(found)


def _obstacle(experiment: Experiment, where: Increment) -> Refused | None:
    from specweave_ml.cli.rows import decision_of
    from specweave_ml.store.archive import obstacle

    return obstacle(experiment, decision_of(where))


def _moved(experiment: Experiment, where: Increment, place: str) -> dict[str, str]:
    path = os.path.relpath(f"{where.experiments}/{place}", where.root)
    return {"name": experiment.name, "increment": where.name, "path": path}


def _report(did: str, moved: Sequence[dict[str, str]], kept: Kept, total: int, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        document: dict[str, Any] = {
            "total": total,
            did: list(moved),
            "kept": kept,
            "written": bool(moved) and not dry_run,
        }
        print_json(document)
        return
    for each in moved:
        say(f"{each['name']}  {each['path']}")
    for each in kept:
        say(f"{each['name']}  kept: {each['why']}")
    would = "would be " if dry_run else ""
    again = "; comparison.md follows with specweave-ml compare" if moved and not dry_run else ""
    say(f"{len(moved)} of {count(total, 'experiment')} {would}{did}{again}")
