"""The text of every page of one increment, by the templates."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from specweave_ml.analysis.numbers import MISSING
from specweave_ml.analysis.table import Table
from specweave_ml.documents.links import relative_link, relative_path
from specweave_ml.record import ENDED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from specweave_ml.documents.facts import Facts
    from specweave_ml.documents.wording import Wording
    from specweave_ml.escape import Escaped
    from specweave_ml.pictures.card import Picture


@dataclass(frozen=True, slots=True)
class Places:
    """Where the files are that pages link to, relative to the project's root; None for what there is not."""

    comparison: str
    models: str | None
    runbook: str | None
    packages: str | None
    pictures: Mapping[str, Picture] = field(default_factory=dict)


class Pages:
    """The pages of one increment.

    Args:
        wording: the project's templates.
        facts: what is to be said.
        considered: the models that were compared.
        places: of the files that they link to.
    """

    def __init__(self, wording: Wording, facts: Facts, considered: Table, places: Places) -> None:
        self.facts = facts
        self._wording = wording
        self._places = places
        self._values = {name: getattr(facts, name) for name in facts.__slots__}
        self._values |= {"considered": considered}

    def heading(self) -> str:
        """The line above a section, such as `## Recommendation Model (Increment 0042)`."""
        return self._wording.render("heading.md", **self._values).strip()

    def title(self, page: str, **more: Any) -> str:
        """What a new page of this kind begins with."""
        return self._wording.render(f"{page}-title.md", **self._values, **more).strip() + "\n"

    def section(self, document: str) -> str:
        """The section in ml-models.md or ml-experiments.md, for the document at this path."""
        return self._page("ml-models.md", document, pictures=self._pictures(document))

    def training(self, document: str) -> str:
        """The section in the runbook."""
        met = [asked for asked in (self.facts.why.targets if self.facts.why else ()) if asked.outcome == "met"]
        failed = [failure for failure in self.facts.failures if failure.ended in ENDED]
        return self._page("model-training.md", document, expected=self._expected(), targets=met, failed=failed)

    def digest(self, document: str) -> str:
        """The digest in the increment's reports."""
        return self._page("experiments-digest.md", document)

    def record(self, document: str, supersedes: str | None) -> str:
        """The record of the decision; `supersedes` is the path of the one before it."""
        earlier = supersedes and {"name": os.path.basename(supersedes), "link": relative_link(document, supersedes)}
        return self._page("adr.md", document, supersedes=earlier)

    def _page(self, template: str, document: str, **more: Any) -> str:
        return self._wording.render(template, **{**self._values, **more, "links": self._links(document)})

    def _links(self, document: str) -> dict[str, Escaped | None]:
        """The ways from a document to the others; none to itself."""
        names = ("comparison", "models", "runbook", "packages")
        places = {name: getattr(self._places, name) for name in names}
        return {
            name: relative_link(document, path) if path and path != document else None for name, path in places.items()
        }

    def _expected(self) -> Table:
        expected = self.facts.expected
        if any(each.spread for each in expected):
            rows = ((each.title, each.value, each.spread or MISSING, each.over or MISSING) for each in expected)
            return Table(("Metric", "Expected", "Std", "Over"), tuple(rows))
        return Table(("Metric", "Expected"), tuple((each.title, each.value) for each in expected))

    def _pictures(self, document: str) -> list[Escaped]:
        return [picture.link(relative_path(document, path)) for path, picture in self._places.pictures.items()]
