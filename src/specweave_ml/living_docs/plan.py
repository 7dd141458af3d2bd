"""A sync decided before anything is written: read the documents, say what would change and why."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from specweave_ml.errors import Refused, UsageError
from specweave_ml.living_docs.bases import base_folder, read_bases
from specweave_ml.living_docs.document import renew_document
from specweave_ml.living_docs.files import find_document, refuse_outside
from specweave_ml.living_docs.text import decode, readable_diff

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Literal

    from specweave_ml.living_docs.files import Found
    from specweave_ml.living_docs.renewal import RegionChange
    from specweave_ml.living_docs.wanted import Document

    Action = Literal["created", "updated", "unchanged", "conflict", "pruned"]

_CHECKED = ("created", "updated", "unchanged", "conflict")
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Change:
    """What a sync does with one document.

    Attributes:
        path: relative to the project's root.
        action: `conflict` when a region, or the whole document, was left as it is and a person has to look.
        why: in a line.
        regions: the same, for each region.
        found: the document as it was read.
        data: its new bytes; None when it stays as it is.
        bases: base files to write, by region; None to remove one.
    """

    path: str
    action: Action
    why: str
    regions: tuple[RegionChange, ...] = ()
    found: Found | None = None
    data: bytes | None = None
    bases: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def diff(self) -> str:
        """The change as a unified diff, then what stands against each conflict."""
        conflicts = "".join(region.diff for region in self.regions)
        if self.data is None or self.found is None:
            return conflicts
        return readable_diff(decode(self.found.data or b""), decode(self.data), self.path, self.path) + conflicts


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """What a sync does, document by document; before it is applied, or as it went.

    Attributes:
        root: the project's folder.
        changes: one for each document, in the order they were given.
    """

    root: str
    changes: tuple[Change, ...]

    @property
    def checked(self) -> int:
        """How many regions should be there and were compared."""
        return sum(region.outcome in _CHECKED for change in self.changes for region in change.regions)

    @property
    def opted_out(self) -> int:
        """How many regions a person deleted."""
        return sum(region.outcome == "opted_out" for change in self.changes for region in change.regions)

    @property
    def changed(self) -> int:
        """How many documents get other bytes."""
        return sum(change.data is not None for change in self.changes)

    @property
    def conflicts(self) -> tuple[Change, ...]:
        """The documents that a person has to look at."""
        return tuple(change for change in self.changes if change.action == "conflict")

    @property
    def is_current(self) -> bool:
        """Whether `--check` passes: nothing to change, nothing in conflict, and something was looked at."""
        settled = all(change.action == "unchanged" for change in self.changes)
        return settled and self.checked + self.opted_out > 0

    @property
    def diff(self) -> str:
        """All changes as one readable diff."""
        return "".join(change.diff for change in self.changes)

    def as_dict(self) -> dict[str, object]:
        """The JSON form that the command line prints under `--json` (without its `schema` key)."""
        documents = [{"path": each.path, "action": each.action, "why": each.why} for each in self.changes]
        return {
            "changed": self.changed,
            "checked": self.checked,
            "opted_out": self.opted_out,
            "documents": documents,
        }


def plan_sync(root: str, documents: Sequence[Document], *, prune: bool = False, restore: bool = False) -> SyncPlan:
    """Decide what becomes of each document. Nothing is written.

    Args:
        root: the project's folder.
        documents: what should stand where.
        prune: remove untouched regions that nothing is generated for, from documents that are given as complete.
        restore: bring back the regions that a person deleted.

    Raises:
        StoreError: a document cannot be read.
        UsageError: one document is given twice.
    """
    paths = [document.path for document in documents]
    if len({*paths}) < len(paths):
        raise UsageError("a document is given twice", received=paths)
    return SyncPlan(root, tuple(_plan(root, document, prune=prune, restore=restore) for document in documents))


def _plan(root: str, document: Document, *, prune: bool, restore: bool) -> Change:
    bases = read_bases(root, document.path)
    try:
        refuse_outside(root, base_folder(document.path))
        found = find_document(root, document.path)
        renewed = renew_document(found.data, document, bases, prune=prune, restore=restore)
    except Refused as problem:
        return Change(document.path, "conflict", f"{problem.what}; {problem.next_step}")
    if renewed.data is not None and found.read_only:
        return Change(document.path, "conflict", "there is something new, and the file is read-only", renewed.regions)
    new_bases = {region: body for region, body in renewed.bases.items() if bases.get(region) != body}
    action = _action(found.data, renewed.data, renewed.regions)
    why = _in_a_line(renewed.regions)
    return Change(document.path, action, why, renewed.regions, found, renewed.data, new_bases)


def _action(old: bytes | None, new: bytes | None, regions: Sequence[RegionChange]) -> Action:
    outcomes = {region.outcome for region in regions}
    if "conflict" in outcomes:
        return "conflict"
    if new is None:
        return "unchanged"
    if old is None:
        return "created"
    return "updated" if outcomes & {"created", "updated"} else "pruned"


def _in_a_line(regions: Sequence[RegionChange]) -> str:
    said: defaultdict[str, list[str]] = defaultdict(list)
    for region in regions:
        said[region.why].append(region.id)
    if len(said) > 1:
        said.pop("nothing new", None)
    groups = [
        f"{', '.join(names) if len(names) <= _MOST_NAMED else f'{len(names)} regions'}: {why}"
        for why, names in said.items()
    ]
    return "; ".join(groups) or "no region belongs here"
