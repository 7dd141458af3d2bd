"""Is a record still what its writer left? A flipped digit is valid JSON: only size and digest find it. Reads only."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from specweave_ml.errors import SpecweaveError, StoreError
from specweave_ml.store.layout import METADATA, artifact_path, journals
from specweave_ml.store.lines import Damage
from specweave_ml.store.metadata import parse_metadata
from specweave_ml.store.reader import read_small_file
from specweave_ml.store.sessions import read_state
from specweave_ml.store.small_files import digest, small_files

if TYPE_CHECKING:
    from collections.abc import Mapping

Kept = Literal["intact", "of its size", "changed", "gone", "unreadable"]
"""What became of an artifact; `of its size` is one whose digest was not taken."""


@dataclass(slots=True)
class Integrity:
    """What was found in one experiment; each finding is `file: reason`, and an intact record has none.

    Attributes:
        changed: journals that are not what they were when the experiment was closed.
        behind: journals with lines that the small files do not have yet, so readers of the files miss words.
        differing: small files that are not what the journals give.
        problems: lines that cannot be read, as `file:line: reason`.
        torn_bytes: half-written ends of journals; nobody was ever told that they are kept.
        dropped: lines that the disk refused and the writer counted.
    """

    changed: list[str] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    torn_bytes: int = 0
    dropped: int = 0


def verify(folder: str) -> Integrity:
    """Read an experiment's folder whole and compare it with what was recorded at its end.

    Raises:
        OSError: a file went away or cannot be read.
    """
    damage = Damage()
    state = read_state(folder, damage)
    found = Integrity(
        problems=list(dict.fromkeys(damage.problems)), torn_bytes=damage.torn_bytes, dropped=state.dropped
    )
    metadata = _metadata(folder)
    recorded = metadata.get("journals")
    if isinstance(recorded, dict):
        _compare_journals(folder, recorded, found)
        if not (found.changed or found.behind):
            files = small_files(state, recorded, unsettled=bool(metadata.get("unsettled")))
            found.differing = [*_differing(folder, files)]
    elif state.ended is not None:
        found.behind = [f"{METADATA}: says nothing of the end that the journals record"]
    return found


def check_artifact(folder: str, name: str, facts: Mapping[str, Any], *, most_bytes: int) -> Kept:
    """Whether an artifact is still the file that was saved: by its size, then by its digest.

    Args:
        folder: of the experiment.
        name: of the artifact. One that leads out of the folder, or over a link, was never saved by us: `changed`.
        facts: what the record says of it: `bytes` and `sha256`.
        most_bytes: the largest file whose digest is taken.
    """
    try:
        path = artifact_path(folder, name)
        about = os.lstat(path)
        if not stat.S_ISREG(about.st_mode) or about.st_size != facts.get("bytes"):
            return "changed"
        if about.st_size > most_bytes:
            return "of its size"
        return "intact" if digest(path, about.st_size)["sha256"] == facts.get("sha256") else "changed"
    except SpecweaveError:
        return "changed"
    except (FileNotFoundError, NotADirectoryError):
        return "gone"
    except OSError:
        return "unreadable"


def _metadata(folder: str) -> dict[str, Any]:
    """The file's own words; nothing where it cannot be read, which readers make up for from the journals."""
    try:
        return parse_metadata(read_small_file(f"{folder}/{METADATA}"))
    except (FileNotFoundError, StoreError):
        return {}


def _compare_journals(folder: str, recorded: dict[str, Any], found: Integrity) -> None:
    present = {name: os.stat(f"{folder}/{name}").st_size for _, _, name in journals(folder)}
    for name, facts in recorded.items():
        size = facts.get("bytes") if isinstance(facts, dict) else None
        if name not in present:
            found.changed.append(f"{name}: gone")
        elif not isinstance(size, int) or present[name] < size:
            found.changed.append(f"{name}: {present[name]} bytes, and {size} when it was closed")
        elif digest(f"{folder}/{name}", size) != facts:
            found.changed.append(f"{name}: changed since it was closed")
        elif present[name] > size:
            found.behind.append(f"{name}: {present[name] - size} bytes more than when it was closed")
    found.behind += [f"{name}: written after the end" for name in present if name not in recorded]


def _differing(folder: str, files: dict[str, bytes]) -> list[str]:
    found = []
    for name, expected in files.items():
        try:
            actual = read_small_file(f"{folder}/{name}")
        except FileNotFoundError:
            found.append(f"{name}: gone")
            continue
        if actual != expected:
            found.append(f"{name}: not what the journals give; edited by hand?")
    return found
