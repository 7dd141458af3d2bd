"""What every test stands on: no setting of the person who runs them, and a project to work in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A slow machine is no failure, and a failure must be the same one on every machine.
settings.register_profile("house", deadline=None, derandomize=True, database=None)
settings.load_profile("house")


@pytest.fixture(autouse=True)
def _nobodys_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what the environment and git's own configuration would say."""
    for name in [*os.environ]:
        if name.startswith(("SPECWEAVE_", "GIT_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A SpecWeave project with one active increment, `0042-recommendation-model`; the test stands in its root."""
    root = tmp_path / "project"
    increment = root / ".specweave" / "increments" / "0042-recommendation-model"
    increment.mkdir(parents=True)
    (increment / "metadata.json").write_text('{"id": "0042-recommendation-model", "status": "active"}\n')
    monkeypatch.chdir(root)
    return root
