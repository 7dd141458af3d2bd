"""The params that were varied: their values in order, the scale they stand on, and the means over slices of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import log
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from specweave_ml.analysis.moments import mean
from specweave_ml.analysis.params import param_text, sameness
from specweave_ml.analysis.table import natural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy
    from numpy.typing import NDArray

    from specweave_ml.analysis.importance.trials import Trial

FEW = 8
"""Values that are looked at one by one. More numbers than that are a range; of more words, the most frequent are."""

_SLICES = 5
_LEAST_IN_A_SLICE = 3
_DECADES = 100
# By factors, the middle of values that are spread evenly by factors lies at 0.5; of values spread evenly over two
# decades it lies at 0.85, of more decades higher.
_MIDDLE_BY_FACTORS = 0.675
_LARGEST = 1e300
_ABSENT = object()

LogScale = Literal["", "recorded", "judged"]


@dataclass(frozen=True, slots=True)
class Slice:
    """The trials in which a param had one value, or one of a few neighbouring ones.

    Attributes:
        label: the value, or from where to where.
        mean: of their scores.
        low: the lowest of them.
        high: the highest of them.
        n: how many trials.
    """

    label: str
    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Axis:
    """A param that was varied.

    Attributes:
        param: its name.
        values: what it was, by a text that is the same for the same value: numbers in order, then all else; last an
            empty text where some trials did not have it.
        log: whether it stands on a log scale: as the search recorded, or judged by its values; empty for no.
    """

    param: str
    values: Mapping[str, Any]
    log: LogScale = ""

    @cached_property
    def place(self) -> dict[str, int]:
        """The values by their numbers, from 0."""
        return {key: number for number, key in enumerate(self.values)}

    @cached_property
    def numbers(self) -> list[float]:
        """The values that are numbers, in order."""
        return [float(value) for value in self.values.values() if _is_number(value)]

    @property
    def has_gaps(self) -> bool:
        """Whether some trials did not have it."""
        return "" in self.values

    @property
    def is_range(self) -> bool:
        """Whether it took many values, all of them numbers."""
        return len(self.numbers) > FEW and len(self.numbers) == len(self.values) - self.has_gaps

    def key(self, trial: Trial) -> str:
        """What the trial had, as a key of `values`."""
        return sameness(trial.params[self.param]) if self.param in trial.params else ""

    def code(self, trial: Trial) -> float:
        """Where the trial stands, for a tree to split at: from 0 to 1 in a range, -1 without it, else its number."""
        if not self.is_range:
            return self.place[self.key(trial)]
        if self.param not in trial.params:
            return -1.0
        low, here, high = map(self._scaled, (self.numbers[0], float(trial.params[self.param]), self.numbers[-1]))
        return (here - low) / (high - low)

    def _scaled(self, value: float) -> float:
        return log(value) if self.log else value

    def part_below(self, codes: NDArray[numpy.float64], trials: Sequence[Trial]) -> NDArray[numpy.float64]:
        """Which part of the param's space lies at or below these codes: a range is even, values weigh the same each."""
        if not self.is_range:
            return (codes // 1 + 1) / len(self.values)
        without = sum(self.param not in trial.params for trial in trials) / len(trials)
        return without + (1 - without) * codes.clip(0, 1)


def varied(trials: Sequence[Trial], log_params: Mapping[str, bool]) -> tuple[Axis, ...]:
    """The params of which the trials had more than one value (not having it is one), in the order of their names.

    Args:
        trials: of a search.
        log_params: for each param whether the search drew it on a log scale, as far as it recorded that. Of the others,
            numbers are judged: positive ones over two decades or more whose middle lies where factors would put it.
    """
    names = sorted({name for trial in trials for name in trial.params}, key=lambda name: (natural(name), name))
    axes = (_axis(name, trials, log_params.get(name)) for name in names)
    return tuple(axis for axis in axes if len(axis.values) > 1)


def _axis(param: str, trials: Sequence[Trial], recorded: bool | None) -> Axis:  # noqa: FBT001 - unknown is a third value
    had = [trial.params.get(param, _ABSENT) for trial in trials]
    values = {"" if value is _ABSENT else sameness(value): value for value in had}
    axis = Axis(param, dict(sorted(values.items(), key=lambda each: _in_order(*each))))
    if not axis.is_range or axis.numbers[0] <= 0 or recorded is False:
        return axis
    if recorded:
        return Axis(param, axis.values, "recorded")
    return Axis(param, axis.values, "judged") if _by_factors(axis.numbers) else axis


def _in_order(key: str, value: Any) -> tuple[int, float, str]:
    return (0, float(value), key) if _is_number(value) else (1 if key else 2, 0.0, key)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST


def _by_factors(numbers: Sequence[float]) -> bool:
    low, high = numbers[0], numbers[-1]
    return high >= _DECADES * low and log(median(numbers) / low) / log(high / low) < _MIDDLE_BY_FACTORS


def slices(axis: Axis, trials: Sequence[Trial]) -> tuple[Slice, ...]:
    """The mean scores over the values of a param, in their order; over stretches of a range, of as many trials each."""
    scores: dict[str, list[float]] = {key: [] for key in axis.values}
    for trial in trials:
        scores[axis.key(trial)].append(trial.score)
    grouped = _stretches(axis, scores) if axis.is_range else _one_by_one(axis, scores)
    return tuple(
        Slice(label, mean(values), min(values), max(values), len(values)) for label, values in grouped if values
    )


def _stretches(axis: Axis, scores: Mapping[str, Sequence[float]]) -> Iterator[tuple[str, list[float]]]:
    of_numbers = [key for key in scores if key]
    total = sum(len(scores[key]) for key in of_numbers)
    count = max(2, min(_SLICES, total // _LEAST_IN_A_SLICE))
    groups: dict[int, list[str]] = {}
    before = 0
    for key in of_numbers:
        groups.setdefault((2 * before + len(scores[key])) * count // (2 * total), []).append(key)
        before += len(scores[key])
    for keys in groups.values():
        ends = dict.fromkeys(_short(axis.values[key]) for key in (keys[0], keys[-1]))
        yield " to ".join(ends), [score for key in keys for score in scores[key]]
    yield "not set", [*scores.get("", ())]


def _one_by_one(axis: Axis, scores: Mapping[str, Sequence[float]]) -> Iterator[tuple[str, list[float]]]:
    by_count = sorted(axis.values, key=lambda key: -len(scores[key]))
    shown = axis.values.keys() if len(by_count) <= FEW else {*by_count[: FEW - 1]}
    for key, value in axis.values.items():
        if key in shown:
            yield param_text(value) if key else "not set", [*scores[key]]
    others = [key for key in axis.values if key not in shown]
    yield f"{len(others)} other values", [score for key in others for score in scores[key]]


def _short(value: Any) -> str:
    return str(value) if isinstance(value, int) and abs(value) < 1e6 else format(value, ".3g")
