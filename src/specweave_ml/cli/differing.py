"""`diff`: what two experiments differ in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from specweave_ml.cli import options
from specweave_ml.cli.output import ENVELOPE, READABLE, count, one_line, print_json, say, shortened
from specweave_ml.cli.tables import print_table

if TYPE_CHECKING:
    from specweave_ml.analysis.ingredients import Differences
    from specweave_ml.record import Experiment

_NONE = "–"
_MOST_ROWS = 40


@click.command("diff")
@click.argument("a")
@click.argument("b")
@options.increment
@options.full
@options.as_json
def diff(a: str, b: str, increment: str | None, *, full: bool, as_json: bool) -> int:
    """Show in which ingredients two experiments differ.

    Ingredients are code, data, Python, hardware, command line, seeds, params and packages. Where one differs, the
    results say what it does; where several do, they are confounded: nobody can say which made the difference. A param
    and the argument that carries it are one; the names of the experiments are none.
    """
    from specweave_ml.cli.lookup import find_experiment
    from specweave_ml.reproduction.differing import differ

    (first, where), (second, _) = (find_experiment(name, increment) for name in (a, b))
    found = differ(first, second, where.root)
    if as_json:
        rows = [{"ingredient": each.ingredient, "a": each.a, "b": each.b} for each in found.differences]
        known: dict[str, Any] = {"a": found.a, "b": found.b, "verdict": found.verdict, "differences": rows}
        known |= {"unknown": dict(found.unknown), "metrics": _metrics(first, second)}
        short, left_out = (known, {}) if full else shortened(known, READABLE - ENVELOPE)
        print_json({**short, "truncated": bool(left_out)})
    else:
        _print(found, first, second)
    return 0


def _print(found: Differences, first: Experiment, second: Experiment) -> None:
    if found.differences:
        rows = [(one_line(each.ingredient), _text(each.a), _text(each.b)) for each in found.differences]
        print_table(("Ingredient", found.a, found.b), rows[:_MOST_ROWS])
        if len(rows) > _MOST_ROWS:
            say(f"and {len(rows) - _MOST_ROWS} more, all with --json --full")
        say()
    metrics = _metrics(first, second)
    if metrics:
        print_table(("Metric", found.a, found.b), [(row["name"], _text(row["a"]), _text(row["b"])) for row in metrics])
        say()
    for ingredient, why in found.unknown.items():
        say(f"not known of {one_line(ingredient)}: {why}")
    say(_verdict(found))


def _metrics(first: Experiment, second: Experiment) -> list[dict[str, Any]]:
    shared = [name for name in first.metrics if name in second.metrics]
    return [{"name": name, "a": first.metrics[name], "b": second.metrics[name]} for name in shared]


def _verdict(found: Differences) -> str:
    if found.verdict == "one":
        return f"one thing differs: {one_line(found.differences[0].ingredient)}"
    if found.verdict == "none":
        return "nothing recorded differs"
    return f"{count(len(found.differences), 'ingredient')} differ: confounded, none of them alone explains the results"


def _text(value: Any) -> str:
    from specweave_ml.analysis.params import param_text

    return _NONE if value is None else one_line(param_text(value))
