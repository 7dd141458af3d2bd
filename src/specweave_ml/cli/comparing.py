"""`compare`: the experiments of an increment side by side, and comparison.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from specweave_ml.cli import options
from specweave_ml.cli.output import hint, page, print_json, say, shortened
from specweave_ml.cli.tables import fits, plain_table, print_table
from specweave_ml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specweave_ml.analysis.rows import Row
    from specweave_ml.analysis.table import Table
    from specweave_ml.reports import Comparison

_LARGEST_ROW = 1_000
_TABLE, _PARAMS, _JSON_ROWS, _JSON_PARAMS = 1_700, 1_100, 1_900, 1_200  # bytes, where nobody asked for a number of rows


@click.command("compare")
@options.increment_argument
@click.option("--metric", metavar="NAME", help="The metric that decides, instead of decision.md's or the listed one.")
@click.option("--direction", metavar="WAY", help="maximize or minimize, where the metric's name does not say.")
@click.option("--sort-by", metavar="METRIC", help="Best first by this metric, instead of by name.")
@click.option("--only-changed", is_flag=True, help="Only the columns in which experiments differ.")
@click.option("--precision", type=click.IntRange(0, 15), metavar="N", help="Decimals of the numbers in tables.")
@click.option("--md", "as_md", is_flag=True, help="Print the table as Markdown.")
@click.option("--csv", "as_csv", is_flag=True, help="Print all experiments as CSV, complete, with their params.")
@options.archived
@options.limit
@options.no_pull
@options.dry_run
@options.as_json
def compare(
    increment: str | None,
    metric: str | None,
    direction: str | None,
    sort_by: str | None,
    precision: int | None,
    limit: int | None,
    *,
    only_changed: bool,
    as_md: bool,
    as_csv: bool,
    archived: bool,
    no_pull: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Compare finished experiments.

    Prints the comparison and brings comparison.md of INCREMENT up to date. The document follows decision.md; --metric,
    --direction and --archived shape only what is printed.
    """
    from specweave_ml.cli.pulling import pull_first
    from specweave_ml.cli.verdict import facts, summary
    from specweave_ml.project import find_increment
    from specweave_ml.reports import compare_experiments

    if as_json + as_md + as_csv > 1:
        raise UsageError("one form at a time", expected="one of --json, --md, --csv", next_step="leave the others out")
    where = find_increment(increment)
    if not (no_pull or dry_run):
        pull_first(where)
    comparison = compare_experiments(
        where.path, metric=metric, direction=direction, archived=archived, write=not dry_run
    )
    table = comparison.table(sort_by=sort_by, precision=precision)
    same = _the_same(comparison) if only_changed else set()
    for problem in comparison.problems:
        hint(f"ignored: {problem}")
    if as_json:
        _print_json(comparison, table, same, limit)
    elif as_csv:
        _print_csv(comparison, table, same, limit, only_changed=only_changed)
    elif as_md:
        _print_markdown(_changed(table) if only_changed else table, limit)
    else:
        _print_tables(comparison, _changed(table) if only_changed else table, limit, by_name=sort_by is None)
        for line in (*facts(comparison), summary(comparison, where, dry_run=dry_run)):
            say(line)
    return 0


def _print_tables(comparison: Comparison, table: Table, limit: int | None, *, by_name: bool) -> None:
    rows = page(table.rows, lambda some: plain_table(table.titles, some), limit=limit, most=_TABLE)
    total = len(table.rows)
    if len(rows) < total and by_name:
        best = {row[0] for row in comparison.table(most_rows=len(rows)).rows}
        rows = [row for row in table.rows if row[0] in best]
    if rows:
        print_table(table.titles, rows, numbers=table.titles[1:], expendable=table.titles[:1:-1])
        if len(rows) < total:
            which = ", the best ones" if by_name else ""
            say(f"{len(rows)} of {total} finished experiments{which}; all with --limit 0")
        say()
    _print_params(comparison, limit)


def _print_params(comparison: Comparison, limit: int | None) -> None:
    table = comparison.params_table()
    rows = page(table.rows, lambda some: plain_table(table.titles, some), limit=limit, most=_PARAMS)
    if not rows:
        return
    lines: Sequence[Sequence[str]] = [table.titles, *rows]
    if not fits(table.titles, rows):
        lines = [*zip(*lines, strict=True)]  # names are longer than values: as rows they take less room
    print_table(lines[0], lines[1:], numbers=lines[0][1:], expendable=lines[0][:0:-1])
    if len(rows) < len(table.rows):
        say(f"{len(rows)} of {len(table.rows)} rows; all with --limit 0")
    say()


def _changed(table: Table) -> Table:
    """The table without the columns that hold the same in every row."""
    from specweave_ml.analysis.table import Table

    kept = [at for at in range(len(table.titles)) if at == 0 or len({row[at] for row in table.rows}) > 1]
    rows = tuple(tuple(row[at] for at in kept) for row in table.rows)
    return Table(tuple(table.titles[at] for at in kept), rows, table.left_out)


def _the_same(comparison: Comparison) -> set[str]:
    """The metrics that have one value in all finished experiments."""
    finished = comparison.finished
    names = {name for experiment in finished for name in experiment.metrics}
    return {name for name in names if len({str(experiment.metrics.get(name)) for experiment in finished}) == 1}


def _in_order_of(table: Table, comparison: Comparison) -> list[Row]:
    """All rows: the finished ones as the table has them, then the others."""
    rows = {row.name: row for row in comparison.rows}
    finished = [rows.pop(cells[0]) for cells in table.rows if cells[0] in rows]
    return [*finished, *rows.values()]


def _print_markdown(table: Table, limit: int | None) -> None:
    from specweave_ml.analysis.table import Table
    from specweave_ml.render import markdown_table

    def text(rows: Sequence[tuple[str, ...]]) -> str:
        return markdown_table(Table(table.titles, tuple(rows), table.left_out))

    rows = page(table.rows, text, limit=limit)
    click.echo(text(rows))
    if len(rows) < len(table.rows):
        hint(f"{len(rows)} of {len(table.rows)} experiments; all with --limit 0")


def _print_json(comparison: Comparison, table: Table, same: set[str], limit: int | None) -> None:
    from specweave_ml.cli.output import encode

    document = comparison.as_dict()
    by_name = {row["name"]: row for row in document["rows"]}
    rows = []
    for name in (row.name for row in _in_order_of(table, comparison)):
        metrics = {key: value for key, value in by_name[name]["metrics"].items() if key not in same}
        row = {**by_name[name], "metrics": metrics}
        short, left_out = shortened(row, _LARGEST_ROW) if limit is None else (row, {})
        rows.append({**short, "left_out": left_out} if left_out else short)
    shown = page(rows, encode, limit=limit, most=_JSON_ROWS)
    names = {row["name"] for row in shown}
    differing = document["differing_params"]
    params = {key: {name: by[name] for name in by if name in names} for key, by in differing.items()}
    short, left_out = shortened({"differing_params": params}, _JSON_PARAMS) if limit is None else (params, {})
    print_json(
        {
            **document,
            "total": len(rows),
            "returned": len(shown),
            "truncated": len(shown) < len(rows) or bool(left_out),
            "rows": shown,
            "differing_params": short["differing_params"] if limit is None else params,
            **({"left_out": left_out} if left_out else {}),
        }
    )


def _print_csv(comparison: Comparison, table: Table, same: set[str], limit: int | None, *, only_changed: bool) -> None:
    from specweave_ml.cli.formats import csv_text

    differing = comparison.differing_params
    by_name = {experiment.name: experiment for experiment in comparison.experiments}
    rows: list[dict[str, Any]] = []
    for row in _in_order_of(table, comparison)[: limit or None]:
        params = by_name[row.name].params
        metrics = {f"metric.{key}": value for key, value in row.metrics.items() if key not in same}
        kept = {f"param.{key}": value for key, value in params.items() if not only_changed or key in differing}
        rows.append(
            {
                "experiment": row.name,
                "status": row.status,
                "training_seconds": row.training_seconds,
                **metrics,
                **kept,
            }
        )
    click.echo(csv_text(rows), nl=False)
