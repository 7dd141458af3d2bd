"""decision.md: a person's word on an increment's experiments. Its front matter is read here; its body is theirs.

Of the body, only lines such as `Retrain when: accuracy below 0.8` are read: they add to `retrain_when`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import Any

from specweave_ml.errors import StoreError
from specweave_ml.store.layout import READ
from specweave_ml.store.plain_yaml import parse_mapping

SIZE_LIMIT = 64_000
"""Bytes of front matter."""

FRONT_MATTER = "the front matter of decision.md"

_OPENING = re.compile(rb"(?:\xef\xbb\xbf)?---[ \t]*(?:\r\n|[\r\n]|\Z)")
_CLOSING = re.compile(rb"(?<=[\r\n])---[ \t]*(?=[\r\n]|\Z)")
_RETRAIN_WHEN = re.compile(r"^ {0,3}(?:[-*+] +)?retrain when *: *(\S.*)$", re.IGNORECASE | re.MULTILINE)
_UNSEEN = re.compile(r"<!--.*?(?:-->|\Z)|^ {0,3}(```|~~~).*?(?:^ {0,3}\1|\Z)", re.DOTALL | re.MULTILINE)
_MORE_THAN_COMMENTS = re.compile(rb"^[ \t]*[^ \t\r\n#]", re.MULTILINE)
_KEYS = ("selected", "by", "date", "because", "primary", "direction", "baseline")
_ABSENT = frozenset({"", "~", "null", "none"})


@dataclass(frozen=True, slots=True)
class Decision:
    """What decision.md says. A key that is not there is None.

    Attributes:
        selected: the experiment that was chosen.
        by: who chose it.
        date: when, as written.
        because: the reason in their words.
        primary: the metric that decides.
        direction: which way that metric is better, as written.
        baseline: the experiment the others are measured against.
        retrain_when: what should lead to a new training, one reason each; those of the body come last.
        problem: why the front matter could not be read; all else is None then.
    """

    selected: str | None = None
    by: str | None = None
    date: str | None = None
    because: str | None = None
    primary: str | None = None
    direction: str | None = None
    baseline: str | None = None
    retrain_when: tuple[str, ...] = ()
    problem: str | None = None


def read_decision(path: str) -> Decision:
    """The front matter of a decision.md; an empty `Decision` where there is no file or no front matter.

    A damaged file stops nothing: it is ignored, and `problem` says why.
    """
    try:
        with open(path, "rb", opener=no_link) as file:
            data = file.read(SIZE_LIMIT)
    except FileNotFoundError:
        return Decision()
    except OSError as error:
        return Decision(problem=f"decision.md cannot be read: {error.strerror or error}")
    try:
        place = find_front_matter(data)
        decision = Decision() if place is None else parse_decision(data[place])
        return replace(decision, retrain_when=(*decision.retrain_when, *_said_in_the_body(data, place)))
    except StoreError as error:
        return Decision(problem=error.what)


def find_front_matter(data: bytes) -> slice | None:
    """Where the lines between the two fences of a file's front matter stand; None where it has none.

    Raises:
        StoreError: the second fence is missing, or too far away.
    """
    opening = _OPENING.match(data)
    if opening is None:
        return None
    closing = _CLOSING.search(data, opening.end(), SIZE_LIMIT)
    if closing is None:
        raise StoreError(f"{FRONT_MATTER} has no closing --- within {SIZE_LIMIT} bytes")
    return slice(opening.end(), closing.start())


def parse_front_matter(front_matter: bytes) -> dict[str, Any]:
    """Its keys and values, every scalar as the text that was written.

    Raises:
        StoreError: it is not a YAML mapping, or holds what is not read.
    """
    if not _MORE_THAN_COMMENTS.search(front_matter):
        return {}
    return parse_mapping(front_matter, FRONT_MATTER, size_limit=SIZE_LIMIT, as_text=True)


def parse_decision(front_matter: bytes) -> Decision:
    """What the lines between the fences say.

    Raises:
        StoreError: they cannot be read, or one of our keys is no plain text.
    """
    values = parse_front_matter(front_matter)
    odd = sorted(key for key in _KEYS if key in values and not isinstance(values[key], str))
    if odd:
        raise StoreError(f"{FRONT_MATTER}: {', '.join(odd)} must be plain text")
    said = {key: values[key].strip() for key in _KEYS if key in values}
    reasons = _reasons(values.get("retrain_when", ""))
    return Decision(**{key: text for key, text in said.items() if _says_something(text)}, retrain_when=reasons)


def _said_in_the_body(data: bytes, front_matter: slice | None) -> list[str]:
    body = data[front_matter.stop if front_matter else 0 :].decode(errors="replace")
    lines = _UNSEEN.sub("", body.replace("\r\n", "\n"))
    return [found[1].strip() for found in _RETRAIN_WHEN.finditer(lines)]


def _reasons(value: Any) -> tuple[str, ...]:
    reasons = value if isinstance(value, list) else [value]
    if not all(isinstance(reason, str) for reason in reasons):
        raise StoreError(f"{FRONT_MATTER}: retrain_when must be plain text or a list of it")
    return tuple(reason.strip() for reason in reasons if _says_something(reason.strip()))


def _says_something(text: str) -> bool:
    return text.lower() not in _ABSENT


def no_link(path: str, flags: int) -> int:
    """For `open`: no link is followed, and a pipe in the file's place holds nobody up."""
    return os.open(path, flags | READ)
