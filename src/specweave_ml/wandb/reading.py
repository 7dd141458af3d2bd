"""A W&B run, put together from its log; from several when it was resumed.

Numbers of fields: wandb_internal.proto, of wandb 0.18 to 0.31.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from specweave_ml.errors import StoreError
from specweave_ml.foreign import ForeignPoint, ForeignRun
from specweave_ml.logs import LeftOut, is_name, milliseconds
from specweave_ml.redact import redact_url
from specweave_ml.store.reader import read_small_file
from specweave_ml.wandb.artifacts import Artifacts
from specweave_ml.wandb.transaction_log import read_records
from specweave_ml.wandb.values import Oddity, decode, flat, is_internal, scalar
from specweave_ml.wire import Malformed, Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from specweave_ml.foreign import ForeignStatus

RUN, EXIT = 17, 18
_HISTORY, _SUMMARY, _CONFIG, _FILES, _STATS, _ARTIFACT, _ENVIRONMENT = 2, 3, 5, 6, 7, 8, 26
_UPDATE, _REMOVE = 1, 2
_TEXTS = {"entity": 2, "project": 3, "group": 6, "job_type": 7, "name": 8, "notes": 9, "sweep": 12}
_LARGEST_METADATA = 1_000_000  # bytes
_INTERRUPTED = 255  # what W&B gives a run that Ctrl-C ended
_SIGNALLED = 128  # and above, as shells have it


def read_run(
    key: str, version: str, logs: Sequence[str], *, kept_in: Sequence[str] = (), is_running: bool = False
) -> ForeignRun:
    """The run that these logs tell of.

    Args:
        key: its id.
        version: its version.
        logs: its logs in the order in which they were written.
        kept_in: the folders in which W&B keeps files of artifacts.
        is_running: whether a run whose log has no end may still be going on; otherwise it was killed.

    Raises:
        Malformed: one of them is no log.
        OSError: one of them cannot be read.
    """
    read = _Reading(logs, kept_in)
    started = read.started or _changed(logs[0])
    left_out = read.left_out()
    running = read.exit_code is None and is_running
    return ForeignRun(
        id=key,
        version=version,
        name=read.texts.get("name") or _run_id(logs[0]),
        status="running" if running else _status(read.exit_code),
        started=started,
        ended=None if running else max(started, read.last_time),
        params=read.params(left_out),
        points=read.points(),
        tags=[
            *read.tags,
            *(f"{kind}:{read.texts[kind]}" for kind in ("group", "job_type", "sweep") if read.texts.get(kind)),
        ],
        notes=[read.texts["notes"]] if read.texts.get("notes") else [],
        artifacts=read.artifacts.files(left_out),
        facts=read.facts(),
        left_out=left_out,
    )


def project_and_tags(log: str) -> tuple[str, list[str]]:
    """What the first record of a run says, without reading further; empty when there is none yet.

    Raises:
        Malformed: the file is no log.
        OSError: it cannot be read.
    """
    for _, record in read_records(log, []):
        if RUN in record:
            run = record.message(RUN)
            return run.text(_TEXTS["project"]), run.texts(10)
    return "", []


class _Reading:
    """What the logs say."""

    def __init__(self, logs: Sequence[str], kept_in: Sequence[str]) -> None:
        self._logs = logs
        self._left_out = LeftOut()
        self._config: dict[str, Any] = {}
        self._points: list[ForeignPoint] = []
        self._last: dict[str, tuple[float, int]] = {}  # of every metric, and after how many records
        self._updates: dict[bytes, int] = {}  # of the summary, the same
        self._removed: dict[str, int] = {}
        self._at = 0
        self._odd: set[str] = set()
        self._saved: dict[str, None] = {}
        self.artifacts = Artifacts(kept_in)
        self.texts: dict[str, str] = {}
        self.tags: list[str] = []
        self.code: dict[str, Any] = {}
        self.machine: dict[str, Any] = {}
        self.started = self.last_time = 0
        self.exit_code: int | None = None
        takes = {
            _HISTORY: self._take_history,
            _SUMMARY: self._take_summary,
            _CONFIG: self._take_config,
            _FILES: self._take_files,
            _STATS: self._take_stats,
            _ARTIFACT: self.artifacts.take,
            RUN: self._take_run,
            EXIT: self._take_exit,
            _ENVIRONMENT: self._take_environment,
        }
        for log in logs:
            self.exit_code = None  # of a resumed run the last log says how it ended
            damaged = self._left_out.damaged.setdefault(log, [])
            for at, record in read_records(log, damaged):
                self._at += 1
                try:
                    for number in takes.keys() & record.numbers():
                        takes[number](record.message(number))
                except Malformed:
                    damaged.append(at)

        if not self.machine:
            self._take_metadata(f"{os.path.dirname(logs[-1])}/files/wandb-metadata.json")

    def points(self) -> Iterator[ForeignPoint]:
        """Every value of the history, then what only the summary has, or says otherwise afterwards."""
        yield from self._points
        for name, value in self._summary.items():
            number = scalar(value)
            if isinstance(number, int | float) and is_name(name) and not is_internal(name):
                yield ForeignPoint(name, None, number, None)

    def params(self, left_out: list[str]) -> dict[str, Any]:
        """The config, nested names joined by dots."""
        items = (((key,), value) for key, value in self._config.items())
        config = {name: value for name, value in flat(items) if not is_internal(name)}
        kept = {name: value for name, value in config.items() if is_name(name) and not isinstance(value, Oddity)}
        if len(kept) < len(config):
            left_out.append(f"{len(config) - len(kept)} settings that cannot be kept as params")
        return kept

    def facts(self) -> dict[str, Any]:
        """Keys of metadata.yaml: code, environment, and where W&B has the run."""
        at_wandb = {key: self.texts[key] for key in ("entity", "project") if self.texts.get(key)}
        facts = {"code": self.code, "environment": self.machine, "wandb": at_wandb}
        return {key: value for key, value in facts.items() if value}

    def left_out(self) -> list[str]:
        """What is no metric, no file of an artifact, or cannot be read any more."""
        for name, value in self._summary.items():
            odd = scalar(value)
            if isinstance(odd, Oddity) and name not in self._odd and not is_internal(name):
                self._left_out.add(name, odd.kind)
        if self._saved:
            self._left_out.other.append(f"{len(self._saved)} files of run.save, such as {next(iter(self._saved))}")
        return self._left_out.words()

    def _take_history(self, history: Message) -> None:
        values = dict(flat(map(decode, history.messages(_UPDATE))))
        step, time = scalar(values.get("_step")), milliseconds(values.get("_timestamp"))
        if not isinstance(step, int):
            step = history.message(2).integer(1)
        self._was_at(time)
        for name, value in values.items():
            number = scalar(value)
            if number is None or is_internal(name):
                continue
            if isinstance(number, Oddity) or not is_name(name):
                self._odd.add(name)
                self._left_out.add(name, number.kind if isinstance(number, Oddity) else "number")
            else:
                self._points.append(ForeignPoint(name, step, number, time))
                self._last[name] = number, self._at
        for item in history.blobs(_UPDATE):  # the summary said these very bytes a moment before
            self._updates.pop(item, None)

    def _take_summary(self, record: Message) -> None:
        for item in record.messages(_REMOVE):
            self._removed[".".join(decode(item)[0])] = self._at
        self._updates |= dict.fromkeys(record.blobs(_UPDATE), self._at)

    @cached_property
    def _summary(self) -> dict[str, Any]:
        """What the summary says in the end, as far as the history does not say the same, or something later."""
        said = {}
        for at, items in groupby(sorted(self._updates.items(), key=itemgetter(1)), key=itemgetter(1)):
            decoded = []
            for item, _ in items:
                with suppress(Malformed):
                    decoded.append(decode(Message(item)))
            for name, value in flat(decoded):
                last, last_at = self._last.get(name, (None, -1))
                if at > max(last_at, self._removed.get(name, -1)) and repr(value) != repr(last):
                    said[name] = value
        return said

    def _take_config(self, record: Message) -> None:
        _update(self._config, record)

    def _take_files(self, record: Message) -> None:
        for file in record.messages(1):
            if file.integer(3) == 0 and not file.text(1).startswith("media/"):
                self._saved[file.text(1)] = None

    def _take_stats(self, record: Message) -> None:
        self._was_at(_time(record.message(2)))

    def _take_run(self, run: Message) -> None:
        self.texts |= {key: run.text(number) for key, number in _TEXTS.items() if run.text(number)}
        self.tags = run.texts(10) or self.tags
        _update(self._config, run.message(4))
        self._take_summary(run.message(5))
        self.started = self.started or _time(run.message(17)) or 0
        self._was_at(_time(run.message(17)))
        self._take_git(run.message(21))

    def _take_exit(self, record: Message) -> None:
        self.exit_code = record.integer(1)

    def _take_environment(self, record: Message) -> None:
        self._take_machine(record.text(2), record.text(1), record.text(8) or record.text(7))
        self._take_git(record.message(9))

    def _take_metadata(self, path: str) -> None:
        """Enter what older versions say of the machine and the code in a file, not in the log."""
        try:
            said = json.loads(read_small_file(path, _LARGEST_METADATA))
            git = said.get("git") or {}
            self._take_machine(*(str(said.get(key) or "") for key in ("python", "os", "codePath")))
            self._take_code(str(git.get("commit") or ""), str(git.get("remote") or ""))
        except (OSError, StoreError, ValueError, AttributeError, RecursionError):
            return  # it is not there, or not what W&B writes: the run is the same without it

    def _take_machine(self, python: str, system: str, entry: str) -> None:
        implementation, _, version = python.rpartition(" ")
        told = {"python": version, "implementation": implementation.lower(), "os": system}
        self.machine |= {key: value for key, value in told.items() if value}
        if entry:
            self.code["entry"] = {"kind": "script", "path": entry}

    def _take_git(self, git: Message) -> None:
        self._take_code(git.text(2), git.text(1))

    def _take_code(self, commit: str, remote: str) -> None:
        told = {"commit": commit, "remote": redact_url(remote)}
        self.code |= {key: value for key, value in told.items() if value}

    def _was_at(self, time: int | None) -> None:
        self.last_time = max(self.last_time, time or 0)


def _update(values: dict[str, Any], record: Message) -> None:
    """Enter what a record sets, and take out what it removes."""
    for item in record.messages(_REMOVE):
        path, _ = decode(item)
        _inside(values, path).pop(path[-1], None)
    for path, value in map(decode, record.messages(_UPDATE)):
        _inside(values, path)[path[-1]] = value


def _inside(values: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """The mapping that holds the last part of a path, made when it is not there."""
    for part in path[:-1]:
        if not isinstance(values.get(part), dict):
            values[part] = {}
        values = values[part]
    return values


def _status(exit_code: int | None) -> ForeignStatus:
    if exit_code is None or exit_code == _INTERRUPTED or exit_code > _SIGNALLED or exit_code < 0:
        return "killed"
    return "failed" if exit_code else "finished"


def _time(timestamp: Message) -> int | None:
    return milliseconds(timestamp.integer(1) + timestamp.integer(2) / 1e9)


def _changed(path: str) -> int:
    return os.stat(path).st_mtime_ns // 1_000_000


def _run_id(log: str) -> str:
    return os.path.basename(log).removeprefix("run-").removesuffix(".wandb")
