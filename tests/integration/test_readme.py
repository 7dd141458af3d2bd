"""Every code block of README.md runs, from top to bottom, as a reader would run it.

- ```` ```python ````: all of them share one namespace, as the cells of a notebook do. A block whose first line is a
  comment with a file name (`# train.py`) is saved under that name instead, for a later bash block to run.
- ```` ```bash ````: run by `bash -eu` in the same folder, a project with the active increment 0042.
  `make` and `pip` say what they would do: a test that ran `make test` would run itself.
- ```` ```text ````, `markdown`, `json`, `yaml`: shown, not run. Any other kind fails, so nothing is left out unseen.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"

SHOWN = {"text", "markdown", "json", "yaml"}
FENCE = re.compile(r"^(?P<fence>```+)(?P<kind>[^\n`]*)\n(?P<body>.*?)^(?P=fence)[ ]*$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# ([\w-]+\.py)\n")
IN_THE_CLONE = f"""
make() {{ command make -n -C '{ROOT}' "$@"; }}
pip() {{ (cd '{ROOT}' && command python -m pip "$@" --dry-run --no-deps --no-build-isolation --quiet); }}
"""


class Block(NamedTuple):
    line: int
    kind: str
    body: str


def blocks() -> Iterator[Block]:
    text = README.read_text()
    for found in FENCE.finditer(text):
        yield Block(text.count("\n", 0, found.start()) + 2, found["kind"].strip(), found["body"])


def run_bash(block: Block, folder: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", IN_THE_CLONE + block.body],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"README.md:{block.line}: exit {done.returncode}\n{block.body}\n{done.stdout}", pytrace=False)


def run_python(block: Block, namespace: dict[str, object]) -> None:
    # Leading empty lines make a traceback name the line of the README.
    code = compile("\n" * (block.line - 1) + block.body, str(README), "exec")
    exec(code, namespace)  # noqa: S102 - running the README is what this test is for


def test_every_code_block_runs(project: Path) -> None:
    namespace: dict[str, object] = {"__name__": "__main__"}
    saved: set[str] = set()
    ran = 0
    for block in blocks():
        named = FILE_NAME.match(block.body) if block.kind == "python" else None
        if named:
            (project / named[1]).write_text(block.body)
            saved.add(named[1])
        elif block.kind == "python":
            run_python(block, namespace)
            ran += 1
        elif block.kind == "bash":
            run_bash(block, project)
            ran += 1
            saved -= {name for name in saved if name in block.body}
        else:
            assert block.kind in SHOWN, f"README.md:{block.line}: a block of unknown kind {block.kind!r} is not run"
    assert ran
    assert not saved, f"README.md shows {saved} and never runs them"


def test_no_fence_is_left_open() -> None:
    fences = re.findall(r"^\s*(?:```|~~~)", README.read_text(), re.MULTILINE)
    assert len(fences) == 2 * len(list(blocks()))
