"""Lines of Markdown that people write, and that tools trip over; any sequence of them is a document."""

from __future__ import annotations

WORDS = (
    "Ann keeps this page.",
    "Some *words* and `code`.",
    "x_y_z & more",
    "Größe, 数",
    "two  spaces  ",
    "[x] and [y][x]",
)
BLOCKS = (
    "", "", "", "# Models", "## Recommender (Increment 0042)", "## Other (Increment 0007)", "### Notes", "Title\n=====",
    "- one", "- two: 2", "  - nested", "1. first", "> quoted", "> - both", "    indented", "\tby a tab", "---", "***",
    "| a | b |\n|---|---|\n| 1 | 2 |", "[x]: http://example.org", "```python\nprint(1)\n```", "~~~\n```\n~~~",
)  # fmt: skip
OPENERS = (
    "```",
    "~~~~",
    "  ```",
    "- ```",
    "> ```",
    "<div>",
    "<!--",
    "<script>",
    "</details>",
    "<b>",
    "{/*",
    "`<!--`",
    "-->",
)
EXAMPLES = (
    "    <!-- specweave:begin v1 inc-0042 sha256=0123456789abcdef -->",
    "> <!-- specweave:end v1 inc-0042 -->",
    "- <!-- specweave:end v1 inc-0042 -->",
    "```\n<!-- specweave:begin v1 inc-0042 sha256=0123456789abcdef -->\n```",
    "see <!-- specweave:end v1 inc-0042 --> there",
    "<!-- a comment -->",
    "<!-- specweave:comparison v1 sha256=0123456789abcdef -->",
)
ODD = (
    "a\x0bb\x0cc\x85d\u2028e",
    "\x00",
    "\u202ehidden",
    "---\nkey: value\n---",
    "<<<<<<< HEAD",
    "=======",
    ">>>>>>> x",
)
ALL = WORDS + BLOCKS + OPENERS + EXAMPLES + ODD
ENDINGS = ("\n", "\n", "\n", "\r\n", "\r")


def document(lines: list[str], ending: str, *, bom: bool = False, ended: bool = True) -> bytes:
    """The bytes of a document of these lines, each of which may be several."""
    text = "\n".join(lines) + "\n" * ended
    return ("\ufeff" * bom + text.replace("\n", ending)).encode()
