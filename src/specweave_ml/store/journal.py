"""One journal file and its only writer: one `write` a line, nothing buffered, nothing half left behind."""

from __future__ import annotations

import errno
import os

from specweave_ml.store import liveness
from specweave_ml.store.replace import MODE

_CREATE = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_AGAIN = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
CLOSED = -1


class Journal:
    """An append-only file that this process created and nobody else writes to.

    Raises (when made):
        FileExistsError: somebody else has this journal.
        OSError: it cannot be created.
    """

    __slots__ = ("_size_at_close", "descriptor", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self.descriptor = os.open(path, _CREATE, MODE)
        self._size_at_close = 0
        liveness.hold(self.descriptor)

    def append(self, data: bytes) -> None:
        """Write whole lines with one call; what a full disk took of them is cut off again.

        Raises:
            OSError: nothing of `data` was kept.
        """
        written = os.write(self.descriptor, data)
        if written != len(data):
            self._cut(written)

    def _cut(self, written: int) -> None:
        """Take a half-written line back; where even that fails, write no more, lest the next line glue to it."""
        try:
            os.ftruncate(self.descriptor, os.fstat(self.descriptor).st_size - written)
        except OSError:
            self.close()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.path)

    def sync(self) -> None:
        """Make the lines survive a power cut; a failed sync is final and never retried.

        Raises:
            OSError: the kernel could not promise it.
        """
        os.fsync(self.descriptor)

    def close(self) -> None:
        """Stop appending; the lock goes with the descriptor."""
        if self.descriptor != CLOSED:
            self._size_at_close = os.fstat(self.descriptor).st_size
            self.abandon()

    def abandon(self) -> None:
        """Drop the descriptor as a forked child must: the lock stays with the parent."""
        if self.descriptor != CLOSED:
            os.close(self.descriptor)
            self.descriptor = CLOSED

    def reopen(self) -> None:
        """Append again after `close`: this process created the file and knows that its last line is whole.

        Raises:
            OSError: it is gone, or somebody wrote to it meanwhile.
        """
        descriptor = os.open(self.path, _AGAIN)
        if os.fstat(descriptor).st_size != self._size_at_close:
            os.close(descriptor)
            raise OSError(errno.ESTALE, "another process changed the journal", self.path)
        self.descriptor = descriptor
