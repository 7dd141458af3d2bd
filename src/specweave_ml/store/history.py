"""All points of one metric, read from the journals as columns."""

from __future__ import annotations

from array import array
from itertools import groupby
from typing import Any

import orjson

from specweave_ml.record import History
from specweave_ml.store.codec import encode, number_from_json
from specweave_ml.store.layout import journals
from specweave_ml.store.lines import LONG, Damage, blocks, parse_block

_Step = float | None
_INT64 = 2**63
_NUMBERS, _STEPS, _TIMES = {int, float}, {int, float, type(None)}, {int}
_STEP = b'},"s":'
_LETTERS = b'}"st:'  # what stands between the three numbers of a line
_COMMAS = bytes.maketrans(b"\n", b",")


class _Columns:
    """Points in reading order; `arrivals` never go backwards inside one journal."""

    __slots__ = ("steps", "times", "values")

    def __init__(self) -> None:
        self.steps: list[_Step] = []
        self.values: array[float] = array("d")
        self.times: array[int] = array("q")

    def extend(self, path: str, offset: int, block: bytes, metric: str, damage: Damage) -> None:
        """Take the metric's points out of a block of lines."""
        if not self._extend_flat(block, b'{"m":{' + encode(metric) + b":"):
            self._extend_by_row(parse_block(path, offset, block, damage), metric)

    def _extend_flat(self, block: bytes, head: bytes) -> bool:
        """Read a block that holds nothing but this metric's points, as the writer puts them, as one row of numbers.

        Most blocks of a long history are like that, and no object is made a line then. False: it is not like that,
        and nothing was taken.
        """
        if len(block) > LONG:
            return False
        lines = block.count(b"\n")
        rest = block.replace(head, b"")
        heads = (len(block) - len(rest)) // len(head)
        if not (block.startswith(head) and heads == lines == rest.count(_STEP) and rest.count(b'"') == 4 * lines):
            return False
        row = rest[:-1].translate(_COMMAS, _LETTERS)
        try:
            numbers = orjson.loads(b"[" + row + b"]")
        except orjson.JSONDecodeError:
            return False
        values, steps, times = numbers[0::3], numbers[1::3], numbers[2::3]
        if (
            len(numbers) != 3 * lines
            or not _are(values, _NUMBERS)
            or not _are(steps, _STEPS)
            or not _are(times, _TIMES)
        ):
            return False
        try:
            self.times.extend(array("q", times))
        except OverflowError:
            return False
        self.values.extend(values)
        self.steps += steps
        return True

    def _extend_by_row(self, rows: list[dict[str, Any]], metric: str) -> None:
        for row in rows:
            points = row.get("m")
            if not isinstance(points, dict) or metric not in points or "fold" in row:
                continue
            number, step, time = number_from_json(points[metric]), row.get("s"), row.get("t")
            if number is not None and isinstance(step, int | float | None):
                self.values.append(number)
                self.steps.append(step)
                self.times.append(time if isinstance(time, int) and abs(time) < _INT64 else 0)

    def take(self, order: list[int]) -> _Columns:
        taken = _Columns()
        taken.steps = [self.steps[index] for index in order]
        taken.values = array("d", [self.values[index] for index in order])
        taken.times = array("q", [self.times[index] for index in order])
        return taken

    def add(self, other: _Columns) -> None:
        self.steps += other.steps
        self.values += other.values
        self.times += other.times


def read_history(folder: str, metric: str, damage: Damage, *, all_sessions: bool) -> History:
    """The points of a metric, ordered by step; see `Experiment.history` for what a resume hides."""
    columns = _all_points(folder, metric, damage, all_sessions=all_sessions)
    return History(metric, columns.steps, columns.values, columns.times)


def _all_points(folder: str, metric: str, damage: Damage, *, all_sessions: bool) -> _Columns:
    columns = _Columns()
    for _, group in groupby(journals(folder), key=lambda journal: journal[0]):
        session = _session([f"{folder}/{name}" for _, _, name in group], metric, damage)
        first = next((step for step in session.steps if step is not None), None)
        if not all_sessions and first is not None and columns.steps:
            kept = [index for index, step in enumerate(columns.steps) if step is None or step < first]
            columns = columns.take(kept)
        if columns.steps:
            columns.add(session)
        else:
            columns = session
    return _by_step(columns)


def _session(paths: list[str], metric: str, damage: Damage) -> _Columns:
    writers = []
    for path in paths:
        columns = _Columns()
        for offset, block in blocks(path, damage):
            columns.extend(path, offset, block, metric, damage)
        writers.append(columns)
    if len(writers) == 1:
        return writers[0]
    merged = _Columns()
    keys = []
    for columns in writers:
        arrival = 0
        for time in columns.times:
            arrival = max(arrival, time)
            keys.append(arrival)
        merged.add(columns)
    return merged.take(sorted(range(len(keys)), key=keys.__getitem__))


def _are(column: list[Any], kinds: set[Any]) -> bool:
    return set(map(type, column)) <= kinds


def _by_step(columns: _Columns) -> _Columns:
    """Stable order by step; a point without a step stays behind the one it arrived after."""
    if _is_ordered(columns.steps):
        return columns
    keys: list[float] = []
    last = float("-inf")
    for step in columns.steps:
        last = last if step is None else step
        keys.append(last)
    return columns.take(sorted(range(len(keys)), key=keys.__getitem__))


def _is_ordered(steps: list[_Step]) -> bool:
    try:
        return sorted(steps) == steps  # type: ignore[type-var]  # a None in it raises
    except TypeError:
        return steps.count(None) == len(steps)
