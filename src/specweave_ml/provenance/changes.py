"""The changes on top of the commit, as one patch that restores them: tracked files, and new source files.

Left out, and said: files above a size, and files in which something looks like a secret. New files go in by an
allow-list of suffixes: everything untracked would be data, outputs and `.env` files.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from specweave_ml.errors import first_few
from specweave_ml.provenance.gaps import gap
from specweave_ml.provenance.git import find_repository, looked_at, refusal, run_git, settings, switched_off
from specweave_ml.redact import is_secret_name, redact_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from specweave_ml.provenance.gaps import Found

LARGEST_FILE = 1 << 20
"""Bytes of a changed file, before or after, that a patch still takes."""

LARGEST_PATCH = 8 << 20
"""Bytes of all of them."""

_SOURCES = frozenset(
    ".py .pyi .pyx .pxd .ipynb .toml .cfg .ini .yaml .yml .json .sh .sql .r .jl .c .cc .cpp .h .hpp .cu .rs .go".split()
)
_INSTALLED = frozenset({"site-packages", "dist-packages", "node_modules"})  # of an environment that git does not ignore
_MOST_NAMED = 5
_HEADER = b"diff --git "
_SHOWN_AS = (
    "--binary",
    "--full-index",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-relative",
    "--no-renames",
)
_PREFIXES = ("--src-prefix=a/", "--dst-prefix=b/")


class _Left:
    """Paths that the patch does not hold, by reason."""

    # A plain class: the standard ones are made by exec, and an exec while Python exits by Ctrl-C changes its exit code.
    def __init__(self) -> None:
        self.large: list[str] = []
        self.secret: list[str] = []
        self.odd: list[str] = []


def read_changes(root: str, commit: str | None) -> Found:
    """`patch` (side file, sha256, bytes, whether it is truncated, and its text) and the new files in it.

    Nothing where the tree is as the commit has it. The index is read as it is: nothing refreshes it.
    """
    repository = find_repository(root)
    if repository is None or commit is None:
        return {}, []
    top = repository.top
    _, filters, answer = settings(top)
    if answer.code not in (0, 1):
        return {}, [refusal("code.patch", answer)]
    where = (*switched_off(filters),)
    paths = looked_at(top, root)
    changed = run_git(
        top, *where, "diff-index", "-z", "--raw", "--no-renames", "--ignore-submodules=dirty", commit, *paths
    )
    others = run_git(top, "ls-files", "-z", "--others", "--exclude-standard", *paths)
    for answer in (changed, others):
        if answer.code:
            return {}, [refusal("code.patch", answer)]
    left = _Left()
    tracked = _small_enough(top, commit, _changed_paths(changed.output), left)
    patch = _patch_of(top, where, commit, tracked, left) if tracked else b""
    new = dict(_new_files(top, sorted(filter(_is_source, _names(others.output))), len(patch), left))
    patch += b"".join(new.values())
    return _found(patch, sorted(new), left)


def _found(patch: bytes, new: list[str], left: _Left) -> Found:
    reasons = (
        (left.large, "larger than a patch takes", "commit them, or keep them as a data set with a version"),
        (left.secret, "with something that looks like a secret", "move it into an environment variable, and commit"),
        (left.odd, "that cannot be put into a patch", "commit them under plain names"),
    )
    gaps = [
        gap("code.patch", f"without changed files {why}: {first_few(paths, _MOST_NAMED)}", mend)
        for paths, why, mend in reasons
        if paths
    ]
    if not patch:
        return {}, gaps
    digest = hashlib.sha256(patch).hexdigest()
    described: dict[str, object] = {"file": f".code/{digest[:16]}.patch", "sha256": digest, "bytes": len(patch)}
    values: dict[str, object] = {"patch": {**described, "truncated": bool(gaps), "content": patch}}
    if new:
        values["untracked"] = {"count": len(new), "files": new[: 10 * _MOST_NAMED]}
    return values, gaps


def _names(output: bytes) -> list[str]:
    return [os.fsdecode(name) for name in output.split(b"\0") if name]


def _changed_paths(raw: bytes) -> list[str]:
    """The paths of `diff-index --raw -z`: a line of modes and objects, then the path."""
    return _names(b"\0".join(raw.split(b"\0")[1::2]))


def _small_enough(top: str, commit: str, paths: list[str], left: _Left) -> list[str]:
    """The paths whose content, in the commit and now, is small; a removed file counts with what the commit has."""
    if not paths:
        return []
    before = _sizes(top, commit, paths)
    kept, total = [], 0
    for path in paths:
        size = max(before.get(path, 0), _size(os.path.join(top, path)))
        if size > LARGEST_FILE or total + size > LARGEST_PATCH:
            left.large.append(path)
        else:
            kept.append(path)
            total += size
    return kept


def _sizes(top: str, commit: str, paths: list[str]) -> dict[str, int]:
    found = {}
    for some in _in_portions(paths):
        answer = run_git(top, "--literal-pathspecs", "ls-tree", "-r", "-l", "-z", commit, "--", *some)
        for line in answer.output.split(b"\0"):
            about, _, name = line.partition(b"\t")
            size = about.rpartition(b" ")[2]
            found[os.fsdecode(name)] = int(size) if size.isdigit() else 0
    return found


def _in_portions(paths: list[str]) -> Iterator[list[str]]:
    """A command line takes so many words."""
    for start in range(0, len(paths), 500):
        yield paths[start : start + 500]


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def _patch_of(top: str, where: Iterable[str], commit: str, paths: list[str], left: _Left) -> bytes:
    """The patch of tracked files, file by file, so that one with a secret in it can stay out."""
    sections = []
    for some in _in_portions(paths):
        answer = run_git(
            top, *where, "--literal-pathspecs", "diff-index", "-p", *_SHOWN_AS, *_PREFIXES,
            "--ignore-submodules=dirty", commit, "--", *some, seconds=30.0,
        )  # fmt: skip
        if answer.code:
            left.odd.extend(some)
            continue
        sections += _sections(answer.output)
    kept = [section for section in sections if not _shows_secret(section)]
    left.secret.extend(_title(section) for section in sections if _shows_secret(section))
    return b"".join(kept)


def _sections(patch: bytes) -> list[bytes]:
    """The patch cut before every `diff --git` line; inside a section such a line has a sign in front."""
    pieces = (b"\n" + patch).split(b"\n" + _HEADER)
    return [_HEADER + piece + (b"" if at == len(pieces) - 1 else b"\n") for at, piece in enumerate(pieces) if at]


def _title(section: bytes) -> str:
    return os.fsdecode(section[len(_HEADER) :].partition(b"\n")[0].rpartition(b" b/")[2])


def _shows_secret(section: bytes) -> bool:
    text = section.partition(b"\nGIT binary patch\n")[0].decode("utf-8", "surrogateescape")
    # Each line for itself, without its sign: `-` before a name would look like an option.
    return any(redact_text(line[1:]) != line[1:] for line in text.split("\n"))


def _is_source(path: str) -> bool:
    stem, suffix = os.path.splitext(os.path.basename(path))
    installed = _INSTALLED.intersection(path.split("/"))
    return suffix.lower() in _SOURCES and not is_secret_name(stem) and not installed


def _new_files(top: str, paths: Iterable[str], so_far: int, left: _Left) -> Iterator[tuple[str, bytes]]:
    """Path → the section of a patch that makes the file."""
    for path in paths:
        content = _content(os.path.join(top, path))
        if content is None or b"\0" in content or any(sign in path for sign in '"\\') or not path.isprintable():
            left.odd.append(path)
        elif len(content) > LARGEST_FILE or so_far + len(content) > LARGEST_PATCH:
            left.large.append(path)
        else:
            section = _addition(path, content, executable=os.access(os.path.join(top, path), os.X_OK))
            if _shows_secret(section):
                left.secret.append(path)
            else:
                so_far += len(section)
                yield path, section


def _content(path: str) -> bytes | None:
    """What a file holds, as far as its size still matters; None of what cannot be read, such as a link."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            return file.read(LARGEST_FILE + 1)
    except OSError:
        return None


def _addition(path: str, content: bytes, *, executable: bool) -> bytes:
    """A file as an addition, as `git diff` would write it once the file is tracked."""
    name = os.fsencode(path)
    blob = hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest().encode()
    head = b"%ba/%b b/%b\nnew file mode %b\n" % (_HEADER, name, name, b"100755" if executable else b"100644")
    head += b"index %b..%b\n" % (b"0" * 40, blob)
    if not content:
        return head
    lines = content.removesuffix(b"\n").split(b"\n")
    ending = b"\n" if content.endswith(b"\n") else b"\n\\ No newline at end of file\n"
    tab = b"\t" if b" " in name else b""  # git's own way to say where a name with blanks ends
    head += b"--- /dev/null\n+++ b/%b%b\n@@ -0,0 +1,%d @@\n" % (name, tab, len(lines))
    return head + b"".join(b"+%b\n" % line for line in lines[:-1]) + b"+" + lines[-1] + ending
