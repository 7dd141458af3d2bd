"""An increment's experiments, read and compared once for all its documents."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from specweave_ml.errors import Refused
from specweave_ml.living_docs import Change
from specweave_ml.living_docs.files import find_document
from specweave_ml.reports import Comparison, compared, is_generated
from specweave_ml.store.layout import COMPARISON
from specweave_ml.store.pictures import FOLDER, outdated_pictures
from specweave_ml.store.reader import read_experiments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specweave_ml.project import Increment
    from specweave_ml.record import Experiment


@dataclass(frozen=True, slots=True)
class Examined:
    """An increment, the comparison of its live experiments, and the archived ones."""

    where: Increment
    comparison: Comparison
    archived: Sequence[Experiment]

    @property
    def experiments(self) -> str:
        """The folder of its experiments, relative to the project's root."""
        return os.path.relpath(self.where.experiments, self.where.root)


def examine(where: Increment) -> Examined | None:
    """Read an increment; None where there are no experiments.

    Raises:
        StoreError: its experiments cannot be read.
    """
    found = read_experiments(where.experiments, where.name, archived=True)
    if not found:
        return None
    comparison = compared([experiment for experiment in found if not experiment.archived], where)
    return Examined(where, comparison, [experiment for experiment in found if experiment.archived])


def plan_comparison(examined: Examined) -> Change:
    """What becomes of comparison.md: generated whole, so one that a person changed is left as it is.

    Raises:
        StoreError: it cannot be read.
    """
    path = f"{examined.experiments}/{COMPARISON}"
    try:
        found = find_document(examined.where.root, path)
    except Refused as problem:
        return Change(path, "conflict", f"{problem.what}; {problem.next_step}")
    new = examined.comparison.to_markdown().encode()
    old = None if found.data is None else found.data.replace(b"\r\n", b"\n")
    if old == new:
        return Change(path, "unchanged", "nothing new")
    if old is None:
        return Change(path, "created", "new", found=found, data=new)
    if is_generated(old):
        return Change(path, "updated", "new data", found=found, data=new)
    return Change(path, "conflict", "changed by hand: move those words to decision.md, and delete it to have it again")


def plan_files_of_pictures(examined: Examined) -> list[Change]:
    """The pictures that are to be written or removed; one that is as it should be is not mentioned.

    Raises:
        StoreError: their folder cannot be read.
    """
    folder = f"{examined.experiments}/{FOLDER}"
    wanted = examined.comparison.picture_files
    outdated = outdated_pictures(examined.where.experiments, wanted)
    return [_picture_change(f"{folder}/{name}", examined, wanted=name in wanted) for name in outdated]


def _picture_change(path: str, examined: Examined, *, wanted: bool) -> Change:
    if not wanted:
        return Change(path, "pruned", "there is nothing to show in it any more")
    exists = os.path.exists(f"{examined.where.root}/{path}")
    return Change(path, "updated" if exists else "created", "new data" if exists else "new")
