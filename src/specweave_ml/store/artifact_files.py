"""Artifacts into an experiment's folder: written beside their place, then renamed, never seen half done."""

from __future__ import annotations

import os

from specweave_ml.store.layout import artifact_path
from specweave_ml.store.replace import create, temporary_name
from specweave_ml.store.small_files import digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def place_artifact(folder: str, name: str, fill: Callable[[str], str]) -> tuple[str, dict[str, Any]]:
    """Let `fill` write an artifact and put it in its place.

    Returns:
        Its path, and its name, bytes, sha256 and format as the record keeps them.

    Raises:
        UsageError: the name or the object cannot be taken.
        Refused: the name belongs to somebody else.
        OSError: the disk refused it; nothing is left behind.
    """
    path = artifact_path(folder, name)
    parent = os.path.dirname(path)
    os.makedirs(parent, exist_ok=True)
    temporary = temporary_name(path)
    try:
        os.close(create(temporary))
        kind = fill(temporary)
        facts = _digest_of(temporary)
        os.replace(temporary, path)
    except BaseException:
        if os.path.lexists(temporary):
            os.unlink(temporary)
        raise
    return path, {"name": name, **facts, "format": kind}


def artifact_facts(path: str, name: str) -> dict[str, Any]:
    """What the record keeps of a file that another tool put in its place.

    Raises:
        OSError: it cannot be read.
    """
    return {"name": name, **_digest_of(path), "format": format_of(name)}


def format_of(name: str) -> str:
    """The format of a file that nobody but its name tells of."""
    return os.path.splitext(name)[1].lstrip(".") or "file"


def _digest_of(path: str) -> dict[str, Any]:
    """Bytes and sha256 of a file, which is on the disk now."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
        size = os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)
    facts = digest(path, size)
    return {"bytes": facts["bytes"], "sha256": facts["sha256"]}
