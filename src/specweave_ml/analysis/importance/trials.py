"""The trials of a search that count: finished, and with a number."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from specweave_ml.analysis.moments import mean
from specweave_ml.analysis.params import sameness

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

NO_NUMBER = "without a number"

_TOO_LARGE = 1e100


@dataclass(frozen=True, slots=True)
class Trial:
    """One point of a search.

    Attributes:
        params: name → value, only those that this trial had.
        score: its value of the metric in question.
        folds: its value on each fold; empty where there are none, or not all are numbers.
    """

    params: Mapping[str, Any]
    score: float
    folds: tuple[float, ...] = ()


def complete_trials(recorded: Iterable[Mapping[str, Any]], metric: str) -> tuple[list[Trial], dict[str, int]]:
    """The finished trials with a number for the metric; and how many others there are, by their status.

    Args:
        recorded: as `Experiment.trials` gives them.
        metric: the name the scores were logged by.
    """
    complete, others = [], Counter[str]()
    for row in recorded:
        score, folds = row["scores"].get(metric), row["folds"].get(metric, ())
        if row["status"] != "finished":
            others[row["status"]] += 1
        elif not _is_workable(score):
            others[NO_NUMBER] += 1
        else:
            complete.append(Trial(row["params"], score, tuple(folds) if all(map(_is_workable, folds)) else ()))
    return complete, dict(sorted(others.items()))


def combinations(trials: Iterable[Trial]) -> list[Trial]:
    """Each combination of params once, with its mean, in an order that does not depend on when it was tried.

    One that was tried again would else be known to a forest before it is asked about it.
    """
    same: dict[tuple[tuple[str, str], ...], list[Trial]] = {}
    for trial in trials:
        key = tuple(sorted((name, sameness(value)) for name, value in trial.params.items()))
        same.setdefault(key, []).append(trial)
    return [_together(same[key]) for key in sorted(same)]


def fold_rows(trials: Sequence[Trial]) -> list[tuple[float, ...]]:
    """A row a fold, with the score of every trial on it; none where not all trials have the same number of folds."""
    if len({len(trial.folds) for trial in trials}) != 1:
        return []
    return [*zip(*(trial.folds for trial in trials), strict=True)]


def _together(trials: Sequence[Trial]) -> Trial:
    if len(trials) == 1:
        return trials[0]
    folds = tuple(map(mean, zip(*(trial.folds for trial in trials), strict=True))) if fold_rows(trials) else ()
    return Trial(trials[0].params, mean([trial.score for trial in trials]), folds)


def _is_workable(score: object) -> bool:
    """A number whose square is one, too."""
    return isinstance(score, int | float) and abs(score) < _TOO_LARGE
