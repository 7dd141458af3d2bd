"""Runs of other tools as experiments. Their journal is made whole from what the tool recorded, and made anew with it.

People's own words on such an experiment are in journals of their own and stay. The version of the run is in the last
line, so a pull that was cut off is done again by the next.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from specweave_ml.errors import SpecweaveError
from specweave_ml.foreign import Unreadable
from specweave_ml.redact import redact_text, redact_value
from specweave_ml.store.artifact_files import place_artifact
from specweave_ml.store.codec import check_name, encode, number_to_json, param_to_json, step_number
from specweave_ml.store.fold import iso
from specweave_ml.store.layout import JOURNAL, SCHEMA
from specweave_ml.store.owner import claim
from specweave_ml.store.projections import project
from specweave_ml.store.reader import read_experiments
from specweave_ml.store.replace import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from specweave_ml.foreign import ForeignPoint, ForeignRun, Source

FOREIGN = "foreign"
"""The key of metadata.yaml that says where an experiment came from: tool, id, version, and what was left out."""


@dataclass(slots=True)
class Pulled:
    """What a pull did; names of experiments.

    Attributes:
        created: new ones.
        updated: those whose run had changed.
        unchanged: how many were as they are there.
        left_out: experiment → what could not be carried over.
        problems: path → why it could not be read.
    """

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: int = 0
    left_out: dict[str, list[str]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def pull(source: Source, experiments: str, increment: str) -> Pulled:
    """Bring the runs of a source into an increment's folder; a second time brings only what changed.

    Args:
        source: where they are.
        experiments: the increment's `experiments` folder; made when absent.
        increment: its full name.

    Raises:
        StoreError: the folder cannot be read or written.
        OSError: the disk refused a file; what was pulled before stays.
    """
    known = _known(experiments, increment)
    versions = source.versions()
    wanted = [key for key, version in versions.items() if known.get(key, ("", ""))[1] != version]
    pulled = Pulled(unchanged=len(versions) - len(wanted))
    for run in source.runs(wanted):
        if isinstance(run, Unreadable):
            pulled.problems[run.path] = run.why
            continue
        _take(run, source.tool, experiments, known, pulled)
    return pulled


def claim_for(experiments: str, tool: str, key: str, name: str, started: int) -> str:
    """The folder of a run that only begins, so that its files can be put there; its name is free or gets a number.

    Raises:
        StoreError: the folder cannot be made.
        OSError: the disk refused it.
    """
    folder = claim(experiments, name, rename=True)
    _write_journal(folder, [_opening(started), {"set": _identity(folder, name, tool, key)}])
    project(folder, None, sync=False, ended=False)
    return folder


def _known(experiments: str, increment: str) -> dict[str, tuple[str, str]]:
    """Foreign id → folder and version of what was pulled before, archived or not."""
    known = {}
    for experiment in read_experiments(experiments, increment, archived=True) if os.path.isdir(experiments) else ():
        foreign = experiment.value(FOREIGN)
        if isinstance(foreign, dict):
            known[str(foreign.get("id"))] = (str(experiment.path), str(foreign.get("version")))
    return known


def _take(run: ForeignRun, tool: str, experiments: str, known: Mapping[str, tuple[str, str]], pulled: Pulled) -> None:
    folder = known.get(run.id, ("", ""))[0]
    is_new = not folder
    if is_new:
        folder = claim(experiments, run.name, rename=True)
    left_out = list(run.left_out)
    artifacts = [fact for name, path in run.artifacts.items() if (fact := _copied(folder, name, path, left_out))]
    lines = [*_lines(run, folder, tool, artifacts, left_out)]
    _write_journal(folder, lines)
    project(folder, None, sync=False, ended=run.ended is not None)
    name = os.path.basename(folder)
    (pulled.created if is_new else pulled.updated).append(name)
    if left_out:
        pulled.left_out[name] = left_out


def _write_journal(folder: str, lines: Iterable[dict[str, Any]]) -> None:
    replace_file(f"{folder}/{JOURNAL}", b"".join(encode(line) + b"\n" for line in lines), sync=False)


def _opening(started: int) -> dict[str, Any]:
    return {"open": {"schema": SCHEMA, "session": 1, "writer": "", "at": iso(started)}}


def _identity(folder: str, name: str, tool: str, key: str) -> dict[str, Any]:
    taken = os.path.basename(folder)
    original = {"original_name": redact_text(name)} if name != taken else {}
    return {"name": taken, **original, FOREIGN: {"tool": tool, "id": key}}


def _lines(
    run: ForeignRun, folder: str, tool: str, artifacts: list[dict[str, Any]], left_out: list[str]
) -> Iterator[dict[str, Any]]:
    yield _opening(run.started)
    facts = {key: redact_value(key, param_to_json(value)) for key, value in run.facts.items()}
    yield {"set": {**facts, **_identity(folder, run.name, tool, run.id)}}
    params = {check_name("param", key): redact_value(key, param_to_json(value)) for key, value in run.params.items()}
    if params:
        yield {"p": params}
    yield from ({"tag": redact_text(tag)} for tag in run.tags)
    yield from ({"data": {key: redact_value(key, value) for key, value in data.items()}} for data in run.data)
    yield from map(_point, run.points)
    yield from ({"note": redact_text(note), "t": run.started} for note in run.notes)
    yield from ({"artifact": fact, "t": run.ended or run.started} for fact in artifacts)
    yield {"set": {FOREIGN: {"tool": tool, "id": run.id, "version": run.version, "left_out": left_out}}}
    if run.ended is not None:
        yield {"status": run.status, "t": run.ended, "seconds": max(run.ended - run.started, 0) / 1000}


def _point(point: ForeignPoint) -> dict[str, Any]:
    step = None if point.step is None else step_number(point.step)
    row: dict[str, Any] = {"m": {point.metric: number_to_json(point.value)}, "s": step}
    return row if point.time is None else {**row, "t": point.time}


def _copied(folder: str, name: str, path: str, left_out: list[str]) -> dict[str, Any] | None:
    """The facts of an artifact that is in its place now: copied there, or put there by the tool itself."""

    def fill(temporary: str) -> str:
        shutil.copyfile(path, temporary)
        return os.path.splitext(name)[1].lstrip(".") or "file"

    try:
        return place_artifact(folder, name, fill)[1]
    except SpecweaveError as error:
        left_out.append(f"the artifact {name}: {error.what}")
    except OSError as error:
        left_out.append(f"the artifact {name}: {error.strerror or error}")
    return None
