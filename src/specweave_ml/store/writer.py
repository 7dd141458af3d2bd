"""Appending to an experiment: every call is one line in a journal of this process's own, the moment it is made.

Writer            encodes, locks, appends; counts and says what a full disk took
├── owner.Owner   claimed the folder (or resumed it), closes it, writes the small files
└── Sibling       another process (a forked child, an unpickled handle, a command): never ends the experiment
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from math import isfinite

from specweave_ml.errors import UsageError, complain
from specweave_ml.store import liveness
from specweave_ml.store.artifact_files import place_artifact
from specweave_ml.store.codec import (
    VALUE_LIMIT,
    check_name,
    encode,
    holds_too_much,
    metric_number,
    number_to_json,
    step_number,
)
from specweave_ml.store.fold import RUNNING, State, iso
from specweave_ml.store.journal import Journal
from specweave_ml.store.layout import METADATA, READ, SCHEMA, journal_name, journals
from specweave_ml.store.metadata import cut
from specweave_ml.store.projections import project

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_now = time.time_ns


def milliseconds() -> int:
    """Now, in milliseconds since 1970."""
    return _now() // 1_000_000


def opening(session: int, writer: str) -> dict[str, Any]:
    """The first line of a journal."""
    opened = {"schema": SCHEMA, "session": session, "writer": writer, "pid": os.getpid(), "host": os.uname().nodename}
    return {"open": {**opened, "at": iso(milliseconds())}}


class Writer:
    """Appends lines to one journal and keeps the state they make. Thread-safe; a forked child goes on as a sibling.

    Attributes:
        folder: the experiment's folder.
        state: what the lines of this process say.
    """

    def __init__(
        self, folder: str, journal: Journal | None, *, state: State | None = None, durable: bool = False
    ) -> None:
        self.folder = folder
        self.state = state or State()
        self._sure = True  # the state holds every line of the journal
        self._durable = durable
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._heads: dict[str, str] = {}
        self._dropped = 0
        self._complained = False
        self._due = 0
        self._sibling: Sibling | None = None
        _LIVING.add(self)
        if journal is not None:
            self._journal = journal
            _OPEN.add(self)

    def metric(self, name: str, value: Any, step: Any) -> None:
        """Append one point. Every training loop takes this road, so the line is put together by hand."""
        if type(value) is not float:
            value = metric_number(name, value)
        try:
            head = self._heads[name]
        except (KeyError, TypeError):
            head = self._head(name)
        if step is None:
            step = "null"
        elif type(step) is not int:
            step = step_number(step)
        now = _now() // 1_000_000
        number = repr(value) if isfinite(value) else f'"{number_to_json(value)}"'
        line = f'{head}{number}}},"s":{step},"t":{now}}}\n'.encode()
        with self._lock:
            try:
                if self._append(line):
                    state = self.state
                    state.metrics[name] = value
                    if state.counts:
                        state.counts.pop(name, None)
            except BaseException:
                self._sure = False
                raise
            if now >= self._due:
                self._catch_up()

    def metrics(self, values: Mapping[str, Any], step: Any, counts: dict[str, int] | None = None) -> None:
        """Append several metrics of one step as one line.

        Raises:
            UsageError: a name or a value is none; nothing is appended then.
        """
        plain = dict(values)
        if not (set(map(type, plain.values())) <= {float} and self._heads.keys() >= plain.keys()):
            plain = {check_name("metric", name): metric_number(name, value) for name, value in plain.items()}
            for name in plain.keys() - self._heads.keys():
                self._head(name)
        if step is not None and type(step) is not int:
            step = step_number(step)
        line = {"m": plain, "s": step, "t": _now() // 1_000_000}
        if counts:
            line["n"] = counts
        try:
            data = encode(line)
        except ValueError:  # a NaN or an infinity among them, which JSON has no number for
            data = encode({**line, "m": {name: number_to_json(value) for name, value in plain.items()}})
        self._keep(data, self.state.take_metrics, plain, counts)

    def _head(self, name: str) -> str:
        head = '{"m":{' + encode(check_name("metric", name)).decode() + ":"
        self._heads[name] = head
        return head

    def append(self, line: dict[str, Any]) -> None:
        """Append one line of any kind and fold it into the state."""
        self._keep(encode(line), self.state.apply, line)

    def _keep(self, data: bytes, fold: Callable[..., None], *said: Any) -> None:
        if holds_too_much(data):  # what is taken must be readable
            raise UsageError(
                "too many values in one call", expected=f"at most {VALUE_LIMIT}", next_step="save them as an artifact"
            )
        with self._lock:
            try:
                if self._append(data + b"\n"):
                    fold(*said)
            except BaseException:
                # Ctrl-C may strike between the line and the state; from here on the journals are read instead.
                self._sure = False
                raise
            if milliseconds() >= self._due:
                self._catch_up()

    def _append(self, data: bytes) -> bool:
        """Whether the line is in the kernel's hands; False: it was dropped, counted and said."""
        try:
            self._journal.append(data)
            if self._durable:
                self._journal.sync()
        except OSError as error:
            return self._append_otherwise(data, error)
        return True

    def _append_otherwise(self, data: bytes, error: OSError) -> bool:
        if self._pid == os.getpid():
            self.drop(error)
            return False
        try:
            self._sibling = self._sibling or sibling_of(self.folder, durable=self._durable)
        except OSError as failure:
            self.drop(failure)
            return False
        kept = self._sibling._append(data)
        if milliseconds() >= self._sibling._due:
            self._sibling._catch_up()
        return kept

    def drop(self, error: OSError) -> None:
        """Count one call that the disk refused, and say so the first time."""
        self._dropped += 1
        self._due = 0
        trouble = error.strerror or error
        self._say_once(f"{trouble}; what is logged from now on is dropped and counted until it works again")

    def _say_once(self, trouble: str) -> None:
        if not self._complained:
            self._complained = True
            complain(f"{self.folder}: {trouble}")

    def _catch_up(self) -> None:
        """Say how many calls were lost, as soon as there is room to say it."""
        if self._dropped:
            try:
                self._journal.append(self._owed())
            except OSError:
                return
            self._paid()
        self._due = milliseconds() + 5_000

    def _owed(self) -> bytes:
        return encode({"dropped": self._dropped}) + b"\n" if self._dropped else b""

    def _paid(self) -> None:
        self.state.dropped += self._dropped
        self._dropped = 0

    def artifact(self, name: str, fill: Callable[[str], str]) -> str | None:
        """Put a file under an artifact's name, whole, and record its size, digest and format.

        Args:
            name: a relative path inside the experiment.
            fill: writes the content to the path it is given and returns the format's name.

        Returns:
            The artifact's path, or None when the disk refused it (said and counted).

        Raises:
            UsageError: the name or the object cannot be taken.
            Refused: the name belongs to somebody else.
        """
        try:
            path, facts = place_artifact(self.folder, name, fill)
        except OSError as error:
            with self._lock:
                self.drop(error)
                self._catch_up()
            return None
        self.append({"artifact": facts, "t": milliseconds()})
        return path

    def close(self, status: str | None, *, error: dict[str, Any] | None = None) -> None:
        """End the experiment; only its owner does."""

    def abandon(self) -> None:
        """In a forked child: the journal and its lock stay with the parent; the next line opens a sibling's."""
        self._journal.abandon()

    def renew_lock(self) -> None:
        """In a forked child: the thread that held the lock does not exist here."""
        self._lock = threading.RLock()


class Sibling(Writer):
    """Another process's words on an experiment: a journal of its own in the present session.

    Raises (when made):
        OSError: the experiment is gone or cannot be written.
    """

    def __init__(self, folder: str, *, durable: bool = False) -> None:
        session = latest_session(folder)
        writer = f"{os.getpid()}-{os.urandom(4).hex()}"
        journal = Journal(f"{folder}/{journal_name(session, writer)}")
        super().__init__(folder, journal, durable=durable)
        self.session = session
        journal.append(encode(opening(session, writer)) + b"\n")
        if has_ended(folder):
            # Nobody would make the small files again, so this sends readers to the journals while we write.
            project(folder, None, sync=False, ended=True)

    def leave(self) -> None:
        """Sync what was said; where the experiment has ended, make its small files again."""
        with self._lock:
            if self._pid != os.getpid() or self not in _OPEN:
                return
            _OPEN.discard(self)
            self._catch_up()
            try:
                self._journal.sync()
                self._journal.close()
                if has_ended(self.folder) or self._ended_it():
                    project(self.folder, None, sync=True, ended=True)
            except OSError as error:
                self._say_once(f"{error.strerror or error}; the small files are behind the journals")

    def _ended_it(self) -> bool:
        """Whether this was the word that ends an experiment whose process is gone."""
        owner = f"{self.folder}/{journal_name(self.session)}"
        return self.state.status != RUNNING and liveness.owner(owner) == liveness.GONE


def has_ended(folder: str) -> bool:
    """Whether metadata.yaml says that the experiment has ended."""
    try:
        descriptor = os.open(f"{folder}/{METADATA}", READ)
    except OSError:
        return False
    try:
        status = cut(os.read(descriptor, 8192), b"status")
    finally:
        os.close(descriptor)
    return status is not None and status != encode(RUNNING)


_LIVING: weakref.WeakSet[Writer] = weakref.WeakSet()
_OPEN: set[Writer] = set()
_SIBLINGS: dict[str, Sibling] = {}


def sibling_of(folder: str, *, durable: bool = False) -> Sibling:
    """This process's sibling writer of an experiment: one journal a session, however many handles arrive here.

    Raises:
        OSError: the experiment is gone or cannot be written.
    """
    sibling = _SIBLINGS.get(folder)
    if sibling is None or sibling.session != latest_session(folder):
        sibling = _SIBLINGS[folder] = Sibling(folder, durable=durable)
    return sibling


def latest_session(folder: str) -> int:
    """The number of the session that an experiment is in."""
    return max((number for number, _, _ in journals(folder)), default=1)


def _in_child() -> None:
    for writer in _LIVING:
        writer.renew_lock()
    for writer in _OPEN:
        writer.abandon()
    _OPEN.clear()
    _SIBLINGS.clear()


@atexit.register
def _close_siblings() -> None:
    for sibling in list(_SIBLINGS.values()):
        sibling.leave()


os.register_at_fork(after_in_child=_in_child)
