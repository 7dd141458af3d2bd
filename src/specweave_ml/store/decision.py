"""decision.md: a person's word on an increment's experiments. Its front matter is read here; its body is theirs."""

from __future__ import annotations

import os
from dataclasses import dataclass

from specweave_ml.errors import StoreError
from specweave_ml.store.plain_yaml import parse_mapping

SIZE_LIMIT = 64_000
"""Bytes of front matter."""

_FENCE = b"---"
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
        problem: why the front matter could not be read; all else is None then.
    """

    selected: str | None = None
    by: str | None = None
    date: str | None = None
    because: str | None = None
    primary: str | None = None
    direction: str | None = None
    baseline: str | None = None
    problem: str | None = None


def read_decision(path: str) -> Decision:
    """The front matter of a decision.md; an empty `Decision` where there is no file or no front matter.

    A damaged file stops nothing: it is ignored, and `problem` says why.
    """
    try:
        with open(path, "rb", opener=_no_link) as file:
            data = file.read(SIZE_LIMIT)
    except FileNotFoundError:
        return Decision()
    except OSError as error:
        return Decision(problem=f"decision.md cannot be read: {error.strerror or error}")
    lines = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").split(b"\n")
    if lines[0].rstrip() != _FENCE:
        return Decision()
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE), None)
    if end is None:
        return Decision(problem=f"the front matter of decision.md has no closing --- within {SIZE_LIMIT} bytes")
    return _decision(b"\n".join(lines[1:end]))


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW)


def _decision(front_matter: bytes) -> Decision:
    if not front_matter.strip():
        return Decision()
    try:
        values = parse_mapping(front_matter, "the front matter of decision.md", size_limit=SIZE_LIMIT, as_text=True)
    except StoreError as error:
        return Decision(problem=error.what)
    odd = sorted(key for key in _KEYS if key in values and not isinstance(values[key], str))
    if odd:
        return Decision(problem=f"the front matter of decision.md: {', '.join(odd)} must be plain text")
    said = {key: values[key].strip() for key in _KEYS if key in values}
    return Decision(**{key: text for key, text in said.items() if text.lower() not in _ABSENT})
