"""A Python script as bytes, as lines, and with lines put in: nothing else of it changes.

Encoding, byte order mark, line ends, and whether the last line has one, stay as they are.
"""

from __future__ import annotations

import io
import os
import re
import stat
import tokenize
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from specweave_ml.errors import NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST = 2 << 20
"""Bytes of a script; what people write by hand is far smaller."""

NEXT_STEP = "put the lines in by hand: specweave-ml instrument --help shows them"

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")  # as Python's tokenizer sees lines; splitlines() knows more ends


class Insertion(NamedTuple):
    """Lines to put in, indented, without line ends, before or behind a line of the text (counted from 1)."""

    line: int
    before: bool
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """A `.py` file.

    Attributes:
        python: its text.
        is_notebook: whether cells are run by hand in a process that goes on.
    """

    python: str
    encoding: str
    is_notebook: bool = False

    def with_lines(self, insertions: Sequence[Insertion]) -> bytes:
        """The file's new content."""
        return insert(self.python, insertions).encode(self.encoding)


def read_script(path: str, data: bytes) -> Script:
    """The script in these bytes.

    Raises:
        Refused: they are no Python text.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
        faithful = text.encode(encoding) == data
    except (SyntaxError, UnicodeError, LookupError) as error:
        raise refused(path, f"it is not Python: {error}") from None
    if "\0" in text or not faithful:
        raise refused(path, "it is not Python text")
    return Script(text, encoding)


def read_bytes(path: str, largest: int) -> bytes:
    """A plain file's bytes.

    Raises:
        NotFound: there is no such file.
        Refused: it is no plain file, cannot be read, or is larger than anything written by hand.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise NotFound("there is no such script", received=path, expected="the path of a training script") from None
    except OSError as error:
        raise refused(path, f"it cannot be read: {error.strerror}") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise refused(path, "it is not a file")
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(largest + 1)
    finally:
        os.close(descriptor)
    if len(data) > largest:
        raise refused(path, f"it has more than {largest >> 20} MiB")
    return data


def lines_of(text: str) -> list[str]:
    """The lines with their ends."""
    return _LINE.findall(text)


def insert(text: str, insertions: Sequence[Insertion]) -> str:
    """The text with lines put in, in its own line ends."""
    behind: defaultdict[int, list[str]] = defaultdict(list)
    for each in insertions:
        behind[each.line - each.before] += each.lines
    lines = lines_of(text)
    usual = next(filter(None, map(_end_of, lines)), "\n")
    out: list[str] = []
    for number in range(len(lines) + 1):
        if number:
            out.append(lines[number - 1])
        for new in behind[number]:
            end = (_end_of(out[-1]) if out else "") or usual
            if out and not _end_of(out[-1]):
                out[-1] += end  # the last line of a text that ends without a line end: now ours is the last
                end = ""
            out.append(new + end)
    return "".join(out)


def _end_of(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def refused(path: str, why: str, line: int | None = None, next_step: str = NEXT_STEP) -> Refused:
    """The script is left alone, and why."""
    where = f"line {line}: " if line else ""
    return Refused(
        f"the script is left as it is: {where}{why}",
        path=path,
        expected="Python that trains, and that names or prints what it measured",
        next_step=next_step,
    )
