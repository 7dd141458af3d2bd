"""The cases of living documents: small scripts that a person can read, for us and for the tools beside us.

A case is a file under `tests/golden/living_docs/`: a title, then steps that begin with `== `. Their words are in the
README beside the cases. The same files are run against other tools by `make compare-docs`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

CASES = Path(__file__).parent / "golden" / "living_docs"

# What an editor or git would not leave alone is written with a sign.
SIGNS = {"␍": "\r", "␋": "\x0b", "␌": "\x0c", "␤": "\x85", "⏎": "\u2028", "⟨BOM⟩": "\ufeff", "␄\n": ""}
HASH = re.compile(r"(?<=specweave:begin v1 )(\S+) sha256=hash\((\w+)\)")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its word, what stands behind it on the line, and the text below it."""

    word: str
    arguments: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Case:
    """A case: the number in the table of living documents, a title, and what happens."""

    name: str
    number: int
    title: str
    steps: tuple[Step, ...]


def all_cases() -> list[Case]:
    return [read_case(path) for path in sorted(CASES.glob("*.case"))]


def read_case(path: Path) -> Case:
    head, *steps = re.split(r"^== ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return Case(path.stem, int(path.stem[:2]), head.strip().splitlines()[0], tuple(map(_step, steps)))


def _step(block: str) -> Step:
    line, _, text = block.partition("\n")
    word, *arguments = line.split()
    text = text.removesuffix("\n") if text.endswith("\n\n") else text
    for sign, character in SIGNS.items():
        text = text.replace(sign, character)
    return Step(word, tuple(arguments), text)


def with_hashes(text: str, known: dict[tuple[str, str], str]) -> str:
    """The text with the real hash where a marker says `hash(base)` or `hash(generated)`."""
    return HASH.sub(lambda found: f"{found[1]} sha256={known.get((found[1], found[2]), '0123456789abcdef')}", text)
