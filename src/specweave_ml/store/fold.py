"""Journal lines folded into the state of an experiment: one meaning of the record for writers and readers alike.

The live handle folds what it logs; a reader folds what it finds. The small files beside a journal are this state,
written down (`projections`).
"""

from __future__ import annotations

import time
from math import fsum

from specweave_ml.store.codec import number_from_json, number_to_json, param_from_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

RUNNING = "running"
STATUSES = frozenset({RUNNING, "finished", "failed", "killed"})


def iso(milliseconds: int) -> str:
    """A time in milliseconds since 1970 as `2026-03-01T09:30:00.123Z`."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:03d}Z"


class State:
    """What all lines so far say together. `apply` takes them one by one, in reading order."""

    __slots__ = (
        "artifacts", "counts", "data", "dropped", "ended", "fold_scores", "folds", "metrics",
        "notes", "outcomes", "params", "problems", "seconds", "session", "sets", "stages", "started", "status",
        "tags", "trials",
    )  # fmt: skip

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}  # as JSON holds them
        self.metrics: dict[str, float] = {}
        self.counts: dict[str, int] = {}
        self.folds: dict[tuple[int, int], dict[str, Any]] = {}
        self.fold_scores: dict[str, dict[tuple[int, int], float]] = {}
        self.notes: list[dict[str, Any]] = []
        self.tags: dict[str, None] = {}
        self.data: dict[str, dict[str, Any]] = {}
        self.artifacts: dict[str, dict[str, Any]] = {}
        self.outcomes: dict[str, str] = {}
        self.trials: dict[int, dict[str, Any]] = {}  # by number; below zero: logged without one
        self.stages: dict[str, dict[str, Any]] = {}
        self.sets: dict[str, Any] = {}
        self.problems: list[str] = []
        self.dropped = 0
        self.status = RUNNING
        self.started: str | None = None
        self.ended: str | None = None
        self.seconds: dict[int, float] = {}  # session → its own duration
        self.session = 0

    def apply(self, line: dict[str, Any]) -> None:
        """Fold one line in. A line that is not understood is named in `problems` and changes nothing."""
        for key, fold in _FOLDS.items():
            if key in line:
                try:
                    fold(self, line)
                except (TypeError, ValueError, KeyError, AttributeError, OverflowError, OSError) as error:
                    self.problems.append(f"a {key!r} line is not understood: {type(error).__name__}: {error}")
                return
        self.problems.append(f"a line of an unknown kind was skipped: {', '.join(map(repr, list(line)[:3]))}")

    def _open(self, line: dict[str, Any]) -> None:
        opened = line["open"]
        if opened.get("writer"):
            return
        self.session = int(opened["session"])
        self.status = RUNNING
        self.ended = None
        self.error = None
        self.started = self.started or str(opened["at"])

    def _fold(self, line: dict[str, Any]) -> None:
        fold = line["fold"]
        place = (int(fold.get("repeat") or 0), int(fold["i"]))
        new = values = _numbers(line["m"])
        earlier = self.folds.get(place)
        if earlier is not None:
            values = _numbers(earlier["m"]) | new
        self.folds[place] = {**fold, "m": {name: number_to_json(value) for name, value in values.items()}}
        for name, value in new.items():
            column = self.fold_scores.setdefault(name, {})
            column[place] = value
            self.metrics[name] = _mean(column.values())
            self.counts.pop(name, None)

    def _metrics(self, line: dict[str, Any]) -> None:
        self.take_metrics(_numbers(line["m"]), line.get("n"))

    def take_metrics(self, values: dict[str, float], counts: dict[str, int] | None) -> None:
        """New last values; a count stands only as long as the value it came with."""
        self.metrics.update(values)
        if self.counts:
            for name in values:
                self.counts.pop(name, None)
        if counts:
            self.counts.update({name: int(counts[name]) for name in values if name in counts})

    def _params(self, line: dict[str, Any]) -> None:
        self.params.update(line["p"])

    def _note(self, line: dict[str, Any]) -> None:
        self.notes.append({"text": str(line["note"]), "at": _at(line)})

    def _tag(self, line: dict[str, Any]) -> None:
        self.tags[str(line["tag"])] = None

    def _data(self, line: dict[str, Any]) -> None:
        data = dict(line["data"])
        self.data[str(data["name"])] = data

    def _artifact(self, line: dict[str, Any]) -> None:
        artifact = dict(line["artifact"])
        self.artifacts[str(artifact.pop("name"))] = artifact

    def _outcomes(self, line: dict[str, Any]) -> None:
        self.outcomes[str(line["outcomes"]["metric"])] = str(line["outcomes"]["file"])

    def _trial(self, line: dict[str, Any]) -> None:
        trial = dict(line["trial"])
        number = trial.get("number")
        self.trials[number if isinstance(number, int) and number >= 0 else -1 - len(self.trials)] = trial

    def _stage(self, line: dict[str, Any]) -> None:
        stage = dict(line["stage"])
        name = str(stage["name"])
        # One that begins says everything anew: what an earlier try left does not stand beside it.
        earlier = {} if stage.get("status") == RUNNING else self.stages.get(name, {})
        self.stages[name] = {**earlier, **stage}

    def _dropped(self, line: dict[str, Any]) -> None:
        self.dropped += int(line["dropped"])

    def _status(self, line: dict[str, Any]) -> None:
        status = line["status"]
        if status not in STATUSES:
            raise ValueError(f"unknown status {status!r}")
        seconds = line.get("seconds")
        if seconds is None:
            self.status = status
            return
        # Only the line that closes a session carries its seconds. A clean end does not overrule what was said before.
        self.seconds[self.session] = max(float(seconds), 0.0)
        self.ended = _at(line)
        if status != "finished" or self.status == RUNNING:
            self.status = status

    def _set(self, line: dict[str, Any]) -> None:
        self.sets.update(line["set"])

    @property
    def duration_seconds(self) -> float | None:
        """Seconds spent in all sessions that ended; None while none has."""
        return round(sum(self.seconds.values()), 3) if self.seconds else None

    @property
    def error(self) -> Any:
        """Type, message and traceback of what ended the latest session, or None."""
        return self.sets.get("error")

    @error.setter
    def error(self, value: Any) -> None:
        if value is None:
            self.sets.pop("error", None)
        else:
            self.sets["error"] = value

    def readable_params(self) -> dict[str, Any]:
        """Params as Python values, tags taken off."""
        return {name: param_from_json(value) for name, value in self.params.items()}

    def metadata(self) -> dict[str, Any]:
        """The keys of metadata.yaml in their order; a key without a value is left out."""
        sets = dict(self.sets)
        head = {
            "schema": 1,
            "id": sets.pop("id", None),
            "name": sets.pop("name", None),
            "status": self.status,
            "started": self.started,
            "ended": self.ended,
            "duration_seconds": self.duration_seconds,
            "description": sets.pop("description", None),
            "tags": list(self.tags),
            "author": sets.pop("author", None),
            "repeat_of": sets.pop("repeat_of", None),
            "notes": self.notes,
            "error": sets.pop("error", None),
            "artifacts": self.artifacts,
            "counts": self.counts,
            "folds": [self.folds[place] for place in sorted(self.folds)],
            "outcomes": self.outcomes,
            "stages": list(self.stages.values()),
            "trials": len(self.trials),
            "data": list(self.data.values()),
        }
        tail = {
            "sessions": self.session if self.session > 1 else None,
            "dropped": self.dropped,
            "incomplete": self.dropped > 0,
        }
        kept = {**head, **sets, **tail}
        return {
            key: value
            for key, value in kept.items()
            if value or key in {"schema", "status", "tags", "duration_seconds"}
        }


_FOLDS: dict[str, Callable[[State, dict[str, Any]], None]] = {
    "open": State._open,
    "fold": State._fold,  # before "m": a fold's line carries both
    "m": State._metrics,
    "p": State._params,
    "note": State._note,
    "tag": State._tag,
    "data": State._data,
    "artifact": State._artifact,
    "outcomes": State._outcomes,
    "trial": State._trial,
    "stage": State._stage,
    "dropped": State._dropped,
    "status": State._status,
    "set": State._set,
}


def _numbers(values: dict[str, Any]) -> dict[str, float]:
    numbers = {}
    for name, value in values.items():
        number = number_from_json(value)
        if number is None:
            raise ValueError(f"metric {name!r} is not a number")
        numbers[name] = number
    return numbers


def _mean(values: Collection[float]) -> float:
    try:
        return fsum(values) / len(values)
    except (ValueError, OverflowError):  # infinities of both signs, or a sum beyond the largest float
        return sum(values) / len(values)


def _at(line: dict[str, Any]) -> str | None:
    milliseconds = line.get("t")
    return None if milliseconds is None else iso(int(milliseconds))
