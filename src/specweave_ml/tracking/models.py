"""Registered models: numbered versions in the increment's `models/` folder. Imported at the first of them.

    models/
      fraud-detection-v1/      model.pkl, model.yaml: whose it is, from which data, its digest, the version before
      fraud-detection-v2/
      .versions/               an empty file for every number that was ever taken

A version appears whole, by a rename. Its number is taken before that, by making a file that must not exist: of two
processes one gets it and the other the next, and the number of a version that somebody deletes is not given again.
"""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING, Any

from specweave_ml.errors import Refused, StoreError, UsageError
from specweave_ml.project import folder_name
from specweave_ml.redact import redact_text
from specweave_ml.store.artifact_files import place_artifact
from specweave_ml.store.codec import number_to_json
from specweave_ml.store.fold import iso
from specweave_ml.store.layout import refuse_link
from specweave_ml.store.metadata import dump_metadata, parse_metadata
from specweave_ml.store.nowhere import Nowhere
from specweave_ml.store.reader import read_small_file
from specweave_ml.store.replace import replace_file, sync_folder, temporary_name
from specweave_ml.store.writer import milliseconds

if TYPE_CHECKING:
    from specweave_ml.store.fold import State
    from specweave_ml.store.writer import Writer

MODELS = "models"
RECORD = "model.yaml"
_VERSIONS = ".versions"


def register(writer: Writer, increment: str, model: Any, name: str, *, auto_version: bool) -> str | None:
    """Save a model as the next version of its name; the folder's path, or None when tracking is switched off.

    Raises:
        UsageError: there is no model or no name, or no format can hold the model.
        Refused: `auto_version` is off and the name is taken.
        OSError: the disk refused it; nothing is left behind.
    """
    from specweave_ml.artifacts import model_suffix, write_object

    if model is None or isinstance(model, str):
        raise UsageError("there is no model to register", received=model, expected="a fitted model, and its name")
    base, suffix = folder_name(name), model_suffix(model)
    if isinstance(writer, Nowhere):
        return None
    models = f"{os.path.dirname(os.path.dirname(writer.folder))}/{MODELS}"
    refuse_link(models, "the folder of registered models")
    os.makedirs(f"{models}/{_VERSIONS}", exist_ok=True)
    unfinished = temporary_name(f"{models}/version")
    os.mkdir(unfinished)
    try:
        _, saved = place_artifact(unfinished, f"model{suffix}", lambda path: write_object(model, path, suffix))
        folder, version = _take(models, base, numbered=auto_version)
        record = _record(writer, increment, redact_text(name), folder, version, saved, _parent(models, base, version))
        replace_file(f"{unfinished}/{RECORD}", dump_metadata(record))
        os.rename(unfinished, f"{models}/{folder}")
        sync_folder(models)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    known = writer.state.sets.get("registered") or []
    writer.append({"set": {"registered": [*known, folder]}})
    return f"{models}/{folder}"


def _take(models: str, base: str, *, numbered: bool) -> tuple[str, int | None]:
    """The folder of a version, now taken for good, and its number."""
    version = max(_versions(models, base), default=0) + 1 if numbered else None
    while True:
        folder = base if version is None else folder_name(f"{base}-v{version}")
        if not os.path.lexists(f"{models}/{folder}") and _is_made(f"{models}/{_VERSIONS}/{folder}"):
            return folder, version
        if version is None:
            raise Refused(
                "a model of that name is registered",
                received=base,
                path=f"{models}/{folder}",
                expected="a new name",
                next_step="auto_version=True numbers the versions of one name",
            )
        version += 1


def _is_made(path: str) -> bool:
    """Whether this call made the file: of many at once, one does."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
    except FileExistsError:
        return False
    return True


def _versions(models: str, base: str) -> list[int]:
    numbered = re.compile(rf"{re.escape(base)}-v([1-9][0-9]{{0,8}})")
    names = [*os.listdir(models), *os.listdir(f"{models}/{_VERSIONS}")]
    return [int(found[1]) for name in names if (found := numbered.fullmatch(name))]


def _parent(models: str, base: str, version: int | None) -> dict[str, Any] | None:
    """The latest version before this one that is still there."""
    earlier = [number for number in _versions(models, base) if version is not None and number < version]
    for number in sorted(earlier, reverse=True):
        try:
            record = parse_metadata(read_small_file(f"{models}/{base}-v{number}/{RECORD}"))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except StoreError as error:
            return {"name": f"{base}-v{number}", "unreadable": error.what}
        return {"name": f"{base}-v{number}", **{key: record[key] for key in ("experiment", "sha256") if key in record}}
    return None


def _record(
    writer: Writer,
    increment: str,
    name: str,
    folder: str,
    version: int | None,
    saved: dict[str, Any],
    parent: dict[str, Any] | None,
) -> dict[str, Any]:
    state: State = writer.state
    record = {
        "schema": 1,
        "name": name,
        "folder": folder,
        "version": version,
        "registered": iso(milliseconds()),
        "increment": increment,
        "experiment": os.path.basename(writer.folder),
        "experiment_id": state.sets.get("id"),
        "file": saved["name"],
        "bytes": saved["bytes"],
        "sha256": saved["sha256"],
        "format": saved["format"],
        "parent": parent,
        "commit": (state.sets.get("code") or {}).get("commit"),
        "data_version": state.sets.get("data_version") or state.params.get("data_version"),
        "data": list(state.data.values()),
        "params": state.params,
        "metrics": {metric: number_to_json(value) for metric, value in state.metrics.items()},
    }
    return {key: value for key, value in record.items() if value is not None and value not in ([], {})}
