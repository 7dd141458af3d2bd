"""A notebook as one Python text, and with lines put into its cells: the rest of the JSON keeps every byte.

Cells count in their order, as "run all" takes them. Magics and shell lines are no Python: where the text is only
read they stand as `pass`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from specweave_ml.instrument.source import insert, lines_of, refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from specweave_ml.instrument.source import Insertion

LARGEST = 64 << 20
"""Bytes of a notebook: its outputs hold pictures."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_MAGIC = re.compile(r"(\s*)(?:[%!?]|[\w.]+\?{1,2}\s*$)")
_ASSIGNED = re.compile(r"(\s*[\w., ]+=\s*)[%!]")
_CELL_OF_PYTHON = re.compile(r"%%(?:time|timeit|capture|prun)\b")


class _Source(NamedTuple):
    """The `source` of a code cell: its Python, and where its strings stand in the JSON."""

    text: str
    spans: list[tuple[int, int]]
    is_list: bool


@dataclass(frozen=True, slots=True)
class Notebook:
    """A `.ipynb` file.

    Attributes:
        python: its code cells as one text.
        is_notebook: True.
    """

    python: str
    json_text: str
    cells: tuple[_Source, ...]
    is_notebook: bool = True

    def with_lines(self, insertions: Sequence[Insertion]) -> bytes:
        """The file's new content."""
        out = self.json_text
        for cell, own in reversed([*self._by_cell(insertions)]):
            out = _replace(out, cell, own)
        return out.encode()

    def last_lines(self) -> list[int]:
        """The number of the last line of each cell, in the one text."""
        return [*accumulate(len(_as_python(cell.text)) for cell in self.cells)]

    def _by_cell(self, insertions: Sequence[Insertion]) -> Iterator[tuple[_Source, list[Insertion]]]:
        first = 0
        for cell, last in zip(self.cells, self.last_lines(), strict=True):
            own = [each._replace(line=each.line - first) for each in insertions if first < each.line <= last]
            if own:
                yield cell, own
            first = last


def read_notebook(path: str, data: bytes) -> Notebook:
    """The notebook in these bytes.

    Raises:
        Refused: it is no notebook, or not one in Python.
    """
    try:
        text = data.decode()
        whole: Any = json.loads(text)
        metadata = whole["metadata"]
        language = metadata.get("kernelspec", {}).get("language") or metadata.get("language_info", {}).get("name")
        kinds = [cell["cell_type"] for cell in whole["cells"]]
        sources = _sources(text)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise refused(path, f"it is not a notebook of format 4: {type(error).__name__}: {error}") from None
    if language not in (None, "python"):
        raise refused(path, f"it is a notebook in {str(language)[:40]!r}, not in Python")
    cells = tuple(sources[index] for index, kind in enumerate(kinds) if kind == "code" and index in sources)
    return Notebook("".join(line for cell in cells for line in _as_python(cell.text)), text, cells)


def _sources(text: str) -> dict[int, _Source]:
    """Cell number → its source. The JSON is known to be valid."""
    found: dict[int, _Source] = {}
    path: list[Any] = []  # keys of objects and indices of arrays from the top to here; None: a key comes next
    for token in _TOKEN.finditer(text):
        word = token[0]
        if word == "{":
            path.append(None)
        elif word == "[":
            path.append(0)
        elif word in "]}":
            path.pop()
        elif word == ",":
            path[-1] = path[-1] + 1 if isinstance(path[-1], int) else None
        elif word[0] == '"' and path and path[-1] is None:
            path[-1] = json.loads(word)
        elif word[0] == '"' and len(path) in {3, 4} and path[0] == "cells" and path[2] == "source":
            before = found.get(path[1], _Source("", [], len(path) == 4))
            found[path[1]] = _Source(before.text + json.loads(word), [*before.spans, token.span()], before.is_list)
    return found


def _as_python(text: str) -> list[str]:
    """The lines of a cell with what is no Python replaced, line for line, and a line end at the last."""
    lines = lines_of(text)
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += "\n"
    foreign = bool(lines) and lines[0].lstrip().startswith("%%") and not _CELL_OF_PYTHON.match(lines[0].lstrip())
    masked = []
    continued = False  # a shell command goes on in the next line
    for line in lines:
        magic = _MAGIC.match(line)
        if foreign or continued:
            masked.append("\n")
        elif assigned := _ASSIGNED.match(line):
            masked.append(f"{assigned[1]}None\n")
        elif magic:
            masked.append(f"{magic[1]}pass\n")
        else:
            masked.append(line)
            continue
        continued = line.rstrip().endswith("\\")
    return masked


def _replace(json_text: str, cell: _Source, insertions: Sequence[Insertion]) -> str:
    """The notebook with one cell's source written anew, each string of it that did not change as it was."""
    old = [json_text[start:end] for start, end in cell.spans]
    new = lines_of(insert(cell.text, insertions)) if cell.is_list else [insert(cell.text, insertions)]
    ascii_only = json_text.isascii()
    kept = {json.loads(word): word for word in old}
    words = [kept.get(line) or json.dumps(line, ensure_ascii=ascii_only) for line in new]
    first, last = cell.spans[0][0], cell.spans[-1][1]
    between = json_text[cell.spans[0][1] : cell.spans[1][0]] if len(cell.spans) > 1 else _indented(json_text, first)
    return json_text[:first] + between.join(words) + json_text[last:]


def _indented(json_text: str, first: int) -> str:
    """What separates strings where there is only one to look at."""
    before = json_text[:first]
    return "," + before[len(before.rstrip()) :]
