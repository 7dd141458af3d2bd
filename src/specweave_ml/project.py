"""Where things are: the project's root, the increment that is meant, and the folder that a name gives.

It runs at the start of every experiment, so it imports little and reads one folder. What a caller says is only
ever compared with the names of existing folders, never joined to a path: no spelling of `..` leads anywhere.
"""

from __future__ import annotations

import os
import re

from specweave_ml.errors import NotFound, Refused, StoreError, UsageError, first_few
from specweave_ml.lifecycle import active_ids, likeliest_first

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

INCREMENTS = ".specweave/increments"
SET_ASIDE = ("_archive", "_abandoned", "_paused", "_backlog", "_working")
"""Folders beside the live increments; what lies there counts as archived."""

_INCREMENT = re.compile(r"([0-9]+)([A-Za-z]?)(?:-(.*))?")
_MOST_NAMED = 10
_LIKE = 0.6  # of 1: how much of a name must agree to be worth suggesting

_LEGAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+=-]*")
_LONGEST = 100
_LONGEST_OF_ALL = 255  # bytes of a name that common file systems can hold
_WINDOWS = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
# Generated documents stand beside the experiments, and SpecWeave's hooks act on the last three at any depth.
_TAKEN = {"comparison.md", "decision.md", "retraining-issues.yaml", "metadata.json", "spec.md", "tasks.md"}


class Increment:
    """One increment folder of a project.

    Attributes:
        root: the project's root (the folder that holds `.specweave`).
        name: the folder's name, such as `0042-recommendation-model`.
        path: the folder.
        archived: whether it lies under `_archive/` or another of the `SET_ASIDE` folders.
    """

    __slots__ = ("archived", "name", "path", "root")

    def __init__(self, root: str, name: str, path: str, *, archived: bool = False) -> None:
        self.root = root
        self.name = name
        self.path = path
        self.archived = archived

    @property
    def id(self) -> str:
        """The leading number with its suffix letter, such as `0042` or `0042E`."""
        found = _INCREMENT.match(self.name)
        return found[1] + found[2] if found else self.name

    @property
    def experiments(self) -> str:
        """The folder of its experiments, which may not exist yet."""
        return os.path.join(self.path, "experiments")

    def __repr__(self) -> str:
        return f"<Increment {self.name}{' (archived)' if self.archived else ''}>"


def find_root(start: str | None = None) -> str:
    """The nearest folder at or above `start` (default: where we stand) that holds a `.specweave` folder.

    Raises:
        NotFound: there is none.
    """
    here = folder = _absolute(start)
    while not os.path.isdir(os.path.join(folder, ".specweave")):
        parent = os.path.dirname(folder)
        if parent == folder:
            raise NotFound(
                "this is not a SpecWeave project: no .specweave folder here or above",
                path=here,
                next_step="specweave-ml init",
            )
        folder = parent
    return folder


def find_increment(increment: str | os.PathLike[str] | None = None, start: str | None = None) -> Increment:
    """The increment that is meant, seen from `start` (default: where we stand).

    The first of these that answers: the argument; the variable SPECWEAVE_INCREMENT; the increment folder we stand
    in; the one active increment of `.specweave/state/active-increment.json`; the one increment whose own status is
    active; the one that waits for review; the only increment of the project. Between two there is never a guess.

    Args:
        increment: `0042`, `42`, `0042...`, `0042E`, the full name or the start of it, or a path such as
            `.specweave/increments/0042-recommendation-model`. Of equal matches a live increment goes before an
            archived one; a path through `_archive/` names the archived one.
        start: the folder from which to look.

    Raises:
        NotFound: no project, nothing of that name, or several; the error lists the close matches.
        UsageError: not a name at all, or a path that leaves the project's increments.
        Refused: the folder is a link to somewhere outside the project.
    """
    root = find_root(start)
    if increment is not None:
        return _named(increment, root, "")
    return _pinned(root, start) or _implied(root)


def increments_in_question(start: str | None = None) -> list[Increment]:
    """The increments that SpecWeave may be about to close, when none is named.

    That is the one by the variable SPECWEAVE_INCREMENT or the folder we stand in; else those that wait for review, a
    status that SpecWeave gives before it asks; else those that are active; else the only one of the project. Empty
    where there is none of these.

    Raises:
        NotFound, UsageError, Refused: as `find_increment`.
    """
    root = find_root(start)
    pinned = _pinned(root, start)
    if pinned is not None:
        return [pinned]
    meant = next(filter(None, _likeliest_first(root, _live(root), review_first=True)), [])
    return [_inside(root, "", name) for name in meant]


def list_increments(root: str) -> list[Increment]:
    """Every increment of a project in the order of its number: the live ones, then the archived.

    Raises:
        Refused: `.specweave/increments` is a link to somewhere outside the project.
        StoreError: the folder cannot be read.
    """
    _refuse_outside(root, os.path.join(root, INCREMENTS))
    found = [
        _increment(root, folder, name)
        for folder in ("", *SET_ASIDE)
        for name in sorted(_names(root, folder), key=_by_number)
    ]
    return [increment for increment in found if _is_inside(root, increment.path)]


def folder_name(name: str) -> str:
    """The folder of an experiment called `name`.

    A name of ASCII letters, digits and `. _ + = -` that starts with a letter or digit and has at most 100 bytes is
    its own folder. Any other, and one that Windows or this package reserves, becomes a readable slug and 8 hex digits
    of the name's SHA-256; both spellings of an accented letter (NFC, NFD) give the same folder. Applied to its own
    result it changes nothing.

    Raises:
        UsageError: not a string, or nothing but space.
    """
    if not isinstance(name, str):
        raise _no_name(name)
    if not name.strip():
        raise _no_name(name)
    if _LEGAL.fullmatch(name) and len(name) <= _LONGEST and not _is_reserved(name):
        return str(name)
    return _slug_with_hash(name)


def _no_name(received: object) -> UsageError:
    return UsageError(
        "an experiment needs a name",
        received=received,
        expected="a string, such as 'xgboost-depth6-lr0.1'",
        next_step="give the experiment a name that says what it tries",
    )


def _is_reserved(name: str) -> bool:
    return name.lower() in _TAKEN or name.endswith(".") or _WINDOWS.fullmatch(name) is not None


def _slug_with_hash(name: str) -> str:
    import hashlib
    import unicodedata

    composed = unicodedata.normalize("NFC", name)
    digest = hashlib.sha256(composed.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    ascii_only = unicodedata.normalize("NFKD", composed).encode("ascii", "ignore").decode("ascii")
    slug = re.sub(r"[^A-Za-z0-9._+=-]+", "-", ascii_only).lstrip("._+=-")[: _LONGEST - len(digest) - 1]
    slug = slug.rstrip("._+=-") or "experiment"
    if _WINDOWS.fullmatch(slug):
        slug = slug.replace(".", "-")  # Windows looks at what stands before the first dot: `nul.txt-1a2b` is `nul`
    return f"{slug}-{digest}"


def _absolute(start: str | None) -> str:
    try:
        return os.path.abspath(os.curdir if start is None else start)
    except FileNotFoundError as error:
        raise NotFound("the current folder does not exist any more", next_step="cd into the project") from error


def _increment(root: str, folder: str, name: str) -> Increment:
    return Increment(root, name, os.path.join(root, INCREMENTS, folder, name), archived=folder != "")


def _inside(root: str, folder: str, name: str) -> Increment:
    increment = _increment(root, folder, name)
    _refuse_outside(root, increment.path)
    return increment


def _names(root: str, folder: str = "") -> list[str]:
    """The increments in one folder, in no order: the start of an experiment needs none."""
    path = os.path.join(root, INCREMENTS, folder)
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries if _INCREMENT.fullmatch(entry.name) and entry.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StoreError(
            f"the increments cannot be read: {error.strerror}",
            path=os.path.relpath(path, root),
            next_step="make the folder readable",
        ) from error


def _by_number(name: str) -> tuple[int, str]:
    return len(_head(name)), name


def _is_inside(root: str, path: str) -> bool:
    # Only a link can lead out, and a look at the last components is cheaper than resolving all of the path.
    part = path
    while part != root:
        if os.path.islink(part):
            return os.path.realpath(path).startswith(os.path.join(os.path.realpath(root), ""))
        part = os.path.dirname(part)
    return True


def _refuse_outside(root: str, path: str) -> None:
    if not _is_inside(root, path):
        raise Refused(
            "this folder is a link to somewhere outside the project, where nothing of it may be written",
            path=os.path.relpath(path, root),
            expected="a folder inside the project",
            next_step="replace the link by the folder itself",
        )


def _named(word: str | os.PathLike[str], root: str, said_by: str) -> Increment:
    folders, name = _taken_apart(word, root)
    found = _found(root, folders, name)
    if len(found) == 1:
        return _inside(root, *found[0])
    if found:
        raise NotFound(
            f"several increments fit{said_by}",
            received=name,
            path=INCREMENTS,
            expected="one of: " + first_few(sorted(os.path.join(*place) for place in found), _MOST_NAMED),
            next_step="say more of its name, or its path in .specweave/increments",
        )
    close = _close_matches(name, [known for folder in folders for known in _names(root, folder)])
    raise NotFound(
        f"there is no such increment{said_by}",
        received=name,
        path=INCREMENTS,
        expected="one of: " + first_few(close, _MOST_NAMED) if close else "the number or the name of an increment",
        next_step="name an existing increment" if close else "create the increment with SpecWeave first",
    )


def _found(root: str, folders: tuple[str, ...], name: str) -> list[tuple[str, str]]:
    """Folder and name of what fits: the live increments if any do, else those of the other folders."""
    live = _fitting(name, _names(root)) if "" in folders else []
    if live:
        return [("", each) for each in live]
    return [(folder, each) for folder in folders if folder for each in _fitting(name, _names(root, folder))]


def _taken_apart(word: str | os.PathLike[str], root: str) -> tuple[tuple[str, ...], str]:
    """The folders to look in and the name to look for. Reads nothing."""
    text = os.fspath(word) if isinstance(word, os.PathLike) else word
    if not isinstance(text, str):
        raise _not_a_name(text, "a string such as '0042'")
    inside = text.removeprefix(os.path.join(root, ""))
    if inside.startswith("/"):
        raise _not_a_name(text, "a path inside this project")
    parts = [part for part in inside.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise _not_a_name(text, "a path that does not climb")
    is_path = "/".join(parts[:2]) == INCREMENTS
    parts = parts[2:] if is_path else parts
    folders: tuple[str, ...] = ("", *SET_ASIDE)
    if parts and parts[0] in SET_ASIDE:
        is_path, folders, parts = True, (parts[0],), parts[1:]
    if len(parts) != 1 and not (parts and is_path):
        raise _not_a_name(text, "0042, 42, the full name, or a path inside .specweave/increments")
    name = parts[0].rstrip(".…")
    if not name or len(name.encode("utf-8", "surrogatepass")) > _LONGEST_OF_ALL:
        raise _not_a_name(text, f"a folder's name of 1 to {_LONGEST_OF_ALL} bytes")
    return folders, name


def _not_a_name(received: object, expected: str) -> UsageError:
    return UsageError(
        "this does not name an increment", received=received, expected=expected, next_step="name it as in '0042'"
    )


def _fitting(word: str, names: list[str]) -> list[str]:
    """Those of `names` whose number is the word's and whose slug starts as the word does; an equal name wins."""
    wanted = _INCREMENT.fullmatch(word)
    if wanted is None:
        return []
    if word in names:
        return [word]
    number, slug = wanted[1].lstrip("0"), wanted[3] or ""
    head = number + wanted[2].lower()
    likely = [name for name in names if number in name]  # cheap, and leaves few to take apart
    fitting = [name for name in likely if _head(name).lstrip("0").lower() == head and _slug(name).startswith(slug)]
    return [name for name in fitting if _slug(name) == slug] or fitting


def _head(name: str) -> str:
    return name.partition("-")[0]


def _slug(name: str) -> str:
    return name.partition("-")[2]


def _close_matches(word: str, names: list[str]) -> list[str]:
    from difflib import SequenceMatcher

    def likeness(name: str) -> float:
        # A person knows the start of a name or of its slug: compare as much of either as was typed.
        starts = (name[: len(word)], _slug(name)[: len(word)])
        return max(SequenceMatcher(None, word.lower(), start.lower()).ratio() for start in starts)

    close = [name for name in sorted(names, key=likeness, reverse=True)[:5] if likeness(name) >= _LIKE]
    return close or sorted(names, key=_by_number)


def _stood_in(root: str, here: str) -> Increment | None:
    base = os.path.join(root, INCREMENTS, "")
    parts = here.removeprefix(base).split("/") if here.startswith(base) else []
    folder = parts.pop(0) if parts and parts[0] in SET_ASIDE else ""
    if not parts or not _INCREMENT.fullmatch(parts[0]):
        return None
    increment = _inside(root, folder, parts[0])
    return increment if os.path.isdir(increment.path) else None


def _pinned(root: str, start: str | None) -> Increment | None:
    """The increment of the variable or of the folder we stand in."""
    variable = os.environ.get("SPECWEAVE_INCREMENT")
    if variable:
        return _named(variable, root, " (said by the environment variable SPECWEAVE_INCREMENT)")
    return _stood_in(root, _absolute(start))


def _implied(root: str) -> Increment:
    live = _live(root)
    several: list[str] = []
    for meant in _likeliest_first(root, live):
        if len(meant) == 1:
            return _inside(root, "", meant[0])
        several = several or meant
    several = several or live
    raise NotFound(
        "it is not clear which increment is meant" if several else "this project has no increment",
        path=INCREMENTS,
        expected="one of: " + first_few(several, _MOST_NAMED) if several else None,
        next_step=f'say increment="{several[0]}", or set SPECWEAVE_INCREMENT'
        if several
        else "create an increment with SpecWeave, then run again",
    )


def _likeliest_first(root: str, live: list[str], *, review_first: bool = False) -> Iterator[list[str]]:
    named = sorted({name for each in active_ids(root) for name in _fitting(each, live)})
    return likeliest_first(os.path.join(root, INCREMENTS), live, named, review_first=review_first)


def _live(root: str) -> list[str]:
    return sorted(_names(root), key=_by_number)
