"""decision.md edited: people own this file, so of all its bytes only the values that change are touched.

A value is replaced where it stands, by the positions that the YAML parser gives. Dumping the whole front matter anew
would lose spacing, quotes and folded lines, which people chose.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import yaml

from specweave_ml.errors import NotFound, Refused, StoreError
from specweave_ml.store.decision import FRONT_MATTER, find_front_matter, no_link, parse_decision, parse_front_matter
from specweave_ml.store.layout import refuse_link
from specweave_ml.store.metadata import dump_metadata
from specweave_ml.store.replace import replace_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from specweave_ml.record import Experiment

    Said = Mapping[str, str | None]

_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|[\r\n]")
_BLOCK_HEADER = re.compile(r"(?:[!&]\S*[ \t]+)*[|>][-+0-9]*")
_LONGEST_PLAIN = 400
_PLAIN = re.compile(r"[^\W_](?:[\w ,.()%/+=;'-]*[\w.()%/+=])?")


@dataclass(frozen=True, slots=True)
class Edit:
    """A decision.md as it stands (None: there is none) and as it should stand."""

    path: str
    old: bytes | None
    new: bytes

    @property
    def changes_something(self) -> bool:
        """Whether there is anything to write."""
        return self.new != (self.old or b"")


def refusal_to_select(experiment: Experiment) -> Refused | None:
    """Why an experiment cannot be the selected one; None where it can."""
    why, next_step = None, "specweave-ml list --status finished"
    if experiment.kind != "experiment":
        why = "belongs to another tool" if experiment.kind == "foreign" else "cannot be read"
    elif experiment.archived:
        why, next_step = "is archived", f"specweave-ml restore {experiment.name}"
    elif experiment.status != "finished":
        ended = {"failed": "failed", "killed": "was killed"}.get(experiment.status, "has not finished")
        why = f"{ended}, so nothing says how good its model is"
    if why is None:
        return None
    return Refused(
        f"{experiment.name} {why}",
        received=experiment.name,
        expected="a finished experiment of this increment",
        next_step=next_step,
    )


def plan_decision(path: str, said: Said) -> Edit:
    """What a decision.md becomes when these keys of its front matter get these values. Writes nothing.

    Args:
        path: of the file, which may not exist.
        said: value by key; None takes the key out.

    Raises:
        Refused: its front matter cannot be read, or not be edited for certain; or a link stands in its place.
        StoreError: it cannot be read.
    """
    refuse_link(path, "decision.md")
    old = _present(path)
    try:
        return Edit(path, old, edited(old or b"", said))
    except Refused as error:
        error.path = path
        raise


def apply_decision(edit: Edit) -> bool:
    """Write what was planned; False where there is nothing to write.

    Raises:
        Refused: somebody changed the file after it was read; it stays as they left it.
        StoreError: it cannot be written; the old one stands.
    """
    if not edit.changes_something:
        return False
    if _present(edit.path) != edit.old:
        raise Refused("decision.md was changed meanwhile", path=edit.path, next_step="say it again")
    try:
        return replace_file(edit.path, edit.new)
    except FileNotFoundError:
        raise NotFound("there are no experiments to decide on", path=os.path.dirname(edit.path)) from None
    except OSError as error:
        raise StoreError(f"decision.md cannot be written: {error.strerror or error}", path=edit.path) from error


def edited(data: bytes, said: Said) -> bytes:
    """The bytes of a decision.md in which these keys have these values, and everything else is as it was.

    Raises:
        Refused: the front matter cannot be read, or not be edited for certain.
    """
    try:
        place = find_front_matter(data)
        front_matter = b"" if place is None else data[place]
        parse_decision(front_matter)
        values = parse_front_matter(front_matter)
        text = front_matter.decode()
    except (StoreError, UnicodeDecodeError) as error:
        raise _damaged(error) from None
    changes = {key: value for key, value in said.items() if values.get(key) != value}
    if not changes:
        return data
    newline = _newline(data)
    try:
        for key, value in changes.items():
            text = _without(text, key) if value is None else _with(text, key, value, newline)
        new = text.encode()
        _check(parse_front_matter(new), {**values, **changes})
    except (StoreError, yaml.YAMLError, UnicodeEncodeError):
        raise _damaged(None) from None
    if place is not None:
        return data[: place.start] + new + data[place.stop :]
    bom = _BOM if data.startswith(_BOM) else b""
    fence = f"---{newline}".encode()
    return bom + fence + new + fence + data[len(bom) :]


def _present(path: str) -> bytes | None:
    try:
        with open(path, "rb", opener=no_link) as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"decision.md cannot be read: {error.strerror or error}", path=path) from error


def _newline(data: bytes) -> str:
    found = _LINE_END.search(data)
    return found[0].decode() if found else "\n"


def _composed(text: str) -> yaml.MappingNode | None:
    """The front matter's mapping with the positions of its parts; None where it has none."""
    # The parser that reads decision.md: the one written in Python refuses a tab before a comment.
    root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return root if isinstance(root, yaml.MappingNode) else None


def _nodes(text: str, key: str) -> tuple[yaml.ScalarNode, yaml.ScalarNode] | None:
    """A key and its value as they stand in the text; None where the key is not there.

    Raises:
        Refused: it is there twice.
    """
    root = _composed(text)
    pairs = [] if root is None else [pair for pair in root.value if pair[0].value == key]
    if len(pairs) > 1:
        raise Refused(f"{FRONT_MATTER} has {key} twice", received=key, next_step="delete one of the two")
    return pairs[0] if pairs else None


def _with(text: str, key: str, value: str, newline: str) -> str:
    found = _nodes(text, key)
    if found is None:
        return f"{text}{_indent(text)}{key}: {_scalar(value)}{newline}"
    start, end, rest = _span(text, found[1])
    space = "" if text[start - 1].isspace() else " "
    return f"{text[:start]}{space}{_scalar(value)}{rest}{text[end:]}"


def _without(text: str, key: str) -> str:
    """The text without a key and its value. Where a comment or another key stands on their lines, the key stays."""
    found = _nodes(text, key)
    if found is None:
        return text
    start, end, rest = _span(text, found[1])
    first = max(text.rfind(newline, 0, found[0].start_mark.index) for newline in "\r\n") + 1
    before = text[first : found[0].start_mark.index] + text[found[0].end_mark.index : start]
    after = re.match(r"[ \t]*(?:\r\n|[\r\n]|\Z)", text[end:])
    if after and not rest.strip() and before.strip() == ":":
        return text[:first] + text[end + after.end() :]
    return text[:start] + rest + text[end:]


def _span(text: str, value: yaml.ScalarNode) -> tuple[int, int, str]:
    """From where to where a value stands, and what behind its first line's `>` is a person's comment."""
    start, end = value.start_mark.index, value.end_mark.index
    end = start + len(text[start:end].rstrip())
    header = _BLOCK_HEADER.match(text, start, end) if value.style in {"|", ">"} else None
    return start, end, re.split(r"[\r\n]", text[header.end() : end], maxsplit=1)[0] if header else ""


def _indent(text: str) -> str:
    root = _composed(text)
    return "" if root is None else " " * root.value[0][0].start_mark.column


def _scalar(value: str) -> str:
    """A value as a person would write it: plain where that can be nothing else, else in quotes."""
    if len(value) <= _LONGEST_PLAIN and _PLAIN.fullmatch(value) and isinstance(yaml.safe_load(value), str | date):
        return value
    return dump_metadata({"value": value}).decode().removeprefix("value: ").removesuffix("\n")


def _check(found: Said, expected: Said) -> None:
    """What was written must say what was wanted, and of all else what it said before."""
    if any((found.get(key) or None) != (expected.get(key) or None) for key in {*found, *expected}):
        raise _damaged(None)


def _damaged(error: Exception | None) -> Refused:
    why = getattr(error, "what", error) or f"{FRONT_MATTER} is written in a way that cannot be edited for certain"
    return Refused(
        f"{why}; nothing was written", expected="lines such as `selected: NAME`", next_step="mend it by hand"
    )
