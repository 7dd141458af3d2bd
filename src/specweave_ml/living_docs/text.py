"""A document's bytes as lines and back, without changing one of them.

A line ends with CRLF, CR or LF and nothing else: `str.splitlines` would also split at VT, FF, NEL and U+2028, which
people have inside their sentences.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from difflib import unified_diff

from specweave_ml.errors import Refused

_BOM = "\ufeff"
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_ENDING = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Text:
    """A document as its lines, each with the ending it has; a byte order mark stands apart."""

    lines: tuple[str, ...]
    bom: str = ""

    @property
    def newline(self) -> str:
        """The line ending for generated lines: the one that most lines have."""
        endings = Counter(line[len(bare(line)) :] for line in self.lines if line[-1] in "\r\n")
        if "\r" in endings and len(endings) > 1:
            return "\r\n"  # a lone CR beside a lone LF would become one ending; this one glues to neither
        return max(("\n", "\r\n", "\r"), key=lambda ending: endings[ending])


def read_text(data: bytes) -> Text:
    """The lines of a document.

    Raises:
        Refused: it is not UTF-8.
    """
    text = decode(data)
    bom = _BOM if text.startswith(_BOM) else ""
    return Text(tuple(split_lines(text[len(bom) :])), bom)


def decode(data: bytes) -> str:
    """The text of a document, a byte order mark included.

    Raises:
        Refused: it is not UTF-8.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Refused(
            f"line {line} is not UTF-8", expected="a document in UTF-8", next_step="save the document as UTF-8"
        ) from None


def split_lines(text: str) -> list[str]:
    """The lines with their endings; joined, they are the text again."""
    return _LINE.findall(text)


def bare(line: str) -> str:
    """A line without its ending."""
    return line.rstrip("\r\n")


def with_newlines(text: str, newline: str) -> str:
    """The text with this line ending throughout."""
    return _ENDING.sub(newline, text)


def normal_body(text: str) -> str:
    """The body of a region as it is hashed and compared: LF, no blank lines around it."""
    lines = with_newlines(text, "\n").split("\n")
    filled = [number for number, line in enumerate(lines) if line.strip(" \t")]
    return "\n".join(lines[filled[0] : filled[-1] + 1]) if filled else ""


def readable_diff(old: str, new: str, old_name: str, new_name: str) -> str:
    """A unified diff, whatever the line endings; empty where nothing differs but those."""
    before, after = ([bare(line) for line in split_lines(text)] for text in (old, new))
    return "".join(f"{line}\n" for line in unified_diff(before, after, old_name, new_name, lineterm=""))
