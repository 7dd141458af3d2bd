"""For tests that track: a project, and nothing left open or running when the test is over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from specweave_ml.tracking import endings
from tracked import wait_for_the_capture


@pytest.fixture
def _tracked(project: Path) -> Iterator[None]:
    """No experiment is left open, and no thread goes on writing, when a test is over."""
    yield
    for handle in list(endings._open.values()):
        handle.finish()
    wait_for_the_capture()
