"""Digests of data sets: of small ones at once, of large ones by a thread, so that training need not wait."""

from __future__ import annotations

import os
from _thread import LockType, allocate_lock, start_new_thread
from typing import TYPE_CHECKING, Any

from specweave_ml.errors import complain
from specweave_ml.provenance import data

if TYPE_CHECKING:
    from specweave_ml.store.writer import Writer

_AT_ONCE = 4 << 20
_PATIENCE_SECONDS = 60.0
_running: set[LockType] = set()


def log_data(writer: Writer, described: dict[str, Any], path: str) -> None:
    """Record a file or folder with its digest; where that takes a while, without it at first."""
    described = described | data.pointer_of(path)
    try:
        size = data.total_bytes(path)
    except OSError:
        size = 0  # what cannot be looked at cannot be read either, which says so at once
    if size <= _AT_ONCE:
        writer.append({"data": described | _digest(path, described["name"])})
        return
    writer.append({"data": described})
    running = allocate_lock()
    running.acquire()
    _running.add(running)
    start_new_thread(_complete, (writer, described, path, running))


def _complete(writer: Writer, described: dict[str, Any], path: str, running: LockType) -> None:
    try:
        found = _digest(path, described["name"])
        if found:
            writer.append({"data": described | found})
    finally:
        _running.discard(running)
        running.release()


def _digest(path: str, name: str) -> dict[str, Any]:
    try:
        return data.describe_files(path)
    except OSError as error:
        complain(f"the data set {name} has no digest: {error.strerror or error}")
        return {}


def wait() -> None:
    """Let every digest that was begun be recorded, as a process does that ends."""
    for running in list(_running):
        if running.acquire(timeout=_PATIENCE_SECONDS):
            running.release()


# A forked child has none of the parent's threads.
os.register_at_fork(after_in_child=_running.clear)
