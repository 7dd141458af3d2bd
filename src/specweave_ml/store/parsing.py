"""JSON of a record to Python values: fast, and without what JSON does not have."""

from __future__ import annotations

import json
from typing import Any, Never

import orjson

from specweave_ml.store.codec import VALUE_LIMIT, holds_too_much


def loads(data: bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is not JSON, holds too much, or is nested too deeply.
    """
    if holds_too_much(data):
        raise ValueError(f"more than {VALUE_LIMIT} values in one text")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as refused:
        # The escape of a lone surrogate is legal here: orjson refuses it, the standard library reads it.
        if b"\\u" not in data:
            raise
        try:
            return json.loads(data, parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise ValueError(str(refused)) from None


def _no_number(constant: str) -> Never:
    raise ValueError(f"{constant} is not JSON")
