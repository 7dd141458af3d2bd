"""What an agent is told when its session starts: one line about the experiments of the active increment.

    Increment 0042: 7 experiments, best exp-003-xgboost (accuracy 0.87)

These are the words of the first line of comparison.md, else a count of the folders. Outside a SpecWeave project, and
where nothing was tracked yet, it says nothing; it always exits with 0.

It runs in repositories that nobody has looked at, as `python3 -I -S`: the standard library of any Python from 3.8, no
git, no other program, no configuration that could name one. Of what it reads, only visible characters are passed on.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

INCREMENT = re.compile(r"([0-9]+[A-Za-z]?)(?:-.*)?")
COMPARISON = re.compile(
    r"<!-- specweave:comparison v1 sha256=[0-9a-f]{16} (Increment ([^ :]+): \d+ experiments?, .*) -->"
)
FRONT_MATTER = re.compile(r"---\s*\n(.*?)^---", re.DOTALL | re.MULTILINE)
STATUS = re.compile(r"""^status:[ \t]*["']?([^"'#\r\n]+)""", re.MULTILINE)
ENDED = ("completed", "complete", "closed", "done", "abandoned", "archived")
JOURNAL = "journal.jsonl"
MOST = 200  # characters about an increment
# Beyond letters and digits only what comparison.md itself writes; of the letters, not the four that nobody can see.
UNFIT = re.compile("[^\\w .,:;+=@%/()…–-]|[\u115f\u1160\u3164\uffa0]")


def main() -> None:
    """Print the line, or nothing."""
    root = project(os.getcwd())
    increments = active(root) if root else []
    said = [line for line in map(about, increments[:2]) if line]
    if said:
        sys.stdout.buffer.write(("; ".join(said) + "\n").encode("utf-8", "replace"))
        sys.stdout.flush()


def project(folder: str) -> str | None:
    """The nearest folder, from here up, that holds `.specweave`."""
    while not os.path.isdir(os.path.join(folder, ".specweave")):
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            return None
    return folder


def active(root: str) -> list[str]:
    """The paths of the increments that are worked on, which are those that `specweave-ml` means when none is named."""
    home = os.path.join(root, ".specweave", "increments")
    if not os.path.isdir(home):
        return []
    live = sorted(entry.name for entry in os.scandir(home) if INCREMENT.fullmatch(entry.name) and entry.is_dir())
    several: list[str] = []
    for meant in likeliest_first(root, home, live):
        if len(meant) == 1:
            return [os.path.join(home, meant[0])]
        several = several or meant
    return [os.path.join(home, name) for name in several]


def likeliest_first(root: str, home: str, live: list[str]) -> Iterator[list[str]]:
    """Of the live increments those that SpecWeave's state names; that call themselves active; the only one there is."""
    state = mapping(read(os.path.join(root, ".specweave", "state", "active-increment.json")))
    ids = state.get("ids", [state.get("id")])
    named = [name for name in live if isinstance(ids, list) and any(is_meant(name, each) for each in ids)]
    yield [name for name in named if status(os.path.join(home, name)) not in ENDED]
    said = {name: status(os.path.join(home, name)) for name in live}
    yield [name for name in live if said[name] in ("active", "in-progress")]
    yield [name for name in live if said[name] == "ready-for-review"]
    yield live if len(live) == 1 else []


def is_meant(name: str, said: object) -> bool:
    """Whether `0042`, `42` or the start of the full name means this increment."""
    if not isinstance(said, str):
        return False
    (number, _, slug), (wanted, _, start) = name.partition("-"), said.partition("-")
    return number.lstrip("0").lower() == wanted.lstrip("0").lower() and slug.startswith(start)


def status(increment: str) -> str:
    """What the increment says of itself: in metadata.json, before there was one in spec.md's front matter."""
    said = mapping(read(os.path.join(increment, "metadata.json"))).get("status")
    if not said:
        front = FRONT_MATTER.match(read(os.path.join(increment, "spec.md"), 16_384))
        found = STATUS.search(front[1]) if front else None
        said = found[1] if found else ""
    return re.sub(r"[\s_]+", "-", said.strip().lower()) if isinstance(said, str) else ""


def about(increment: str) -> str:
    """What is known of its experiments, in a line; nothing where there are none."""
    experiments = os.path.join(increment, "experiments")
    if not os.path.isdir(experiments):
        return ""
    identity = os.path.basename(increment).partition("-")[0]
    first = COMPARISON.match(read(os.path.join(experiments, "comparison.md"), 2000).partition("\n")[0])
    if first and first[2] == identity:
        return visible(first[1])
    count = sum(
        entry.name[0] not in "._" and os.path.exists(os.path.join(entry.path, JOURNAL))
        for entry in os.scandir(experiments)
    )
    return visible(f"Increment {identity}: {count} experiment{'' if count == 1 else 's'}") if count else ""


def visible(text: str) -> str:
    """The text without what nobody can see or what could be markup, and not too much of it."""
    shown = UNFIT.sub("?", text)
    return shown if len(shown) <= MOST else shown[: MOST - 1] + "…"


def mapping(text: str) -> dict[str, object]:
    """A JSON object; an empty one for anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def read(path: str, most: int = 100_000) -> str:
    """The start of a file; nothing where there is none, or where a link, a pipe or a device stands in its place."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError):
        return ""
    try:
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return os.read(descriptor, most).decode("utf-8-sig", "replace").replace("\r\n", "\n") if regular else ""
    except OSError:
        return ""
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    with contextlib.suppress(Exception):  # a session starts, whatever this finds
        main()
