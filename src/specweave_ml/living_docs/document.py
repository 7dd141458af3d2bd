"""One document renewed, as text: its bytes and what should stand in it in, its new bytes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from specweave_ml.errors import Refused
from specweave_ml.living_docs.assemble import Section, assemble
from specweave_ml.living_docs.git_conflict import is_conflicted, read_conflicted
from specweave_ml.living_docs.guard import check_before_writing
from specweave_ml.living_docs.markers import fingerprint
from specweave_ml.living_docs.place import find_place
from specweave_ml.living_docs.regions import read_regions
from specweave_ml.living_docs.renewal import DELETED, RegionChange, renew
from specweave_ml.living_docs.settled import find_settled
from specweave_ml.living_docs.text import Text, decode, normal_body, read_text, split_lines
from specweave_ml.living_docs.wanted import order_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from specweave_ml.living_docs.assemble import Piece
    from specweave_ml.living_docs.place import Place
    from specweave_ml.living_docs.regions import Live, Reading
    from specweave_ml.living_docs.renewal import Outcome
    from specweave_ml.living_docs.wanted import Document, Region


@dataclass(frozen=True, slots=True)
class Renewed:
    """What a sync makes of a document.

    Attributes:
        data: its new bytes; None when it stays as it is.
        regions: what happens to each region, those that are wanted and those that were found.
        bases: what to keep of each region for the next merge; None to forget it.
    """

    data: bytes | None
    regions: tuple[RegionChange, ...]
    bases: Mapping[str, str | None] = field(default_factory=dict)


def renew_document(
    data: bytes | None, document: Document, bases: Mapping[str, str], *, prune: bool = False, restore: bool = False
) -> Renewed:
    """Bring the regions of a document up to date.

    Args:
        data: the document as it stands; None when there is none, which is never taken for a deletion.
        document: what should stand in it.
        bases: what was generated last time, by region, in its normal form.
        prune: remove untouched regions that nothing is generated for, where the document says it is complete.
        restore: bring back the regions that a person deleted.

    Raises:
        Refused: the document cannot be read for certain, or writing would change more than our regions.
    """
    if data is not None and not restore:
        settled = find_settled(decode(data).removeprefix("\ufeff"), document, bases, prune=prune)
        if settled is not None:
            return Renewed(None, tuple(settled))
    text = read_text(data if data is not None else document.preamble.encode())
    reading, conflicted = _read(text)
    draft = _Draft(document, reading)
    draft.renew_wanted(bases, conflicted, restore=restore or data is None)
    draft.sort_out_others(bases, prune=prune)
    pieces = draft.pieces(text.newline)
    new = (text.bom + "".join(piece.text for piece in pieces)).encode()
    if new == data or not (draft.changes or data):
        return Renewed(None, tuple(draft.changes), draft.bases)
    check_before_writing(reading, pieces)
    return Renewed(new, tuple(draft.changes), draft.bases)


def _read(text: Text) -> tuple[Reading, frozenset[str]]:
    """The document, and the regions that two branches generated differently."""
    try:
        reading = read_regions(text.lines)
    except Refused:
        if not is_conflicted(text.lines):
            raise
        return read_conflicted(text.lines)
    if any(is_conflicted(split_lines(region.body)) for region in reading.regions):
        return read_conflicted(text.lines)
    return reading, frozenset()


class _Draft:
    """What changes in one document, and what is said about it."""

    def __init__(self, document: Document, reading: Reading) -> None:
        self.changes: list[RegionChange] = []
        self.bases: dict[str, str | None] = {}
        self._document = document
        self._reading = reading
        self._renewed: dict[str, Section | None] = {}
        self._inserted: list[tuple[Place, Section]] = []

    def renew_wanted(self, bases: Mapping[str, str], conflicted: frozenset[str], *, restore: bool) -> None:
        """Renew, insert or leave out each region of this sync."""
        standing = {live.id: live for live in self._reading.regions}
        if strange := conflicted - {region.id for region in self._document.regions}:
            raise Refused(
                f"there is a git conflict in {', '.join(sorted(strange))}, which is not part of this sync",
                next_step="specweave-ml sync-docs update --all",
            )
        for region in sorted(self._document.regions, key=lambda each: order_key(each.id)):
            if live := standing.get(region.id):
                self._renew(live, bases.get(region.id), normal_body(region.body), conflicted=region.id in conflicted)
            elif region.id in bases and not restore:
                self._say(region.id, "opted_out", DELETED)
            else:
                self._insert(region, "brought back" if region.id in bases else "new")

    def sort_out_others(self, bases: Mapping[str, str], *, prune: bool) -> None:
        """Remove, or name, the regions that nothing is generated for any more."""
        if not self._document.complete:
            return
        wanted = {region.id for region in self._document.regions}
        standing = {live.id: live for live in self._reading.regions if live.id not in wanted}
        for live in standing.values():
            if prune and live.untouched:
                self._renewed[live.id] = None
                self.bases[live.id] = None
                self._say(live.id, "pruned", "nothing is generated for it any more")
            else:
                what_then = "--prune removes it" if live.untouched else "edited by a person, so it stays"
                self._say(live.id, "obsolete", f"nothing is generated for it any more; {what_then}")
        if prune:
            self.bases |= dict.fromkeys(bases.keys() - wanted - standing.keys())

    def pieces(self, newline: str) -> list[Piece]:
        """The new document, not checked yet."""
        style = self._document.marker_style
        return assemble(self._reading, self._renewed, self._inserted, newline=newline, style=style)

    def _renew(self, live: Live, base: str | None, generated: str, *, conflicted: bool) -> None:
        body, change = renew(live, base, generated)
        sha256 = live.sha256 if body is None else fingerprint(generated)
        if conflicted:
            change = RegionChange(live.id, "updated", "two branches had generated it")
        elif body is None and change.outcome != "conflict" and live.style != self._document.marker_style:
            body = live.body
            change = RegionChange(live.id, "updated", "its markers are written in the other style")
        self.changes.append(change)
        if body is not None:
            self._renewed[live.id] = Section(live.id, body, sha256)
        if sha256 == fingerprint(generated):
            self.bases[live.id] = generated

    def _insert(self, region: Region, why: str) -> None:
        try:
            place = find_place(self._reading, region)
        except Refused as problem:
            self._say(region.id, "conflict", f"{problem.what}; {problem.next_step}")
            return
        body = normal_body(region.body)
        self._inserted.append((place, Section(region.id, body, fingerprint(body), region.heading)))
        self.bases[region.id] = body
        self._say(region.id, "created", f"{why}, in the section written for it" if place.adopted else why)

    def _say(self, region: str, outcome: Outcome, why: str) -> None:
        self.changes.append(RegionChange(region, outcome, why))
