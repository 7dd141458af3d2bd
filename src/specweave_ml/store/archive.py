"""Experiments put aside under `_archive/` and brought back: one rename each, nothing inside them changes.

An archived experiment keeps its name, its status and its history; it is left out of lists and comparisons until
somebody asks for archived ones.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from specweave_ml.errors import NotFound, Refused, StoreError, UsageError
from specweave_ml.store.layout import ARCHIVE, READ, is_experiment_folder_name, journals, refuse_link
from specweave_ml.store.replace import sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specweave_ml.record import Experiment
    from specweave_ml.store.decision import Decision

_AGE = re.compile(r"([0-9]{1,4})([dwmy])")
_DAYS = {"d": 1, "w": 7}
_MONTHS = {"m": 1, "y": 12}


def cutoff(age: str, now: datetime) -> datetime:
    """The moment that lies `age` before `now`: `90d`, `6w`, `6m` (calendar months), `1y`.

    Raises:
        UsageError: it is no age.
    """
    match = _AGE.fullmatch(age.strip().lower())
    if match is None:
        raise UsageError(
            "this is not an age", received=age, expected="a number and a unit: 90d, 12w, 6m (months) or 1y"
        )
    number, unit = int(match[1]), match[2]
    try:
        if unit in _DAYS:
            return now - timedelta(days=number * _DAYS[unit])
        return _months_before(now, number * _MONTHS[unit])
    except (OverflowError, ValueError):  # before the year 1: nothing is as old as that
        return datetime.min.replace(tzinfo=UTC)


def _months_before(now: datetime, months: int) -> datetime:
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    for day in range(now.day, now.day - 4, -1):  # 31 August less six months is the last day of February
        try:
            return now.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise ValueError(months)


def ended_before(experiment: Experiment, moment: datetime) -> bool:
    """Whether it ended before that moment; one whose end was never recorded counts from its start."""
    when = experiment.ended or experiment.started
    return when is not None and when < moment


def obstacle(experiment: Experiment, decision: Decision) -> Refused | None:
    """Why an experiment must stay where it is, or None."""
    if experiment.kind == "foreign":
        return Refused(
            "this folder belongs to another tool, which may look for it where it is",
            received=experiment.name,
            expected="an experiment that specweave-ml recorded",
        )
    if decision.problem:
        return Refused(
            f"which experiment is selected cannot be read: {decision.problem}",
            received=experiment.name,
            expected="a decision.md whose front matter can be read, or none",
            next_step="mend the front matter of decision.md",
        )
    if experiment.name == decision.selected:
        return Refused(
            "this experiment is the selected one",
            received=experiment.name,
            expected="an experiment that decision.md does not select",
            next_step="select another one in decision.md first",
        )
    return _running(experiment.name) if experiment.status == "running" else None


def archive_experiment(experiments: str, name: str) -> str:
    """Move an experiment to `_archive/` and return its new folder.

    Args:
        experiments: the increment's `experiments` folder.
        name: the name of a folder in it, as read from there.

    Raises:
        NotFound: it is not there any more.
        Refused: one of its writers is alive, or the archive has one of that name.
        StoreError: the disk refused it.
    """
    _check(name, experiments)
    with _nobody_writing(f"{experiments}/{name}", name):
        return _move(experiments, name, f"{experiments}/{ARCHIVE}")


def restore_experiment(experiments: str, name: str) -> str:
    """Bring an archived experiment back and return its folder; see `archive_experiment`."""
    _check(name, f"{experiments}/{ARCHIVE}")
    return _move(f"{experiments}/{ARCHIVE}", name, experiments)


def _check(name: str, folder: str) -> None:
    """A name that leads elsewhere names no experiment; a link in its place is none either."""
    try:
        path = os.fsencode(f"{folder}/{name}")
    except UnicodeEncodeError:
        path = b""
    if not path or not is_experiment_folder_name(name) or os.path.islink(path) or not os.path.isdir(path):
        raise NotFound(
            "no experiment of that name", received=name, path=folder, expected="the name of a folder in there"
        )


@contextmanager
def _nobody_writing(folder: str, name: str) -> Iterator[None]:
    """Hold the lock of every journal, so that no writer is there and nobody can resume it meanwhile."""
    held: list[int] = []
    try:
        for _, _, journal in journals(folder):
            held.append(os.open(f"{folder}/{journal}", READ))
            try:
                fcntl.flock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                # Any other error: the file system keeps no locks, and the recorded status has decided already.
                if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                    raise _running(name) from None
        yield
    finally:
        for descriptor in held:
            os.close(descriptor)


def _running(name: str) -> Refused:
    return Refused(
        "the experiment is still running",
        received=name,
        expected="an experiment that has ended",
        next_step=f"wait for it or stop it; if its process is gone: specweave-ml status {name} killed",
    )


def _move(source: str, name: str, target: str) -> str:
    old, new = f"{source}/{name}", f"{target}/{name}"
    try:
        os.makedirs(target, 0o755, exist_ok=True)
        refuse_link(source, "the folder it lies in")
        refuse_link(target, "the folder it would go to")
        # A free name stays free: who starts an experiment looks into the archive before taking a name.
        if os.path.lexists(new):
            raise Refused(
                "an experiment of that name is there already",
                received=name,
                path=new,
                expected="a free name",
                next_step="rename one of the two folders",
            )
        os.rename(old, new)
        sync_folder(target)
        sync_folder(source)
    except FileNotFoundError as error:
        raise NotFound("the experiment is not there any more", received=name, path=old) from error
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"the experiment cannot be moved: {error.strerror or error}", path=old) from error
    return new
