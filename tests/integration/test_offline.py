"""Reading needs no network and no token: only opening an issue does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from command_line import EXPERIMENTS

SCRIPT = """
import sys

def watch(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "urllib.Request"}:
        raise SystemExit(f"{event}{arguments}")

sys.addaudithook(watch)
from specweave_ml.cli import main

for command in sys.argv[1:]:
    if main(command.split()) != 0:
        raise SystemExit(command)
if "specweave_ml.github.credentials" in sys.modules:
    raise SystemExit("what reads tokens was loaded")
"""
COMMANDS = [
    *("list 0042", "show exp-002-xgboost", "compare 0042", "why 0042", "export 0042", "sync-docs update 0042"),
    *("note exp-002-xgboost seen", "archive --older-than 6m", "skill show", "skill install", "init 0042"),
]


def test_nothing_connects_and_no_token_is_read(seed: Path) -> None:
    environment = {**os.environ, "GH_TOKEN": "ghp_" + "0" * 36}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *COMMANDS],
        cwd=seed,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    written = b"".join(path.read_bytes() for path in (seed / EXPERIMENTS).rglob("*") if path.is_file())
    assert b"ghp_" not in written
    assert "ghp_" not in done.stdout + done.stderr
