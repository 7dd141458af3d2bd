"""Small files replaced whole: a reader sees the old one or the new one, after any crash."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MODE = 0o644


def replace_file(path: str, data: bytes, *, sync: bool = True) -> bool:
    """Write a file whole; False, and not a byte touched, when it already holds `data`.

    Raises:
        OSError: it cannot be written; the old file stands.
    """
    return replace_files({path: data}, sync=sync)


def replace_files(files: dict[str, bytes], *, sync: bool, also: Callable[[], None] | None = None) -> bool:
    """Replace several files of one folder with one group of syncs; True when any of them changed.

    Args:
        files: path → content.
        sync: survive a power cut.
        also: syncs what must be durable before these files are; called in the midst, where it shares their commit.

    Raises:
        OSError: one cannot be written; files not yet renamed keep their old content.
    """
    changed = {path: data for path, data in files.items() if not _holds(path, data)}
    # Named before they are made: a signal in between leaves nothing behind.
    pending = [(temporary_name(path), path) for path in changed]
    try:
        _write([(temporary, changed[path]) for temporary, path in pending], sync=sync, also=also)
        for temporary, path in pending:
            os.replace(temporary, path)
    except BaseException:
        _remove(temporary for temporary, _ in pending)
        raise
    if sync and pending:
        sync_folder(os.path.dirname(pending[0][1]))
    return bool(pending)


def _write(files: list[tuple[str, bytes]], *, sync: bool, also: Callable[[], None] | None) -> None:
    descriptors: list[int] = []
    try:
        for path, data in files:
            descriptors.append(create(path))
            write_all(descriptors[-1], data)
        if sync:
            # Writing back is begun for all before the first is waited for: they share one commit of the file system.
            for descriptor in descriptors:
                _begin_writing_back(descriptor)
        if also is not None:
            also()
        if sync:
            for descriptor in descriptors:
                os.fsync(descriptor)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _begin_writing_back(descriptor: int) -> None:
    if hasattr(os, "posix_fadvise"):  # not on macOS, where each sync does it alone
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def temporary_name(path: str) -> str:
    """An unguessable name beside a file, so that the rename stays on one file system; the suffix is kept."""
    folder, name = os.path.split(path)
    return f"{folder}/.tmp-{os.urandom(8).hex()}{os.path.splitext(name)[1]}"


def create(path: str) -> int:
    """A descriptor of a file that did not exist."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, MODE)


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte; a full disk takes a part first and raises at the next try."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: str) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _holds(path: str, data: bytes) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.fstat(descriptor).st_size == len(data) and os.read(descriptor, len(data) + 1) == data
    finally:
        os.close(descriptor)


def _remove(paths: Iterable[str]) -> None:
    for path in paths:
        try:
            os.unlink(path)
        except FileNotFoundError:
            continue
