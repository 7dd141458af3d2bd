"""Objects, files and data sets on their way into an experiment. Imported at the first of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from specweave_ml.errors import NotFound, UsageError
from specweave_ml.project import folder_name
from specweave_ml.provenance import portable
from specweave_ml.provenance.data import digest_of_object, pointer_of
from specweave_ml.redact import redact_text
from specweave_ml.store.codec import metric_number, number_to_json

if TYPE_CHECKING:
    from specweave_ml.store.writer import Writer

CELLS = "cells.py"
"""What ran in a notebook. The record still says that it cannot be run again: state outlives the cells it came from."""

_REMOTE_MARKS = ("://", "dvc:")


def save_object(writer: Writer, name: Any, value: Any) -> str | None:
    """Save an object as the suffix of its name says; a path object is an existing file to copy."""
    if not isinstance(name, str):
        raise UsageError("an artifact needs a file name", received=name, expected="a string such as 'model.pkl'")
    if isinstance(value, os.PathLike):
        return copy_path(writer, os.fspath(value), name)
    from specweave_ml.artifacts import write_object

    return writer.artifact(name, lambda path: write_object(value, path, os.path.splitext(name)[1]))


def save_model(writer: Writer, model: Any, name: str | None) -> str | None:
    """Save a model under a name, or under its usual one."""
    if name is None:
        from specweave_ml.artifacts import model_suffix

        name = f"model{model_suffix(model)}"
    return save_object(writer, name, model)


def copy_path(writer: Writer, path: str, name: str | None) -> str | None:
    """Copy a file, or every file of a folder under the folder's name.

    Raises:
        NotFound: there is no such file.
    """
    base = name or os.path.basename(os.path.normpath(path))
    if os.path.isdir(path):
        for folder, _, files in os.walk(path):
            for file in sorted(files):
                below = os.path.relpath(os.path.join(folder, file), path).replace(os.sep, "/")
                _copy(writer, os.path.join(folder, file), f"{base}/{below}")
        return f"{writer.folder}/{base}"
    if not os.path.isfile(path):
        raise NotFound("there is no such file to keep", received=path, expected="an existing file or folder")
    return _copy(writer, path, base)


def _copy(writer: Writer, source: str, name: str) -> str | None:
    import shutil

    def fill(path: str) -> str:
        shutil.copyfile(source, path)
        return os.path.splitext(name)[1].lstrip(".") or "file"

    return writer.artifact(name, fill)


def save_cells(writer: Writer, cells: list[str], root: str) -> None:
    """Keep the cells that a notebook ran, in their order, as a script with a mark before each."""
    text = "".join(f"# %% [{number}]\n{cell.rstrip()}\n\n" for number, cell in enumerate(cells, start=1))
    save_object(writer, CELLS, redact_text(portable(text, root)))


def write_outcomes(writer: Writer, metric: str, ids: list[Any], values: list[Any]) -> str | None:
    """Write `outcomes-<metric>.csv` (id, value) and return its name; None when the disk refused it."""
    import csv

    if len(ids) != len(values) or not ids:
        raise UsageError(
            f"outcomes of {metric!r} need one value an id",
            received=f"{len(ids)} ids, {len(values)} values",
            expected="two sequences of the same length",
        )
    rows = [(str(item), number_to_json(metric_number(metric, value))) for item, value in zip(ids, values, strict=True)]

    def fill(path: str) -> str:
        with open(path, "w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(("id", "value"))
            table.writerows(rows)
        return "csv"

    name = f"outcomes-{folder_name(metric)}.csv"
    return name if writer.artifact(name, fill) is not None else None


def log_dataset(writer: Writer, name: str, what: Any, version: str | None, root: str) -> None:
    """Record a data set: name, kind, uri or shape, digest; secrets and absolute paths taken out."""
    if not isinstance(name, str) or not name.strip():
        raise UsageError("a data set needs a name", received=name, expected="a string such as 'train'")
    described: dict[str, Any] = {"name": redact_text(name)}
    if version is not None:
        described["version"] = redact_text(str(version))
    if not isinstance(what, str | os.PathLike):
        writer.append({"data": described | _shaped(what) | digest_of_object(what)})
        return
    path = os.fspath(what)
    described |= _located(path, root)
    if os.path.exists(path) and described["kind"] != "remote":
        from specweave_ml.tracking.digests import log_data

        log_data(writer, described, path)
    else:
        writer.append({"data": described | pointer_of(path)})


def _located(uri: str, root: str) -> dict[str, Any]:
    if any(mark in uri for mark in _REMOTE_MARKS):
        return {"uri": redact_text(uri), "kind": "remote"}
    inside = os.path.relpath(os.path.abspath(uri), root).replace(os.sep, "/")
    outside = inside == ".." or inside.startswith("../")
    described: dict[str, Any] = {"uri": redact_text(os.path.basename(os.path.abspath(uri)) if outside else inside)}
    if outside:
        described["outside_project"] = True
    if os.path.isdir(uri):
        return {**described, "kind": "dir"}
    if os.path.isfile(uri):
        return {**described, "kind": "file"}
    return {**described, "kind": "file", "missing": True}


def _shaped(what: Any) -> dict[str, Any]:
    described: dict[str, Any] = {"kind": "frame", "type": f"{type(what).__module__}.{type(what).__qualname__}"}
    shape = getattr(what, "shape", None)
    if isinstance(shape, tuple) and all(isinstance(size, int) for size in shape):
        described["shape"] = list(shape)
    elif hasattr(what, "__len__"):
        described["shape"] = [len(what)]
    columns = getattr(what, "columns", None)
    if columns is not None:
        described["columns"] = [redact_text(str(column)) for column in list(columns)[:200]]
    return described
