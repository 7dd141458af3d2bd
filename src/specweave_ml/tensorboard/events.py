"""TensorBoard's event files, read without TensorBoard or TensorFlow: framed records, each an event with its values.

    8 bytes length · 4 bytes its checksum · the event · 4 bytes its checksum

The checksums are CRC-32C, masked. Sources: tensorflow/core/lib/io/record_writer.h, tensorboard/compat/proto.
"""

from __future__ import annotations

import os
import struct
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from specweave_ml.wire import Malformed, Message, open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader

_WALL_TIME, _STEP, _SUMMARY, _SESSION_LOG = 1, 2, 5, 7
_TAG, _SIMPLE, _TENSOR, _METADATA = 1, 2, 8, 9
_KINDS = {4: "image", 5: "histogram", 6: "audio", _TENSOR: "tensor"}
_START = 1
_LENGTH = struct.Struct("<QI")
_LARGEST = 16 << 20  # bytes of an event that is read: larger ones are graphs and pictures
_CHECKED = 1 << 16  # and of one whose checksum is made anew, which Python does at 10 MB a second: scalars are small

_CONTENT = 4
# Type of a tensor → how one value of it stands in `tensor_content`, and the field that holds it otherwise.
_TENSORS = {
    1: ("<f", 5),
    2: ("<d", 6),
    3: ("<i", 7),
    4: ("<B", 7),
    5: ("<h", 7),
    6: ("<b", 7),
    9: ("<q", 10),
    10: ("<?", 11),
    19: ("<e", 0),
    22: ("<I", 16),
    23: ("<Q", 17),
}


class Value(NamedTuple):
    """One value of an event.

    Attributes:
        tag: its name.
        kind: what it is: `scalar`, a tensor's number as well, or another kind.
        number: the number of a scalar.
        plugin: for which plugin it is; only the first value of a tag has to say so.
        content: what that plugin keeps with it.
    """

    tag: str
    kind: str
    number: float
    plugin: str
    content: bytes


class Event(NamedTuple):
    """One record: its step, seconds since 1970, whether a session goes on from this step, and its values."""

    step: int
    time: float
    restarts: bool
    values: list[Value]


def read_events(path: str, damaged: list[int]) -> Iterator[Event]:
    """The events of a file, in order; what is larger than anything with a scalar is passed over.

    Args:
        path: the file.
        damaged: gets the byte of everything that could not be read: a wrong checksum, a cut end, no event.

    Raises:
        Malformed: it is no event file.
        OSError: it cannot be read.
    """
    with open_regular(path) as file:
        end = os.fstat(file.fileno()).st_size
        at = 0
        while at < end:
            size = _size_at(file, at, end)
            if size is None:
                damaged.append(at)
                return
            if size <= _LARGEST:
                event = _event(file.read(size), file.read(4))
                if event is None:
                    damaged.append(at)
                else:
                    yield event
            at += _LENGTH.size + size + 4
            file.seek(at)


def _size_at(file: BufferedReader, at: int, end: int) -> int | None:
    """The length of the event here; None when it cannot be told, or reaches beyond the file."""
    head = file.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    size, crc = _LENGTH.unpack(head)
    if _masked(_crc32c(head[:8])) != crc:
        if at == 0:
            raise Malformed("no event file: byte 0 begins no record")
        return None
    return int(size) if at + _LENGTH.size + size + 4 <= end else None


def _event(data: bytes, crc: bytes) -> Event | None:
    if len(data) <= _CHECKED and _masked(_crc32c(data)).to_bytes(4, "little") != crc:
        return None
    try:
        event = Message(data)
        restarts = event.message(_SESSION_LOG).integer(1) == _START
        values = [_value(value) for value in event.message(_SUMMARY).messages(1)]
    except Malformed:
        return None
    return Event(event.integer(_STEP), event.real(_WALL_TIME), restarts, values)


def _value(value: Message) -> Value:
    plugin = value.message(_METADATA).message(1)
    number = value.real(_SIMPLE) if _SIMPLE in value else _number(value.message(_TENSOR))
    kind = "scalar" if number is not None else next((kind for field, kind in _KINDS.items() if field in value), "")
    return Value(value.text(_TAG), kind, number or 0.0, plugin.text(1), b"".join(plugin.blobs(2)[-1:]))


def _number(tensor: Message) -> float | None:
    """The number in a tensor that holds one; None for any other."""
    form, field = _TENSORS.get(tensor.integer(1), ("", 0))
    if not form:
        return None
    contents = tensor.blobs(_CONTENT)
    if contents and contents[-1]:
        return struct.unpack(form, contents[-1])[0] if len(contents[-1]) == struct.calcsize(form) else None
    if field not in tensor or any(size.integer(1) > 1 for size in tensor.message(2).messages(2)):
        return None
    return tensor.real(field) if form in {"<f", "<d"} else tensor.integer(field)


def _masked(crc: int) -> int:
    """Rotated by 15 bits, and a constant added. Source: https://github.com/google/leveldb/blob/main/util/crc32c.h."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _crc32c(data: bytes) -> int:
    table = _table()
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


@cache
def _table() -> list[int]:
    """CRC-32C of every byte: the Castagnoli polynomial, reflected."""
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table
