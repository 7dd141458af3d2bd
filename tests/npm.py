"""Tools from the npm registry that tests run for real: each in a folder of its own under `.node/`, installed once."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

NODE = Path(__file__).parents[1] / ".node"
REQUIRED = "SPECWEAVE_TESTS_REQUIRE_TOOLS"  # .ci/run sets it: a tool that is absent fails there


def absent(why: str) -> None:
    """Skip, saying what is missing; fail where nothing may be missing."""
    if os.environ.get(REQUIRED):
        pytest.fail(why)
    pytest.skip(why)


def npm_package(name: str, version: str) -> Path:
    """The folder whose node_modules holds this version of a package."""
    if not (shutil.which("node") and shutil.which("npm")):
        absent(f"{name} is run by Node.js, which is not here")
    folder = NODE / f"{name.replace('/', '+')}-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
            done = subprocess.run(
                [*command, f"{name}@{version}"], capture_output=True, text=True, timeout=600, check=False
            )
            if done.returncode:
                absent(f"npm cannot install {name}@{version}: {done.stderr.strip()[-500:]}")
            (folder / "installed").touch()
    return folder
