"""What SpecWeave and agents are told of the experiments: regions in files that are theirs, and people's.

    .specweave/skill-memories/{sync-docs,done,increment}.md   read by SpecWeave's skills of these names
    .specweave/rubric-defaults.md                             what SpecWeave asks before it closes an increment
    AGENTS.md, CLAUDE.md                                      read by agents

The regions follow the rules of living docs: not one byte outside them changes, edits inside are kept, and one that
somebody deleted stays deleted. SpecWeave itself makes the first kind anew at times (`specweave update`), without what
it does not know: that counts as deleted, too.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from specweave_ml.errors import SpecweaveError
from specweave_ml.living_docs import Change, Document, Region, SyncPlan, plan_sync
from specweave_ml.living_docs.text import read_text
from specweave_ml.render import render

if TYPE_CHECKING:
    from collections.abc import Sequence

RUBRIC = ".specweave/rubric-defaults.md"

_FOLDER = ".specweave/skill-memories/"
_MEMORIES = {"sync-docs": "Sync Docs", "done": "Done", "increment": "Increment"}
_REGION = "experiment-tracker"
_LARGEST = 1 << 20  # bytes; to parse more takes long, and nobody tells an agent so much
_OUR_CRITERION = re.compile(r"^### R-ML01:", re.MULTILINE)


def purpose(path: str) -> str:
    """What a document's region is for."""
    if path == RUBRIC:
        return "asks specweave-ml doctor before an increment is closed"
    return "hints for SpecWeave's skill of that name" if path.startswith(_FOLDER) else "three lines for agents"


def specweave_documents() -> list[Document]:
    """What SpecWeave is told."""
    memories = [
        _document(f"{_FOLDER}{skill}.md", skill, render("hints/memory-title.md", title=title))
        for skill, title in _MEMORIES.items()
    ]
    return [*memories, _document(RUBRIC, "rubric", render("hints/rubric-title.md"))]


def agent_documents(root: str, place: str) -> list[Document]:
    """What agents are told: in AGENTS.md and CLAUDE.md, where they are; where neither is, in a new AGENTS.md.

    Args:
        root: the project's folder.
        place: the document that says what was tried and chosen.
    """
    there = [name for name in ("AGENTS.md", "CLAUDE.md") if os.path.lexists(f"{root}/{name}")] or ["AGENTS.md"]
    if len(there) == 2 and len({os.path.realpath(f"{root}/{name}") for name in there}) == 1:
        there.pop()
    return [Document(name, (Region(_REGION, render("hints/agents.md", place=place)),)) for name in there]


def plan_hints(root: str, documents: Sequence[Document], *, restore: bool = False) -> SyncPlan:
    """What becomes of each document; one that cannot take its region is a conflict, and stays as it is.

    Args:
        root: the project's folder.
        documents: some of the above.
        restore: bring back what was deleted.
    """
    return SyncPlan(root, tuple(_plan(root, document, restore=restore) for document in documents))


def _document(path: str, template: str, preamble: str) -> Document:
    return Document(path, (Region(_REGION, render(f"hints/{template}.md")),), preamble)


def _plan(root: str, document: Document, *, restore: bool) -> Change:
    path = document.path
    try:
        if os.path.exists(f"{root}/{path}") and os.path.getsize(f"{root}/{path}") > _LARGEST:
            return Change(path, "conflict", "it is too large to be looked through")
        (change,) = plan_sync(root, [document], restore=restore).changes
        why = _objection(change) if change.found and change.found.data is not None else None
    except SpecweaveError as error:
        return Change(path, "conflict", error.what)
    return Change(path, "conflict", why) if why else change


def _objection(change: Change) -> str | None:
    """Why a region would be of no use in this document, or in the way."""
    text = read_text(change.found.data if change.found and change.found.data else b"")
    is_new = any(region.outcome == "created" for region in change.regions)
    whole = "".join(text.lines)
    if change.path != RUBRIC:
        ends_open = whole.rfind("<!-- SW:SECTION:") > whole.rfind("<!-- SW:END:")
        return "its last SpecWeave section has no end, so there is no place outside of it" if ends_open else None
    # As SpecWeave's parser has it: the first two lines of dashes, wherever they are; and a field ends at an LF.
    if sum(line.strip() == "---" for line in text.lines) < 2:
        return "it has no front matter, without which SpecWeave reads none of it: begin it with two lines ---"
    if text.newline != "\n":
        return "its lines do not end in LF, so SpecWeave reads no field of a criterion: save it with LF"
    if is_new and _OUR_CRITERION.search(whole):
        return "it has a criterion R-ML01 of somebody's own"
    return None
