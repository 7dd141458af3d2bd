"""Metrics that a program left in a file: JSON, YAML, CSV, or lines of `name=value`."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from typing import TYPE_CHECKING, Any

import yaml

from specweave_ml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Points = list[tuple[float | None, dict[str, float]]]

LARGEST = 64 << 20
"""Bytes of a file of metrics."""

_STEPS = ("step", "epoch", "iteration", "global_step")
_LINE = re.compile(
    r"(?:^|(?<=[\s,;]))([A-Za-z_][\w@./:-]*)\s*=\s*([+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|nan|inf))"
    r"(?=$|[\s,;])",
    re.IGNORECASE,
)


def read_metrics(path: str) -> Points:
    """(step or None, name → value) for every point in the file, in its order.

    JSON and YAML: a mapping of names to numbers, nested ones joined by `.`, or a list of such mappings, one a step.
    CSV: a column a metric, a row a step; a column called step or epoch is the step. Other files: `name=value` lines.

    Raises:
        UsageError: it is not what its suffix says, or too large.
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise UsageError("the file of metrics is too large", path=path, expected=f"at most {LARGEST >> 20} MB")
    suffix = os.path.splitext(path)[1].lower()
    try:
        text = data.decode("utf-8-sig")
        if suffix == ".json":
            return _points(json.loads(text))
        if suffix in (".yaml", ".yml"):
            return _points(yaml.load(text, Loader=yaml.CSafeLoader))
        if suffix == ".csv":
            return [_numbers(row) for row in csv.DictReader(io.StringIO(text))]
    except (ValueError, RecursionError, yaml.YAMLError, csv.Error) as error:
        reason = str(error).partition("\n")[0]
        what = f"the file of metrics cannot be read: {reason}"
        raise UsageError(what, path=path, expected=f"{suffix} text") from error
    return read_lines(text)


def read_lines(text: str) -> Points:
    """The `name=value` pairs of each line; one called step or epoch says the step of its line."""
    return [_numbers(dict(pairs)) for line in text.splitlines() if (pairs := _LINE.findall(line))]


def _points(found: Any) -> Points:
    rows = found if isinstance(found, list) else [found]
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("a mapping of names to numbers, or a list of them, is needed")
    return [_numbers(dict(_flat(row))) for row in rows]


def _flat(row: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _numbers(row: Mapping[Any, Any]) -> tuple[float | None, dict[str, float]]:
    """What of a row is a number; the rest (a date, a name, an empty cell) is no metric."""
    numbers = {}
    for key, value in row.items():
        if key is None or isinstance(value, bool | list):
            continue
        try:
            numbers[str(key).strip()] = float(value)
        except (TypeError, ValueError):
            continue
    step = next((numbers.pop(name) for name in _STEPS if name in numbers), None)
    return step, {name: value for name, value in numbers.items() if name}
