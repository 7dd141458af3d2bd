"""An MLflow run in our words, whoever read it: a database, a folder of files, or a server's client.

MLflow keeps params as the text of their values, tags as pairs, and takes no `@` in a metric's name.
"""

from __future__ import annotations

import ast
import os
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from specweave_ml.foreign import ForeignPoint, ForeignRun
from specweave_ml.redact import redact_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from specweave_ml.foreign import ForeignStatus

TOOL = "mlflow"
INCREMENT_TAG = "specweave.increment"
"""The tag of a run on a tracking server that says to which increment it belongs."""

_STATUS: dict[str, ForeignStatus] = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "killed"}
_OURS = "mlflow."  # the prefix of tags that MLflow itself sets
_SCRIPT = "mlflow.source.name"  # a path of the machine on which it ran: the folder says nothing elsewhere
_YES = {"", "true", "True"}
_LONGEST_LITERAL = 10_000
_LONGEST_TAG = 250
_AT = re.compile(r"_at_(\d+(?:\.\d+)?)(?![\w.])")
_AT_NUMBER = re.compile(r"@(\d+(?:\.\d+)?)(?![\w.])")
_MOST_FILES = 10_000


@dataclass(slots=True)
class Recorded:
    """What MLflow keeps of one run, in its own words; times in milliseconds since 1970."""

    id: str
    name: str
    status: str
    started: int
    ended: int | None
    experiment: str = ""
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    points: Iterable[ForeignPoint] = ()
    data: list[dict[str, Any]] = field(default_factory=list)
    artifacts: dict[str, str] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)  # id → its folder below `models`
    left_out: list[str] = field(default_factory=list)


def foreign_id(run_id: str) -> str:
    """The id by which a pull knows the run again."""
    return f"{TOOL}:{run_id}"


def version_of(*parts: object) -> str:
    """A short text that changes with any of the parts."""
    return sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def to_foreign(run: Recorded, version: str) -> ForeignRun:
    """The run as the store takes it. Everything of MLflow that has no place of its own is kept below `mlflow`."""
    parent, said = run.tags.get("mlflow.parentRunId"), run.tags.get("mlflow.note.content")
    commit = run.tags.get("mlflow.source.git.commit")
    tags = {name: os.path.basename(text) if name == _SCRIPT else text for name, text in run.tags.items()}
    facts: dict[str, Any] = {"mlflow": {"experiment": run.experiment, "tags": tags}}
    if run.models:
        facts["mlflow"]["models"] = run.models
    if said:
        facts["description"] = said
    if commit:
        facts["code"] = {"commit": commit}
    if parent:
        facts["parent"] = foreign_id(parent)
    status = _STATUS.get(run.status, "running")
    return ForeignRun(
        id=foreign_id(run.id),
        version=version,
        name=run.name or run.id,
        status=status,
        started=run.started,
        ended=None if status == "running" else (run.ended or run.started),
        params={name: value_of(text) for name, text in run.params.items()},
        points=run.points,
        tags=[*words_of(run.tags)],
        data=run.data,
        artifacts=run.artifacts,
        facts=facts,
        left_out=run.left_out,
    )


def value_of(text: str) -> Any:
    """The Python value whose text MLflow kept, where exactly one has it; otherwise the text.

    `str(value_of(text)) == text` always holds, so `"1e-05"` and `"[1, 2]"` become values, `"007"` stays a text.
    """
    if text in {"nan", "inf", "-inf"}:
        return float(text)
    if len(text) > _LONGEST_LITERAL or not text[:1] or text[0] not in "-0123456789TFN[({":
        return text
    try:
        value = ast.literal_eval(text)
        same = str(value) == text
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return text
    return value if same and isinstance(value, bool | int | float | list | tuple | dict | None) else text


def words_of(tags: Mapping[str, str]) -> Iterator[str]:
    """A person's tags as words: `reviewed` for one that is only set, `team=vision` for the others."""
    for name, value in tags.items():
        if not name.startswith((_OURS, "specweave.")):
            yield (name if value in _YES else f"{name}={redact_value(name, value)}")[:_LONGEST_TAG]


def metric_here(name: str) -> str:
    """`precision@10`, for MLflow's `precision_at_10`."""
    return _AT.sub(r"@\1", name)


def metric_there(name: str) -> str:
    """`precision_at_10`, for `precision@10`, which MLflow refuses."""
    return _AT_NUMBER.sub(r"_at_\1", name)


def point(name: str, value: float, time: int | None, step: int | None, *, is_nan: bool = False) -> ForeignPoint:
    """One value. A database has no infinity: MLflow keeps the largest number instead, which nobody measures."""
    largest = 1.7976931348623157e308
    number = float("nan") if is_nan else value
    if abs(number) == largest:
        number = float("inf") if number > 0 else float("-inf")
    return ForeignPoint(metric_here(name), step, number, time)


def data_set(name: str, digest: str, source: str, context: str) -> dict[str, Any]:
    """A logged data set, as `log_dataset` records one. `source` is MLflow's JSON on where it came from."""
    from specweave_ml.store.parsing import loads

    try:
        said = loads(source.encode())
    except ValueError:
        said = {}
    said = said if isinstance(said, dict) else {}
    place = next((said[key] for key in ("uri", "url", "path") if isinstance(said.get(key), str)), None)
    fact = {"name": name, "version": digest, "uri": place, "context": context, "kind": "mlflow"}
    return {key: value for key, value in fact.items() if value}


def local_path(uri: str) -> str | None:
    """The path behind a `file:` URI or a path; None for what lies elsewhere."""
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return unquote(parts.path)
    return uri if not parts.scheme else None


def add_models(run: Recorded, models: Iterable[tuple[str, str, str]], inside: Sequence[str]) -> None:
    """Name the files of the models that a run logged, given as (id, name, URI of the files)."""
    for model_id, name, uri in models:
        own = os.path.basename(uri.rstrip("/"))  # in an increment the folder of a model has a name of its own
        folder = own if own != "artifacts" else name
        if folder in run.models.values():
            folder = model_folder(name, model_id)
        run.models[model_id] = folder
        add_artifacts(run, f"models/{folder}", uri, inside)


def model_folder(name: str, model_id: str) -> str:
    """The folder of a model whose name another model of the run has taken."""
    return f"{name}-{model_id[2:10]}"


def add_artifacts(run: Recorded, prefix: str, uri: str, inside: Sequence[str]) -> None:
    """Name the files below an artifact URI; a folder outside of `inside` is not read, and no link is followed.

    What was moved is still named by its old place: then the end of the path is looked up below the folders of `inside`.
    """
    path = local_path(uri)
    if path is None:
        run.left_out.append(f"the artifacts at {uri}")
        return
    place = _placed(path, inside)
    if place is None:
        if os.path.isdir(path):
            run.left_out.append(f"the artifacts in {path}, outside of what is imported")
        return
    for folder, folders, files in os.walk(place):
        folders[:] = sorted(name for name in folders if not os.path.islink(f"{folder}/{name}"))
        for name in sorted(files):
            whole = f"{folder}/{name}"
            if os.path.islink(whole) or not os.path.isfile(whole):
                run.left_out.append(f"the link {os.path.relpath(whole, place)}")
            elif len(run.artifacts) < _MOST_FILES:
                run.artifacts[f"{prefix}/{os.path.relpath(whole, place)}"] = whole
            else:
                run.left_out.append(f"artifacts beyond the first {_MOST_FILES}")
                return


def _placed(path: str, inside: Sequence[str]) -> str | None:
    parts = path.strip("/").split("/")
    ends = [parts[-length:] for length in range(min(len(parts), 5), 1, -1)]
    moved = (os.path.join(root, *end) for root in inside for end in ends)
    roots = [os.path.join(os.path.realpath(root), "") for root in inside]
    for candidate in (path, *moved):
        real = os.path.realpath(candidate)
        if os.path.isdir(candidate) and any(os.path.join(real, "").startswith(root) for root in roots):
            return real
    return None
