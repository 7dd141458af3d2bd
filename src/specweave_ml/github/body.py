"""The body of the issue: our region, and below it two lines by which the issue is found again.

    <!-- specweave:begin v1 retrain sha256=… -->
    ### Why …
    <!-- specweave:end v1 retrain -->

    <!-- specweave:retrain increment=0042-recommendation-model key=retrain-model-with-q1-2024-data -->
    Retraining key: 0042-recommendation-model / retrain-model-with-q1-2024-data

The region is one as in the documents: what people write around it stays, and so do their edits inside, merged with new
data. The second line says the same as the first, for tools that drop comments. Neither is looked for inside the region
or a code block, where recorded text stands.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from specweave_ml.errors import Refused
from specweave_ml.living_docs import Document, Region
from specweave_ml.living_docs.blocks import parse_blocks
from specweave_ml.living_docs.document import renew_document
from specweave_ml.living_docs.markers import fingerprint
from specweave_ml.living_docs.regions import read_regions
from specweave_ml.living_docs.text import split_lines, with_newlines
from specweave_ml.project import folder_name
from specweave_ml.render import render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from specweave_ml.project import Increment

LONGEST = 60_000
"""Characters of our region; GitHub takes 65,536 in all, and people want to add theirs."""

PARTS = ("follows", "why", "selection", "reproduce", "criteria", "links", "failures", "notes")
"""The templates of the parts, in their order; where there is no room for all, the last ones are left out."""

_REGION = "retrain"
_LONGEST_SLUG = 80
_WORD = re.compile(r"[^\W_]+")
_MARKER = re.compile(r"<!--\s*specweave:retrain increment=(\S+) key=(\S+)\s*-->")
_VISIBLE = re.compile(r"Retraining key: (\S+) / (\S+)")
_TICKED = re.compile(r"^(\s*[-*+] )\[[xX]\]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Key:
    """What tells one request for a retraining from another: the increment, and the words of the title."""

    increment: str
    slug: str

    @property
    def lines(self) -> str:
        """The lines of a body that carry it."""
        marker = f"<!-- specweave:retrain increment={self.increment} key={self.slug} -->"
        return f"{marker}\n\nRetraining key: {self.increment} / {self.slug}\n"

    def is_in(self, body: str) -> bool:
        """Whether a body carries it, by either line, where a person or a tool may have left it."""
        if self.slug not in body:  # parsing takes its time
            return False
        try:
            tokens, _ = parse_blocks(with_newlines(body, "\n"))
        except Refused:
            return False
        # On the top level only: in a list, a quote or a code block it is text about a key.
        said = (token.content for token in tokens if (token.type, token.level) in {("html_block", 0), ("inline", 1)})
        lines = (line.strip() for text in said for line in text.split("\n"))
        found = (pattern.fullmatch(line) for line in lines for pattern in (_MARKER, _VISIBLE))
        return any(each is not None and each.groups() == (self.increment, self.slug) for each in found)


def key_of(where: Increment, title: str) -> Key:
    """The key of a request: equal for titles of the same words, whatever their case and spacing."""
    plain = " ".join(unicodedata.normalize("NFKC", title).casefold().split())
    words = _WORD.findall(plain)
    slug = "-".join(words)[:_LONGEST_SLUG].strip("-")
    if slug.replace("-", " ") != plain:
        slug = f"{slug}-{hashlib.sha256(plain.encode()).hexdigest()[:6]}"
    return Key(folder_name(where.name), slug)


def render_parts(values: Mapping[str, Any]) -> list[str]:
    """The text of each part that has something to say."""
    texts = (render(f"github/{part}.md", **values).strip() for part in PARTS)
    return [text for text in texts if text]


def region_of(parts: Sequence[str], fits: Callable[[str], bool]) -> str:
    """The text of our region: as many of the parts, from the first, as fit."""
    kept = [*parts]
    while kept and not fits("\n\n".join(kept)):
        kept.pop()
    return "\n\n".join(kept)


def is_short_enough(region: str) -> bool:
    """Whether GitHub takes a region of this length."""
    return len(region) <= LONGEST


def new_body(region: str, key: Key) -> str:
    """The body of an issue that is to be opened."""
    done = renew_document(None, _document(region), {})
    return f"{(done.data or b'').decode()}\n{key.lines}"


@dataclass(frozen=True, slots=True)
class Renewal:
    """What becomes of the body of an issue that is there.

    Attributes:
        body: its new body; None to leave it as it is.
        why: in a few words.
        left: whether there is something new that could not be brought in.
    """

    body: str | None
    why: str
    left: bool = False


def renewed(body: str, region: str, base: str | None) -> Renewal:
    """Bring our region of a body up to date, and touch nothing else.

    Args:
        body: as it stands.
        region: the text of ours as it would be now.
        base: what it was when it was generated last, where that is known.
    """
    try:
        known = _before_ticking(body) or base
        # With a base, a region that is missing counts as deleted by a person, and is not put in again.
        done = renew_document(body.encode("utf-8", "surrogatepass"), _document(region), {_REGION: known or ""})
    except Refused as problem:
        return Renewal(None, f"{problem.what}; {problem.next_step}", left=True)
    change = next(each for each in done.regions if each.id == _REGION)
    if done.data is not None:
        return Renewal(done.data.decode(), change.why)
    why = "a person deleted our part of it" if change.outcome == "opted_out" else change.why
    return Renewal(None, why, left=change.outcome == "conflict")


def _document(region: str) -> Document:
    return Document("issue.md", (Region(_REGION, region),))


def _before_ticking(body: str) -> str | None:
    """What our region was before people ticked its boxes; None where they did something else, or nothing."""
    for live in read_regions(split_lines(body)).regions:
        plain = _TICKED.sub(r"\1[ ]", live.body)
        if live.id == _REGION and fingerprint(plain) == live.sha256:
            return plain
    return None
