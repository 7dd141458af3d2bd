"""Real git repositories for tests."""

from __future__ import annotations

import subprocess
from pathlib import Path


def git(folder: Path, *args: str) -> str:
    """What plain git answers, as a person would run it there."""
    identity = ("-c", "user.name=Someone", "-c", "user.email=someone@example.org", "-c", "init.defaultBranch=main")
    finished = subprocess.run(["git", *identity, *args], cwd=folder, capture_output=True, check=True)
    return finished.stdout.decode().strip()


def make_repository(folder: Path, *init: str) -> Path:
    """A repository with one commit, which holds `train.py`."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", *init)
    (folder / "train.py").write_text("print('training')\n")
    commit_all(folder)
    return folder


def commit_all(folder: Path) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "work")
    return git(folder, "rev-parse", "HEAD")
