"""Plays every case with every tool, and prints the tables as Markdown."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.compare_docs import special
from benchmarks.compare_docs.installing import NotHereError
from benchmarks.compare_docs.judge import Play, Verdict
from benchmarks.compare_docs.ours import verdict_of_ours
from benchmarks.compare_docs.tools import TOOLS, Tool
from benchmarks.table import markdown
from living_docs_cases import Case, all_cases

TITLES = (
    "run twice, nothing new",
    "markers shown as an example",
    "CRLF, mixed endings, BOM, no last newline, VT, FF, NEL",
    "a marker missing, doubled, nested, in capitals",
    "a person edits, new data elsewhere",
    "a person edits what the data changes",
    "an edit, then three more runs",
    "an edit, and what was generated before is lost",
    "a region deleted, moved, renamed",
    "two branches generate, git conflict",
    "a formatter in between",
    "hostile texts, texts that leak",
    "the check: fresh, stale, gone, swallowed",
    "the check writes nothing",
    "the same bytes everywhere",
    "killed while writing",
    "one new row is one new line",
    "one region of many has news",
    "the number of a decision record is taken",
)
HEAD = ["tool", "cases passed", "bytes changed outside", "edits lost", "60 regions in 1 MB"]
SIGNS = {True: "yes", False: "**no**", None: "–"}


@dataclass
class Result:
    """How a tool did: a verdict for each number of the table, and what it took for a megabyte."""

    name: str
    verdicts: dict[int, list[tuple[str, Verdict]]] = field(default_factory=dict)
    seconds: float | None = None

    def holds(self, number: int) -> bool | None:
        """Whether all that was asked of a number of the table holds; None when nothing was."""
        asked = [verdict.holds for _, verdict in self.verdicts[number] if verdict.holds is not None]
        return all(asked) if asked else None

    def cells(self) -> list[str]:
        """The line of the first table."""
        holds = [self.holds(number) for number in self.verdicts]
        every = [verdict for verdicts in self.verdicts.values() for _, verdict in verdicts]
        passes = f"{holds.count(True)} of {len(holds) - holds.count(None)}"
        changed, lost = (sum(getattr(each, what) for each in every) for what in ("bytes_changed", "edits_lost"))
        return [self.name, passes, str(changed), str(lost), f"{self.seconds:.1f} s" if self.seconds else "–"]


def play(tool: Tool | None, cases: Sequence[Case]) -> Result:
    """All cases with one tool; None is this package."""
    result = Result(f"{tool.name} {tool.install()}" if tool else "specweave-ml")
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            verdict = Play(tool, case, Path(folder)).judge() if tool else verdict_of_ours(case, Path(folder))
        result.verdicts.setdefault(case.number, []).append((case.name, verdict))
    ways = {14: special.looking_writes_nothing, 15: special.same_everywhere, 16: special.never_half}
    for number, way in ways.items():
        result.verdicts[number].append((f"{number}", Verdict(way(tool))))
    result.seconds = special.seconds_for_a_megabyte(tool)
    return result


def reasons(results: Sequence[Result]) -> list[str]:
    """Each case that did not hold, with why."""
    return [
        f"- {result.name}, {name}: {'; '.join(verdict.why) or 'no'}"
        for result in results
        for verdicts in result.verdicts.values()
        for name, verdict in verdicts
        if verdict.holds is False
    ]


def main() -> int:
    """0, or 1 when a tool could not be installed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare_docs", description=__doc__)
    parser.add_argument("tools", nargs="*", metavar="TOOL", help=f"of {', '.join(tool.name for tool in TOOLS)}")
    parser.add_argument("--why", action="store_true", help="list every case that did not hold")
    chosen = parser.parse_args()
    results: list[Result] = []
    failed: list[str] = []
    for tool in (None, *(tool for tool in TOOLS if tool.name in (chosen.tools or [tool.name]))):
        print(f"playing {tool.name if tool else 'ours'} ...", file=sys.stderr)
        try:
            results.append(play(tool, all_cases()))
        except NotHereError as reason:
            failed.append(f"{tool.name if tool else 'ours'}: {reason}")
    print(markdown(HEAD, [each.cells() for each in results]))
    lines = [
        [str(number), title, *(SIGNS[each.holds(number)] for each in results)] for number, title in enumerate(TITLES, 1)
    ]
    print("\n" + markdown(["#", "case", *(each.name for each in results)], lines))
    if chosen.why:
        print("\n" + "\n".join(reasons(results)))
    for failure in failed:
        print(f"\nnot compared, because it cannot be installed: {failure}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
