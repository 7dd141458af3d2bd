"""Package lists, one file for every experiment that ran with the same set: `experiments/.env/<digest>.txt`."""

from __future__ import annotations

import os

from specweave_ml.store.layout import ENVIRONMENTS
from specweave_ml.store.replace import replace_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def keep_packages(experiments: str, sections: dict[str, Any], packages: str) -> None:
    """Write the list that `environment.packages.file` names, unless it is there already.

    Raises:
        OSError: it cannot be written.
    """
    named = ((sections.get("environment") or {}).get("packages") or {}).get("file")
    if not named or os.path.exists(f"{experiments}/{named}"):
        return
    os.makedirs(f"{experiments}/{ENVIRONMENTS}", 0o755, exist_ok=True)
    replace_file(f"{experiments}/{named}", packages.encode(), sync=False)
