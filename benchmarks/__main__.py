"""Measures, and prints the tables as Markdown."""

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.environments import PEERS
from benchmarks.measure import Bench, MeasurementError
from benchmarks.rows import ROWS
from benchmarks.table import HEAD, Line, machine, markdown
from benchmarks.versus import Comparison, Versus


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Our costs beside a floor that is measured in the same run: fresh processes in fresh folders on a "
        "disk, taken in turns, medians. A missed reach is shown, it is no error: the exit code is 1 only when a "
        "measurement could not be made.",
    )
    parser.add_argument(
        "--only", metavar="ROW", nargs="+", choices=[*ROWS, "peers"], help=f"of {', '.join(ROWS)}, peers"
    )
    parser.add_argument("--repeat", metavar="N", type=int, default=5, help="repeats of each measurement (5)")
    parser.add_argument("--peers", metavar="NAME", nargs="+", default=[], help=f"also by {', '.join(PEERS)}")
    parser.add_argument("--folder", metavar="DIR", help="parent of the temporary folder (on a disk)")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every repeat there too")
    chosen = parser.parse_args(argv)
    chosen.peers = [name for words in chosen.peers for name in words.replace(",", " ").split()]
    if unknown := set(chosen.peers) - set(PEERS):
        parser.error(f"unknown peers: {', '.join(sorted(unknown))} (known: {', '.join(PEERS)})")
    if chosen.folder and not Path(chosen.folder).is_dir():
        parser.error(f"no such folder: {chosen.folder}")
    return chosen


def measure_rows(bench: Bench, names: Sequence[str]) -> tuple[list[Line], list[str]]:
    """The lines of the table, and what could not be measured."""
    lines: list[Line] = []
    failed: list[str] = []
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr)
        try:
            lines += ROWS[name](bench)
        except MeasurementError as reason:
            failed.append(f"{name}: {reason}")
    return lines, failed


def measure_peers(versus: Versus) -> tuple[list[Comparison], list[str]]:
    """The comparisons with the peers, and what could not be measured."""
    compared: list[Comparison] = []
    try:
        for comparison in versus.measure():
            print(f"measured {comparison.work}", file=sys.stderr)
            compared.append(comparison)
    except MeasurementError as reason:
        return compared, [f"peers: {reason}"]
    return compared, []


def main() -> int:
    """0, or 1 when something could not be measured."""
    chosen = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C, so that nothing is left behind
    with Bench(chosen.repeat, chosen.folder) as bench:
        about = machine(bench.folder)
        lines, failed = measure_rows(bench, [row for row in ROWS if row in (chosen.only or ROWS)])
        report: dict[str, Any] = {"machine": about, "lines": [line.as_dict() for line in lines]}
        print(f"{about}; medians of at least {chosen.repeat} fresh processes, in turns\n")
        if lines:
            print(markdown(HEAD, [line.cells() for line in lines]))
            print("\n" + "\n".join(f"- {line.row}: {note}" for line in lines for note in line.notes))
        if chosen.peers and "peers" in (chosen.only or ["peers"]):
            versus = Versus(bench, chosen.peers)
            compared, more_failed = measure_peers(versus)
            failed += more_failed
            report["peers"] = [comparison.as_dict() for comparison in compared]
            print("\n" + markdown(["work", *versus.names, "ahead"], [c.cells(versus.names) for c in compared]))
    report["failed"] = failed
    if chosen.json:
        chosen.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for reason in failed:
        print(f"not measured: {reason}")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
