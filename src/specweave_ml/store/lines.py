"""Journals from disk to parsed lines: torn tails ignored and counted, bad lines skipped and reported.

Only whole lines count. What stands after the last newline was never acknowledged (or is being written this moment).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from specweave_ml.store.layout import READ
from specweave_ml.store.parsing import loads

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 1 << 14  # parsed lines of a block stay in the processor's cache, and are freed before they cost a collection
LONG = 1 << 16  # a block with a line so long that copies of it count
_LINE_LIMIT = 128 << 20


@dataclass(slots=True)
class Damage:
    """What was not read, and why."""

    problems: list[str] = field(default_factory=list)
    torn_bytes: int = 0
    unread: OSError | None = None
    counted: dict[str, tuple[int, int]] = field(default_factory=dict)  # path → (bytes, lines) counted so far


def blocks(path: str, damage: Damage) -> Iterator[tuple[int, bytes]]:
    """Yield (offset in the file, whole lines) in pieces of about `_BLOCK` bytes.

    A journal that cannot be read (or is no file) is a problem of its own, never one of the other experiments.
    """
    try:
        yield from _whole_lines(path, damage)
    except OSError as error:
        damage.unread = error
        damage.problems.append(f"{os.path.basename(path)}:1: {error.strerror or error}")


def _whole_lines(path: str, damage: Damage) -> Iterator[tuple[int, bytes]]:
    offset = 0
    rest: list[bytes] = []  # the pieces of a line whose end has not come yet
    length = 0
    descriptor = os.open(path, READ)
    try:
        while piece := os.read(descriptor, _BLOCK):
            end = piece.rfind(b"\n") + 1
            if end:
                block = b"".join((*rest, piece[:end]))
                rest, length = [], 0
                yield offset, block
                offset += len(block)
            rest.append(piece[end:])
            length += len(piece) - end
            if length > _LINE_LIMIT:
                damage.problems.append(f"{_place(path, offset, damage)}: a line is longer than {_LINE_LIMIT} bytes")
                return
    finally:
        os.close(descriptor)
    damage.torn_bytes += length


def _place(path: str, offset: int, damage: Damage) -> str:
    """`file:line` of a byte. Counted only when somebody must be told: counting costs a fifth of reading."""
    counted, lines = damage.counted.get(path, (0, 1))
    if offset < counted:
        counted, lines = 0, 1
    descriptor = os.open(path, READ)
    try:
        while counted < offset and (piece := os.pread(descriptor, min(1 << 20, offset - counted), counted)):
            lines += piece.count(b"\n")
            counted += len(piece)
    finally:
        os.close(descriptor)
    damage.counted[path] = (counted, lines)
    return f"{os.path.basename(path)}:{lines}"


def parse_block(path: str, offset: int, block: bytes, damage: Damage) -> list[dict[str, Any]]:
    """The lines of a block as dicts, in order; a bad one is reported as `file:line: reason` and left out."""
    if len(block) > LONG:
        return [*_one_by_one(path, offset, block, damage)]
    # One parse of a whole block as an array is twice as fast as one a line. It stands only if it gives as many objects
    # as there are lines, and each line begins with one: broken lines can add up to objects too.
    try:
        rows: list[dict[str, Any]] = orjson.loads(b"[" + block[:-1].replace(b"\n", b",") + b"]")
    except orjson.JSONDecodeError:
        rows = []
    lines = block.count(b"\n")
    if block[:1] == b"{" and len(rows) == lines == block.count(b"\n{") + 1 and set(map(type, rows)) == {dict}:
        return rows
    return [*_one_by_one(path, offset, block, damage)]


def _one_by_one(path: str, offset: int, block: bytes, damage: Damage) -> Iterator[dict[str, Any]]:
    for line in block[:-1].split(b"\n"):
        if line.strip():
            try:
                row = loads(line)
            except ValueError as error:
                damage.problems.append(f"{_place(path, offset, damage)}: {str(error).partition(':')[0]}")
            else:
                if isinstance(row, dict):
                    yield row
                else:
                    damage.problems.append(f"{_place(path, offset, damage)}: not a JSON object")
        offset += len(line) + 1


def read_lines(path: str, damage: Damage) -> Iterator[dict[str, Any]]:
    """Every readable line of a journal."""
    for offset, block in blocks(path, damage):
        yield from parse_block(path, offset, block, damage)
