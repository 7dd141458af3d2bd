"""Case 15 of living documents: the same bytes from another time zone, locale, hash seed and version of Python."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import markdown_it
import pytest

from living_docs_cases import all_cases

TESTS = Path(__file__).parents[1]
PLAY = """
import sys
from pathlib import Path
from living_docs_cases import all_cases
from living_docs_player import player_of
(case,) = (case for case in all_cases() if case.number == 15)
player = player_of(case, Path(sys.argv[1]))
for step in case.steps:
    player.play(step)
print(player.path)
"""
ELSEWHERE = (
    {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "1", "PYTHONUTF8": "0"},
    {"TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "2", "COLUMNS": "20"},
    {"TZ": "UTC", "LC_ALL": "POSIX", "PYTHONHASHSEED": "3", "PYTHONOPTIMIZE": "1", "HOME": "/nonexistent"},
)
VERSIONS = ("3.11", "3.12", "3.13", "3.14")


def play(python: str, root: Path, environment: dict[str, str]) -> str:
    """The hash of the document that this Python writes in this environment."""
    root.mkdir()
    # The parser is plain Python, so that one installation serves every version.
    libraries = os.pathsep.join((str(TESTS.parent / "src"), str(TESTS), str(Path(markdown_it.__file__).parents[1])))
    environment = {**os.environ, "PYTHONPATH": libraries, "PYTHONDONTWRITEBYTECODE": "1", **environment}
    command = [python, "-W", "error", "-c", PLAY, str(root)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return hashlib.sha256(Path(done.stdout.strip()).read_bytes()).hexdigest()


def test_the_case_is_there() -> None:
    assert sum(case.number == 15 for case in all_cases()) == 1


def test_other_environments(tmp_path: Path) -> None:
    places = enumerate(({}, *ELSEWHERE))
    assert len({play(sys.executable, tmp_path / f"{number}", elsewhere) for number, elsewhere in places}) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_other_versions_of_python(version: str, tmp_path: Path) -> None:
    python = f"python{version}"
    try:
        subprocess.run([python, "-c", ""], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"there is no {python} here")
    assert play(python, tmp_path / "other", {}) == play(sys.executable, tmp_path / "this", {})
