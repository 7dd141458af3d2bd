"""W&B's transaction log, `run-ID.wandb`: records in blocks of 32 KiB, as LevelDB writes them.

Online, offline, crashed and killed runs all have one. A block that is damaged costs what stands in it: the next block
begins anew. Source: https://github.com/google/leveldb/blob/main/doc/log_format.md; W&B's checksum is a plain CRC-32.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from specweave_ml.wire import Malformed, Message, open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 32 * 1024
_HEADER = b":W&B\xe1\xbe\x00"
_LONGEST_RECORD = 16 * 1024 * 1024
_PIECE = struct.Struct("<IHB")
_FULL, _FIRST, _MIDDLE, _LAST, _DAMAGED = 1, 2, 3, 4, -1


def read_records(path: str, damaged: list[int], *, start: int = 0) -> Iterator[tuple[int, Message]]:
    """The records of a log in order: the byte where each begins, and its message (`Record` of wandb_internal.proto).

    Args:
        path: the log.
        damaged: gets the byte of everything that could not be read: a wrong checksum, a cut end, no message.
        start: the byte to begin at, a multiple of `BLOCK`.

    Raises:
        Malformed: the file is no such log.
        OSError: it cannot be read.
    """
    for at, record in _whole(path, damaged, start):
        try:
            yield at, Message(record)
        except Malformed:
            damaged.append(at)


def _whole(path: str, damaged: list[int], start: int) -> Iterator[tuple[int, bytes]]:
    """Where each record begins, and its bytes put together."""
    parts: list[bytes] = []
    size = began = 0
    for at, kind, body in _pieces(path, start):
        if kind in {_FULL, _FIRST}:
            parts, size, began = [], 0, at
        elif kind == _DAMAGED:
            damaged.append(at)
            parts = []
            continue
        elif not parts:
            continue  # what comes before it is damaged, or lies before `start`
        parts.append(body)
        size += len(body)
        if size > _LONGEST_RECORD:
            damaged.append(began)
            parts = []
        elif kind in {_FULL, _LAST}:
            yield began, b"".join(parts)
            parts = []


def _pieces(path: str, start: int) -> Iterator[tuple[int, int, bytes]]:
    with open_regular(path) as file:
        file.seek(start)
        while block := file.read(BLOCK):
            yield from _of_block(block, start)
            start += len(block)


def _of_block(block: bytes, start: int) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    if start == 0:
        at = len(_HEADER)
        if not _HEADER.startswith(block[:at]):
            raise Malformed("no W&B log: byte 0 does not begin with :W&B")
    while len(block) - at >= _PIECE.size:
        crc, size, kind = _PIECE.unpack_from(block, at)
        body = block[at + _PIECE.size : at + _PIECE.size + size]
        if len(body) < size or zlib.crc32(body, zlib.crc32(bytes([kind]))) != crc:
            if any(block[at:]):  # zeros are space that was reserved and never written
                yield start + at, _DAMAGED, b""
            return
        yield start + at, kind, body
        at += _PIECE.size + size
    if len(block) < BLOCK and any(block[at:]):
        yield start + at, _DAMAGED, b""
