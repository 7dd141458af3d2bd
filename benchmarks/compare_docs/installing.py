"""Each tool in an environment of its own, below the git-ignored `.bench/`, made when first asked for."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[2] / ".bench" / "docs"


class NotHereError(Exception):
    """A tool cannot be installed on this machine."""


def python(name: str, *requirements: str) -> str:
    """A virtual environment with these requirements; the version of the first."""
    folder = HERE / name
    if not (folder / "bin" / "python").exists():
        _run([sys.executable, "-m", "venv", str(folder)])
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, *requirements])
    return requirements[0].partition("==")[2]


def node(name: str, *requirements: str) -> str:
    """A folder of npm packages; the version of the first."""
    if shutil.which("npm") is None:
        raise NotHereError("there is no npm")
    folder = HERE / name
    folder.mkdir(parents=True, exist_ok=True)
    package, _, version = requirements[0].rpartition("@")
    manifest = folder / "node_modules" / package / "package.json"
    if not manifest.exists() or json.loads(manifest.read_text())["version"] != version:
        _run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *requirements])
    return version


def paths(name: str) -> str:
    """The PATH on which a tool's commands are found first."""
    folder = HERE / name
    return os.pathsep.join((str(folder / "bin"), str(folder / "node_modules" / ".bin"), os.environ["PATH"]))


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise NotHereError(lines[-1])
