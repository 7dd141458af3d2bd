"""Lines of the tables, and the tables as Markdown."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Literal

from benchmarks.measure import IN_MEMORY, filesystem

UNITS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6}
HEAD = ["work", "floor", "ours", "ratio", "reach", "holds"]


@dataclass(frozen=True, slots=True)
class Line:
    """One measured work: seconds of the floor and of ours, pairwise from the same repeat.

    `judge` says what the reach bounds: `times` the floor, or seconds `more` than it. Without a reach a line informs.
    """

    row: str
    work: str
    unit: Literal["s", "ms", "µs"]
    floor: Sequence[float]
    ours: Sequence[float]
    judge: Literal["times", "more"] = "times"
    reach: float | None = None
    also: bool = True
    notes: Sequence[str] = field(default_factory=list)

    @property
    def value(self) -> float:
        """The median over the repeats of ours divided by the floor, or of the seconds more."""
        pairs = zip(self.ours, self.floor, strict=True)
        return median(o / f if self.judge == "times" else o - f for o, f in pairs)

    @property
    def holds(self) -> bool | None:
        """Whether the reach is met, together with what else the row demands (`also`)."""
        return None if self.reach is None else self.value <= self.reach and self.also

    def cells(self) -> list[str]:
        """The cells of `HEAD`."""
        holds = {None: "", True: "yes", False: "**no**"}[self.holds]
        reach = "" if self.reach is None else f"≤ {self.amount(self.reach).removeprefix('+')}"
        return [
            self.work,
            in_unit(median(self.floor), self.unit),
            in_unit(median(self.ours), self.unit),
            self.amount(self.value),
            reach + (" more" if reach and self.judge == "more" else ""),
            holds,
        ]

    def amount(self, value: float) -> str:
        """A ratio, or the time more."""
        return f"{value:.2f} ×" if self.judge == "times" else f"+{in_unit(value, self.unit)}"

    def as_dict(self) -> dict[str, Any]:
        """The JSON form: every repeat in seconds, the value and whether it holds."""
        return asdict(self) | {"value": self.value, "holds": self.holds}


def in_unit(seconds: float, unit: str) -> str:
    """Seconds in another unit, in three digits."""
    amount = seconds / UNITS[unit]
    digits = max(0, 3 - len(str(int(abs(amount)))))
    return f"{amount:,.{digits}f} {unit}"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns line up in a terminal too."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in [head, *rows]]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine(folder: Path) -> str:
    """What the figures depend on."""
    kind = filesystem(folder)
    warning = " IN MEMORY: fsync costs nothing here, give --folder on a disk" if kind in IN_MEMORY else ""
    return (
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, "
        f"{platform.system()} {platform.machine()}, file system {kind}{warning}"
    )
