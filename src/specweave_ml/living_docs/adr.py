"""Decision records of a project that numbers its files, where a number is a guess until it is merged.

A record of ours is known by the region in it, never by its number: two branches may both take the next one. The
number is the highest plus one; a clash with the default branch is reported while the file can still be renamed.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from specweave_ml.provenance.git import run_git

if TYPE_CHECKING:
    from collections.abc import Iterable

_NUMBERED = re.compile(r"([0-9]+)-.+\.md")


@dataclass(frozen=True, slots=True)
class NumberClash:
    """A record whose number another one has on the default branch; both are paths relative to the project's root."""

    path: str
    taken_by: str
    branch: str


def next_number(names: Iterable[str]) -> str:
    """The number for a new record: the highest of these file names plus one, in at least four digits."""
    return f"{max((int(found[1]) for found in map(_NUMBERED.fullmatch, names) if found), default=0) + 1:04d}"


def number_clashes(root: str, folder: str) -> list[NumberClash]:
    """The records here that are not on the default branch yet while their number is.

    Nothing where git, or a default branch, is not there to ask.
    """
    branch = _default_branch(root)
    if branch is None:
        return []
    answer = run_git(root, "ls-tree", "--name-only", "-z", branch, "--", f"{folder}/")
    merged = [os.path.basename(path) for path in answer.output.decode(errors="replace").split("\0")]
    taken = {int(found[1]): name for name in merged if (found := _NUMBERED.fullmatch(name))}
    here = [name for name in _names(f"{root}/{folder}") if name not in merged]
    numbered = [(name, int(found[1])) for name in here if (found := _NUMBERED.fullmatch(name))]
    return [
        NumberClash(f"{folder}/{name}", f"{folder}/{taken[number]}", branch)
        for name, number in numbered
        if number in taken
    ]


def _names(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if _NUMBERED.fullmatch(name))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _default_branch(root: str) -> str | None:
    remote = run_git(root, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    if remote.code == 0:
        return remote.output.decode(errors="replace").strip()
    for branch in ("main", "master"):
        if run_git(root, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}").code == 0:
            return branch
    return None
