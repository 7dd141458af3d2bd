"""What git knows of the project. The only module that talks to git.

Two ways. `read_head` reads the files of `.git` itself, in microseconds, and says nothing where it is not certain.
`read_tree` asks git for the rest, off the main thread, as a command that runs no program a repository names: no
fsmonitor, hook, filter, external diff, pager or transport of a hostile `.git/config`.
"""

from __future__ import annotations

import os

from specweave_ml.provenance.gaps import gap, pending
from specweave_ml.redact import redact_text, redact_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from subprocess import Popen

    from specweave_ml.provenance.gaps import Found

NO_GIT = 127
_HARDENED = (
    "--no-optional-locks",
    *("-c", "safe.bareRepository=explicit"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
)
_EMPTY = "SPECWEAVE_ML_EMPTY"
_HEX = frozenset("0123456789abcdef")
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+=#,")
_LARGEST_PACKED_REFS = 1 << 19


class Answer:
    """What git answered: exit `code` (127: no git, negative: killed), `output`, and `error` as one redacted line."""

    __slots__ = ("code", "error", "output")

    def __init__(self, code: int, output: bytes, error: str) -> None:
        self.code = code
        self.output = output
        self.error = error


class Repository:
    """Where git keeps things: `top` holds `.git`; HEAD and index are in `folder`, refs in `common`."""

    __slots__ = ("common", "folder", "top")

    def __init__(self, top: str, folder: str, common: str) -> None:
        self.top = top
        self.folder = folder
        self.common = common


def run_git(root: str, *args: str, seconds: float = 10.0) -> Answer:
    """Run one git command in `root`, hardened against the repository, and never raise for what git does.

    It asks nothing, reaches no network, takes no optional lock, ignores `GIT_*` of the environment, and is killed
    with its children after `seconds`. Options that choose what is run (`--no-ext-diff`, `--no-textconv`, filters)
    belong to the command and are the caller's.
    """
    import subprocess

    command = ["git", "-C", root, *_HARDENED, *args]
    pipe = subprocess.PIPE
    try:
        # A session of its own: nothing can prompt on the terminal, and the whole group can be killed.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=_environment(), start_new_session=True
        )
    except OSError as error:
        return Answer(NO_GIT, b"", f"git cannot be run: {error.strerror}")
    # No timer thread watches it: while the interpreter shuts down, when a short script's capture runs, none may start.
    with process:
        try:
            output, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _kill(process)
            output, errors = process.communicate()
        except BaseException:
            _kill(process)
            raise
    if process.returncode < 0:
        return Answer(process.returncode, output, f"git was killed (the limit is {seconds:g} s)")
    first_line = errors.decode(errors="replace").strip().partition("\n")[0]
    return Answer(process.returncode, output, redact_text(first_line))


def find_repository(root: str) -> Repository | None:
    """The repository that holds this folder, by the nearest `.git` above it; None if there is none.

    A `.git` that is a file (worktree, submodule) is followed. Whether git accepts what is there is not checked.
    """
    top = root
    while not os.path.lexists(f"{top}/.git"):
        # Only from here on does it matter where the folder really is.
        parent = os.path.dirname(os.path.realpath(top))
        if parent == top:
            return None
        top = parent
    folder = f"{top}/.git"
    pointer = (_read(folder) or "").rstrip("\r\n")
    place = pointer.removeprefix("gitdir: ")
    if place not in ("", pointer):
        folder = os.path.join(top, place)
    shared = (_read(f"{folder}/commondir") or "").rstrip("\r\n")
    return Repository(top, folder, os.path.join(folder, shared) if shared else folder)


def read_head(root: str) -> Found:
    """Commit and branch (None when detached) from the files of `.git`, and what is left to `read_tree`."""
    repository = find_repository(root)
    if repository is None:
        mend = "git init, then commit the sources before training"
        return {}, [gap("code", "the project is in no git repository", mend)]
    left = [pending("code.dirty"), pending("code.remote")]
    head = _read_head(repository)
    if head is None:
        return {}, [pending("code.commit"), pending("code.branch"), *left]
    return {"commit": head[0], "branch": head[1]}, left


def read_tree(root: str, commit: str | None) -> Found:
    """What `read_head` left: remote, dirty (tracked files differ from `commit`), and commit and branch if unknown.

    Looked at is the whole repository, without `.specweave` folders and the project's mlruns/ and wandb/. Filters
    that the repository's own configuration defines are not run; files of theirs touched since checkout are dirty.
    """
    repository = find_repository(root)
    if repository is None:
        return {}, []
    origin, filters, answer = settings(repository.top)
    if answer.code in (0, 1):  # 1: nothing is set
        answer = _status(repository.top, root, filters)
    if answer.code == 0:
        values, gaps = _parse_status(answer.output, commit)
    else:
        values, gaps = {}, [refusal("code.dirty" if commit else "code", answer)]
    if os.path.lexists(f"{repository.top}/.gitmodules"):
        why = "changes inside submodules are not looked at, only which commit each is at"
        gaps.append(gap("code.submodules", why, "commit inside the submodules before training"))
    if origin or answer.code == 0:
        remote, more = _remote(origin)
    else:
        remote, more = {}, [refusal("code.remote", answer)]
    return {**values, **remote}, gaps + more


def settings(top: str) -> tuple[str | None, set[str], Answer]:
    """The URL of origin, the filters that the repository itself defines, and git's answer (1: nothing is set)."""
    wanted = r"^(remote\.origin\.url$|filter\.)"
    answer = run_git(top, "config", "-z", "--show-scope", "--get-regexp", wanted)
    return (*_parse_settings(answer.output), answer)


def switched_off(filters: set[str], *more: str) -> list[str]:
    """The options that keep these filters from running on what goes into git; `smudge`: also on what comes out."""
    # Not with `-c`, which takes a name only up to its first "=".
    return [
        f"--config-env=filter.{name}.{key}={_EMPTY}"
        for name in sorted(filters)
        for key in ("clean", "process", "required", *more)
    ]


def looked_at(top: str, root: str) -> list[str]:
    """The pathspecs of what counts as code: all but `.specweave` folders and the project's mlruns/ and wandb/."""
    below_root = os.path.relpath(os.path.realpath(root), os.path.realpath(top))
    tools = [os.path.normpath(os.path.join(below_root, folder)) for folder in ("mlruns", "wandb")]
    excluded = [f":(exclude,top,literal){folder}" for folder in tools]
    return ["--", ":(top)", ":(exclude,top,glob)**/.specweave/**", *excluded]


def state(root: str) -> tuple[object, ...]:
    """Changes whenever HEAD, its ref or the index changes."""
    repository = find_repository(root)
    if repository is None:
        return ()
    head = _read(f"{repository.folder}/HEAD") or ""
    ref = head.removeprefix("ref: ").rstrip("\n")
    shared = (ref, "packed-refs", "reftable/tables.list")
    files = [f"{repository.folder}/index", *(f"{repository.common}/{name}" for name in shared)]
    return (head, *map(_stamp, files))


def _read_head(repository: Repository) -> tuple[str, str | None] | None:
    head = (_read(f"{repository.folder}/HEAD") or "").removesuffix("\n")
    if _is_commit(head):
        return head, None
    ref = head.removeprefix("ref: ")
    odd = any(piece in ref for piece in ("..", "//", "/.", ".lock")) or not _PLAIN.issuperset(ref)
    if ref == head or odd or not ref.startswith("refs/heads/"):
        return None
    commit = _read(f"{repository.common}/{ref}")
    if commit is None:
        packed = _read(f"{repository.common}/packed-refs", _LARGEST_PACKED_REFS) or ""
        commit = packed.partition(f" {ref}\n")[0].rpartition("\n")[2]
    commit = commit.removesuffix("\n")
    return (commit, ref.removeprefix("refs/heads/")) if _is_commit(commit) else None


def _is_commit(text: str) -> bool:
    return len(text) in (40, 64) and _HEX.issuperset(text)


def _read(path: str, limit: int = 4096) -> str | None:
    """A small regular file as text; None if it is missing, a link, not text, or not smaller than `limit` bytes."""
    try:
        # Without waiting: a pipe that poses as HEAD reads as empty instead of hanging the training.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            data = os.read(descriptor, limit)
        finally:
            os.close(descriptor)
        return data.decode() if len(data) < limit else None
    except (OSError, ValueError):
        return None


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # No protocol is allowed: a partial clone that lacks an object would else fetch it, by a program it names.
    return {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "none", _EMPTY: ""}


def _kill(process: Popen[bytes]) -> None:
    import signal

    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def _parse_settings(output: bytes) -> tuple[str | None, set[str]]:
    """The URL of origin, and the names of the filters that the repository itself defines."""
    origin: str | None = None
    filters: set[str] = set()
    fields = output.decode(errors="surrogateescape").split("\0")
    for scope, setting in zip(fields[::2], fields[1::2], strict=False):
        key, _, value = setting.partition("\n")
        if key == "remote.origin.url":
            origin = origin or value
        elif scope not in ("system", "global"):
            filters.add(key.removeprefix("filter.").rpartition(".")[0])
    return origin, filters


def _remote(origin: str | None) -> Found:
    if not origin:
        return {}, [gap("code.remote", "there is no remote called origin", "git remote add origin URL, and push")]
    host, colon, _ = origin.partition(":")
    if origin.startswith("file:") or not colon or "/" in host:
        why = "origin is a folder of this machine"
        return {}, [gap("code.remote", why, "push to a remote that others reach, and make it origin")]
    return {"remote": redact_url(origin)}, []


def _status(top: str, root: str, filters: set[str]) -> Answer:
    # `git diff` rewrites the index to refresh it, whatever --no-optional-locks says; `git status` does not.
    return run_git(
        top,
        *switched_off(filters),
        *("status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--no-renames"),
        *("--untracked-files=no", "--ignore-submodules=dirty", *looked_at(top, root)),
    )


def _parse_status(output: bytes, commit: str | None) -> Found:
    lines = output.decode(errors="replace").removesuffix("\n").split("\n")
    headers = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# "))
    head, branch = headers["branch.oid"], headers["branch.head"]
    values: dict[str, object] = {}
    if commit is None:
        values["branch"] = None if branch == "(detached)" else branch
    if head == "(initial)":
        return values, [gap("code", "the repository has no commit yet", "commit the sources before training")]
    if commit is None:
        values["commit"] = head
    elif head != commit:
        why = "another commit was checked out while the changes were looked at"
        return values, [gap("code.dirty", why, "leave the repository alone for the first second of a run")]
    values["dirty"] = len(lines) > len(headers)
    return values, []


def refusal(what: str, answer: Answer) -> dict[str, str]:
    """The entry of `capture.missing` for what git did not answer."""
    if answer.code == NO_GIT:
        return gap(what, answer.error, "install git")
    if answer.code < 0:
        return gap(what, answer.error, "run git status in the project: it should take less")
    if "dubious ownership" in answer.error:
        why = "git does not trust the repository, because another user owns it"
        return gap(what, why, "git config --global --add safe.directory FOLDER")
    return gap(what, f"git refused with exit code {answer.code}", "run git status in the project: it says why")
