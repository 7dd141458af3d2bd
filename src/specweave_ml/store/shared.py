"""Files that experiments share, read again: the list of packages, and the patch of what was changed."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from specweave_ml.errors import StoreError
from specweave_ml.store.layout import is_side_file_name
from specweave_ml.store.reader import read_small_file

if TYPE_CHECKING:
    from specweave_ml.record import Experiment

_LARGEST = 32 << 20


def read_shared(experiment: Experiment, section: str, key: str) -> bytes | None:
    """The file that `section.key` of an experiment names, such as `code.patch`; None where it is not what was recorded.

    Others share it and git merges it, so its digest is checked: a re-run installs and applies what stands there.
    """
    described = (experiment.value(section) or {}).get(key) or {}
    named = described.get("file")
    if not is_side_file_name(named):
        return None
    above = os.path.dirname(experiment.path)
    experiments = os.path.dirname(above) if experiment.archived else above
    try:
        content = read_small_file(f"{experiments}/{named}", _LARGEST)
    except (OSError, StoreError):
        return None
    return content if hashlib.sha256(content).hexdigest() == described.get("sha256") else None


def read_packages(experiment: Experiment) -> dict[str, str] | None:
    """Name → version of what was installed, or None where that was not recorded or is gone."""
    text = read_shared(experiment, "environment", "packages")
    if text is None:
        return None
    lines = (line.partition("==") for line in text.decode(errors="replace").splitlines())
    return {name: version for name, _, version in lines if name}
