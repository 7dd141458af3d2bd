"""All journals of one experiment as one sequence of lines.

Sessions come one after the other. Inside a session every writer's lines keep their own order; between writers the
earlier arrival comes first, then the owner before the others. A clock that jumps back cannot reorder a journal:
a line arrives no earlier than the one before it.
"""

from __future__ import annotations

import heapq
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from specweave_ml.store.fold import State
from specweave_ml.store.layout import journals
from specweave_ml.store.lines import Damage, read_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEPTH_LIMIT = 60  # no writer goes near it; what folds, encodes and shows a record recurses


def read_state(folder: str, damage: Damage) -> State:
    """Fold all journals of an experiment's folder; what could not be read is added to `damage`."""
    state = State()
    for line in ordered_lines(folder, damage):
        if "m" not in line and _is_deep(line):
            damage.problems.append(f"a {next(iter(line))!r} line is nested more than {_DEPTH_LIMIT} levels deep")
        else:
            state.apply(line)
    damage.problems.extend(state.problems)
    return state


def _is_deep(value: Any, depth: int = 0) -> bool:
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return depth >= _DEPTH_LIMIT or any(_is_deep(item, depth + 1) for item in inside)


def ordered_lines(folder: str, damage: Damage) -> Iterator[dict[str, Any]]:
    """Every readable line of all journals, in the order described above."""
    for _, group in groupby(journals(folder), key=lambda journal: journal[0]):
        files = [f"{folder}/{name}" for _, _, name in group]
        if len(files) == 1:
            yield from read_lines(files[0], damage)
            continue
        streams = [_arrivals(path, order, damage) for order, path in enumerate(files)]
        for _, _, _, line in heapq.merge(*streams):
            yield line


def _arrivals(path: str, order: int, damage: Damage) -> Iterator[tuple[int, int, int, dict[str, Any]]]:
    """(arrival, writer, place in the journal, line): unique in its first three, so dicts are never compared."""
    arrival = 0
    for place, line in enumerate(read_lines(path, damage)):
        arrival = max(arrival, arrival_of(line))
        yield arrival, order, place, line


def arrival_of(line: dict[str, Any]) -> int:
    """Milliseconds since 1970 of a line that has a time, else 0."""
    time = line.get("t")
    if isinstance(time, int):
        return time
    opened = line.get("open")
    if isinstance(opened, dict) and isinstance(opened.get("at"), str):
        try:
            return int(datetime.fromisoformat(opened["at"]).timestamp() * 1000)
        except ValueError:
            return 0
    return 0
