"""What should stand in which document of a project, made from the records of its increments."""

from __future__ import annotations

import os
import re
from collections import Counter
from typing import TYPE_CHECKING

from specweave_ml.documents.decision_records import Records
from specweave_ml.documents.facts import gather
from specweave_ml.documents.pages import Pages, Places
from specweave_ml.documents.targets import find_targets
from specweave_ml.documents.wording import Wording
from specweave_ml.living_docs import Document, Region
from specweave_ml.project import list_increments
from specweave_ml.store.layout import COMPARISON
from specweave_ml.store.pictures import FOLDER as PICTURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specweave_ml.documents.examined import Examined
    from specweave_ml.documents.targets import Targets
    from specweave_ml.project import Increment

MOST_CONSIDERED = 20
"""Models in the table of a digest or a decision record: the best ones, when there are more."""

_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9]+")


def wanted_documents(root: str, increments: Sequence[Examined], *, complete: bool = False) -> list[Document]:
    """The documents of some increments, with their regions.

    Args:
        root: the project's folder.
        increments: what they are about.
        complete: these are all there are, so that whatever else of ours stands in the documents belongs to none.

    Raises:
        Refused: a template of the project's own has a mistake.
        UsageError: the settings are not understood.
        StoreError: records, settings or documents cannot be read.
    """
    draft = _Draft(root, find_targets(root))
    for examined in increments:
        draft.add(examined)
    return draft.documents(complete=complete)


class _Draft:
    """The regions of each document, collected increment by increment."""

    def __init__(self, root: str, targets: Targets) -> None:
        self._root = root
        self._targets = targets
        self._wording = Wording(root)
        self._records = Records(root, targets.records, targets.record_names) if targets.records else None
        self._numbers = Counter(each.id for each in list_increments(root))
        self._shared: dict[str, tuple[str, list[Region]]] = {}
        self._own: list[Document] = []

    def add(self, examined: Examined) -> None:
        """Everything that is to be said of one increment."""
        where, pages = examined.where, self._pages(examined)
        region = _region_id(where, unique=self._numbers[where.id] <= 1)
        targets, facts = self._targets, pages.facts
        for page, path in (("ml-models", targets.models), ("ml-experiments", targets.experiments)):
            if path is not None:
                self._section(page, path, pages, Region(region, pages.section(path), pages.heading()))
        if facts.model and targets.runbook:
            path = targets.runbook
            self._section("model-training", path, pages, Region(region, pages.training(path), pages.heading()))
        if targets.digest:
            path = f"{os.path.relpath(where.path, self._root)}/reports/experiments-{where.id}.md"
            self._whole(path, Region(region, pages.digest(path)), pages.title("experiments-digest"))
        if facts.model and facts.model.selected and self._records:
            self._record(self._records, region, pages)

    def documents(self, *, complete: bool) -> list[Document]:
        """All of them: the shared pages first."""
        if complete:
            for path in (self._targets.models, self._targets.experiments, self._targets.runbook):
                if path is not None and os.path.exists(f"{self._root}/{path}"):
                    self._shared.setdefault(path, ("", []))
        shared = [
            Document(path, tuple(regions), preamble, self._targets.markers, complete)
            for path, (preamble, regions) in self._shared.items()
        ]
        return [*shared, *self._own]

    def _pages(self, examined: Examined) -> Pages:
        facts = gather(examined.comparison, examined.archived)
        packages = f"{examined.experiments}/{facts.recipe.packages}" if facts.recipe and facts.recipe.packages else None
        pictures = examined.comparison.pictures.items()
        places = Places(
            comparison=f"{examined.experiments}/{COMPARISON}",
            models=self._targets.models or self._targets.experiments,
            runbook=self._targets.runbook if facts.model else None,
            packages=packages if packages and os.path.isfile(f"{self._root}/{packages}") else None,
            pictures={f"{examined.experiments}/{PICTURES}/{name}": picture for name, picture in pictures},
        )
        return Pages(self._wording, facts, examined.comparison.table(most_rows=MOST_CONSIDERED), places)

    def _section(self, page: str, path: str, pages: Pages, region: Region) -> None:
        if path not in self._shared:
            self._shared[path] = (pages.title(page), [])
        self._shared[path][1].append(region)

    def _whole(self, path: str, region: Region, preamble: str) -> None:
        self._own.append(Document(path, (region,), preamble, self._targets.markers))

    def _record(self, records: Records, region: str, pages: Pages) -> None:
        facts = pages.facts
        if facts.model is None:
            return
        new = records.needed(region, facts.model.name, f"{facts.title} {facts.model.name}", facts.model.date)
        if new is None:
            return
        body = pages.record(new.path, new.supersedes.path if new.supersedes else None)
        self._whole(new.path, Region(new.region, body), pages.title("adr", number=new.number))


def _region_id(where: Increment, *, unique: bool) -> str:
    name = where.id if unique else where.name
    return f"inc-{_NOT_IN_AN_ID.sub('-', name).strip('-')}"
