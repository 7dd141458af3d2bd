"""The cases of tests/golden/documents/: what was recorded, made into an increment that documents can be made of."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from records import INCREMENT, cross_validated, experiment
from specweave_ml.documents.examined import Examined
from specweave_ml.documents.wanted import wanted_documents
from specweave_ml.project import Increment
from specweave_ml.reports import Comparison
from specweave_ml.store.decision import Decision

if TYPE_CHECKING:
    from specweave_ml.living_docs import Document

FOLDER = Path(__file__).parent / "golden" / "documents"
CASES = sorted(path.parent.name for path in FOLDER.glob("*/recorded.yaml"))

ROOT = str(FOLDER)
"""A project's root in which nothing is there yet."""


def examined_of(case: str, reorder: Callable[[list[Any]], list[Any]] = list, root: str = ROOT) -> Examined:
    recorded = yaml.safe_load((FOLDER / case / "recorded.yaml").read_text(encoding="utf-8"))
    name = recorded.get("increment", INCREMENT)
    found = [
        cross_validated(**described) if "scores" in described else experiment(**described)
        for described in reorder(recorded["experiments"])
    ]
    said = recorded.get("decision", {})
    reasons = tuple(said.pop("retrain_when", ()))
    decision = Decision(**{key: str(text) for key, text in said.items()}, retrain_when=reasons)
    live = [each for each in found if not each.archived]
    comparison = Comparison.of(live, name, decision, spec=recorded.get("spec", ""))
    where = Increment(root, name, f"{root}/.specweave/increments/{name}")
    return Examined(where, comparison, [each for each in found if each.archived])


def documents_of(examined: Examined) -> list[Document]:
    return wanted_documents(examined.where.root, [examined])


def document_name(document: Document) -> str:
    """What a document's golden file is called: `adr.md` and `digest.md` carry numbers in the project."""
    folder, _, name = document.path.rpartition("/")
    return {"adr": "adr.md", "reports": "digest.md"}.get(folder.rpartition("/")[2], name)


def run_on(text: str) -> list[str]:
    """Where a template lost a blank: `0.95(vs`, `depth,width`. Links, comments and escapes are passed over."""
    words = re.sub(r"!?\[[^\]]*\]\([^)]*\)|<!--.*?-->|&#?\w+;|```.*?```", "", text, flags=re.DOTALL)
    return re.findall(r"[\w.%]\(\w|[,;)][A-Za-z]", words)
