"""Markdown as markdown-it-py reads it: GFM's blocks, HTML, front matter."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt
from mdit_py_plugins.front_matter import front_matter_plugin

from specweave_ml.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

# The parser skips what is nested deeper, to the end of the document.
_DEEPEST = 100


def parse_blocks(text: str) -> tuple[Sequence[Token], dict[str, tuple[str, str]]]:
    """The blocks of a text, and what its link definitions define. What stands inside a block is not parsed.

    Raises:
        Refused: it is nested too deeply.
    """
    return _parse(text, inline=False)


def parse_fully(text: str) -> tuple[Sequence[Token], dict[str, tuple[str, str]]]:
    """The same, with emphasis, links and the like parsed too.

    Raises:
        Refused: it is nested too deeply.
    """
    return _parse(text, inline=True)


def _parse(text: str, *, inline: bool) -> tuple[Sequence[Token], dict[str, tuple[str, str]]]:
    found: dict[str, Any] = {}
    try:
        tokens = _parser(inline=inline).parse(text, found)
    except RecursionError:
        raise Refused("the document is nested too deeply to be read", next_step="nest its lists less") from None
    definitions = found.get("references", {})
    return tokens, {label: (each["href"], each["title"]) for label, each in definitions.items()}


@cache
def _parser(*, inline: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": _DEEPEST}).enable("table").use(front_matter_plugin)
    if not inline:
        parser.core.ruler.enableOnly(["normalize", "block"])
    return parser
