"""What logs of other tools have in common: whether they still grow, which names and times fit, what they leave out."""

from __future__ import annotations

import os
import time
from collections import Counter
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from specweave_ml.store.codec import NAME_LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

_SILENT = 300  # seconds after which a log that has no end counts as over: W&B writes every 15, TensorBoard every 120
_LATEST = 1e11  # seconds since 1970: beyond it lies no time of this era
_MOST_TOLD = 20


class Stamp(NamedTuple):
    """The sizes and times of some logs, as a text, and whether the last was written to a short while ago."""

    version: str
    is_fresh: bool


def stamp(files: Sequence[str]) -> Stamp:
    """The stamp of logs in the order in which they were written.

    Raises:
        OSError: one is not there.
    """
    facts = [os.stat(file) for file in files]
    version = "+".join(f"{each.st_size}-{each.st_mtime_ns}" for each in facts)
    return Stamp(version, time.time() - facts[-1].st_mtime < _SILENT)


def is_name(name: str) -> bool:
    """Whether the store can keep something under this name."""
    return 0 < len(name) <= NAME_LIMIT


def milliseconds(seconds: Any) -> int | None:
    """Seconds since 1970 as milliseconds; None for what is no time of this era."""
    fits = isinstance(seconds, int | float) and isfinite(seconds) and 0 < seconds < _LATEST
    return round(seconds * 1000) if fits else None


class LeftOut:
    """What cannot be carried over from logs.

    Attributes:
        damaged: log → the bytes at which something could not be read.
        other: further things, each in a few words.
    """

    def __init__(self) -> None:
        self.damaged: dict[str, list[int]] = {}
        self.other: list[str] = []
        self._odd: Counter[tuple[str, str]] = Counter()

    def add(self, name: str, kind: str) -> None:
        """Count a value that is no scalar, or that has no name to be kept under."""
        self._odd[name if is_name(name) else f"{name[:_MOST_TOLD]}…", kind] += 1

    def words(self) -> list[str]:
        """All of it, a few words each."""
        found = [f"{count} × {kind} of {name}" for (name, kind), count in self._odd.most_common(_MOST_TOLD)]
        if len(self._odd) > _MOST_TOLD:
            found.append(f"values of {len(self._odd) - _MOST_TOLD} more names")
        for log, places in self.damaged.items():
            if places:
                more = f" and {len(places) - 1} later places" if places[1:] else ""
                found.append(f"what {os.path.basename(log)} has at byte {places[0]}{more}: damaged, or cut off")
        return found + self.other
