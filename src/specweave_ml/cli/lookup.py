"""An experiment by its name, wherever it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from specweave_ml.errors import NotFound
from specweave_ml.project import find_increment, find_root, folder_name, list_increments
from specweave_ml.store.layout import ARCHIVE
from specweave_ml.store.load import load_experiment

if TYPE_CHECKING:
    from specweave_ml.project import Increment
    from specweave_ml.record import Experiment


def find_experiment(name: str, increment: str | None) -> tuple[Experiment, Increment]:
    """The experiment of that name and its increment; archived ones are found too.

    It is looked for in the increment named, else in the active one, else, where none is active, in all of them. A
    path such as `.specweave/increments/0042-model/experiments/baseline` names both.

    Raises:
        NotFound: there is none, or several increments have one; the error lists them.
    """
    before, below, after = name.rstrip("/").partition("/experiments/")
    if below:
        name, increment = after.rpartition("/")[2], before
    where = _increment(increment)
    if where is not None:
        return _load(name, where), where
    everywhere = list_increments(find_root())
    having = [each for each in everywhere if _has(each, name)]
    if len(having) == 1:
        return _load(name, having[0]), having[0]
    raise _several(name, having) if having else _nowhere(name, len(everywhere))


def _increment(named: str | None) -> Increment | None:
    """The increment that is meant; None where nobody named one and none is active."""
    root = find_root()
    try:
        return find_increment(named)
    except NotFound:
        if named is not None or os.environ.get("SPECWEAVE_INCREMENT") or not list_increments(root):
            raise
        return None


def _load(name: str, where: Increment) -> Experiment:
    try:
        return load_experiment(name, where.path)
    except NotFound as error:
        elsewhere = [each for each in list_increments(where.root) if _has(each, name)]
        if elsewhere:
            error.expected = f"{name} is in {', '.join(each.name for each in elsewhere)}"
            error.next_step = f"say it with --increment {elsewhere[0].id}"
        raise


def _has(where: Increment, name: str) -> bool:
    folder = folder_name(name)  # never leads out: whatever is no folder's name becomes one
    return any(os.path.isdir(f"{where.experiments}/{part}{folder}") for part in ("", f"{ARCHIVE}/"))


def _several(name: str, having: list[Increment]) -> NotFound:
    return NotFound(
        "several increments have an experiment of that name",
        received=name,
        expected=f"one of: {', '.join(each.name for each in having)}",
        next_step=f"say which with --increment {having[0].id}",
    )


def _nowhere(name: str, increments: int) -> NotFound:
    return NotFound(
        "no increment has an experiment of that name",
        received=name,
        expected=f"the name of an experiment of one of the {increments} increments",
        next_step="specweave-ml list INCREMENT",
    )
