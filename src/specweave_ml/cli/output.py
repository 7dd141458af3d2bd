"""What is printed: one JSON document, or lines and tables. What an agent reads by default stays below 4 kB.

Recorded text may hold anything: control characters are shown, never sent to the terminal.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

import click

from specweave_ml.escape import in_json, visible
from specweave_ml.store import codec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

READABLE = 4_000
"""Bytes of output by default, where nobody asked for more."""

ENVELOPE = 400
"""Of these, the bytes for a summary, or for the JSON around the rows."""

MOST_ON_A_TERMINAL = 100

_SHORTEST_ROW = 20
_SHORT_TEXT = 200
_Row = TypeVar("_Row")

_CUTS = ((50, 1_000), (20, 300), (10, 150), (5, 80), (3, 40), (1, 20))


def encode(value: Any) -> bytes:
    """The value as JSON in which every character can be seen."""
    return in_json(codec.encode(value).decode()).encode()


def print_json(document: dict[str, Any]) -> None:
    """Print a document, `schema` first."""
    click.echo(encode({"schema": 1, **document}))


def say(line: str = "") -> None:
    """Print a line."""
    click.echo(visible(line))


def hint(line: str) -> None:
    """Print a line that is no part of the answer."""
    click.echo(visible(line), err=True)


def on_terminal() -> bool:
    """Whether a person looks at the output."""
    return sys.stdout.isatty()


def one_line(text: str) -> str:
    """The text as a table's cell or a part of a sentence."""
    return visible(" ".join(text.split()))


def count(number: int, noun: str) -> str:
    """`1 experiment`, `2 experiments`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def page(
    rows: Sequence[_Row],
    printed: Callable[[Sequence[_Row]], str | bytes],
    *,
    limit: int | None,
    most: int = READABLE - ENVELOPE,
) -> Sequence[_Row]:
    """The rows to print: `limit` of them (0: all); by default as many as stay readable, and one at least.

    Args:
        rows: all that could be printed.
        printed: what printing some of them gives.
        limit: what the caller asked for, or None.
        most: bytes of it by default.
    """
    if limit is not None:
        return rows[: limit or None]
    if on_terminal():
        return rows[:MOST_ON_A_TERMINAL]
    number = min(len(rows), most // _SHORTEST_ROW)
    while number > 1 and (size := _bytes(printed(rows[:number]))) > most:
        number = max(1, min(number - 1, number * most // size))
    while number < len(rows) and _bytes(printed(rows[: number + 1])) <= most:
        number += 1
    return rows[:number]


def _bytes(text: str | bytes) -> int:
    return len(text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace"))


def shortened(document: dict[str, Any], most: int = READABLE) -> tuple[dict[str, Any], dict[str, int]]:
    """The document with its longest parts cut until its JSON fits, and what was left out, by place.

    Of a mapping or a list that is entries, of a text characters. The document's own keys all stay.
    """
    if len(encode(document)) <= most:
        return document, {}
    short: dict[str, Any] = {}
    left_out: dict[str, int] = {}
    for entries, characters in _CUTS:
        left_out = {}
        short = {}
        for key, value in document.items():
            most_here = max(characters, _SHORT_TEXT) if isinstance(value, str) else characters  # a name stays whole
            short[key] = _cut(value, key, entries, most_here, left_out)
        if len(encode(short)) + len(encode(left_out)) <= most:
            break
    return short, left_out


def _cut(value: Any, place: str, entries: int, characters: int, left_out: dict[str, int]) -> Any:
    if isinstance(value, str) and len(value) > characters:
        left_out[place] = len(value) - characters
        return value[:characters]
    if isinstance(value, dict | list) and len(value) > entries:
        left_out[place] = len(value) - entries
    if isinstance(value, dict):
        kept = list(value.items())[:entries]
        return {key: _cut(item, f"{place}.{key}", entries, characters, left_out) for key, item in kept}
    if isinstance(value, list):
        return [_cut(item, f"{place}[{at}]", entries, characters, left_out) for at, item in enumerate(value[:entries])]
    return value
