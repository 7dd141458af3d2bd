"""The names of a project's decision records: `0062-title.md`, `adr-062-title.md`, `2026-03-01-title.md`.

A record of ours is known by the region in it, never by its name: two branches may both take the next number. That is
the highest plus one; a clash with the default branch is reported while the file can still be renamed.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from specweave_ml.provenance.git import run_git

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    Form = Literal["number", "date"]

_DATED = re.compile(r"[12][0-9]{3}(?P<dash>-?)(?:0[1-9]|1[0-2])(?P=dash)[0-3][0-9][-_].+\.mdx?")
_NUMBERED = re.compile(r"(?P<prefix>(?:adr[-_]?)?)(?P<number>[0-9]+)-.+\.mdx?", re.IGNORECASE)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class NumberClash:
    """A record whose number another one has on the default branch; both are paths relative to the project's root."""

    path: str
    taken_by: str
    branch: str


def new_name(names: Sequence[str], title: str, date: str = "", form: Form | None = None) -> tuple[str, str]:
    """The file name of a new record, and its number; that is empty where a date stands in its place.

    Args:
        names: of the records that are there; the new one is written as they are.
        title: what the name says after its number or date.
        date: of the decision; without a day such as `2026-03-01` the record gets a number in any case.
        form: of the name. None: a date where most of the records have one.
    """
    dated = [found for name in names if (found := _DATED.fullmatch(name))]
    numbered = {int(found["number"]): found for name in names if (found := _numbered(name))}
    if _DATE.fullmatch(date) and (form == "date" or (form is None and len(dated) > len(numbered))):
        day = date if not dated else date.replace("-", dated[-1]["dash"])
        return _free(f"{day}-{title}", names), ""
    last = max(numbered, default=0)
    like = numbered.get(last)
    number = str(last + 1).zfill(len(like["number"]) if like else _DIGITS)
    return f"{like['prefix'] if like else ''}{number}-{title}.md", number


def _numbered(name: str) -> re.Match[str] | None:
    return None if _DATED.fullmatch(name) else _NUMBERED.fullmatch(name)


def _free(stem: str, names: Sequence[str]) -> str:
    """A name that nobody has: a choice may be taken back, and made again on the same day."""
    several = (f"{stem}{f'-{number}' if number > 1 else ''}.md" for number in count(1))
    return next(name for name in several if name not in names)


def number_clashes(root: str, folder: str) -> list[NumberClash]:
    """The records here that are not on the default branch yet while their number is.

    Nothing where git, or a default branch, is not there to ask.
    """
    branch = _default_branch(root)
    if branch is None:
        return []
    answer = run_git(root, "ls-tree", "--name-only", "-z", branch, "--", f"{folder}/")
    merged = [os.path.basename(path) for path in answer.output.decode(errors="replace").split("\0")]
    taken = {int(found["number"]): name for name in merged if (found := _numbered(name))}
    here = [name for name in _names(f"{root}/{folder}") if name not in merged]
    numbered = [(name, int(found["number"])) for name in here if (found := _numbered(name))]
    return [
        NumberClash(f"{folder}/{name}", f"{folder}/{taken[number]}", branch)
        for name, number in numbered
        if number in taken
    ]


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
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
