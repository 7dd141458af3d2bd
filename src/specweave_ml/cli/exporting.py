"""`export`: the experiments of an increment for other programs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from specweave_ml.cli import options
from specweave_ml.cli.output import count, hint, print_json, say
from specweave_ml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from specweave_ml.record import Experiment

_FORMATS = ("csv", "json", "jsonl", "parquet")


@click.command("export")
@options.increment_argument
@click.option("--format", "form", type=click.Choice(_FORMATS), help="Default: what the output's suffix says, else csv.")
@click.option("-o", "--output", metavar="FILE", help="Write to FILE, replacing it whole. Default: stdout, all of it.")
@click.option("--history", is_flag=True, help="Every logged point (name, metric, step, value, time), not a row each.")
@options.archived
@click.option(
    "--limit",
    type=int,
    callback=options.not_negative,
    default=0,
    metavar="N",
    help="At most N experiments. Default: all.",
)
@options.offset
@options.dry_run
@options.as_json
def export(
    increment: str | None,
    form: str | None,
    output: str | None,
    limit: int,
    offset: int,
    *,
    history: bool,
    archived: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Export experiments to other programs.

    Complete: name, status, times, tags, params, metrics. With --output, --json prints what was written; without it,
    --json is --format json.
    """
    from specweave_ml.project import find_increment
    from specweave_ml.store.load import load_experiments

    form = _form(form, output, as_json=as_json)
    where = find_increment(increment)
    found = load_experiments(where.path, archived=archived)
    ours = [experiment for experiment in found if experiment.kind == "experiment"]
    if len(ours) < len(found):
        hint(f"left out: {count(len(found) - len(ours), 'folder')} that are foreign or cannot be read")
    shown = ours[offset:][: limit or None]
    document = {
        "increment": where.name,
        "total": len(ours),
        "returned": len(shown),
        "truncated": len(shown) < len(ours),
    }
    data = _data(form, shown, where.experiments, document, history=history)
    if output is None:
        click.echo(data, nl=False)
        return 0
    written = not dry_run and _write(output, data)
    if as_json:
        print_json({**document, "output": output, "format": form, "bytes": len(data), "written": written})
    else:
        did = "would be written" if dry_run else "written" if written else "was up to date"
        total = count(len(ours), "experiment")
        say(f"{len(shown)} of {total} of {where.name}: {output} {did} ({form}, {len(data):,} bytes)")
    return 0


def _form(form: str | None, output: str | None, *, as_json: bool) -> str:
    suffix = os.path.splitext(output or "")[1].lstrip(".").lower()
    chosen = form or (suffix if suffix in _FORMATS else "json" if as_json and not output else "csv")
    if as_json and output is None and chosen != "json":
        raise UsageError(
            "--json is one JSON document", received=f"--format {chosen}", expected="--format json, or --output"
        )
    if chosen == "parquet" and output is None and sys.stdout.isatty():
        raise UsageError(
            "Parquet is not for a terminal", expected="--output FILE", next_step="add --output runs.parquet"
        )
    return chosen


def _data(
    form: str, experiments: Sequence[Experiment], folder: str, document: dict[str, Any], *, history: bool
) -> bytes:
    from specweave_ml.cli import formats
    from specweave_ml.cli.output import encode
    from specweave_ml.store.decision import read_decision
    from specweave_ml.store.layout import DECISION

    selected = read_decision(f"{folder}/{DECISION}").selected
    if form in {"json", "jsonl"}:
        rows = [*_points(experiments, as_json=True)] if history else [_nested(each, selected) for each in experiments]
        if form == "jsonl":
            return formats.json_lines(rows)
        return encode({"schema": 1, **document, "points" if history else "experiments": rows}) + b"\n"
    flat = [*_points(experiments, as_json=False)] if history else [_flat(each, selected) for each in experiments]
    return formats.parquet(flat) if form == "parquet" else formats.csv_text(flat).encode("utf-8", "backslashreplace")


def _nested(experiment: Experiment, selected: str | None) -> dict[str, Any]:
    from specweave_ml.cli.rows import row

    said = {"ended": experiment.value("ended"), "description": experiment.description, "notes": list(experiment.notes)}
    return {**row(experiment, selected), **said}


def _flat(experiment: Experiment, selected: str | None) -> dict[str, Any]:
    return {
        "name": experiment.name,
        "status": experiment.status,
        "started": experiment.value("started"),
        "ended": experiment.value("ended"),
        "duration_seconds": experiment.duration_seconds,
        "tags": "; ".join(experiment.tags),
        "selected": experiment.name == selected,
        "archived": experiment.archived,
        "description": experiment.description,
        **{f"metric.{name}": float(value) for name, value in experiment.metrics.items()},
        **{f"param.{name}": value for name, value in experiment.params.items()},
    }


def _points(experiments: Iterable[Experiment], *, as_json: bool) -> Iterator[dict[str, Any]]:
    """A row a logged point; the time is in milliseconds since 1970 (UTC)."""
    from specweave_ml.store.codec import number_to_json

    for experiment in experiments:
        for metric in experiment.metrics:
            for point in experiment.history(metric):
                value = number_to_json(point.value) if as_json else point.value
                yield {
                    "name": experiment.name,
                    "metric": metric,
                    "step": point.step,
                    "value": value,
                    "time": point.time,
                }


def _write(output: str, data: bytes) -> bool:
    from specweave_ml.store.replace import replace_file

    return replace_file(os.path.abspath(output), data)
