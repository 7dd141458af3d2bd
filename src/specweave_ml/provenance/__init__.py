"""What a re-run needs to know: captured when an experiment starts, with a true list of what is missing.

    start      in the caller's thread, without any subprocess: commit, branch, entry, command line, machine
    complete   in the background: dirty, remote, changes, packages, lock file, hardware; the commit is kept

Both return the keys `code`, `command`, `environment` and `capture` of metadata.yaml. Nothing here raises into training.
"""

from __future__ import annotations

import os
import time

from specweave_ml.provenance import command, environment, git
from specweave_ml.provenance.command import portable
from specweave_ml.provenance.gaps import gap, is_pending, pending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from specweave_ml.provenance.gaps import Found

    Sections = dict[str, dict[str, Any]]
    Files = dict[str, bytes]

__all__ = ["complete", "portable", "start", "state_key"]


def start(root: str) -> Sections:
    """What can be known at once. What `complete` is still to add is listed as missing until it is there."""
    began = time.perf_counter()
    record: Sections = {"code": {}, "command": {}, "environment": {}, "capture": {"complete": [], "missing": []}}
    _take(record, "code", git.read_head, root)
    _take(record, "code", command.read_entry, root)
    _take(record, "command", command.read_command, root)
    _take(record, "environment", environment.read_machine)
    record["capture"]["missing"].append(pending("environment.packages"))
    record["capture"]["ms"] = _ms_since(began)
    return record


def complete(root: str, started: Sections) -> tuple[Sections, Files]:
    """The sections of `start` with what takes longer, as new values, and the files that they name.

    The files, by the name that the sections give them, belong beside the experiments: many experiments share one.
    `capture.ms` becomes the time spent in both parts.
    """
    from specweave_ml.provenance import changes, hardware, keeping

    began = time.perf_counter()
    record = {name: dict(section) for name, section in started.items()}
    capture = record["capture"]
    capture["complete"] = list(capture["complete"])
    capture["missing"] = [entry for entry in capture["missing"] if not is_pending(entry)]
    code = record["code"]
    _take(record, "code", git.read_tree, root, code.get("commit"))
    _take(record, "code", changes.read_changes, root, code.get("commit"))
    _take(record, "code", keeping.keep_commit, root, code.get("commit"))
    _take(record, "environment", environment.read_packages, root)
    _take(record, "environment", environment.read_lock, root)
    _take(record, "environment", hardware.read_hardware)
    files = {}
    for section, key in (("code", "patch"), ("environment", "packages")):
        if key in record[section]:
            described = dict(record[section][key])
            files[described["file"]] = described.pop("content")
            record[section][key] = described
    capture["ms"] = round(capture["ms"] + _ms_since(began), 3)
    return record, files


def state_key(root: str) -> tuple[object, ...]:
    """Equal keys mean equal answers, so that a process with many experiments captures once.

    It changes with HEAD, its ref, the index, the working directory and the recorded environment variables. In a
    notebook no two are equal: an edited file touches none of these.
    """
    if command.is_notebook():
        return (object(),)
    try:
        return (root, os.getcwd(), command.chosen_environment(), *git.state(root))
    except OSError:  # the working directory was removed
        return (object(),)


def _take(record: Sections, section: str, step: Callable[..., Found], *args: str | None) -> None:
    """Run one step of the capture and enter what it found, and what it did not."""
    try:
        values, gaps = step(*args)
    except Exception as error:  # noqa: BLE001 - whatever is odd about a machine, training must start all the same
        why = f"{step.__name__} failed: {getattr(error, 'strerror', None) or type(error).__name__}"
        values, gaps = {}, [gap(section, why, "report it to specweave-ml; training goes on without it")]
    record[section].update(values)
    known = record["capture"]["complete"]
    known += [name for key in values if (name := f"{section}.{key}") not in known]
    record["capture"]["missing"] += gaps


def _ms_since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 3)
