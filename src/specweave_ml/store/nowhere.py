"""The off switch: a writer that takes every call, checks it, and writes nothing."""

from __future__ import annotations

import os

from specweave_ml.store.fold import RUNNING
from specweave_ml.store.layout import artifact_path
from specweave_ml.store.writer import Writer, milliseconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Nowhere(Writer):
    """Same calls, same errors for the caller's mistakes, no file (`SPECWEAVE_MODE=disabled`)."""

    def __init__(self, name: str) -> None:
        super().__init__(os.path.join(os.devnull, name), None)

    def _append(self, data: bytes) -> bool:
        return True

    def _catch_up(self) -> None:
        self._due = milliseconds() + 3_600_000

    def artifact(self, name: str, fill: Callable[[str], str]) -> str | None:
        """Check the name, save nothing."""
        artifact_path(self.folder, name)
        return None

    def close(self, status: str | None, *, error: dict[str, Any] | None = None) -> None:
        """Keep only the status."""
        said = self.state.status
        self.append({"status": status or ("finished" if said == RUNNING else said), "t": milliseconds()})
