"""`show`: everything about one experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from specweave_ml.cli import options
from specweave_ml.cli.output import ENVELOPE, READABLE, count, on_terminal, one_line, print_json, say, shortened
from specweave_ml.cli.tables import print_table

if TYPE_CHECKING:
    from collections.abc import Mapping

_ABOUT = ("increment", "path", "started", "ended", "author", "repeat_of", "description", "trials", "finding")


@click.command("show")
@options.name
@options.increment
@options.full
@options.as_json
def show(name: str, increment: str | None, full: bool, as_json: bool) -> int:  # noqa: FBT001 - click names the arguments it gives
    """Show everything about one experiment.

    NAME is looked for in the active increment; where none is active, in all of them. Archived ones are found too.
    """
    from specweave_ml.cli.lookup import find_experiment
    from specweave_ml.cli.rows import decision_of, details

    experiment, where = find_experiment(name, increment)
    known = details(experiment, where, decision_of(where).selected)
    left_out: dict[str, int] = {}
    if not full and (as_json or not on_terminal()):
        known, left_out = shortened(known, READABLE - ENVELOPE)
    if known.get("verified"):
        from specweave_ml.reproduction.since import moved_since

        known["moved_since"] = moved_since(experiment, where.root)
    if as_json:
        print_json({"experiment": known, "truncated": bool(left_out), **({"left_out": left_out} if left_out else {})})
    else:
        _print(known)
        _print_summary(known, left_out)
    return 0


def _print(known: dict[str, Any]) -> None:
    from specweave_ml.analysis.params import param_text
    from specweave_ml.store.codec import param_from_json

    marks = [mark for mark in ("selected", "archived") if known[mark]]
    say("  ".join([known["name"], _status(known), *marks]))
    for key in _ABOUT:
        if known.get(key):
            say(f"  {key}: {one_line(str(known[key]))}")
    if known["tags"]:
        say(f"  tags: {one_line(', '.join(known['tags']))}")
    _section("Metric", "Last Value", {key: param_text(value) for key, value in known["metrics"].items()})
    _section("Param", "Value", {key: param_text(param_from_json(value)) for key, value in known["params"].items()})
    _section("Artifact", "Bytes", {key: f"{facts.get('bytes', 0):,}" for key, facts in known["artifacts"].items()})
    _print_stages(known)
    _section("Provenance", "", _provenance(known))
    _print_words(known)


def _status(known: dict[str, Any]) -> str:
    return str(known["status"] if known["kind"] == "experiment" else known["kind"])


def _print_stages(known: dict[str, Any]) -> None:
    from specweave_ml.analysis.stages import stages_of

    recorded = known.get("stages")
    stages = stages_of(
        [row for row in recorded if isinstance(row, dict)] if isinstance(recorded, list) else (), known["status"]
    )
    if not stages:
        return
    names = {stage.key: stage.name for stage in stages}
    cells = [
        (each.name, each.state, each.took, ", ".join(names[need] for need in each.needs), each.said) for each in stages
    ]
    say()
    rows = [[one_line(text) for text in row] for row in cells]
    print_table(("Stage", "State", "Took", "After", "Said"), rows, expendable=("Said", "After"))


def _section(title: str, value: str, rows: Mapping[str, str]) -> None:
    if rows:
        say()
        print_table((title, value), list(rows.items()), numbers=("Last Value", "Bytes"))


def _provenance(known: dict[str, Any]) -> dict[str, str]:
    """What a re-run needs, in a line each, and what of it is missing."""
    code, environment = known.get("code") or {}, known.get("environment") or {}
    command = known.get("command") or {}
    lines = {
        "commit": str(code.get("commit") or "") + (" with uncommitted changes" if code.get("dirty") else ""),
        "branch": code.get("branch"),
        "command": " ".join(map(str, command.get("argv") or ())),
        "python": environment.get("python"),
    }
    for data in known.get("data") or ():
        lines[f"data {data.get('name')}"] = " ".join(str(data[key]) for key in ("uri", "version") if data.get(key))
    verified = known.get("verified") or {}
    if verified.get("at"):
        moved = ", ".join(known.get("moved_since") or ()) or "nothing"
        lines["verified"] = f"re-ran within tolerance {verified['at']}; since then moved: {moved}"
    missing = [str(gap.get("what")) for gap in (known.get("capture") or {}).get("missing", ())]
    lines["missing"] = ", ".join(missing)
    return {key: str(value) for key, value in lines.items() if value}


def _print_words(known: dict[str, Any]) -> None:
    """What people and programs wrote comes last, marked as such."""
    error = known.get("error") or {}
    if error:
        say()
        said = ": ".join(str(error[key]) for key in ("type", "message") if error.get(key))
        say(f"Error: {one_line(said)}")
        if error.get("traceback"):
            _print_indented(error["traceback"])
    for problem in known.get("problems", ()):
        say(f"Problem: {one_line(problem)}")
    if known.get("files"):
        say(f"Files: {one_line(', '.join(known['files']))}")
    if known["notes"]:
        say()
        say("Notes (as logged: a record, not instructions)")
        for note in known["notes"]:
            _print_indented(f"{str(note.get('at') or '')[:16].replace('T', ' ')}  {note.get('text')}".strip())


def _print_indented(text: str) -> None:
    for line in text.rstrip().splitlines():
        say(f"  {line}")


def _print_summary(known: dict[str, Any], left_out: dict[str, int]) -> None:
    parts = (("metrics", "metric"), ("params", "param"), ("artifacts", "artifact"), ("notes", "note"))
    held = ", ".join(count(len(known[key]) + left_out.get(key, 0), noun) for key, noun in parts)
    say()
    say(
        f"{known['name']} of {known['increment']}: {_status(known)}, {held}"
        + ("; cut, all with --full" if left_out else "")
    )
