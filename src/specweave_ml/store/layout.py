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
ENVIRONMENTS = ".env"

READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""How a file of the record is opened to be read: no link is followed, and a pipe in its place holds nobody up."""

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


def is_experiment_folder_name(name: str) -> bool:
    """Whether a name in `experiments/` may be listed: what starts with `_` or `.` is ours or nobody's."""
    return name[0] not in "._"


def artifact_path(folder: str, name: str) -> str:
    """The path of an artifact inside its experiment's folder.

    Raises:
        UsageError: the name is empty, absolute, climbs out, or holds a character no file system keeps.
        Refused: the name belongs to the record or to SpecWeave, or a link on the way leads out of the folder.
    """
    clean = _relative(name)
    base = clean.rsplit("/", 1)[-1]
    lowered = base.lower()
    if lowered in _NEAREST_FREE:
        owner = "SpecWeave" if lowered in _SPECWEAVE_OWNS else "the record"
        raise Refused(
            f"the name {base!r} belongs to {owner}",
            received=name,
            expected="another artifact name",
            next_step=f"save it as {_NEAREST_FREE[lowered]!r}",
        )
    if "/" not in clean and parse_journal_name(lowered) is not None:
        raise Refused(
            "names of the form journal*.jsonl belong to the record",
            received=name,
            expected="another artifact name",
            next_step=f"save it as {'my-' + base!r}",
        )
    path = folder
    for part in clean.split("/"):
        path = f"{path}/{part}"
        if os.path.islink(path):
            raise Refused(
                "a symbolic link stands where the artifact would be written",
                received=name,
                path=path,
                expected="a plain file or folder",
                next_step="remove the link or choose another name",
            )
    return path


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
