"""Names inside `experiments/`: which are ours, which journal is whose, which artifact names are safe."""

from __future__ import annotations

import os
import re

from specweave_ml.errors import Refused, UsageError

SCHEMA = 1
JOURNAL = "journal.jsonl"
PARAMS = "params.json"
METRICS = "metrics.json"
METADATA = "metadata.yaml"
COMPARISON = "comparison.md"
DECISION = "decision.md"
ARCHIVE = "_archive"
FOREIGN = "foreign"
"""The key of metadata.yaml that says where an experiment came from: tool, id, version, and what was left out."""

HELD = ".held"
"""An empty file that the process which runs another tool's experiment holds a lock on."""

READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""How a file of the record is opened to be read: no link is followed, and a pipe in its place holds nobody up."""

_SIDE_FILE = re.compile(r"\.env/[0-9a-f]{16}\.txt|\.code/[0-9a-f]{16}\.patch")
_JOURNAL_NAME = re.compile(r"journal(?:\.(\d{1,9})(?:-([A-Za-z0-9_-]{1,80}))?)?\.jsonl")

# SpecWeave's own hooks match these names at any depth, so a file of ours must never carry one.
_SPECWEAVE_OWNS = {"metadata.json": "run-metadata.json", "spec.md": "model-spec.md", "tasks.md": "model-tasks.md"}
_WE_OWN = {PARAMS: "model-params.json", METRICS: "model-metrics.json", METADATA: "model-metadata.yaml"}
_NEAREST_FREE = _SPECWEAVE_OWNS | _WE_OWN


def journal_name(session: int, writer: str = "") -> str:
    """The file of a writer's lines in a session; `writer` is empty for the process that owns the session."""
    if writer:
        return f"journal.{session}-{writer}.jsonl"
    return JOURNAL if session == 1 else f"journal.{session}.jsonl"


def parse_journal_name(name: str) -> tuple[int, str] | None:
    """`(session, writer)` of a journal's file name, or None when it is not a journal's."""
    match = _JOURNAL_NAME.fullmatch(name)
    return None if match is None else (int(match[1] or 1), match[2] or "")


def journals(folder: str) -> list[tuple[int, str, str]]:
    """The journals of an experiment as (session, writer, file name), in the order in which they are to be read."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    parsed = ((parse_journal_name(name), name) for name in names if name.startswith("journal"))
    return sorted((*place, name) for place, name in parsed if place is not None)


def is_side_file_name(name: object) -> bool:
    """Whether a record names a file that experiments share: a list of packages, or a patch."""
    return isinstance(name, str) and _SIDE_FILE.fullmatch(name) is not None


def is_experiment_folder_name(name: str) -> bool:
    """Whether a name may be that of a folder in `experiments/` that is listed.

    What starts with `_` or `.` is ours or nobody's, and a name that is a path leads elsewhere.
    """
    return bool(name) and name[0] not in "._" and "/" not in name and "\0" not in name


def refuse_link(path: str, what: str) -> None:
    """Refuse to write where a symbolic link would take the files somewhere else.

    Raises:
        Refused: `path` is one.
    """
    if os.path.islink(path):
        raise Refused(
            f"{what} is a symbolic link",
            path=path,
            expected="a folder inside the project, so that nothing is written elsewhere",
            next_step="replace the link by a folder",
        )


def artifact_path(folder: str, name: str) -> str:
    """The path of an artifact inside its experiment's folder.

    Raises:
        UsageError: the name is empty, absolute, climbs out, or holds a character no file system keeps.
        Refused: the name belongs to the record or to SpecWeave, or a link on the way leads out of the folder.
    """
    clean = _relative(name)
    parts = clean.split("/")
    for part in parts:
        _refuse_owned(part, name, in_folder=len(parts) > 1)
    path = folder
    for part in parts:
        path = f"{path}/{part}"
        refuse_link(path, "the place of this artifact")
    return path


def _refuse_owned(part: str, name: str, *, in_folder: bool) -> None:
    lowered = part.lower()
    if lowered in _SPECWEAVE_OWNS or (not in_folder and lowered in _WE_OWN):
        owner = "SpecWeave" if lowered in _SPECWEAVE_OWNS else "the record"
        raise Refused(
            f"the name {part!r} belongs to {owner}",
            received=name,
            expected="another artifact name",
            next_step=f"save it as {_NEAREST_FREE[lowered]!r}",
        )
    if not in_folder and parse_journal_name(lowered) is not None:
        raise Refused(
            "names of the form journal*.jsonl belong to the record",
            received=name,
            expected="another artifact name",
            next_step=f"save it as {'my-' + part!r}",
        )


def _relative(name: str) -> str:
    bad = None
    if not isinstance(name, str) or not name.strip():
        bad = "an artifact needs a name"
    elif any(ord(char) < 32 or ord(char) == 127 for char in name):
        bad = "an artifact name holds a control character"
    elif len(os.fsencode(_encodable(name))) > 240 or any(
        len(_encodable(part).encode()) > 200 for part in name.split("/")
    ):
        bad = "an artifact name is too long"
    elif "\\" in name or ":" in name or name.startswith(("/", "~")):
        bad = "an artifact name is a relative path with forward slashes"
    else:
        parts = name.split("/")
        if any(part in {"", ".", ".."} or part != part.strip() or part.endswith(".") for part in parts):
            bad = "an artifact name may not climb out of its folder or hold empty parts"
        elif name != _encodable(name):
            bad = "an artifact name must be valid Unicode"
        elif any(part.startswith(".") for part in parts):
            bad = "an artifact name may not start with a dot"
    if bad is not None:
        raise UsageError(bad, received=name, expected="a name such as 'model.pkl' or 'plots/roc.png'")
    return name


def _encodable(name: str) -> str:
    return name.encode("utf-8", "replace").decode("utf-8")
