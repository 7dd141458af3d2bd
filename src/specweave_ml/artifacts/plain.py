"""Dicts, lists and numbers as JSON and YAML that a person can read.

JSON has no NaN, so NaN and the infinities are written as the strings "NaN", "Infinity", "-Infinity" (YAML has them).
Arrays and their scalars become lists and numbers, tuples and sets lists, a DataFrame a list for each column, times
ISO 8601, paths and keys text; an object that has no such form is written as its `repr`.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from numbers import Number
from typing import TYPE_CHECKING, Any

from specweave_ml.artifacts.formats import is_of
from specweave_ml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


_CHANGED_BY_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def is_plain(obj: object) -> bool:
    """Whether the object as a whole is data: a mapping, a sequence, a set, an array or a number."""
    return obj is None or isinstance(obj, Mapping | list | tuple | set | frozenset | Number) or is_array(obj)


def is_array(obj: object) -> bool:
    """Whether it is a NumPy array."""
    return is_of(obj, "numpy", "ndarray")


def write_json(obj: Any, path: str, _suffix: str) -> None:
    """Write JSON, indented by two, in UTF-8."""
    write_text(json.dumps(_plain(obj, _spelt), indent=2, ensure_ascii=False) + "\n", path, _suffix)


def write_yaml(obj: Any, path: str, _suffix: str) -> None:
    """Write YAML, keys in their own order."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """PyYAML, which outside double quotes turns some line ends and control characters into spaces."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = '"' if _CHANGED_BY_YAML.search(value) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    write_text(yaml.dump(_plain(obj, float), Dumper=Dumper, sort_keys=False, allow_unicode=True), path, _suffix)


def write_text(text: str, path: str, _suffix: str) -> None:
    """Write text as it is, in UTF-8; a lone surrogate, which UTF-8 cannot hold, as its escape."""
    with open(path, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.write(text)


def write_lines(lines: Any, path: str, _suffix: str) -> None:
    """Write one line for each string, whether or not it ends in a newline already."""
    write_text("".join(line.removesuffix("\n") + "\n" for line in lines), path, _suffix)


def _plain(value: Any, number: Callable[[float], float | str]) -> Any:
    try:
        return _converted(value, number)
    except RecursionError as error:
        raise UsageError(
            "this contains itself, or is nested too deep to be written as JSON or YAML",
            received=type(value).__name__,
            next_step="save it as .pkl",
        ) from error


def _spelt(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _converted(value: Any, number: Callable[[float], float | str]) -> Any:
    if value is None or isinstance(value, bool):
        return value
    # Subclasses such as numpy.str_, numpy.float64 and IntEnum become what they stand for.
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int | float):
        return int(value) if isinstance(value, int) else number(float(value))
    if isinstance(value, Mapping):
        return _mapping(value, number)
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
        return [_converted(each, number) for each in items]
    return _object(value, number)


def _mapping(value: Mapping[Any, Any], number: Callable[[float], float | str]) -> dict[str, Any]:
    result = {str(_converted(key, number)): _converted(each, number) for key, each in value.items()}
    if len(result) != len(value):
        raise UsageError(
            "two keys of this dict are the same as text",
            received=[*value][:10],
            expected="keys that differ as text",
            next_step="rename a key, or save it as .pkl",
        )
    return result


def _object(value: Any, number: Callable[[float], float | str]) -> Any:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if is_of(value, "datetime", "date", "time"):
        return value.isoformat()
    if is_of(value, "pandas", "DataFrame"):
        return _converted(value.to_dict("list"), number)
    if is_array(value) or is_of(value, "numpy", "generic") or is_of(value, "pandas", "Series", "Index"):
        listed = value.tolist()
        if type(listed) is not type(value):  # numpy.longdouble has no Python number and gives itself
            return _converted(listed, number)
    return repr(value)
