"""Document files: read with a stamp, backed up where git could not give them back, replaced whole or not at all."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from specweave_ml.errors import Refused, StoreError
from specweave_ml.living_docs.exchange import exchange_files
from specweave_ml.provenance.git import run_git
from specweave_ml.store.replace import create, sync_folder, temporary_name, write_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MOST_BACKUPS = 5
_MODE = 0o7777


@dataclass(frozen=True, slots=True)
class Found:
    """A document as it was read: where it really lies, its bytes and its stat; both None where there is none."""

    target: str
    data: bytes | None = None
    about: os.stat_result | None = None

    @property
    def read_only(self) -> bool:
        """Whether its owner wants nobody to write it."""
        return self.about is not None and not self.about.st_mode & 0o222


def find_document(root: str, path: str) -> Found:
    """Read a document, behind links too.

    Raises:
        Refused: it leads out of the project, or is no file.
        StoreError: it cannot be read.
    """
    target = refuse_outside(root, path)
    try:
        # Without waiting: a pipe that poses as a document is refused instead of waited for.
        descriptor = os.open(target, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            # The stat is older than the first byte, so whatever changes while we read shows.
            about = os.fstat(descriptor)
            if not stat.S_ISREG(about.st_mode):
                raise Refused("it is not a file", next_step="move away what stands in its place")
            return Found(target, file.read(), about)
    except FileNotFoundError:
        return Found(target)
    except OSError as error:
        raise StoreError(f"the document cannot be read: {error.strerror}", path=path) from error


def refuse_outside(root: str, path: str) -> str:
    """Where a path of the project really leads, behind all links.

    Raises:
        Refused: out of the project, where nothing of it may be written.
    """
    target = os.path.realpath(os.path.join(root, path))
    if not target.startswith(os.path.join(os.path.realpath(root), "")):
        raise Refused(f"{path} leads out of the project", next_step="replace the link by what it leads to")
    return target


def is_as_read(found: Found) -> bool:
    """Whether a document is still the one that was read; one that was only touched is."""
    try:
        about = os.stat(found.target)
        if _stamp(about) == _stamp(found.about):
            return True
        with open(found.target, "rb") as file:
            return file.read() == found.data
    except FileNotFoundError:
        return found.data is None


def replace_document(found: Found, data: bytes) -> bool:
    """Write a document whole, with the mode and owner it has; False, and nothing done, if it is not as it was read.

    Raises:
        OSError: it cannot be written; the old one stands.
    """
    folder = os.path.dirname(found.target)
    os.makedirs(folder, exist_ok=True)
    with _temporary(found.target, data, found.about) as temporary:
        done = _create(temporary, found) if found.data is None else _swap(temporary, found)
    sync_folder(folder)
    return done


def blobs_in_git(root: str, paths: Sequence[str]) -> dict[str, str]:
    """The object that git's index holds for each path; none for an untracked one, or where there is no git."""
    if not paths:
        return {}
    answer = run_git(root, "--literal-pathspecs", "ls-files", "--stage", "-z", "--", *paths)
    entries = answer.output.decode(errors="surrogateescape").split("\0")[:-1] if answer.code == 0 else []
    blobs: dict[str, str] = {}
    for entry in entries:
        about, _, path = entry.partition("\t")
        _, blob, stage = about.split(" ")
        if stage == "0":
            blobs[path] = blob
    return blobs


def is_blob(data: bytes, blob: str | None) -> bool:
    """Whether git's object is these bytes, so that git can give them back."""
    if blob is None:
        return False
    algorithm = "sha1" if len(blob) == 40 else "sha256"
    return hashlib.new(algorithm, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest() == blob


def back_up(folder: str, found: Found) -> None:
    """Keep the document as it was read, for the case that this package has a bug; the folder holds the last few.

    Raises:
        OSError: it cannot be written.
    """
    data = found.data or b""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    kept = f"{folder}/{hashlib.sha256(data).hexdigest()[:16]}.md"
    with _temporary(kept, data, found.about) as temporary:
        os.replace(temporary, kept)
    files = sorted(os.scandir(folder), key=lambda entry: entry.stat().st_mtime_ns)
    for entry in files[:-_MOST_BACKUPS]:
        os.unlink(entry.path)


def _create(temporary: str, found: Found) -> bool:
    try:
        os.link(temporary, found.target)  # never over a file that somebody made meanwhile
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        if os.path.lexists(found.target):
            return False
        os.replace(temporary, found.target)
    return True


def _swap(temporary: str, found: Found) -> bool:
    if not is_as_read(found):
        return False
    if not exchange_files(temporary, found.target):
        os.replace(temporary, found.target)
    elif not is_as_read(replace(found, target=temporary)):
        try:
            exchange_files(temporary, found.target)
        except FileNotFoundError:  # and then it was removed: what was saved last counts
            os.replace(temporary, found.target)
        return False
    return True


@contextmanager
def _temporary(path: str, data: bytes, like: os.stat_result | None) -> Iterator[str]:
    """A whole, synced file beside `path`, which is gone at the end."""
    temporary = temporary_name(path)
    try:
        descriptor = create(temporary)
        try:
            if like is not None:
                _make_alike(descriptor, like)
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        yield temporary
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def _make_alike(descriptor: int, like: os.stat_result) -> None:
    own = os.fstat(descriptor)
    if (own.st_uid, own.st_gid) != (like.st_uid, like.st_gid):
        with suppress(PermissionError):  # only root gives files away; the mode is kept all the same
            os.fchown(descriptor, like.st_uid, like.st_gid)
    os.fchmod(descriptor, like.st_mode & _MODE)


def _stamp(about: os.stat_result | None) -> tuple[int, int, int] | None:
    return about and (about.st_mtime_ns, about.st_size, about.st_ino)
