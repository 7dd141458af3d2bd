"""What an experiment is, as frozen values. No file is opened here.

The words, beside those of other trackers:

    ours          MLflow        Weights & Biases
    increment     experiment    project
    experiment    run           run
    param         param         config key
    metric        metric        summary / history key

An `Experiment` is read, never changed; `track_experiment` hands out the live handle that writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, overload

if TYPE_CHECKING:
    from array import array

Status = Literal["running", "finished", "failed", "killed"]
"""What the record says. `stale` (running, but its process is gone) is derived when read and never stored."""

Kind = Literal["experiment", "foreign", "unreadable"]
"""`foreign`: a folder in `experiments/` that is not ours. `unreadable`: ours, but broken."""

ENDED: frozenset[str] = frozenset({"finished", "failed", "killed"})


@dataclass(frozen=True, slots=True)
class ExperimentMetadata:
    """What a person says about an experiment before it starts. All but `name` is optional.

    `git_commit` is a declaration: it is kept beside the commit that was captured, never over it.
    """

    name: str
    description: str = ""
    tags: Sequence[str] = ()
    git_commit: str | None = None
    data_version: str | None = None
    author: str | None = None


class Point(NamedTuple):
    """One logged value. `time` is in milliseconds since 1970 (UTC)."""

    step: float | None
    value: float
    time: int


@dataclass(frozen=True, slots=True, eq=False)
class History(Sequence[Point]):
    """The points of one metric, kept as columns: `steps`, `values`, `times` (milliseconds, UTC).

    A million points cost three columns, not a million objects; a `Point` is made when asked for.
    Ordered by step; points without a step keep the order in which they arrived.
    """

    metric: str
    steps: Sequence[float | None]
    values: array[float]
    times: array[int]

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, index: int) -> Point: ...
    @overload
    def __getitem__(self, index: slice) -> History: ...
    def __getitem__(self, index: int | slice) -> Point | History:
        if isinstance(index, slice):
            return History(self.metric, self.steps[index], self.values[index], self.times[index])
        return Point(self.steps[index], self.values[index], self.times[index])

    def __iter__(self) -> Iterator[Point]:
        return map(Point, self.steps, self.values, self.times)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Sequence):
            return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # a sequence that compares by value, like list

    def to_dataframe(self) -> Any:
        """A pandas DataFrame with the columns step, value, time (UTC)."""
        import pandas

        times = pandas.to_datetime(list(self.times), unit="ms", utc=True)
        return pandas.DataFrame({"step": list(self.steps), "value": list(self.values), "time": times})


@dataclass(frozen=True, slots=True)
class Fold:
    """One fold of a cross-validation: what a corrected comparison needs.

    `split` identifies the test rows (a hash of their indices): only folds of equal `split` may be paired.
    """

    index: int
    metrics: Mapping[str, float]
    repeat: int = 0
    n_train: int | None = None
    n_test: int | None = None
    split: str | None = None
    fit_seconds: float | None = None
    score_seconds: float | None = None


class Source(Protocol):
    """Where an `Experiment` gets its values when they are asked for (the store's reader)."""

    def status(self) -> str:
        """The recorded status, or `stale`."""

    def params(self) -> dict[str, Any]:
        """Name → value."""

    def metrics(self) -> dict[str, float]:
        """Name → last value."""

    def metadata(self) -> dict[str, Any]:
        """All keys of metadata.yaml."""

    def value(self, key: str) -> Any:
        """One key of metadata.yaml, or None."""

    def history(self, metric: str, *, all_sessions: bool) -> History:
        """All points of a metric."""

    def trials(self) -> tuple[dict[str, Any], ...]:
        """The points of a search."""

    def problems(self) -> tuple[str, ...]:
        """What was found broken while reading."""


class Experiment:
    """One experiment as it stands on disk. Values are read when first asked for, then kept.

    Attributes:
        name: the folder's name, unique in its increment.
        increment: the increment's full name, such as `0042-recommendation-model`.
        kind: `experiment`, `foreign` (a folder that is not ours) or `unreadable`.
        archived: whether it lies under `_archive/`.
    """

    __slots__ = (
        "_metadata",
        "_metrics",
        "_params",
        "_path",
        "_source",
        "_status",
        "archived",
        "increment",
        "kind",
        "name",
    )

    def __init__(
        self, name: str, increment: str, source: Source, *, path: str, kind: Kind = "experiment", archived: bool = False
    ) -> None:
        self.name = name
        self.increment = increment
        self.kind: Kind = kind
        self.archived = archived
        self._path = path
        self._source = source
        self._status: str | None = None
        self._params: dict[str, Any] | None = None
        self._metrics: dict[str, float] | None = None
        self._metadata: dict[str, Any] | None = None

    @property
    def path(self) -> Path:
        """The experiment's folder."""
        return Path(self._path)

    @property
    def status(self) -> str:
        """`running`, `finished`, `failed`, `killed`, or the derived `stale` (running, but its process is gone)."""
        if self._status is None:
            self._status = self._source.status()
        return self._status

    @property
    def params(self) -> dict[str, Any]:
        """Flat name → value."""
        if self._params is None:
            self._params = self._source.params()
        return self._params

    @property
    def metrics(self) -> dict[str, float]:
        """Flat name → last value (of the latest session; never merely the highest step)."""
        if self._metrics is None:
            self._metrics = self._source.metrics()
        return self._metrics

    @property
    def metadata(self) -> dict[str, Any]:
        """The whole of metadata.yaml (docs/format.md lists its keys)."""
        if self._metadata is None:
            self._metadata = self._source.metadata()
        return self._metadata

    def value(self, key: str) -> Any:
        """One top-level key of metadata.yaml (None when absent), read without parsing the rest."""
        return self._source.value(key) if self._metadata is None else self._metadata.get(key)

    @property
    def ended(self) -> datetime | None:
        """When it ended (UTC), or None."""
        return _instant(self.value("ended"))

    @property
    def started(self) -> datetime | None:
        """When its first session started (UTC)."""
        return _instant(self.value("started"))

    @property
    def duration_seconds(self) -> float | None:
        """Seconds spent, added up over its sessions, by a clock that never goes backwards."""
        seconds = self.value("duration_seconds")
        return seconds if isinstance(seconds, int | float) else None

    def history(self, metric: str, *, all: bool = False) -> History:  # noqa: A002 - the word of the public contract
        """Every point of a metric, ordered by step.

        After a resume, a session's first step of the metric hides the points of earlier sessions from that step
        on; `all=True` shows those too. An unknown metric gives an empty history.
        """
        return self._source.history(metric, all_sessions=all)

    @property
    def trials(self) -> tuple[dict[str, Any], ...]:
        """The points of a search that ended so far, in the order of their numbers; read from the journals.

        Each has `number`, `status` (finished, failed or pruned), `params`, `scores` (metric → mean over its folds),
        `folds` (metric → a score a fold), `fit_seconds` and `score_seconds` (over all folds), `values` (the (step,
        value) pairs that led to a pruning) and `error` (type and message); what was not logged is empty or None.
        """
        return self._source.trials()

    @property
    def problems(self) -> tuple[str, ...]:
        """What was found broken while reading, each as `file:line: reason`."""
        return self._source.problems()

    @property
    def description(self) -> str:
        """One sentence on what was tried, or an empty string."""
        return str(self.value("description") or "")

    @property
    def tags(self) -> tuple[str, ...]:
        """Its words, in the order they were added."""
        return tuple(map(str, _sequence(self.value("tags"))))

    @property
    def notes(self) -> tuple[str, ...]:
        """The texts in the order written; `metadata["notes"]` has their times."""
        return tuple(str(note.get("text", "")) for note in _mappings(self.value("notes")))

    @property
    def artifacts(self) -> dict[str, dict[str, Any]]:
        """Name → bytes, sha256, format."""
        return {name: fact for name, fact in _mapping(self.value("artifacts")).items() if isinstance(fact, dict)}

    @property
    def data(self) -> tuple[dict[str, Any], ...]:
        """The data sets it names: name, uri, version."""
        return _mappings(self.value("data"))

    @property
    def error(self) -> dict[str, Any] | None:
        """Type, message and traceback of the exception that ended it."""
        return _mapping(self.value("error")) or None

    @property
    def counts(self) -> dict[str, int]:
        """Metric → the count behind it (`log_metric(..., n=)`), for those whose last value has one."""
        return {name: n for name, n in _mapping(self.value("counts")).items() if isinstance(n, int)}

    @property
    def folds(self) -> tuple[Fold, ...]:
        """The folds in the order of (repeat, index)."""
        rows = [row for row in _mappings(self.value("folds")) if isinstance(row.get("m"), dict)]
        return tuple(Fold(row.get("i", 0), row["m"], row.get("repeat", 0), *map(row.get, _OF_A_FOLD)) for row in rows)

    @property
    def stages(self) -> tuple[dict[str, Any], ...]:
        """The stages of a pipeline in the order of their beginnings: name, after, status, seconds, metrics, …."""
        return _mappings(self.value("stages"))

    @property
    def repeat_of(self) -> str | None:
        """The experiment this one repeats, if it was started with `repeat_of=`."""
        name = self.value("repeat_of")
        return name if isinstance(name, str) else None

    def __repr__(self) -> str:
        return f"<Experiment {self.name} ({self.status}) of {self.increment}>"


_OF_A_FOLD = ("n_train", "n_test", "split", "fit_seconds", "score_seconds")

# People edit metadata.yaml, and disks flip bits: what a key should not hold is left out, and raises nothing.


def _sequence(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: Any) -> tuple[dict[str, Any], ...]:
    return tuple(item for item in _sequence(value) if isinstance(item, dict))


def _instant(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


class Experiments(list[Experiment]):
    """Experiments in the order they were started, with a table view."""

    def to_dataframe(self) -> Any:
        """A pandas DataFrame, a row an experiment: name, status, started, duration_seconds, `param.*`, `metric.*`."""
        import pandas

        rows = [
            {
                "name": experiment.name,
                "status": experiment.status,
                "started": experiment.started,
                "duration_seconds": experiment.duration_seconds,
                **{f"param.{key}": value for key, value in experiment.params.items()},
                **{f"metric.{key}": value for key, value in experiment.metrics.items()},
            }
            for experiment in self
        ]
        return pandas.DataFrame(rows)
