"""The pictures beside comparison.md, in `_pictures/`: which of them are ours, written, and removed.

A picture is ours when its first line says so; any other file in there is somebody's and stays. New pictures are
written before the document that shows them, those whose reason is gone are removed after it: so no link is ever dead.
"""

from __future__ import annotations

import os

from specweave_ml.errors import Refused, StoreError
from specweave_ml.store.layout import COMPARISON, READ, refuse_link
from specweave_ml.store.replace import replace_file, sync_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

FOLDER = "_pictures"

_MARKER = b"<!-- specweave:picture v1 -->\n"
_SUFFIX = ".svg"
_LONGEST = 4_000_000


def outdated_pictures(experiments: str, wanted: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the pictures that a sync would write or remove. Nothing is written.

    Args:
        experiments: the folder of an increment's experiments.
        wanted: file name → text of every picture that belongs there.

    Raises:
        StoreError: the folder cannot be read.
    """
    folder = f"{experiments}/{FOLDER}"
    changed = {name for name, text in wanted.items() if _present(folder, name) != text.encode()}
    return tuple(sorted(changed | set(_unwanted(folder, wanted))))


def write_pictures(experiments: str, wanted: Mapping[str, str]) -> tuple[str, ...]:
    """Write the pictures that are new or different; their names.

    Args:
        experiments: the folder of an increment's experiments.
        wanted: file name → text.

    Raises:
        Refused: somebody's own file has the name of one, or the folder is a link. Nothing is written then.
        StoreError: one cannot be written.
    """
    folder = f"{experiments}/{FOLDER}"
    refuse_link(folder, "the folder of pictures")
    for name in wanted:
        _refuse_somebodys(folder, name)
    try:
        if wanted:
            os.makedirs(folder, exist_ok=True)
        return tuple(name for name, text in sorted(wanted.items()) if _write(folder, name, text.encode()))
    except OSError as error:
        raise StoreError(f"a picture cannot be written: {error.strerror or error}", path=folder) from error


def remove_pictures(experiments: str, wanted: Collection[str]) -> tuple[str, ...]:
    """Remove our pictures that are not wanted any more, and the folder when nothing is left in it; their names.

    One that comparison.md names stays: a training that ended just now may have written both.

    Args:
        experiments: the folder of an increment's experiments.
        wanted: the names of those that stay.

    Raises:
        Refused: the folder is a link.
        StoreError: one cannot be removed.
    """
    folder = f"{experiments}/{FOLDER}"
    refuse_link(folder, "the folder of pictures")
    comparison = _present(experiments, COMPARISON) or b""
    unwanted = tuple(name for name in _unwanted(folder, wanted) if f"({FOLDER}/{name})".encode() not in comparison)
    try:
        for name in unwanted:
            os.unlink(f"{folder}/{name}")
        if unwanted:
            sync_folder(folder)
        if unwanted and not os.listdir(folder):
            os.rmdir(folder)
    except OSError as error:
        raise StoreError(f"a picture cannot be removed: {error.strerror or error}", path=folder) from error
    return unwanted


def _write(folder: str, name: str, data: bytes) -> bool:
    return _present(folder, name) != data and replace_file(f"{folder}/{name}", data)


def _unwanted(folder: str, wanted: Collection[str]) -> tuple[str, ...]:
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise StoreError(f"the pictures cannot be read: {error.strerror or error}", path=folder) from error
    candidates = sorted(name for name in names if name.endswith(_SUFFIX) and name not in wanted)
    return tuple(name for name in candidates if (_present(folder, name) or b"").startswith(_MARKER))


def _refuse_somebodys(folder: str, name: str) -> None:
    path = f"{folder}/{name}"
    if os.path.lexists(path) and not (_present(folder, name) or b"").startswith(_MARKER):
        raise Refused(
            f"{name} is not a picture of ours, so it was left as it is",
            path=path,
            expected="a file that begins as the generated ones do",
            next_step="give it another name",
        )


def _present(folder: str, name: str) -> bytes | None:
    """What stands there, with the line ends as we write them: a checkout may have changed those."""
    try:
        with open(f"{folder}/{name}", "rb", opener=lambda path, _: os.open(path, READ)) as file:
            return (file.read(_LONGEST) or b"").replace(b"\r\n", b"\n")
    except OSError:
        return None
