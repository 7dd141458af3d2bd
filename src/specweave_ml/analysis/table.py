"""Which metrics become columns, how they are titled, and the cells."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from specweave_ml.analysis.metrics import (
    PREFERENCE,
    SPLIT_ORDER,
    MetricName,
    normalised,
    title,
    training_seconds_per_unit,
    understand,
)
from specweave_ml.analysis.numbers import NumberFormat, duration, number_format, with_spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from specweave_ml.analysis.metrics import Direction
    from specweave_ml.analysis.repeats import Repeats
    from specweave_ml.record import Experiment

MOST_COLUMNS = 6
"""Metric columns of a table, beside the name and the training time."""

_TOGETHER = ("accuracy", "precision", "recall", "f1")
_ORDER = {family: place for place, family in enumerate(dict.fromkeys((*_TOGETHER, *PREFERENCE)))}


@dataclass(frozen=True, slots=True)
class Column:
    """One metric as the experiments logged it.

    Attributes:
        name: the spelling most of them used.
        names: every spelling of it.
        title: for people.
        metric: what the name says.
        count: how many experiments logged it.
    """

    name: str
    names: tuple[str, ...]
    title: str
    metric: MetricName
    count: int

    def value(self, experiment: Experiment) -> float | None:
        """The experiment's last value of this metric; None when it logged none."""
        logged = (experiment.metrics.get(name) for name in self.names)
        # Someone may have edited metrics.json, and one bad value must not take the whole comparison down.
        return next((value for value in logged if isinstance(value, int | float)), None)


@dataclass(frozen=True, slots=True)
class TrainingTime:
    """How long each experiment trained.

    Attributes:
        column: the metric they logged it as; None when nobody did and the whole experiment's duration stands for it.
        seconds: by the experiment's name, only where it is recorded.
    """

    column: Column | None
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Table:
    """Titles and cells as plain text, not escaped for anything; `left_out` names the metrics that have no column."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: tuple[str, ...] = ()


def natural(name: str) -> tuple[tuple[tuple[int, str], ...], str]:
    """A sort key by which `exp-9` stands before `exp-10`."""
    pieces = re.split(r"([0-9]+)", name)
    # A number by its length, then its digits: Python refuses to make an int of very many.
    digits = (piece.lstrip("0") if place % 2 else "" for place, piece in enumerate(pieces))
    return tuple((len(number), number or piece) for number, piece in zip(digits, pieces, strict=True)), name


def metric_columns(experiments: Sequence[Experiment]) -> tuple[Column, ...]:
    """Every metric that one of the experiments logged, in the order of a table.

    Two spellings of a metric are one column, unless some experiment logged both as different metrics.
    """
    counts = Counter(name for experiment in experiments for name in experiment.metrics)
    key_of = {name: normalised(name) for name in counts}
    per_experiment = (Counter(key_of[name] for name in experiment.metrics) for experiment in experiments)
    ambiguous = {key for keys in per_experiment for key, count in keys.items() if count > 1}
    spellings: dict[str, list[str]] = {}
    for name in sorted(counts, key=lambda name: (-counts[name], name)):
        spellings.setdefault(name if key_of[name] in ambiguous else key_of[name], []).append(name)
    titles = Counter(title(names[0]) for names in spellings.values())
    columns = [
        Column(
            name=names[0],
            names=tuple(names),
            title=title(names[0]) if titles[title(names[0])] == 1 else names[0],
            metric=understand(names[0]),
            count=sum(counts[name] for name in names),
        )
        for names in spellings.values()
    ]
    return tuple(sorted(columns, key=_table_order))


def _table_order(column: Column) -> tuple[object, ...]:
    metric = column.metric
    place = _ORDER.get(metric.family or "", len(_ORDER))
    return metric.cost is not None, place, SPLIT_ORDER[metric.split], natural(metric.key), column.name


def training_time(experiments: Sequence[Experiment], columns: Sequence[Column]) -> TrainingTime:
    """The training time that was logged as a metric, else the duration of the whole experiment; never a mixture."""
    logged = [column for column in columns if training_seconds_per_unit(column.name) is not None]
    if not logged:
        durations = ((experiment.name, experiment.duration_seconds) for experiment in experiments)
        return TrainingTime(None, {name: seconds for name, seconds in durations if isinstance(seconds, int | float)})
    column = max(logged, key=lambda column: column.count)
    unit = training_seconds_per_unit(column.name) or 1.0
    values = ((experiment.name, column.value(experiment)) for experiment in experiments)
    return TrainingTime(column, {name: value * unit for name, value in values if value is not None})


def number_formats(
    columns: Iterable[Column],
    experiments: Sequence[Experiment],
    directions: Mapping[str, Direction | None],
    precision: int | None = None,
) -> dict[str, NumberFormat]:
    """A format for each column, by its name."""
    formats = {}
    for column in columns:
        values = [value for experiment in experiments if (value := column.value(experiment)) is not None]
        higher_first = directions.get(column.name, column.metric.direction) != "minimize"
        formats[column.name] = number_format(values, higher_first=higher_first, precision=precision)
    return formats


def build_table(
    experiments: Sequence[Experiment],
    columns: Sequence[Column],
    time: TrainingTime,
    formats: Mapping[str, NumberFormat],
    primary: str | None = None,
    repeats: Mapping[str, Repeats] | None = None,
) -> Table:
    """A row an experiment: its name, its metrics (the primary one first), its training time.

    Where there are repeats, a column says how many, and their metrics are written as mean ± standard deviation.

    Of more than `MOST_COLUMNS` metrics, those that most experiments logged are shown.
    """
    repeats = repeats or {}
    candidates = [column for column in columns if column is not time.column]
    kept = sorted(candidates, key=lambda column: (column.name != primary, -column.count))[:MOST_COLUMNS]
    shown = sorted((column for column in candidates if column in kept), key=lambda column: column.name != primary)
    timed = bool(time.seconds)
    rows = tuple(
        (
            experiment.name,
            *((str(len(repeats[experiment.name].members) if experiment.name in repeats else 1),) if repeats else ()),
            *(_cell(column, experiment, formats[column.name], repeats) for column in shown),
            *((duration(time.seconds.get(experiment.name)),) if timed else ()),
        )
        for experiment in experiments
    )
    titles = (
        "Experiment",
        *(("Repeats",) if repeats else ()),
        *(column.title for column in shown),
        *(("Training Time",) if timed else ()),
    )
    return Table(titles, rows, tuple(column.name for column in candidates if column not in kept))


def _cell(column: Column, model: Experiment, number: NumberFormat, repeats: Mapping[str, Repeats]) -> str:
    repeated = repeats.get(model.name)
    return with_spread(number(column.value(model)), repeated.spread(*column.names) if repeated else None)
