"""The skill `experiment-tracker`: its text, and a copy of it in the folder where an agent looks for skills.

A copy carries a list of what was installed, with hashes. So a newer version replaces what nobody touched, and leaves
what people changed until they say otherwise.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from specweave_ml.errors import NotFound, Refused, StoreError
from specweave_ml.project import find_root
from specweave_ml.store.replace import replace_file

NAME = "experiment-tracker"
MANIFEST = "installed.json"

FOLDERS = {
    "claude": (".claude/skills", ".claude/skills"),
    "codex": (".agents/skills", ".agents/skills"),
    "cursor": (".cursor/skills", ".cursor/skills"),
    "gemini": (".gemini/skills", ".gemini/skills"),
    "copilot": (".github/skills", ".copilot/skills"),
}
"""Where each agent reads skills: in a project, and in a person's home."""

_PARTS = ("SKILL.md", "references/*.md", "scripts/*.py")

Action = Literal["create", "update", "remove", "unchanged", "replace"]


@dataclass(frozen=True, slots=True)
class File:
    """One file of an installation.

    Attributes:
        path: relative to the skill's folder.
        action: `replace` is said of one that was changed by hand.
        content: what it is to hold; None for a file that is no part of the skill any more.
    """

    path: str
    action: Action
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Installation:
    """A copy of the skill in `folder`, planned file by file."""

    folder: str
    files: tuple[File, ...]


def skill_files() -> dict[str, bytes]:
    """Every file of the skill by its path: from the installed package, or from the top of the repository."""
    here = Path(__file__).parent
    source = here / NAME if (here / NAME).is_dir() else here.parents[1]
    found = sorted(path for part in _PARTS for path in source.glob(part))
    return {path.relative_to(source).as_posix(): path.read_bytes() for path in found}


def topics() -> dict[str, str]:
    """The pages of the skill by topic: `skill` is SKILL.md, the others are its references."""
    pages = {path: content.decode() for path, content in skill_files().items() if path.endswith(".md")}
    return {"skill": pages.pop("SKILL.md")} | {Path(path).stem: text for path, text in pages.items()}


def topic(name: str) -> str:
    """The page of that name.

    Raises:
        NotFound: there is none.
    """
    pages = topics()
    if name not in pages:
        raise NotFound(
            "the skill has no such topic",
            received=name,
            expected=f"one of {', '.join(pages)}",
            next_step="specweave-ml skill show",
        )
    return pages[name]


def plan_installation(agent: str, *, user: bool = False, force: bool = False, start: str | None = None) -> Installation:
    """What a copy of the skill for this agent needs. Writes nothing.

    Args:
        agent: one of `FOLDERS`.
        user: in the person's home instead of the project.
        force: also over files that were changed by hand.
        start: where to look for the project from; where there is none, the copy goes there.

    Raises:
        Refused: people changed some of it and `force` is not given, or a link leads elsewhere.
        StoreError: what is there cannot be read.
    """
    home = os.path.expanduser("~") if user else _project(start)
    folder = os.path.join(home, FOLDERS[agent][user], NAME)
    _refuse_links(folder, home, user=user)
    new, known = skill_files(), _installed(folder)
    planned = [_planned(folder, path, new.get(path), known.get(path)) for path in sorted(new.keys() | known.keys())]
    files = tuple(file for file in planned if file is not None)
    changed = [file.path for file in files if file.action == "replace"]
    if changed and not force:
        raise Refused(
            "the skill is installed here and was changed by hand, so it is left as it is",
            received=", ".join(changed),
            path=folder,
            expected="the files as they were installed",
            next_step=f"move your words to .specweave/skill-memories/{NAME}.md, then install with --force",
        )
    return Installation(folder, files)


def apply_installation(plan: Installation) -> None:
    """Write what is planned, and the list of what was installed.

    Raises:
        StoreError: something cannot be written.
    """
    hashes = {file.path: _hash(file.content) for file in plan.files if file.content is not None}
    manifest = File(MANIFEST, "update", json.dumps(hashes, indent=2).encode() + b"\n")
    for file in (*plan.files, manifest):
        path = os.path.join(plan.folder, file.path)
        try:
            if file.content is None:
                os.unlink(path)
            elif file.action != "unchanged":
                os.makedirs(os.path.dirname(path), exist_ok=True)
                replace_file(path, file.content)
        except OSError as error:
            raise StoreError(f"the skill cannot be written: {error.strerror or error}", path=path) from error


def _project(start: str | None) -> str:
    try:
        return find_root(start)
    except NotFound:
        return os.path.abspath(start or os.curdir)


def _refuse_links(folder: str, home: str, *, user: bool) -> None:
    """A person's own home may be made of links; a project's must not lead out of it, and neither may the skill's."""
    outer = folder if user else home
    places = [folder, *(os.path.join(folder, os.path.dirname(part)) for part in _PARTS)]
    if os.path.islink(folder) or not all(
        _is_inside(os.path.realpath(place), os.path.realpath(outer)) for place in places
    ):
        raise Refused(
            "a link leads from the skill's folder to somewhere else, which is not ours to write",
            path=folder,
            expected="a folder, or nothing",
            next_step="remove the link, then install again",
        )


def _is_inside(path: str, folder: str) -> bool:
    return os.path.join(path, "").startswith(os.path.join(folder, ""))


def _installed(folder: str) -> dict[str, str]:
    """Path and hash of what was installed; a damaged list says nothing, nor does a path that leads elsewhere."""
    try:
        said = json.loads(Path(folder, MANIFEST).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    known = said.items() if isinstance(said, dict) else ()
    return {path: digest for path, digest in known if _is_inside(os.path.realpath(os.path.join(folder, path)), folder)}


def _planned(folder: str, path: str, new: bytes | None, known: str | None) -> File | None:
    there = _there(os.path.join(folder, path))
    if there is None:
        return None if new is None else File(path, "create", new)
    if there == new:
        return File(path, "unchanged", new)
    if _hash(there) == known:
        return File(path, "remove" if new is None else "update", new)
    return None if new is None else File(path, "replace", new)


def _there(place: str) -> bytes | None:
    if os.path.islink(place):
        return b"a link, which is never what was installed"
    try:
        with open(place, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"what is there cannot be read: {error.strerror}", path=place) from error


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
