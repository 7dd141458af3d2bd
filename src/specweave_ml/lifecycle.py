"""What SpecWeave's own files say of a project and its increments. They are read, and never written.

    .specweave/state/active-increment.json       {"ids": ["0042-…"]}, before that {"id": "0042-…"}
    .specweave/increments/<name>/metadata.json   the status; older increments have it in spec.md's front matter

SpecWeave has changed its words over time, and people edit these files: what is absent, damaged or too large says
nothing, which is no error.
"""

from __future__ import annotations

import json
import os
import re
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_ACTIVE = frozenset({"active", "in-progress"})
_IN_REVIEW = frozenset({"ready-for-review"})
_ENDED = frozenset({"completed", "complete", "closed", "done", "abandoned", "archived"})

_STATE = ".specweave/state/active-increment.json"
_MADE_BY_SPECWEAVE = (".specweave/config.json", ".specweave/config.yaml", ".specweave/docs/internal/README.md", _STATE)
_LONGEST = 1 << 20  # bytes
_LONGEST_HEAD = 1 << 14  # of a spec.md

_FRONT_MATTER = re.compile(r"\ufeff?---\s*\n(.*?)^---", re.DOTALL | re.MULTILINE)
_STATUS = re.compile(r"""^status:[ \t]*["']?([^"'#\r\n]+)""", re.MULTILINE)


def active_ids(root: str) -> list[str]:
    """What the state file calls active, in either of its forms."""
    state = _json_object(os.path.join(root, _STATE))
    ids = state.get("ids")
    ids = [state.get("id")] if ids is None else ids
    return [each for each in ids if isinstance(each, str)] if isinstance(ids, list) else []


def status_of(increment: str) -> str | None:
    """The status of the increment in this folder, such as `active` or `ready-for-review`; None where nothing says it.

    Case, and whether words are joined by `-`, `_` or a space, make no difference.
    """
    said = _json_object(f"{increment}/metadata.json").get("status") or _front_matter_status(f"{increment}/spec.md")
    return re.sub(r"[\s_]+", "-", said.strip().lower()) if isinstance(said, str) else None


def likeliest_first(
    folder: str, increments: list[str], named: list[str], *, review_first: bool = False
) -> Iterator[list[str]]:
    """Which of the increments in a folder may be meant where nobody names one: each list goes before the next.

    Args:
        folder: where they lie.
        increments: their names.
        named: those of them that the state file calls active. It is not always kept up: what has ended since is left
            out.
        review_first: put those that wait for review before the active ones. SpecWeave gives an increment that status
            before it asks whether it may be closed.
    """

    def saying(statuses: frozenset[str], names: list[str] = increments) -> list[str]:
        return [name for name in names if status_of(os.path.join(folder, name)) in statuses]

    if review_first:
        yield saying(_IN_REVIEW)
    ended = saying(_ENDED, named)
    yield [name for name in named if name not in ended]
    yield saying(_ACTIVE)
    if not review_first:
        yield saying(_IN_REVIEW)
    if len(increments) == 1:
        yield increments


def is_of_specweave(root: str, increments: list[str]) -> bool:
    """Whether SpecWeave itself works in this project; a `.specweave` with nothing but experiments is ours alone.

    Args:
        root: the project's root.
        increments: the folders of its increments.
    """
    made = any(os.path.isfile(os.path.join(root, path)) for path in _MADE_BY_SPECWEAVE)
    return made or any(status_of(each) is not None for each in increments)


def _front_matter_status(path: str) -> str | None:
    front = _FRONT_MATTER.match(_read(path, _LONGEST_HEAD, whole=False))
    status = _STATUS.search(front[1]) if front else None
    return status[1] if status else None


def _json_object(path: str) -> dict[str, object]:
    try:
        value = json.loads(_read(path, _LONGEST).removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _read(path: str, most: int, *, whole: bool = True) -> str:
    """The text of a plain file; nothing of one that is missing or, where it is wanted whole, too large."""
    try:
        # Without waiting: a pipe in the file's place would hold up every experiment that starts here.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            data = file.read(most + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    except OSError:
        return ""
    return "" if whole and len(data) > most else data[:most].decode("utf-8", "replace").replace("\r\n", "\n")
