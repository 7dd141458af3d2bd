"""Read experiments back: the public way in for reports, documents and other tools. Reads only."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from specweave_ml.errors import NotFound
from specweave_ml.project import find_increment, folder_name
from specweave_ml.record import Experiment, Experiments
from specweave_ml.store.layout import ARCHIVE, is_experiment_folder_name
from specweave_ml.store.reader import experiment_folders, read_experiment, read_experiments

if TYPE_CHECKING:
    from collections.abc import Iterable


def load_experiments(
    increment: str | None = None,
    status: str | Iterable[str] | None = None,
    tags: str | Iterable[str] | None = None,
    *,
    archived: bool = False,
) -> Experiments:
    """All experiments of an increment, in the order they started.

    Args:
        increment: `0042`, `42`, the full name, or None for the active one.
        status: keep only these statuses (one or several of running, finished, failed, killed, stale).
        tags: keep only experiments that carry all of these tags.
        archived: also those that were archived.

    Folders that are not ours come as `kind == "foreign"`, broken ones as `kind == "unreadable"`; a filter by status
    or tags leaves both out.

    Raises:
        NotFound: no project, or no such increment.
        StoreError: the experiments folder itself cannot be read.
    """
    where = find_increment(increment)
    found = read_experiments(where.experiments, where.name, archived=archived)
    statuses = {status} if isinstance(status, str) else set(status or ())
    wanted = {tags} if isinstance(tags, str) else set(tags or ())
    if statuses:
        found = [experiment for experiment in found if experiment.status in statuses]
    if wanted:
        found = [experiment for experiment in found if wanted <= set(experiment.tags)]
    return Experiments(found)


def load_experiment(name: str, increment: str | None = None) -> Experiment:
    """One experiment by its name; archived ones are found too.

    Raises:
        UsageError: `name` is not a name.
        NotFound: there is none of that name; names the close ones.
    """
    where = find_increment(increment)
    for parent, archived in ((where.experiments, False), (f"{where.experiments}/{ARCHIVE}", True)):
        for folder in (f"{parent}/{folder_name(name)}", f"{parent}/{_plain_entry(name)}"):
            if os.path.isdir(folder) and not os.path.islink(folder):
                return read_experiment(folder, where.name, archived=archived)
    raise _unknown(name, where.experiments, where.name)


def _plain_entry(name: str) -> str:
    """A foreign folder's name need not be one that we would give; it only must not lead elsewhere."""
    safe = "/" not in name and "\0" not in name and is_experiment_folder_name(name)
    return name if safe else folder_name(name)


def _unknown(name: object, experiments: str, increment: str) -> NotFound:
    from difflib import get_close_matches

    names = [folder.rsplit("/", 1)[-1] for folder in experiment_folders(experiments)]
    close = get_close_matches(str(name), names, n=3, cutoff=0.5)
    return NotFound(
        f"no experiment of that name in increment {increment}",
        received=name,
        expected=f"one of {', '.join(close)}" if close else f"one of its {len(names)} experiments",
        next_step=f"specweave-ml list {increment.split('-', maxsplit=1)[0]}",
    )
