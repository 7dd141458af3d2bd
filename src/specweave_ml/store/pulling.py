"""Runs of other tools as experiments. Their journal is made whole from what the tool recorded, and made anew with it.

People's own words on such an experiment are in journals of their own and stay. The version of the run is in the last
line, so a pull that was cut off is done again by the next. Who pulls holds a lock on the folder: two at once do not
make two experiments of one run.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from specweave_ml.errors import SpecweaveError, StoreError
from specweave_ml.foreign import Unreadable
from specweave_ml.redact import redact_text, redact_value
from specweave_ml.store import liveness
from specweave_ml.store.artifact_files import artifact_facts, format_of, place_artifact
from specweave_ml.store.codec import NAME_LIMIT, check_name, encode, number_to_json, param_to_json, step_number
from specweave_ml.store.fold import iso
from specweave_ml.store.layout import FOREIGN, HELD, JOURNAL, SCHEMA, artifact_path, refuse_link
from specweave_ml.store.owner import claim, discard
from specweave_ml.store.projections import project
from specweave_ml.store.reader import read_experiments
from specweave_ml.store.replace import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from specweave_ml.foreign import ForeignPoint, ForeignRun, Source

_YEAR_10000 = 253_402_300_800_000


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
    versions = source.versions()
    pulled = Pulled(unchanged=len(versions))
    if not versions:
        return pulled
    os.makedirs(experiments, exist_ok=True)
    with _alone(experiments):
        known = _known(experiments, increment)
        wanted = _wanted(versions, known)
        pulled.unchanged -= len(wanted)
        for run in source.runs(wanted):
            if isinstance(run, Unreadable):
                pulled.problems[run.path] = run.why
            else:
                _take(run, source.tool, experiments, known.get(run.id, ("", ""))[0], pulled)
    return pulled


def foresee(source: Source, experiments: str, increment: str) -> Pulled:
    """What `pull` would do now. Nothing is written; new experiments go by the names of their runs.

    Raises:
        StoreError: the folder cannot be read.
    """
    versions = source.versions()
    known = _known(experiments, increment)
    wanted = _wanted(versions, known)
    pulled = Pulled(unchanged=len(versions) - len(wanted))
    for run in source.runs(wanted):
        if isinstance(run, Unreadable):
            pulled.problems[run.path] = run.why
        elif run.id in known:
            pulled.updated.append(os.path.basename(known[run.id][0]))
        else:
            pulled.created.append(run.name)
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


def hold(folder: str) -> int:
    """Say that this process runs the experiment, until the descriptor is closed by `let_go` or by the process's death.

    Raises:
        OSError: the disk refused it.
    """
    refuse_link(f"{folder}/{HELD}", "the lock of a running experiment")
    descriptor = os.open(f"{folder}/{HELD}", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    liveness.hold(descriptor)
    return descriptor


def let_go(folder: str, descriptor: int) -> None:
    """The experiment is over, and nobody needs to ask who runs it."""
    try:
        os.unlink(f"{folder}/{HELD}")
    except FileNotFoundError:
        pass
    finally:
        os.close(descriptor)


def write_run(run: ForeignRun, tool: str, folder: str) -> list[str]:
    """Make an experiment's record anew from a run.

    Returns:
        What could not be carried over.

    Raises:
        ValueError, OverflowError, TypeError: the run holds what no record can, such as a time beyond the year 9999.
        OSError: the disk refused it; the record is the old one.
    """
    left_out = list(run.left_out)
    with _alone(folder):
        artifacts = [fact for name, path in run.artifacts.items() if (fact := _copied(folder, name, path, left_out))]
        _write_journal(folder, _lines(run, folder, tool, artifacts, left_out))
        project(folder, None, sync=False, ended=run.ended is not None)
    return left_out


@contextmanager
def _alone(folder: str) -> Iterator[None]:
    """Wait for others that pull into this folder. The lock is on the folder itself and leaves no file."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        liveness.hold(descriptor)
        yield
    finally:
        os.close(descriptor)


def _wanted(versions: Mapping[str, str], known: Mapping[str, tuple[str, str]]) -> list[str]:
    return [key for key, version in versions.items() if known.get(key, ("", ""))[1] != version]


def _known(experiments: str, increment: str) -> dict[str, tuple[str, str]]:
    """Foreign id → folder and version of what was pulled before, archived or not."""
    known = {}
    for experiment in read_experiments(experiments, increment, archived=True):
        foreign = experiment.value(FOREIGN)
        if isinstance(foreign, dict):
            known[str(foreign.get("id"))] = (str(experiment.path), str(foreign.get("version")))
    return known


def _take(run: ForeignRun, tool: str, experiments: str, known: str, pulled: Pulled) -> None:
    folder = known or claim(experiments, run.name, rename=True)
    name = os.path.basename(folder)
    try:
        left_out = write_run(run, tool, folder)
    except StoreError:
        raise
    except (ValueError, OverflowError, TypeError) as error:
        if not known:
            discard(folder)
        pulled.problems[run.id] = error.what if isinstance(error, SpecweaveError) else str(error)
        return
    (pulled.updated if known else pulled.created).append(name)
    if left_out:
        pulled.left_out[name] = left_out


def _write_journal(folder: str, lines: Iterable[dict[str, Any]]) -> None:
    replace_file(f"{folder}/{JOURNAL}", b"".join(encode(line) + b"\n" for line in lines), sync=False)


def _opening(started: int) -> dict[str, Any]:
    if not 0 <= started < _YEAR_10000:
        raise ValueError(f"its start is no time: {started} milliseconds since 1970")
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
    params = {key: redact_value(key, param_to_json(value)) for key, value in run.params.items() if _fits(key, left_out)}
    if params:
        yield {"p": params}
    yield from ({"tag": redact_text(tag)} for tag in run.tags)
    yield from ({"data": {key: redact_value(key, value) for key, value in data.items()}} for data in run.data)
    yield from _points(run.points, left_out)
    yield from ({"note": redact_text(note), "t": run.started} for note in run.notes)
    yield from ({"artifact": fact, "t": run.ended or run.started} for fact in artifacts)
    said = [*map(redact_text, left_out)]
    yield {"set": {FOREIGN: {"tool": tool, "id": run.id, "version": run.version, "left_out": said}}}
    if run.ended is not None:
        if run.ended >= _YEAR_10000:
            raise ValueError(f"its end is no time: {run.ended} milliseconds since 1970")
        yield {"status": run.status, "t": run.ended, "seconds": max(run.ended - run.started, 0) / 1000}


def _fits(name: str, left_out: list[str]) -> bool:
    try:
        check_name("param", name)
    except SpecweaveError as error:
        left_out.append(f"the param {name[:40]!r}: {error.what}")
        return False
    return True


def _points(points: Iterable[ForeignPoint], left_out: list[str]) -> Iterator[dict[str, Any]]:
    refused = 0
    for point in points:
        if 0 < len(point.metric) <= NAME_LIMIT:
            yield _point(point)
        else:
            refused += 1
    if refused:
        left_out.append(f"{refused} points of metrics whose names have no character, or more than {NAME_LIMIT}")


def _point(point: ForeignPoint) -> dict[str, Any]:
    step = None if point.step is None else step_number(point.step)
    row: dict[str, Any] = {"m": {point.metric: number_to_json(point.value)}, "s": step}
    return row if point.time is None else {**row, "t": point.time}


def _copied(folder: str, name: str, path: str, left_out: list[str]) -> dict[str, Any] | None:
    """The facts of an artifact that is in its place now: copied there, or put there by the tool itself."""

    def fill(temporary: str) -> str:
        shutil.copyfile(path, temporary)
        return format_of(name)

    try:
        place = artifact_path(folder, name)
        if os.path.lexists(place) and os.path.samefile(place, path):
            return artifact_facts(place, name)
        return place_artifact(folder, name, fill)[1]
    except SpecweaveError as error:
        left_out.append(f"the artifact {name}: {error.what}")
    except OSError as error:
        left_out.append(f"the artifact {name}: {error.strerror or error}")
    return None
