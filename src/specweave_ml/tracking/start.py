"""From a name to a running experiment."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from specweave_ml.errors import StoreError, UsageError
from specweave_ml.project import find_increment, folder_name
from specweave_ml.redact import redact_text
from specweave_ml.store.layout import journals
from specweave_ml.store.nowhere import Nowhere
from specweave_ml.store.owner import Owner, claim, discard, resume, unwritable
from specweave_ml.store.writer import sibling_of
from specweave_ml.tracking import capture, endings
from specweave_ml.tracking.handle import TrackedExperiment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    from specweave_ml.project import Increment
    from specweave_ml.record import ExperimentMetadata

    Resume = Literal["must", "allow", "never"] | bool

_RESUME = {"must": "must", "allow": "allow", "never": "never", True: "must", False: "never", None: "never"}
_RENAMES = {"rename": True, "error": False}
_SYNCS_EACH_LINE = {"process": False, "fsync": True}


def track_experiment(
    name: str | ExperimentMetadata,
    increment: str | None = None,
    *,
    resume: Resume = "never",
    on_exists: Literal["rename", "error"] = "rename",
    description: str | None = None,
    tags: Iterable[str] = (),
    repeat_of: str | None = None,
    durability: Literal["process", "fsync"] = "process",
) -> TrackedExperiment:
    """Start an experiment: a folder in the increment, and a handle to log to.

    Use it in a `with` block, which records how the block ended, or as a plain handle that `finish()` ends (a script
    that ends without it is closed when the process ends).

    Args:
        name: what to call it, or an `ExperimentMetadata`.
        increment: `0042`, `42`, the full name, or None for the active one.
        resume: `"must"` (or True) goes on with the experiment of that name in a new session, `"allow"` does so if
            there is one.
        on_exists: what a taken name does: `"rename"` takes `name-2` and says so, `"error"` refuses.
        description: one sentence on what is tried.
        tags: words to find it by.
        repeat_of: the experiment that this one repeats, with another seed for instance.
        durability: `"process"`: every line survives the death of the process, and the end survives a power cut;
            `"fsync"`: every line survives a power cut.

    Raises:
        UsageError: an argument cannot be meant.
        NotFound: no project, no such increment, or nothing to resume.
        Refused: the name is taken (`on_exists="error"`), or the experiment to resume still runs.
        StoreError: the folder cannot be written; names path and reason.
    """
    said = _what_was_said(name, description, tags, repeat_of)
    how = _choice("resume", resume, _RESUME)
    rename = _choice("on_exists", on_exists, _RENAMES)
    durable = _choice("durability", durability, _SYNCS_EACH_LINE)
    if is_disabled():
        return TrackedExperiment(Nowhere(folder_name(said["name"])), "disabled", root=os.getcwd())
    where = find_increment(increment)
    started = None
    if how != "never":
        started = _resumed(where, said["name"], must=how == "must", durable=durable)
    owner = started or _claimed(where, said["name"], rename=rename, durable=durable)
    handle = TrackedExperiment(owner, where.name, root=where.root)
    _begin(owner, said, where, fresh=started is None)
    endings.watch(handle)
    return handle


def is_disabled() -> bool:
    """Whether tracking is switched off: `SPECWEAVE_MODE=disabled`."""
    return os.environ.get("SPECWEAVE_MODE", "").strip().lower() == "disabled"


def track_model(name: str, increment: str | None = None, **options: Any) -> TrackedExperiment:
    """`track_experiment` by the name that neighbouring skills call it."""
    return track_experiment(name, increment, **options)


def track_artifacts(experiment: TrackedExperiment, *files: str, artifacts: Mapping[str, Any] | None = None) -> None:
    """Save many artifacts at once.

    Args:
        experiment: a handle from `track_experiment`.
        files: existing files or folders, copied under their own names.
        artifacts: file name → object, saved as `save_artifact` does.

    Raises:
        UsageError: an object does not fit the suffix of its name.
        NotFound: a file is not there.
    """
    for file in files:
        experiment.log_artifact(file)
    for name, value in (artifacts or {}).items():
        experiment.save_artifact(name, value)


def _choice(argument: str, value: Any, choices: dict[Any, Any]) -> Any:
    try:
        return choices[value]
    except (KeyError, TypeError):
        words = ", ".join(repr(choice) for choice in choices if isinstance(choice, str))
        raise UsageError(f"{argument} has no such choice", received=value, expected=f"one of {words}") from None


def _what_was_said(name: Any, description: str | None, tags: Iterable[str], repeat_of: str | None) -> dict[str, Any]:
    said: dict[str, Any] = {
        "name": name,
        "description": description,
        "tags": list(_words(tags)),
        "repeat_of": repeat_of,
    }
    if not isinstance(name, str) and hasattr(name, "data_version"):
        said["name"] = name.name
        said["description"] = description or name.description
        said["tags"] = [*_words(name.tags), *said["tags"]]
        said |= {"author": name.author, "data_version": name.data_version, "git_commit": name.git_commit}
    if not isinstance(said["name"], str):
        raise UsageError("an experiment needs a name", received=name, expected="a string, or an ExperimentMetadata")
    said["name"] = redact_text(said["name"])
    return said


def _words(tags: Any) -> Iterable[str]:
    if not isinstance(tags, str | Iterable):
        raise UsageError("tags are words", received=tags, expected="a list of strings")
    for word in [tags] if isinstance(tags, str) else tags:
        if not isinstance(word, str) or not word.strip():
            raise UsageError("a tag is a non-empty string", received=word, expected="a word such as 'production'")
        yield word


def _resumed(where: Increment, name: str, *, must: bool, durable: bool) -> Owner | None:
    if not must and not journals(f"{where.experiments}/{folder_name(name)}"):
        return None
    return resume(where.experiments, name, durable=durable, kind=_kind_of_owner())


def _claimed(where: Increment, name: str, *, rename: bool, durable: bool) -> Owner:
    folder = claim(where.experiments, name, rename=rename)
    try:
        owner = _kind_of_owner()(folder, durable=durable)
    except OSError as error:
        discard(folder)
        raise unwritable(folder, error) from error
    taken = os.path.basename(folder)
    if taken != folder_name(name):
        print(f"specweave-ml: the name {name!r} is taken, so this one is recorded as {taken!r}", file=sys.stderr)  # noqa: T201 - a notice, not a warning: nothing is wrong
    return owner


def _kind_of_owner() -> type[Owner]:
    """The usual one, or the one that mirrors, where this process has registered a backend."""
    backends = sys.modules.get("specweave_ml.tracking.backends")
    return backends.MirroringOwner if backends is not None and backends._registered else Owner


def _begin(owner: Owner, said: dict[str, Any], where: Increment, *, fresh: bool) -> None:
    declared = redact_text(str(said["git_commit"])) if said.get("git_commit") else None
    known = capture.of(where.root)
    told = known.sections
    sections = capture.with_declared(told, declared)
    first: dict[str, Any] = {"id": os.urandom(8).hex(), "name": os.path.basename(owner.folder)} if fresh else {}
    if fresh and said["name"] != first["name"]:
        first["original_name"] = said["name"]
    for key in ("description", "author", "data_version", "repeat_of"):
        if said.get(key):
            first[key] = redact_text(str(said[key]))
    lines: list[dict[str, Any]] = [{"set": {**first, **sections}}, *({"tag": redact_text(tag)} for tag in said["tags"])]
    try:
        owner.start(lines)
    except OSError as error:
        owner.abort()
        if fresh:
            discard(owner.folder)
        raise unwritable(owner.folder, error) from error
    known.follow(owner, told, declared)


def attach(folder: str, increment: str, root: str) -> TrackedExperiment:
    """The handle again in another process, where a pickled one arrives.

    Raises:
        StoreError: the experiment is gone or cannot be written.
    """
    if folder.startswith(os.devnull):
        return TrackedExperiment(Nowhere(os.path.basename(folder)), increment, root=root)
    try:
        return TrackedExperiment(sibling_of(folder), increment, root=root)
    except OSError as error:
        raise StoreError(
            f"the experiment cannot be written from this process: {error.strerror or error}",
            path=folder,
            expected="the project's folder, shared with the process that started the experiment",
        ) from error
