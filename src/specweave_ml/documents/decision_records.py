"""One record for each decision, found again by a line in it and never by its number.

The region of a record is called `inc-0042-decision-1-3f2a9c1b`: the increment, the number of the decision in it, and
a hash of the experiment that was selected. While the last record of an increment is about the selected experiment
there is nothing to do; a record that exists is never written again. Another choice makes another record.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from specweave_ml.errors import StoreError
from specweave_ml.living_docs.adr import new_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from specweave_ml.living_docs.adr import Form

_BEGINS = re.compile(
    rb"^(?:<!--|\{/\*) specweave:begin v1 (inc-[A-Za-z0-9._-]+)-decision-([0-9]{1,6})-([0-9a-f]{8}) sha256=",
    re.MULTILINE,
)
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Record:
    """A decision record of ours: its file, the increment's region id, its number there, and the hash of its choice."""

    path: str
    increment: str
    number: int
    choice: str


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record to be written.

    Attributes:
        path: relative to the project's root.
        number: of the file, as text; empty where its name has a date instead.
        region: the id of its region.
        supersedes: the record before it; None for the first.
    """

    path: str
    number: str
    region: str
    supersedes: Record | None


class Records:
    """The decision records of a project: those that stand in its folder, and those that a sync is about to add.

    Args:
        root: the project's.
        folder: that of the records, relative to it.
        form: of the names of new ones; None for the one that the records there have.
    """

    def __init__(self, root: str, folder: str, form: Form | None = None) -> None:
        self._folder = folder
        self._form = form
        self._names = _names(f"{root}/{folder}")
        self._found = list(_read(root, folder, self._names))

    def needed(self, increment: str, selected: str, title: str, date: str = "") -> NewRecord | None:
        """The record that is still to be written for a choice; None where the last one is about it.

        Args:
            increment: the id of the increment's region, such as `inc-0042`.
            selected: the name of the experiment.
            title: what a file's name says after its number or date.
            date: of the decision; may be empty.
        """
        choice = hashlib.sha256(selected.encode(errors="surrogatepass")).hexdigest()[:8]
        own = [record for record in self._found if record.increment == increment]
        last = max(own, key=lambda record: record.number, default=None)
        if last is not None and last.choice == choice:
            return None
        slug = _NOT_IN_A_NAME.sub("-", title.lower()).strip("-")[:_LONGEST_NAME].strip("-")
        name, number = new_name(self._names, slug or "decision", date, self._form)
        self._names.append(name)
        decision = last.number + 1 if last else 1
        return NewRecord(f"{self._folder}/{name}", number, f"{increment}-decision-{decision}-{choice}", last)


def _names(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.name.endswith((".md", ".mdx")) and entry.is_file())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StoreError(f"the decision records cannot be read: {error.strerror}", path=folder) from error


def _read(root: str, folder: str, names: Sequence[str]) -> Iterable[Record]:
    for name in names:
        path = f"{folder}/{name}"
        try:
            with open(f"{root}/{path}", "rb") as file:
                found = _BEGINS.search(file.read())
        except OSError as error:
            raise StoreError(f"the decision record cannot be read: {error.strerror}", path=path) from error
        if found:
            yield Record(path, found[1].decode(), int(found[2]), found[3].decode())
