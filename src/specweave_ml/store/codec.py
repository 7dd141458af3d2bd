"""Python values to JSON and back, losing nothing that JSON cannot say by itself.

A metric is a number: NaN and the infinities are the strings "NaN", "Infinity", "-Infinity".
A param keeps its JSON type; what JSON lacks is tagged by one key:

    {"$float": "NaN"}   a float that is no number
    {"$int": "2e70…"}   an integer beyond 64 bits
    {"$dict": {…}}      a mapping whose own keys start with a dollar sign
    {"$repr": "…"}      any other object, by its repr
"""

from __future__ import annotations

import json
import re
from itertools import islice
from math import isfinite

from specweave_ml.errors import UsageError
from specweave_ml.redact import redact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

NAME_LIMIT = 500
_REPR_LIMIT = 2_000
_DEPTH_LIMIT = 20
_ARRAY_LIMIT = 64
_INT64 = 2**63
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|([,\[{])', re.DOTALL)  # a string, or what separates values
_RICH_BYTES = 256_000
VALUE_LIMIT = 250_000
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def _encoder(item_separator: str, key_separator: str, *, ascii_only: bool) -> Callable[[Any], str]:
    separators = (item_separator, key_separator)
    return json.JSONEncoder(ensure_ascii=ascii_only, allow_nan=False, separators=separators).encode


_compact, _compact_ascii = _encoder(",", ":", ascii_only=False), _encoder(",", ":", ascii_only=True)
_lines, _lines_ascii = _encoder(",\n  ", ": ", ascii_only=False), _encoder(",\n  ", ": ", ascii_only=True)

_TO_NAME = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_TO_FLOAT = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def encode(value: Any, *, a_line_a_key: bool = False) -> bytes:
    """JSON as UTF-8, compact or with a line a key; a lone surrogate, which UTF-8 cannot hold, stays an escape.

    Raises:
        ValueError: a float in it is no number.
    """
    try:
        return (_lines(value) if a_line_a_key else _compact(value)).encode()
    except UnicodeEncodeError:
        return (_lines_ascii(value) if a_line_a_key else _compact_ascii(value)).encode()


def holds_too_much(data: bytes) -> bool:
    """Whether JSON holds more values than a record has use for: text is cheap to parse, structure is not."""
    if len(data) < _RICH_BYTES or data.count(b",") + data.count(b"[") + data.count(b"{") <= VALUE_LIMIT:
        return False
    outside_of_strings = (1 for token in _TOKEN.finditer(data) if token.lastindex)
    return next(islice(outside_of_strings, VALUE_LIMIT, None), None) is not None


def check_name(kind: str, name: object) -> str:
    """A metric's or param's name: a non-empty string of at most 500 characters.

    Raises:
        UsageError: otherwise.
    """
    if isinstance(name, str) and 0 < len(name) <= NAME_LIMIT:
        return name
    raise UsageError(
        f"a {kind} needs a name", received=name, expected=f"a non-empty string of at most {NAME_LIMIT} characters"
    )


def metric_number(name: str, value: Any) -> float:
    """The plain Python number behind a metric's value (Python, numpy, torch and jax scalars).

    Raises:
        UsageError: it is not one number; names the metric and the type.
    """
    if isinstance(value, bool | int | float):
        plain: Any = value
    elif isinstance(value, str | bytes) or value is None:
        plain = None
    else:
        plain = _scalar(value)
    if isinstance(plain, float):
        return float(plain)
    if isinstance(plain, int):
        return int(plain) if -_INT64 <= plain < _INT64 else _as_float(name, plain)
    raise UsageError(
        f"metric {name!r} is not a number",
        received=f"{type(value).__module__}.{type(value).__qualname__}",
        expected="one number (Python, numpy, torch or jax scalar)",
        next_step="log text with log_param or log_note, arrays with save_artifact",
    )


def _scalar(value: Any) -> Any:
    """The number inside a stranger's object, or None."""
    try:
        plain = value.item() if hasattr(value, "item") else value
        return plain if isinstance(plain, int | float) else float(plain)  # a numpy longdouble's item is itself
    except Exception:  # noqa: BLE001 - several elements, no number at all: every library says it differently
        return None


def _as_float(name: str, value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        raise UsageError(
            f"metric {name!r} is too large for a float", received=f"an integer of {value.bit_length()} bits"
        ) from None


def step_number(step: Any) -> int | float:
    """The plain number behind a step.

    Raises:
        UsageError: it is not one finite number.
    """
    number = metric_number("step", step)
    if not isfinite(number):
        raise UsageError("a step is not a finite number", received=step, expected="an integer, such as the epoch")
    return number


def number_to_json(value: float) -> float | str:
    """A metric's number as JSON holds it."""
    return value if isfinite(value) else _TO_NAME[repr(value)]


def number_from_json(value: Any) -> float | None:
    """A metric's number from its JSON, or None when it is neither a number nor one of the three names."""
    if isinstance(value, str):
        return _TO_FLOAT.get(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def param_to_json(value: Any, depth: int = 0) -> Any:
    """A param's value as JSON holds it; never raises for an odd object, whose repr is kept instead."""
    if value is None or isinstance(value, bool | str):
        return value if type(value) in (bool, str, type(None)) else str(value)
    if isinstance(value, int):
        plain = int(value)
        return plain if -_INT64 <= plain < _INT64 else {"$int": hex(plain)}
    if isinstance(value, float):
        plain_float = float(value)
        return plain_float if isfinite(plain_float) else {"$float": _TO_NAME[repr(plain_float)]}
    if depth >= _DEPTH_LIMIT:
        return _by_repr(value)
    if isinstance(value, list | tuple):
        return [param_to_json(item, depth + 1) for item in value]
    if isinstance(value, dict):
        plain_dict = {str(key): param_to_json(item, depth + 1) for key, item in value.items()}
        return {"$dict": plain_dict} if any(key.startswith("$") for key in plain_dict) else plain_dict
    return _from_object(value, depth)


def _from_object(value: Any, depth: int) -> Any:
    try:
        if hasattr(value, "__fspath__"):
            return str(value.__fspath__())
        if hasattr(value, "tolist") and getattr(value, "size", _ARRAY_LIMIT + 1) <= _ARRAY_LIMIT:
            return param_to_json(value.tolist(), depth + 1)
    except Exception:  # noqa: BLE001 - a stranger's object may raise anything; its repr still says what it was
        return _by_repr(value)
    return _by_repr(value)


def _by_repr(value: Any) -> dict[str, str]:
    try:
        named = callable(value) and hasattr(value, "__qualname__")
        text = f"{value.__module__}.{value.__qualname__}" if named else repr(value)
    except Exception as error:  # noqa: BLE001 - a repr that raises must not stop training
        text = f"<{type(value).__qualname__} whose repr raised {type(error).__name__}>"
    # An address differs at every run and would make equal params look different; a secret cut in two looks like none.
    text = redact_text(_ADDRESS.sub("", text))
    return {"$repr": text if len(text) <= _REPR_LIMIT else text[: _REPR_LIMIT - 1] + "…"}


def param_from_json(value: Any) -> Any:
    """A param's value from its JSON; an object kept by its repr comes back as that text."""
    if isinstance(value, list):
        return [param_from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((tag, inner),) = value.items()
        if tag == "$float" and isinstance(inner, str) and inner in _TO_FLOAT:
            return _TO_FLOAT[inner]
        if tag == "$int" and isinstance(inner, str):
            return _big_integer(inner)
        if tag == "$repr" and isinstance(inner, str):
            return inner
        if tag == "$dict" and isinstance(inner, dict):
            value = inner
    return {key: param_from_json(item) for key, item in value.items()}


def _big_integer(text: str) -> int | str:
    try:
        return int(text, 16)
    except ValueError:
        return text
