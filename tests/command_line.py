"""The command line as tests call it: in this process for the many cases, as a process of its own for the rest."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specweave_ml.cli import main

if TYPE_CHECKING:
    import pytest

GOLDEN_STORE = Path(__file__).parent / "golden" / "store" / "experiments"
INCREMENT = Path(".specweave/increments/0042-recommendation-model")
EXPERIMENTS = INCREMENT / "experiments"
READABLE = 4_000


@dataclass(frozen=True)
class Done:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Its one document; more or less than one is an error."""
        document: dict[str, Any] = json.loads(self.out)
        assert next(iter(document)) == "schema"
        assert document["schema"] == 1
        return document

    @property
    def last_line(self) -> str:
        return self.out.rstrip("\n").rpartition("\n")[2]


class CommandLine:
    """Calls commands in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str, code: int = 0) -> Done:
        """Run a command that is to end with this exit code."""
        self._capsys.readouterr()
        actual = main(arguments)
        said = self._capsys.readouterr()
        done = Done(actual, said.out, said.err)
        assert actual == code, f"{arguments}: {done}"
        return done


def as_process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command as a process, without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "specweave_ml", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
        **{"encoding": "utf-8", **options},
    )


def put_golden_store(project: Path) -> Path:
    """Copy the golden experiments into the project's increment; returns their folder there."""
    target = project / EXPERIMENTS
    shutil.copytree(GOLDEN_STORE, target)
    return target


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a folder, with its time of change: equal snapshots mean that nothing was written."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
