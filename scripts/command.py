"""What the scripts beside this file share: the installed package, or one line that says how to install it."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from types import ModuleType


def load(module: str) -> ModuleType:
    """A module of specweave_ml; exit code 3 where it, or something it needs, is missing."""
    try:
        return import_module(module)
    except ImportError as error:
        print(f"error: {error.name} is not installed; next: pip install specweave-ml", file=sys.stderr)
        sys.exit(3)


def run(*command: str) -> NoReturn:
    """Run a command of specweave-ml with the arguments of this script, and exit with its code."""
    sys.exit(load("specweave_ml.cli").main([*command, *sys.argv[1:]]))
