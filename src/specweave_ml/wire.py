"""Protobuf messages read by field number: what W&B's logs and TensorBoard's event files are made of.

A reader of its own needs neither tool, and a length that a damaged file claims is never believed: nothing is allocated
beyond the bytes that are there. Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import os
import stat
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader

_LONGEST_VARINT = 10
_FIXED = {1: 8, 5: 4}
_BYTES = 2


class Malformed(ValueError):
    """Bytes that are not what their file claims to be."""


class Message:
    """One message: the fields that are there, asked for by number. Absent ones read as protobuf has it: 0 or empty.

    Raises:
        Malformed: the bytes are no message.
    """

    __slots__ = ("_fields",)
    _fields: dict[int, list[int | bytes]]

    def __init__(self, data: bytes) -> None:
        fields = self._fields = {}
        at, end = 0, len(data)
        while at < end:
            key, at = (data[at], at + 1) if data[at] < 0x80 else _varint(data, at)
            kind = key & 7
            value: int | bytes
            if kind == 0:
                value, at = _varint(data, at)
            else:
                size, at = _varint(data, at) if kind == _BYTES else (_FIXED.get(kind, -1), at)
                value, at = data[at : at + size], at + size
                if size < 0 or at > end:
                    raise Malformed("a field that reaches beyond its message")
            if (number := key >> 3) in fields:
                fields[number].append(value)
            else:
                fields[number] = [value]

    def __contains__(self, number: int) -> bool:
        return number in self._fields

    def numbers(self) -> set[int]:
        """The numbers of the fields that are there."""
        return set(self._fields)

    def messages(self, number: int) -> Iterator[Message]:
        """The messages of a repeated field, in order."""
        return map(Message, self.blobs(number))

    def message(self, number: int) -> Message:
        """A message field; an empty message when it is absent."""
        blobs = self.blobs(number)
        return Message(blobs[-1] if blobs else b"")

    def blobs(self, number: int) -> list[bytes]:
        """The values of a field of bytes, text, or fixed width."""
        return [value for value in self._fields.get(number, ()) if isinstance(value, bytes)]

    def texts(self, number: int) -> list[str]:
        """The values of a field of text; bytes that are no UTF-8 are replaced."""
        return [value.decode("utf-8", "replace") for value in self.blobs(number)]

    def text(self, number: int) -> str:
        """A text field."""
        texts = self.texts(number)
        return texts[-1] if texts else ""

    def integer(self, number: int) -> int:
        """An integer, boolean or enumeration field."""
        value = self._fields.get(number, (0,))[-1]
        if isinstance(value, bytes):  # packed
            value = _varint(value, 0)[0] if value else 0
        return value - (1 << 64) if value >= 1 << 63 else value

    def zigzag(self, number: int) -> int:
        """A field of type sint32 or sint64."""
        value = self.integer(number) % (1 << 64)
        return value >> 1 ^ -(value & 1)

    def real(self, number: int) -> float:
        """A field of type float or double."""
        value = self._fields.get(number, (b"",))[-1]
        size = len(value) if isinstance(value, bytes) else 0
        return float(struct.unpack("<f" if size == 4 else "<d", value)[0]) if size in {4, 8} else 0.0  # type: ignore[arg-type]


def open_regular(path: str) -> BufferedReader:
    """Open a file to be read, never waiting for the other end of a pipe.

    Raises:
        Malformed: it is no regular file.
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Malformed("no file")
    return open(descriptor, "rb")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    if data[at : at + 1] < b"\x80" and at < len(data):  # nearly always
        return data[at], at + 1
    value = shift = 0
    for byte in data[at : at + _LONGEST_VARINT]:
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
    raise Malformed("a number that does not end")
