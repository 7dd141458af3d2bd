"""Tools from npm and PyPI that tests run for real: each in a folder of its own, installed once."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NODE = Path(__file__).parents[1] / ".node"
# .ci/run sets it: a tool that is absent fails there. Read now, because no test sees a setting of ours.
REQUIRED = os.environ.get("SPECWEAVE_TESTS_REQUIRE_TOOLS")


def absent(why: str) -> None:
    """Skip, saying what is missing; fail where nothing may be missing."""
    if REQUIRED:
        pytest.fail(why)
    pytest.skip(why)


def install_once(folder: Path, what: str, *commands: list[str]) -> Path:
    """Run what installs a tool into a folder, unless it was; one process at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            for command in commands:
                done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
                if done.returncode:
                    absent(f"{what} cannot be installed: {done.stderr.strip()[-500:]}")
            (folder / "installed").touch()
    return folder


def npm_package(name: str, version: str) -> Path:
    """The folder whose node_modules holds this version of a package."""
    if not (shutil.which("node") and shutil.which("npm")):
        absent(f"{name} is run by Node.js, which is not here")
    folder = NODE / f"{name.replace('/', '+')}-{version}"
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
    return install_once(folder, f"{name}@{version} of npm", ["npm", "install", *options, f"{name}@{version}"])


def pypi_package(name: str, version: str) -> Path:
    """The folder of the programs of this version of a package, in an environment of its own under `.bench/`."""
    folder = NODE.with_name(".bench") / "tools" / f"{name}-{version}"
    python = str(folder / "bin" / "python")
    install_once(
        folder,
        f"{name}=={version} of PyPI",
        [sys.executable, "-m", "venv", "--without-pip", str(folder)],
        [sys.executable, "-m", "pip", "--quiet", "--python", python, "install", f"{name}=={version}"],
    )
    return folder / "bin"
