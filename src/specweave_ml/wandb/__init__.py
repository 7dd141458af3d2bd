"""Weights & Biases, with its runs in the increment: `from specweave import wandb` instead of `import wandb`.

`init` takes an increment as well; every other name is W&B's own. When a run finishes, it becomes an experiment.
"""

from __future__ import annotations

import atexit
import functools
import os
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

from specweave_ml.errors import complain
from specweave_ml.project import find_increment
from specweave_ml.store.pulling import pull  # here: while W&B ends, its hooks make an import fail
from specweave_ml.tracking.start import is_disabled
from specweave_ml.wandb.configure import check_installation, configure_wandb, configured
from specweave_ml.wandb.source import has_ended, of_run

if TYPE_CHECKING:
    from specweave_ml.project import Increment

__all__ = ["configure_wandb", "init"]

_PATIENCE, _PAUSE = 2.0, 0.005  # seconds
_open: dict[str, Increment] = {}  # the folders of runs that have not ended


def init(*, increment: str | os.PathLike[str] | None = None, **settings: Any) -> Any:
    """Begin a run whose project is an increment and whose files lie in it.

    When the run finishes, it is pulled: it is an experiment of the increment then. Whatever goes wrong with that is a
    warning, and the next `specweave-ml pull` brings it.

    Args:
        increment: which one, as everywhere; default: the active one.
        settings: what W&B's own `init` takes, such as `name` and `config`.

    Returns:
        W&B's run.

    Raises:
        MissingDependency: wandb is not installed.
        NotFound: no project, or no such increment.
        StoreError: the folder for W&B's files cannot be made.
    """
    check_installation()
    if is_disabled():
        return import_module("wandb").init(**settings)
    found = find_increment(increment)
    _pull_at_exit()
    run = import_module("wandb").init(**{"project": found.name, "dir": configured(found), **settings})
    _follow(run, found)
    return run


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    check_installation()
    return getattr(import_module("wandb"), name)


@functools.cache
def _pull_at_exit() -> None:
    """Pull what is open when the process ends. Asked for before W&B registers its own end, so that it comes after it.

    Only then the log says how the process ended.
    """
    atexit.register(_pull_open)


def _pull_open() -> None:
    for folder in tuple(_open):
        _pull(folder)


def _follow(run: Any, increment: Increment) -> None:
    """Pull when the run is finished. What W&B calls at the end of a `with` block has no public name; `finish` has."""
    folder = os.path.dirname(run.dir)
    if folder in _open:
        return  # W&B gives the run that is open when another is begun
    _open[folder] = increment
    name = "_finish" if hasattr(run, "_finish") else "finish"
    finish = getattr(run, name)

    @functools.wraps(finish)
    def finished(*args: Any, **options: Any) -> Any:
        try:
            return finish(*args, **options)
        finally:
            _pull_when_written(folder)

    setattr(run, name, finished)


def _pull_when_written(folder: str) -> None:
    """Wait for the end of the log, which W&B's own process writes a moment later; else the end of ours pulls it."""
    late = time.monotonic() + _PATIENCE
    while os.path.isdir(folder) and not has_ended(folder):
        if time.monotonic() > late:
            return
        time.sleep(_PAUSE)
    _pull(folder)


def _pull(folder: str) -> None:
    increment = _open.pop(folder, None)
    if increment is None:
        return
    try:
        pull(of_run(folder, increment), increment.experiments, increment.name)
    except Exception as error:  # noqa: BLE001 - the run has ended well, whatever a copy of it meets
        complain(f"the W&B run in {folder} is no experiment yet: {error}; specweave-ml pull brings it")
