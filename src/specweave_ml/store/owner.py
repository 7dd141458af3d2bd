"""The process that owns an experiment: starts or resumes it, keeps its small files fresh, ends it."""

from __future__ import annotations

import os
import time

from specweave_ml.errors import NotFound, Refused, StoreError, complain
from specweave_ml.project import folder_name
from specweave_ml.store import liveness
from specweave_ml.store.codec import encode
from specweave_ml.store.journal import CLOSED, Journal
from specweave_ml.store.layout import ARCHIVE, JOURNAL, METADATA, METRICS, PARAMS, journal_name, journals, refuse_link
from specweave_ml.store.projections import project, read, write_first
from specweave_ml.store.replace import sync_folder
from specweave_ml.store.writer import _OPEN, Writer, latest_session, milliseconds, opening

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from specweave_ml.store.fold import State

PROJECTION_SECONDS = 5.0
_PROJECTION_SHARE = 0.01


class Owner(Writer):
    """The one writer that may end its session.

    Args:
        folder: a folder claimed by `claim`, or of the experiment to resume.
        session: 1, and one more at every resume.
        state: what the journals of earlier sessions say.
        durable: sync every line.

    Raises (when made):
        FileExistsError: another process is resuming it this moment.
        OSError: the journal cannot be created.
    """

    def __init__(self, folder: str, session: int = 1, *, state: State | None = None, durable: bool = False) -> None:
        super().__init__(folder, Journal(f"{folder}/{journal_name(session)}"), state=state, durable=durable)
        self.session = session
        self.ended = False
        self._began = time.monotonic()
        self._due = milliseconds() + int(PROJECTION_SECONDS * 1000)

    def start(self, lines: list[dict[str, Any]]) -> None:
        """Write the opening line and what is known at the start with one call, then the small files.

        Raises:
            OSError: the experiment cannot be started here.
        """
        self._write_rows([opening(self.session, ""), *lines])
        if self.session == 1:
            write_first(self.folder, self.state)
        else:
            project(self.folder, None, sync=False, ended=False)

    def _write_rows(self, rows: list[dict[str, Any]]) -> None:
        self._journal.append(b"".join(encode(row) + b"\n" for row in rows))
        for row in rows:
            self.state.apply(row)

    def _known(self) -> State | None:
        """The state in memory; None where a line slipped past it."""
        return self.state if self._sure else None

    def _catch_up(self) -> None:
        """While it runs: the small files anew, by the logging call itself, at most a hundredth of the time."""
        if self._pid != os.getpid():
            return
        if self.ended:
            self.settle()
            return
        super()._catch_up()
        if self._dropped:
            return
        began = time.monotonic()
        try:
            project(self.folder, self._known(), sync=False, ended=False)
        except OSError as error:
            self._say_once(f"{error.strerror or error}; the small files are behind the journal")
        spent = time.monotonic() - began
        self._due = milliseconds() + int(1000 * max(PROJECTION_SECONDS, spent / _PROJECTION_SHARE))

    def close(self, status: str | None, *, error: dict[str, Any] | None = None) -> None:
        """End the session: the closing line, everything synced, the small files complete. Never raises.

        Args:
            status: how it ended; None: finished, unless another status was said before.
            error: type, message and traceback, for a failed one.
        """
        with self._lock:
            if self.ended or self._pid != os.getpid():
                return
            try:
                self._try_to_close(status, error)
            except BaseException:
                # A signal struck the closing itself: a second closing line says the same, so do it again, then go.
                self._sure = False
                self._try_to_close(status, error)
                raise
            finally:
                self.ended = True
                self._due = 0  # from now on every word makes the small files again
                self._journal.close()
                _OPEN.discard(self)

    def _try_to_close(self, status: str | None, error: dict[str, Any] | None) -> None:
        try:
            self._close(status, error)
        except OSError as failure:
            complain(f"{self.folder}: {failure.strerror or failure}; its end is not recorded whole")

    def _close(self, status: str | None, error: dict[str, Any] | None) -> None:
        super()._catch_up()
        seconds = round(time.monotonic() - self._began, 3)
        closing = {"status": status or "finished", "t": milliseconds(), "seconds": seconds}
        self._write_rows([{"set": {"error": error}}, closing] if error else [closing])
        project(self.folder, self._known(), sync=True, ended=True, also=self._sync)
        sync_folder(os.path.dirname(self.folder))

    def _sync(self) -> None:
        try:
            self._journal.sync()
        except OSError as failure:
            trouble = failure.strerror or str(failure)
            complain(f"{self._journal.path}: {trouble}; its lines may not survive a power cut")
            self._write_rows([{"set": {"sync_failed": trouble}}])

    def _append_otherwise(self, data: bytes, error: OSError) -> bool:
        if not (self.ended and self._pid == os.getpid() and self._journal.descriptor == CLOSED):
            return super()._append_otherwise(data, error)
        return self._append_after_the_end(data)

    def _append_after_the_end(self, data: bytes) -> bool:
        """A word after the block: behind the closing line of this process's own journal."""
        try:
            self._journal.reopen()
            try:
                self._journal.append(self._owed() + data)
                self._journal.sync()
            finally:
                self._journal.close()
        except OSError as error:
            self.drop(error)
            return False
        self._paid()
        return True

    def abort(self) -> None:
        """Let go of an experiment whose start failed."""
        self._journal.close()
        _OPEN.discard(self)

    def settle(self) -> None:
        """Bring the small files of an ended experiment up to what its journals say."""
        with self._lock:
            if self._is_resumed():
                return  # readers take the journals now, and whoever ends that session folds this word in
            try:
                project(self.folder, self._known(), sync=True, ended=True)
            except OSError as error:
                self._say_once(f"{error.strerror or error}; the small files are behind the journals")

    def _is_resumed(self) -> bool:
        """Whether another process, or another handle of this one, goes on with it in a later session."""
        session = latest_session(self.folder)
        journal = f"{self.folder}/{journal_name(session)}"
        return session > self.session and liveness.owner(journal) == liveness.ALIVE


def claim(experiments: str, name: str, *, rename: bool) -> str:
    """Make the folder of a new experiment; its creation decides between all who want the name.

    Args:
        experiments: the increment's `experiments` folder; made when absent.
        name: any name; what a folder cannot be called gets a slug and a short hash.
        rename: take `name-2`, `name-3`, … when the name is taken.

    Returns:
        The folder's path.

    Raises:
        Refused: the name is taken and `rename` is off, or the folder is a symbolic link.
        StoreError: the folder cannot be made.
    """
    refuse_link(experiments, "the experiments folder")
    number = 1
    while True:
        candidate = folder_name(name if number == 1 else f"{name}-{number}")
        try:
            if not os.path.lexists(f"{experiments}/{ARCHIVE}/{candidate}"):
                os.mkdir(f"{experiments}/{candidate}", 0o755)
                return f"{experiments}/{candidate}"
        except FileExistsError:
            pass
        except FileNotFoundError:
            _make(experiments)
            continue
        except OSError as error:
            raise unwritable(experiments, error) from error
        if not rename:
            raise Refused(
                "an experiment of that name exists already",
                received=name,
                path=f"{experiments}/{candidate}",
                expected="a new name",
                next_step="choose another name, continue it with resume=True, or drop on_exists='error'",
            )
        number += 1


def discard(folder: str) -> None:
    """Take back a claim whose start failed: only the files that a start makes, then the empty folder."""
    for name in (JOURNAL, PARAMS, METRICS, METADATA):
        try:
            os.unlink(f"{folder}/{name}")
        except OSError:
            continue
    try:
        os.rmdir(folder)
    except OSError:
        return


def _make(experiments: str) -> None:
    try:
        os.makedirs(experiments, 0o755, exist_ok=True)
    except OSError as error:
        raise unwritable(experiments, error) from error


def unwritable(path: str, error: OSError) -> StoreError:
    """The error of a start that the disk refused."""
    failure = StoreError(
        f"an experiment cannot be written: {error.strerror or error}",
        path=error.filename or path,
        expected="a writable folder with free space",
        next_step="specweave-ml doctor",
    )
    failure.errno = error.errno
    return failure


def resume(experiments: str, name: str, *, durable: bool, kind: type[Owner] = Owner) -> Owner:
    """The owner of the next session of an experiment, of a given kind.

    Raises:
        NotFound: there is none of that name.
        Refused: the process that owns it is still there, or another one resumes it this moment.
        StoreError: it cannot be written.
    """
    folder = f"{experiments}/{folder_name(name)}"
    refuse_link(experiments, "the experiments folder")
    refuse_link(folder, "the experiment's folder")
    present = journals(folder)
    if not present:
        raise NotFound(
            "there is no experiment of that name to resume",
            received=name,
            path=folder,
            expected="the name of an experiment of this increment",
            next_step="start it without resume, or with resume='allow'",
        )
    session = present[-1][0]
    if liveness.owner(f"{folder}/{journal_name(session)}") == liveness.ALIVE:
        raise _still_running(name, folder)
    try:
        return kind(folder, session + 1, state=read(folder), durable=durable)
    except FileExistsError:
        raise _still_running(name, folder) from None
    except OSError as error:
        raise unwritable(folder, error) from error


def _still_running(name: str, folder: str) -> Refused:
    return Refused(
        "the experiment is still running in another process",
        received=name,
        path=folder,
        expected="an experiment whose process has ended",
        next_step="wait for it or stop it; from another process use specweave-ml note, tag or status",
    )
