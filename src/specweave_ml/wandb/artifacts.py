"""The files of a run's artifacts. W&B's log names each by an absolute path, which nobody has to believe.

What lies in a folder that W&B keeps for artifacts is taken from there; a file anywhere else only when its content has
the digest that the log gives, so that no log makes us copy a file which its writer did not have.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from specweave_ml.wire import Malformed, open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from specweave_ml.wire import Message

_TYPE, _NAME, _MANIFEST = 4, 5, 12
_CONTENTS = 4
_PATH, _DIGEST, _REFERENCE, _LOCAL = 1, 2, 3, 6
_OF_WANDB = ("wandb-", "job", "run_table")  # types that it makes by itself: its history, how to run again, tables


class _Entry(NamedTuple):
    path: str
    digest: bytes
    local: str
    is_reference: bool


class Artifacts:
    """The artifacts of a run. Of one that was logged several times the last version counts.

    Args:
        kept_in: the folders that W&B keeps for data and caches, as WANDB_DATA_DIR and WANDB_CACHE_DIR name them.
    """

    def __init__(self, kept_in: Sequence[str]) -> None:
        self._kept_in = [os.path.realpath(os.path.expanduser(folder)) for folder in kept_in]
        self._entries: dict[str, list[_Entry]] = {}
        self._earlier: Counter[str] = Counter()

    def take(self, record: Message) -> None:
        """Note an artifact that was logged."""
        name = record.text(_NAME)
        if record.text(_TYPE).startswith(_OF_WANDB):
            return
        entries = [_entry(each) for each in record.message(_MANIFEST).messages(_CONTENTS)]
        self._earlier[name] += name in self._entries
        self._entries[name] = entries

    def files(self, left_out: list[str]) -> dict[str, str]:
        """Name → where the file lies.

        A name is the path inside its artifact, with the artifact's in front where two have the same.
        """
        named = [(name, entry) for name, entries in self._entries.items() for entry in entries]
        times = Counter(entry.path for _, entry in named)
        found = {}
        for name, entry in named:
            shown = entry.path if times[entry.path] == 1 else f"{name}/{entry.path}"
            place = self._place(entry)
            if place is not None:
                found[shown] = place
            else:
                why = "is a reference" if entry.is_reference else "its file is not here any more"
                left_out.append(f"the artifact {shown}: {why}")
        left_out += [f"the artifact {name}: {count} earlier versions" for name, count in self._earlier.items() if count]
        return found

    def _place(self, entry: _Entry) -> str | None:
        if "\0" in entry.local or entry.is_reference:
            return None
        for place in self._candidates(entry.local, entry.digest.hex()):
            if os.path.isfile(place) and (self._is_kept(place) or _has_digest(place, entry.digest)):
                return place
        return None

    def _candidates(self, local: str, digest: str) -> Iterator[str]:
        yield local
        for folder in self._kept_in:
            if os.path.basename(local):  # a project that was moved
                yield f"{folder}/artifacts/staging/{os.path.basename(local)}"
            if digest:  # where an upload leaves it
                yield f"{folder}/artifacts/obj/md5/{digest[:2]}/{digest[2:]}"

    def _is_kept(self, place: str) -> bool:
        real = os.path.realpath(place)
        return any(real.startswith(f"{folder}/artifacts/") for folder in self._kept_in)


def _entry(entry: Message) -> _Entry:
    try:
        digest = base64.b64decode(entry.text(_DIGEST), validate=True)
    except ValueError:
        digest = b""
    return _Entry(entry.text(_PATH), digest, entry.text(_LOCAL), _REFERENCE in entry)


def _has_digest(path: str, digest: bytes) -> bool:
    """Whether the file has this MD5, W&B's digest of a file."""
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).digest() == digest
    except (OSError, Malformed):
        return False
