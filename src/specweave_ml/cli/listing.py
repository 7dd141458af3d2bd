"""`list`: the experiments of an increment."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from specweave_ml.cli import options
from specweave_ml.cli.output import page, print_json, say, shortened
from specweave_ml.cli.tables import plain_table, print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from specweave_ml.cli.ordering import Order
    from specweave_ml.project import Increment
    from specweave_ml.record import Experiment

_LARGEST_ROW = 1_000  # bytes of one experiment's JSON, where nobody asked for a number of them
_STATUSES = ("running", "finished", "failed", "killed", "stale")


@click.command("list")
@options.increment_argument
@click.option(
    "--status", "statuses", multiple=True, type=click.Choice(_STATUSES), help="Only of this status; repeatable."
)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only with this tag; repeated: with all of them.")
@click.option("--series", metavar="NAME", help="Only NAME and NAME-…, in natural order, with the key metric's change.")
@click.option("--sort-by", metavar="KEY", help="name, started, duration, status, or a metric (best first).")
@options.archived
@options.limit
@options.offset
@options.no_pull
@options.as_json
def list_experiments(
    increment: str | None,
    statuses: tuple[str, ...],
    tags: tuple[str, ...],
    series: str | None,
    sort_by: str | None,
    limit: int | None,
    offset: int,
    *,
    archived: bool,
    no_pull: bool,
    as_json: bool,
) -> int:
    """List experiments, in the order they started."""
    from specweave_ml.cli.ordering import Order, matching
    from specweave_ml.cli.pulling import pull_first
    from specweave_ml.cli.rows import decision_of
    from specweave_ml.project import find_increment
    from specweave_ml.store.load import load_experiments
    from specweave_ml.store.spec import read_spec

    where = find_increment(increment)
    if not no_pull:
        pull_first(where)
    found = load_experiments(where.path, archived=archived)
    kept = matching(found, statuses, tags, series)
    spec, _ = read_spec(where.path)
    order = Order(kept, found, decision_of(where), spec, sort_by=sort_by, is_series=series is not None)
    print_as = _print_json if as_json else _print_table
    print_as(where, order, len(found), limit, offset)
    return 0


def _print_json(where: Increment, order: Order, of: int, limit: int | None, offset: int) -> None:
    from specweave_ml.cli.output import encode
    from specweave_ml.cli.rows import row

    def rows(experiments: Sequence[Experiment]) -> list[dict[str, Any]]:
        whole = [{**row(each, order.decision.selected), **order.change_as_json(each)} for each in experiments]
        return whole if limit is not None else [_short(each) for each in whole]

    shown = rows(page(order.experiments[offset:], lambda some: encode(rows(some)), limit=limit))
    total = len(order.experiments)
    print_json(
        {
            "increment": where.name,
            "total": total,
            **({"of": of} if of != total else {}),
            "returned": len(shown),
            "truncated": len(shown) < total,
            "experiments": shown,
        }
    )


def _short(row: dict[str, Any]) -> dict[str, Any]:
    short, left_out = shortened(row, _LARGEST_ROW)
    return {**short, "left_out": left_out} if left_out else short


def _print_table(where: Increment, order: Order, of: int, limit: int | None, offset: int) -> None:
    titles, cells = _columns(order)
    shown = page(
        order.experiments[offset:],
        lambda some: plain_table(titles, [cells(each) for each in some]),
        limit=limit,
    )
    if shown:
        expendable = ["Started", *reversed(titles[3:-3]), "Time"]
        print_table(titles, [cells(each) for each in shown], numbers=titles[2:-2], expendable=expendable)
        say()
    say(_summary(where, order, of, len(shown), offset))


def _columns(order: Order) -> tuple[list[str], Callable[[Experiment], list[str]]]:
    """The titles, and what makes the cells of an experiment."""
    from specweave_ml.analysis.numbers import duration

    metrics = order.columns
    changing = ["Change"] if order.is_series else []
    names = [column.title for column in metrics]
    titles = ["Experiment", "Status", *names[:1], *changing, *names[1:], "Time", "Started", "Tags"]

    def cells(experiment: Experiment) -> list[str]:
        numbers = [order.formats[column.name](column.value(experiment)) for column in metrics]
        marks = ["selected"] if experiment.name == order.decision.selected else []
        marks += ["verified"] if experiment.value("verified") else []
        return [
            experiment.name + (" (archived)" if experiment.archived else ""),
            _status(experiment),
            *numbers[:1],
            *(order.change(experiment) for _ in changing),
            *numbers[1:],
            duration(experiment.duration_seconds),
            str(experiment.value("started") or "–")[:16].replace("T", " "),
            ", ".join((*marks, *experiment.tags)),
        ]

    return titles, cells


def _status(experiment: Experiment) -> str:
    return experiment.status if experiment.kind == "experiment" else experiment.kind


def _summary(where: Increment, order: Order, of: int, shown: int, offset: int) -> str:
    total = len(order.experiments)
    which = (str(shown) if shown == of else f"{shown} of {of}") + (" experiment" if of == 1 else " experiments")
    if not of:
        return f"0 experiments in {where.name}; a script that calls track_experiment(name) makes the first"
    matching = f", {total} match" if shown < total < of else ""
    statuses = Counter(map(_status, order.experiments)).most_common()
    parts = ", ".join(f"{number} {status}" for status, number in statuses) or "none match"
    more = f"; more with --offset {offset + shown}" if offset + shown < total else ""
    return f"{which} in {where.name}{matching}: {parts}{order.best()}{more}"
