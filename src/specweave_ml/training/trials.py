"""Trials: put together from the fits of their folds, ranked, and as a table."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy

from specweave_ml.analysis.moments import standard_deviation
from specweave_ml.analysis.params import param_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from specweave_ml.training.fit import Fit
    from specweave_ml.training.scoring import Scoring

_GROUPS = ("trial", "status", "param", "metric")

Trial = dict[str, Any]
"""As `Experiment.trials` has it."""


def trials_of(
    fits: Iterable[Fit], candidates: Sequence[Mapping[str, Any]], folds: int, scoring: Scoring
) -> Iterator[Trial]:
    """Each trial as soon as the last of its folds is there."""
    parts: defaultdict[int, list[Fit]] = defaultdict(list)
    for fit in fits:
        parts[fit.trial].append(fit)
        if len(parts[fit.trial]) == folds:
            yield _trial(fit.trial, candidates[fit.trial], sorted(parts.pop(fit.trial), key=_by_fold), scoring)


def _by_fold(fit: Fit) -> int:
    return fit.fold


def _trial(number: int, params: Mapping[str, Any], fits: Sequence[Fit], scoring: Scoring) -> Trial:
    columns = {name: [fit.scores[name] for fit in fits] for name in scoring.signs}
    failed = any(fit.error is not None and isnan(fit.scores[scoring.primary]) for fit in fits)
    return {
        "number": number,
        "status": "failed" if failed else "finished",
        "params": dict(params),
        # As scikit-learn takes the mean, so that ties fall as they do there.
        "scores": {} if failed else {name: float(numpy.average(scores)) for name, scores in columns.items()},
        "folds": {} if failed else columns,
        "fit_seconds": sum(fit.fit_seconds for fit in fits),
        "score_seconds": sum(fit.score_seconds for fit in fits),
        "values": [],
        "error": next((fit.error for fit in fits if fit.error is not None), None),
    }


def best_of(trials: Iterable[Trial], scoring: Scoring) -> Trial | None:
    """The best finished trial, the first of equals; None where none has a number."""
    best = None
    for trial in trials:
        score = trial["scores"].get(scoring.primary, float("nan"))
        if not isnan(score) and (best is None or scoring.better(score, best["scores"][scoring.primary])):
            best = trial
    return best


def rows(trials: Iterable[Trial]) -> list[dict[str, Any]]:
    """A flat row a trial: `trial`, `status`, `param.*`, `metric.*` with spread and folds, times, `error`.

    `metric.*_std` is the sample standard deviation over the folds (n - 1 below the line).
    """
    return [
        {
            "trial": trial["number"],
            "status": trial["status"],
            **{f"param.{name}": value for name, value in trial["params"].items()},
            **{key: value for name in trial["scores"] for key, value in _of_metric(trial, name).items()},
            "fit_seconds": trial["fit_seconds"],
            "score_seconds": trial["score_seconds"],
            "error": ": ".join(trial["error"].values()) if trial["error"] else None,
        }
        for trial in trials
    ]


def _of_metric(trial: Trial, name: str) -> dict[str, float]:
    scores = trial["folds"].get(name, [])
    spread = {f"metric.{name}_std": standard_deviation(scores)} if len(scores) > 1 else {}
    return {
        f"metric.{name}": trial["scores"][name],
        **spread,
        **{f"metric.{name}_fold_{place}": score for place, score in enumerate(scores)},
    }


def csv_text(trials: Iterable[Trial]) -> str:
    """The rows as CSV; what a trial does not have is empty."""
    table = rows(trials)
    columns = sorted(dict.fromkeys(name for row in table for name in row), key=_group)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row, name) for name in columns] for row in table)
    return text.getvalue()


def _group(column: str) -> int:
    head = column.partition(".")[0]
    return _GROUPS.index(head) if head in _GROUPS else len(_GROUPS)


def _cell(row: Mapping[str, Any], name: str) -> str:
    absent = name not in row or (row[name] is None and not name.startswith("param."))
    return "" if absent else param_text(row[name])
