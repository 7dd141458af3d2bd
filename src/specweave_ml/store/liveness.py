"""Is the process that owns a journal still there? It holds a lock on it, which the kernel releases at any death.

A pid proves nothing (it is reused, and containers have their own); a lock does, also for a stopped process.
"""

from __future__ import annotations

import errno
import fcntl
import os

from specweave_ml.store.layout import READ

ALIVE, GONE, UNVERIFIED = "alive", "gone", "unverified"


def owner(path: str) -> str:
    """`alive`, `gone`, or `unverified` where the file system keeps no locks."""
    try:
        descriptor = os.open(path, READ)
    except OSError:
        return GONE
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return ALIVE if error.errno in (errno.EWOULDBLOCK, errno.EACCES) else UNVERIFIED
    finally:
        os.close(descriptor)
    return GONE


def hold(descriptor: int) -> None:
    """Lock a journal that was just created, as its owner; without a lock where the file system has none."""
    try:
        # Not LOCK_NB: a reader's look holds the file for microseconds, and giving up then would leave us unlocked.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        return
