"""Training scripts that `init` can see: a quick look at a bounded number of small files, which are read and never run.

A script counts when it imports a framework, trains something and tracks nothing yet. Whether it can be instrumented
is for `specweave-ml instrument` to say, which understands it.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_FOUND = 5
_MOST_FILES = 200
_MOST_FOLDERS = 100
_DEEPEST = 3
_LONGEST = 200_000  # bytes
_NOT_SEARCHED = frozenset("node_modules site-packages venv env build dist tests test docs mlruns wandb".split())

# In a notebook, a line is a string of JSON.
_FRAMEWORK = re.compile(
    r"""^[\s"]*(?:import|from)[ ]
    (?:sklearn|xgboost|lightgbm|catboost|torch|lightning|pytorch_lightning|transformers|keras|tensorflow)\b""",
    re.MULTILINE | re.VERBOSE,
)
_TRAINS = re.compile(r"\.(?:fit|train|backward|fit_transform|partial_fit)\(|\b(?:GridSearchCV|cross_val_score)\(")
_TRACKS = re.compile(r"\bspecweave(?:_ml)?\b")


def training_scripts(root: str) -> list[str]:
    """The first few training scripts of a project, relative to it, nearest to its root first."""
    found: list[str] = []
    for number, path in enumerate(_scripts(root)):
        if number == _MOST_FILES or len(found) == _MOST_FOUND:
            break
        text = _text(f"{root}/{path}")
        if _FRAMEWORK.search(text) and _TRAINS.search(text) and not _TRACKS.search(text):
            found.append(path)
    return found


def _scripts(root: str) -> Iterator[str]:
    folders = [""]
    for folder in folders:
        try:
            with os.scandir(f"{root}/{folder}") as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in inside:
            path = f"{folder}/{entry.name}".lstrip("/")
            if entry.name.startswith((".", "_")) or entry.name in _NOT_SEARCHED:
                continue
            if entry.is_dir(follow_symlinks=False):
                if path.count("/") < _DEEPEST and len(folders) < _MOST_FOLDERS:
                    folders.append(path)
            elif entry.name.endswith((".py", ".ipynb")):
                yield path


def _text(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            is_plain = stat.S_ISREG(os.fstat(descriptor).st_mode)
            return file.read(_LONGEST).decode("utf-8", "replace") if is_plain else ""
    except OSError:
        return ""
