"""A region's body as a row of items: the pieces in which two changes can be told apart.

An item is a block, one item of a list, or one row of a table (its head is an item too). Many have a name, by which
they are found again after a change: the first cell of a row, and what stands before the colon of a list item or a
heading. Two items mean the same when they render the same, whatever a formatter did to their source.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from specweave_ml.living_docs.blocks import parse_fully

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from markdown_it.token import Token

_SPACE = re.compile(r"[ \t\n]+")
_LIST_NUMBER = re.compile(r"^[ \t>]*[0-9]{1,9}[.)](?=\s|$)", re.MULTILINE)
_NO_WORD = re.compile(r"[\s!-/:-@\[-`{-~]+")
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of a body.

    Attributes:
        kind: `row`, `head`, `bullet`, `number`, or the type of its block.
        name: by which it is found again; None when it has none.
        text: its source.
        gap: how many blank lines stand before it.
        meaning: equal for two items that render the same.
    """

    kind: str
    name: str | None
    text: str
    gap: int
    meaning: object

    @property
    def identity(self) -> tuple[str, object]:
        """What is equal in two versions of one item; a nameless one is another as soon as it changes."""
        return self.kind, self.name or self.meaning


def split_items(body: str) -> list[Item]:
    """The items of a body, which together hold all its lines that are not blank."""
    lines = body.split("\n")
    items: list[Item] = []
    end = 0
    for kind, start, stop, tokens in _pieces(parse_fully(body)[0]):
        items += _unparsed(lines, end, start)
        end = start + len(_trimmed(lines[start:stop]))
        items.append(_item(kind, lines, start, end, tokens))
    return items + _unparsed(lines, end, len(lines))


def join_items(items: Sequence[Item]) -> str:
    """The body of these items, with a blank line wherever two could run into each other."""
    text = items[0].text if items else ""
    for before, item in pairwise(items):
        together = (before.kind, item.kind) in _CLOSE
        text += "\n" * (1 + (item.gap if together else max(item.gap, 1))) + item.text
    return text


_CLOSE = {("head", "row"), ("row", "row"), ("bullet", "bullet"), ("number", "number")}


def render_the_same(one: str, other: str) -> bool:
    """Whether two bodies differ at most in what a formatter may change."""
    return _meanings(one) == _meanings(other)


def _meanings(body: str) -> list[tuple[str, object]]:
    return [(item.kind, item.meaning) for item in split_items(body)]


def _pieces(tokens: Sequence[Token]) -> Iterator[tuple[str, int, int, Sequence[Token]]]:
    """Kind, first line, line behind, and tokens of everything that becomes an item."""
    kinds = {"tr_open": "row", "list_item_open": "bullet", "code_block": "fence"}
    number = 0
    while number < len(tokens):
        token = tokens[number]
        if token.type in ("bullet_list_open", "ordered_list_open"):
            kinds["list_item_open"] = "bullet" if token.type == "bullet_list_open" else "number"
        if (token.level > 0 and token.type not in kinds) or token.nesting < 0 or token.type in _CONTAINERS:
            number += 1
            continue
        stop = _closing(tokens, number) + 1
        kind = kinds.get(token.type, token.type.removesuffix("_open"))
        start, end = token.map or (0, 0)
        if kind == "row" and tokens[number - 1].type == "thead_open":
            kind, end = "head", end + 1  # and the line of dashes
        yield kind, start, end, tokens[number:stop]
        number = stop


_CONTAINERS = {"bullet_list_open", "ordered_list_open", "table_open", "thead_open", "tbody_open"}


def _closing(tokens: Sequence[Token], number: int) -> int:
    if tokens[number].nesting == 0:
        return number
    level = tokens[number].level
    return next(at for at in range(number + 1, len(tokens)) if tokens[at].level == level and tokens[at].nesting < 0)


def _unparsed(lines: list[str], start: int, stop: int) -> list[Item]:
    """What the parser made no block of: link definitions."""
    filled = [number for number in range(start, stop) if not _is_blank(lines[number])]
    if not filled:
        return []
    text = "\n".join(lines[filled[0] : filled[-1] + 1])
    return [Item("definition", None, text, _gap(lines, filled[0]), text)]


def _item(kind: str, lines: list[str], start: int, stop: int, tokens: Sequence[Token]) -> Item:
    text = "\n".join(lines[start:stop])
    # Tokens leave out what renders to nothing, such as a cell beyond the last column; its words still count.
    words = _NO_WORD.sub("", html.unescape(_LIST_NUMBER.sub("", text)))
    meaning = _cells(tokens) if kind == "row" else tuple(_meaning(tokens))
    return Item(kind, _name(kind, tokens), text, _gap(lines, start), (meaning, words))


def _gap(lines: list[str], start: int) -> int:
    return start - len(_trimmed(lines[:start]))


def _trimmed(lines: list[str]) -> list[str]:
    """Without the blank lines at the end."""
    stop = len(lines)
    while stop > 0 and _is_blank(lines[stop - 1]):
        stop -= 1
    return lines[:stop]


def _is_blank(line: str) -> bool:
    return not line.strip(" \t")


def _name(kind: str, tokens: Sequence[Token]) -> str | None:
    if kind not in ("row", "bullet", "number", "heading"):
        return None
    words = next((_plain(token.children or ()) for token in tokens if token.type == "inline"), "")
    if kind != "row":
        words, colon, _ = words.partition(":")
        if not colon:
            return None
    # A mark behind the name, such as the one of the selected experiment, comes and goes.
    name = re.sub(r"\W+$", "", words)
    return name if 0 < len(name) <= _LONGEST_NAME else None


def _plain(tokens: Iterable[Token]) -> str:
    shown = ("text", "code_inline", "softbreak")
    return "".join(token.content or " " for token in tokens if token.type in shown).strip()


def _cells(tokens: Sequence[Token]) -> tuple[object, ...]:
    """The cells of a row; how they are aligned, and how many columns there are, is the business of the head."""
    cells = [tuple(_meaning(token.children or ())) for token in tokens if token.type == "inline"]
    while cells and not cells[-1]:
        cells.pop()
    return tuple(cells)


def _meaning(tokens: Iterable[Token]) -> Iterator[object]:
    words = ""
    for token in tokens:
        if token.type in ("text", "softbreak"):
            words += token.content or " "
            continue
        if words:
            yield _SPACE.sub(" ", words)
            words = ""
        if token.type == "inline":
            yield tuple(_meaning(token.children or ()))
        elif token.type == "code_block":
            yield "fence", "code", (), "", token.content
        else:
            info = token.info.strip() if token.type == "fence" else ""
            yield token.type, token.tag, tuple(token.attrs.items()), info, token.content
    if words:
        yield _SPACE.sub(" ", words)
