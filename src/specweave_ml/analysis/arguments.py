"""The arguments of a recorded command line by name, as far as their form gives names."""

from __future__ import annotations

import re
from typing import Any

from specweave_ml.provenance.command import TAKING_A_VALUE

_OPTION = re.compile(r"--?[A-Za-z][^=\s]*")
_ASSIGNMENT = re.compile(r"[+~]*([A-Za-z_][\w./@-]*)=(.*)", re.DOTALL)
_MODULE = "-m"
_CODE = "-c"

SCRIPT = "script"
"""The name of the first word that has none of its own."""


def arguments(argv: Any) -> dict[str, str]:
    """Name → value of `--lr 0.1`, `--lr=0.1`, `-n 5`, `lr=0.1` and `--flag`; what has no name: `script`, `#2`, `#3`, ….

    Several values of one option (`--layers 64 32`) are joined by blanks. The interpreter is left out: which one ran is
    recorded apart from the command line.
    """
    words = [str(word) for word in argv][1:] if isinstance(argv, list) else []
    named = _of_the_interpreter(words)
    option: str | None = None
    unnamed = 0
    for word in words:
        name, equals, value = word.partition("=")
        assignment = _ASSIGNMENT.fullmatch(word)
        if _OPTION.fullmatch(name):
            option = None if equals else name
            named[name] = _joined(named.get(name), value)
        elif assignment:
            option = None
            named[assignment[1]] = _joined(named.get(assignment[1]), assignment[2])
        elif option is not None:
            named[option] = _joined(named[option], word)
            option = None if option == _MODULE else option
        else:
            unnamed += 1
            named[SCRIPT if unnamed == 1 else f"#{unnamed}"] = word
    return named


def _of_the_interpreter(words: list[str]) -> dict[str, str]:
    """Take python's own options, such as `-u`, off the front: none of them owns the word that follows."""
    named: dict[str, str] = {}
    while words and words[0].startswith("-") and words[0] not in (_MODULE, _CODE):
        option = words.pop(0)
        value = words.pop(0) if option in TAKING_A_VALUE and words else ""
        named[option] = _joined(named.get(option), value)
    return named


def _joined(earlier: str | None, word: str) -> str:
    return f"{earlier} {word}" if earlier else word
