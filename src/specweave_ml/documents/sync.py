"""The documents of a project brought up to date: planned first, then written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from specweave_ml.documents.examined import examine, plan_comparison, plan_files_of_pictures
from specweave_ml.documents.wanted import wanted_documents
from specweave_ml.living_docs import SyncPlan
from specweave_ml.living_docs import apply_sync as apply_regions
from specweave_ml.living_docs import plan_sync as plan_regions
from specweave_ml.living_docs.apply import OVERTAKEN
from specweave_ml.project import find_increment, find_root, list_increments
from specweave_ml.store.pictures import remove_pictures, write_pictures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ATTEMPTS = 3
_CHANGES = ("created", "updated", "pruned")


@dataclass(frozen=True, slots=True)
class DocumentsPlan(SyncPlan):
    """What a sync does with the documents and the pictures that they show.

    Attributes:
        pictures: by the folder of an increment's experiments, the file name and text of each picture.
    """

    pictures: Mapping[str, Mapping[str, str]]

    @property
    def changed(self) -> int:
        """How many files get other bytes, are made, or go."""
        return sum(each.data is not None or each.action in _CHANGES for each in self.changes)


def plan_sync(
    increments: Sequence[str] | None = None,
    *,
    everything: bool = False,
    prune: bool = False,
    restore: bool = False,
    start: str | None = None,
) -> DocumentsPlan:
    """What a sync would do, document by document. Nothing is written.

    Args:
        increments: which ones, each as `find_increment` takes it. None: the active one.
        everything: all increments of the project instead.
        prune: with `everything`, remove untouched regions of increments that have no experiments any more.
        restore: bring back the regions that a person deleted.
        start: where to look for the project from; by default where we stand.

    Raises:
        NotFound: no project, or no such increment.
        Refused: a template of the project's own has a mistake.
        UsageError: the project's settings are not understood.
        StoreError: experiments, settings or documents cannot be read.
    """
    root = find_root(start)
    if everything:
        meant = list_increments(root)
    elif increments:
        meant = [find_increment(increment, start) for increment in increments]
    else:
        meant = [find_increment(None, start)]
    examined = [found for found in map(examine, meant) if found is not None]
    documents = wanted_documents(root, examined, complete=everything)
    regions = plan_regions(root, documents, prune=prune, restore=restore)
    pictures = [change for each in examined for change in plan_files_of_pictures(each)]
    # What documents link to goes before them.
    changes = (*pictures, *map(plan_comparison, examined), *regions.changes)
    texts = {each.where.experiments: each.comparison.picture_files for each in examined}
    return DocumentsPlan(root, changes, texts)


def apply_sync(plan: DocumentsPlan) -> DocumentsPlan:
    """Write what was planned, and return the plan as it went.

    Pictures that no document shows any more are removed last, and only where no document stayed as it was.

    Raises:
        Refused: another sync does not end, or a file that is not ours has the name of a picture.
        StoreError: a file cannot be written; what came before it is done, the rest as it was.
    """
    for experiments, texts in plan.pictures.items():
        write_pictures(experiments, texts)
    done = apply_regions(plan)
    if not done.conflicts:
        for experiments, texts in plan.pictures.items():
            remove_pictures(experiments, texts)
    return replace(plan, changes=done.changes)


def sync(
    increments: Sequence[str] | None = None,
    *,
    everything: bool = False,
    prune: bool = False,
    restore: bool = False,
    start: str | None = None,
) -> DocumentsPlan:
    """Plan and apply, and again for what somebody else changed in between; the arguments are those of `plan_sync`.

    Raises:
        Refused: a template of the project's own has a mistake, or another sync does not end.
        NotFound, UsageError: as `plan_sync`.
        StoreError: a file cannot be read or written; documents before it are done, the others as they were.
    """
    for _ in range(_ATTEMPTS):
        plan = plan_sync(increments, everything=everything, prune=prune, restore=restore, start=start)
        done = apply_sync(plan)
        if not any(change.why == OVERTAKEN for change in done.changes):
            break
    return done
