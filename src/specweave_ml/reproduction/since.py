"""What has moved since an experiment re-ran within tolerance: a passing re-run says nothing of what came later."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from specweave_ml.provenance.data import describe_files
from specweave_ml.provenance.git import read_head
from specweave_ml.reproduction.differing import same_code

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from specweave_ml.record import Experiment

_QUICK = 64 << 20


def verified(experiment: Experiment) -> Mapping[str, Any] | None:
    """When, at which commit and in which environment it last re-ran within tolerance; None: never."""
    found = experiment.value("verified")
    return found if isinstance(found, dict) and found.get("at") else None


def moved_since(experiment: Experiment, root: str) -> list[str]:
    """The ingredients that are not what they were then: `code`, `lock`, `data NAME`. Reads, and runs nothing of theirs.

    Data above 64 MB is compared by its size, for this is asked by commands that answer at once.
    """
    return list(_moved(experiment, root))


def _moved(experiment: Experiment, root: str) -> Iterator[str]:
    commit = str((verified(experiment) or {}).get("commit") or "")
    now = read_head(root)[0].get("commit")
    if isinstance(now, str) and same_code(root, commit, now) is False:
        yield "code"
    lock = (experiment.value("environment") or {}).get("lock") or {}
    name = lock.get("file")
    if isinstance(name, str) and os.path.basename(name) == name and _digest(f"{root}/{name}") != lock.get("sha256"):
        yield "lock"
    for data in experiment.data:
        if data.get("digest") and data.get("uri") and not data.get("outside_project") and _differs(data, root):
            yield f"data {data.get('name')}"


def _differs(data: Mapping[str, Any], root: str) -> bool:
    uri = str(data["uri"])
    if data.get("kind") not in ("file", "dir") or os.path.isabs(uri) or ".." in uri.split("/"):
        return False
    path = f"{root}/{uri}"
    try:
        if data.get("kind") == "file" and (size := os.path.getsize(path)) > _QUICK:
            return size != data.get("bytes")
        if data.get("kind") == "dir" and (data.get("bytes") or 0) > _QUICK:
            return False
    except OSError:
        return True
    return _digest(path) != str(data["digest"])


def _digest(path: str) -> str | None:
    """Of a file or folder as it is now; None where it cannot be read."""
    try:
        return str(describe_files(path)["digest"])
    except OSError:
        return None
