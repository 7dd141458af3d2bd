"""Provenance for the experiments of a process: the cheap part at once, the rest in the background.

What needs a subprocess (is the tree dirty?) or a look at every package must not hold up training. It is done once for
a state of the repository, by one short thread, and said to every experiment that started under that state; an
experiment that ended meanwhile takes it like any word after its end.
"""

from __future__ import annotations

import os
import threading
from _thread import LockType, allocate_lock, start_new_thread

from specweave_ml import provenance
from specweave_ml.errors import complain
from specweave_ml.store.forks import whole_import
from specweave_ml.store.side_files import keep_side_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from specweave_ml.store.owner import Owner

_HEAD_START_SECONDS = 0.1
_PATIENCE_SECONDS = 60.0
_captures: dict[tuple[Any, ...], Capture] = {}


class Capture:
    """One state of one repository, and who waits to hear of it.

    Attributes:
        sections: what is known now of the code, the command and the environment, as keys of metadata.yaml.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.sections = provenance.start(root)
        self.files: dict[str, bytes] | None = None  # None: not complete yet
        self._lock = threading.Lock()
        self._waiting: list[tuple[Owner, str | None]] = []
        # Bare locks, not Events: an exception that a signal raises inside Event.set leaves its lock taken for ever.
        self._gate = allocate_lock()
        self._gate.acquire()
        self._running: LockType | None = None  # held by the thread, once there is one
        self._over = False  # the thread has ended; the lock alone cannot tell, for a signal may strike who took it

    def follow(self, owner: Owner, told: dict[str, Any], declared: str | None) -> None:
        """Say the rest to an experiment that was told `told`; `declared` is the commit that its caller named."""
        with self._lock:
            if self.files is None:
                self._waiting.append((owner, declared))
                if self._running is None:
                    self._running = allocate_lock()
                    self._running.acquire()
                    # Not a Thread, whose start waits until it runs: a fifth of a millisecond, more on a busy machine.
                    start_new_thread(self._complete, (self._running,))
                return
        self._tell(owner, declared, again=told is not self.sections)

    def hurry(self) -> None:
        """The first experiment is over: nothing is left that the thread could slow down."""
        if self._gate.locked():
            try:
                self._gate.release()
            except RuntimeError:  # the thread went on by itself
                return

    def wait(self) -> None:
        """Let the thread finish, as a process does that ends."""
        self.hurry()
        if self._running is not None and not self._over and self._running.acquire(timeout=_PATIENCE_SECONDS):
            self._running.release()

    def _complete(self, running: LockType) -> None:
        try:
            self._gate.acquire(timeout=_HEAD_START_SECONDS)
            with whole_import:
                import subprocess  # noqa: F401 - what the capture loads, so that no fork finds it half loaded
                import urllib.parse  # noqa: F401 - the same
            self._tell_all()
        finally:
            self._over = True
            running.release()

    def _tell_all(self) -> None:
        sections, files = provenance.complete(self.root, self.sections)
        with self._lock:
            self.sections, self.files = sections, files
            waiting, self._waiting = self._waiting, []
        for owner, declared in waiting:
            self._tell(owner, declared, again=True)

    def _tell(self, owner: Owner, declared: str | None, *, again: bool) -> None:
        if not os.path.isdir(owner.folder):
            return  # removed or put away since; nobody would read the rest
        try:
            keep_side_files(os.path.dirname(owner.folder), self.files or {})
        except OSError as error:
            complain(f"the list of packages or the changed code was not kept: {error.strerror or error}")
        if again:
            owner.append({"set": with_declared(self.sections, declared)})


def of(root: str) -> Capture:
    """The capture that holds for an experiment that starts now."""
    key = (root, *provenance.state_key(root))
    capture = _captures.get(key)
    if capture is None:
        capture = _captures[key] = Capture(root)
    return capture


def hurry() -> None:
    """An experiment ended: what waits for it not to be slowed down may begin."""
    for capture in list(_captures.values()):
        capture.hurry()


def with_declared(sections: dict[str, Any], declared: str | None) -> dict[str, Any]:
    """The sections with the commit that a person named, kept beside the one that was captured."""
    if declared is None:
        return sections
    return {**sections, "code": {**(sections.get("code") or {}), "declared": declared}}


def wait() -> None:
    """Let every capture that was begun finish."""
    for capture in list(_captures.values()):
        capture.wait()


# A forked child has the parent's captures without the thread that completes them.
os.register_at_fork(after_in_child=_captures.clear)
