"""Journals from disk to parsed lines: torn tails ignored and counted, bad lines skipped and reported.

Only whole lines count. What stands after the last newline was never acknowledged (or is being written this moment).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from specweave_ml.store.codec import VALUE_LIMIT, holds_too_much
from specweave_ml.store.layout import READ

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 1 << 14  # parsed lines of a block stay in the processor's cache, and are freed before they cost a collection
_LONG = 1 << 16  # a block with a line so long that copies of it count
_LINE_LIMIT = 128 << 20


@dataclass(slots=True)
class Damage:
    """What was not read, and why."""

    problems: list[str] = field(default_factory=list)
    torn_bytes: int = 0
    unread: OSError | None = None


def blocks(path: str, damage: Damage) -> Iterator[tuple[int, bytes]]:
    """Yield (number of the first line, whole lines) in pieces of about `_BLOCK` bytes.

    A journal that cannot be read (or is no file) is a problem of its own, never one of the other experiments.
    """
    try:
        yield from _whole_lines(path, damage)
    except OSError as error:
        damage.unread = error
        damage.problems.append(f"{os.path.basename(path)}:1: {error.strerror or error}")


def _whole_lines(path: str, damage: Damage) -> Iterator[tuple[int, bytes]]:
    number = 1
    rest: list[bytes] = []  # the pieces of a line whose end has not come yet
    length = 0
    descriptor = os.open(path, READ)
    try:
        while piece := os.read(descriptor, _BLOCK):
            end = piece.rfind(b"\n") + 1
            if end:
                block = b"".join((*rest, piece[:end]))
                rest, length = [], 0
                yield number, block
                number += block.count(b"\n")
            rest.append(piece[end:])
            length += len(piece) - end
            if length > _LINE_LIMIT:
                damage.problems.append(f"{os.path.basename(path)}:{number}: a line is longer than {_LINE_LIMIT} bytes")
                return
    finally:
        os.close(descriptor)
    damage.torn_bytes += length


def parse_block(path: str, number: int, block: bytes, damage: Damage) -> list[dict[str, Any]]:
    """The lines of a block as dicts, in order; a bad one is reported as `file:line: reason` and left out."""
    # One parse of a whole block as an array is twice as fast as one a line; it stands only if nothing is odd.
    if len(block) > _LONG:
        return [*_one_by_one(path, number, block, damage)]
    try:
        rows: list[dict[str, Any]] = orjson.loads(b"[" + block[:-1].replace(b"\n", b",") + b"]")
    except orjson.JSONDecodeError:
        rows = []
    # As many objects as lines, and a line each: broken lines can add up to the right number of objects.
    lines = block.count(b"\n")
    if len(rows) == lines and block[:1] == b"{" and block.count(b"\n{") == lines - 1 and set(map(type, rows)) == {dict}:
        return rows
    return [*_one_by_one(path, number, block, damage)]


def _one_by_one(path: str, number: int, block: bytes, damage: Damage) -> Iterator[dict[str, Any]]:
    for offset, line in enumerate(block[:-1].split(b"\n")):
        if not line.strip():
            continue
        try:
            row = _loads(line)
        except (ValueError, RecursionError) as error:
            reason = str(error).split(":")[0] if isinstance(error, ValueError) else "nested too deeply"
            damage.problems.append(f"{os.path.basename(path)}:{number + offset}: {reason}")
            continue
        if isinstance(row, dict):
            yield row
        else:
            damage.problems.append(f"{os.path.basename(path)}:{number + offset}: not a JSON object")


def _loads(line: bytes) -> Any:
    if holds_too_much(line):
        raise ValueError(f"more than {VALUE_LIMIT} values in one line")
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        if b"\\ud" not in line and b"\\uD" not in line:
            raise ValueError(str(error)) from None
        # A lone surrogate's escape is legal here; orjson refuses it, the standard library reads it.
        return json.loads(line)


def read_lines(path: str, damage: Damage) -> Iterator[dict[str, Any]]:
    """Every readable line of a journal."""
    for number, block in blocks(path, damage):
        yield from parse_block(path, number, block, damage)
