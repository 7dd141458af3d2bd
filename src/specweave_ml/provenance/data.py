"""Which data it was: digests of files, folders, arrays and frames, and the pointers of DVC and git-lfs.

A digest is the same on every machine: of a file its sha256 (git-lfs names its files by just that, so a checkout with
or without the content says the same), of a folder the sha256 over the paths and digests of its files.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from typing import TYPE_CHECKING, Any

from specweave_ml.provenance.data_in_memory import digest_of_object

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["describe_files", "digest_of_object", "pointer_of", "total_bytes"]

_CHUNK = 1 << 20
_LARGEST_POINTER = 64 << 10
_LFS = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:[^\n]*\n)*?oid sha256:([0-9a-f]{64})\nsize (\d+)\n"
)
_LONGEST_LFS = 1024
_MD5 = re.compile(r"[0-9a-f]{32}(?:\.dir)?")

# (device, inode, size, time of change) → sha256: the experiments of a process often name the same file.
_known: dict[tuple[int, int, int, int], str] = {}
_one_at_a_time = threading.Lock()


def total_bytes(path: str) -> int:
    """The bytes of a file, or of all files below a folder."""
    if not os.path.isdir(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(file) for file in _files_below(path))


def describe_files(path: str) -> dict[str, Any]:
    """`algorithm`, `digest` and `bytes` of a file or folder, and `files` of a folder.

    Raises:
        OSError: something in it cannot be read.
    """
    if not os.path.isdir(path):
        return {"algorithm": "sha256", "digest": _sha256(path), "bytes": _size_behind(path)}
    combined, count, size = hashlib.sha256(), 0, 0
    for file in _files_below(path):
        name = os.fsencode(os.path.relpath(file, path).replace(os.sep, "/"))
        combined.update(b"%b\0%b\n" % (name, _sha256(file).encode()))
        count += 1
        size += _size_behind(file)
    return {"algorithm": "sha256-of-folder", "digest": combined.hexdigest(), "bytes": size, "files": count}


def pointer_of(path: str) -> dict[str, Any]:
    """What `<path>.dvc` (or the path itself, where it is such a file) says of the data; empty where there is none.

    Returns:
        `pointer`: the tool and its digest. DVC's own is an md5, which `dvc pull` brings back.
    """
    text = _text(path if path.endswith(".dvc") else f"{path}.dvc")
    if text is None:
        return {}
    import yaml

    try:
        found = yaml.load(text, Loader=yaml.CSafeLoader)
        digest = str(found["outs"][0]["md5"])
    except (yaml.YAMLError, LookupError, TypeError, ValueError, RecursionError):
        return {}
    return {"pointer": {"tool": "dvc", "md5": digest}} if _MD5.fullmatch(digest) else {}


def _files_below(path: str) -> Iterator[str]:
    """Every regular file below a folder in a fixed order; links are not followed."""
    for folder, folders, files in os.walk(path, onerror=_raise):
        folders.sort()
        for name in sorted(files):
            file = os.path.join(folder, name)
            if os.path.isfile(file) and not os.path.islink(file):
                yield file


def _raise(error: OSError) -> None:
    raise error


def _sha256(path: str) -> str:
    """The digest of a file's content; of a git-lfs pointer, the one of the file that it stands for."""
    with _one_at_a_time, open(path, "rb") as file:
        found = os.fstat(file.fileno())
        key = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        if key not in _known:
            first = file.read(_CHUNK)
            pointer = _LFS.match(first) if found.st_size < _LONGEST_LFS else None
            _known[key] = pointer[1].decode() if pointer else _rest(file, first)
        return _known[key]


def _rest(file: Any, first: bytes) -> str:
    digest = hashlib.sha256(first)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _size_behind(path: str) -> int:
    """The bytes of a file; of a git-lfs pointer, those of the file that it stands for."""
    size = os.path.getsize(path)
    if size < _LONGEST_LFS:
        with open(path, "rb") as file:
            pointer = _LFS.match(file.read())
        return int(pointer[2]) if pointer else size
    return size


def _text(path: str) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            data = file.read(_LARGEST_POINTER + 1)
        return data.decode() if len(data) <= _LARGEST_POINTER else None
    except (OSError, ValueError):
        return None
