"""Trials, the points of a search: what a call says as a journal line, and the line read back."""

from __future__ import annotations

from specweave_ml.errors import UsageError
from specweave_ml.redact import redact_value
from specweave_ml.store.codec import (
    check_name,
    metric_number,
    number_from_json,
    number_to_json,
    param_from_json,
    param_to_json,
    step_number,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

STATUSES = ("finished", "failed", "pruned")


def trial_line(
    params: Mapping[str, Any],
    status: str,
    scores: Mapping[str, Any],
    folds: Mapping[str, Iterable[Any]],
    seconds: Mapping[str, float | None],
    values: Mapping[Any, Any] | Iterable[Sequence[Any]],
) -> dict[str, Any]:
    """What a journal keeps of a trial; what is empty or unknown is left out.

    Raises:
        UsageError: a name is empty, a score is no number, or the status is none.
    """
    if status not in STATUSES:
        raise UsageError("a trial has no such status", received=status, expected=f"one of {', '.join(STATUSES)}")
    pairs: Iterable[Any] = values.items() if hasattr(values, "items") else values
    row = {
        "status": status,
        "params": {key: redact_value(check_name("param", key), param_to_json(value)) for key, value in params.items()},
        "scores": {check_name("metric", name): _number(name, score) for name, score in scores.items()},
        "folds": {check_name("metric", name): [_number(name, one) for one in column] for name, column in folds.items()},
        **{key: _number(key, spent) for key, spent in seconds.items() if spent is not None},
        "values": [[step_number(step), _number("an intermediate value", value)] for step, value in pairs],
    }
    return {key: value for key, value in row.items() if value not in ({}, [])}


def _number(name: str, value: Any) -> float | str:
    return number_to_json(metric_number(name, value))


def readable_trials(lines: Mapping[int, dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """The trials in the order of their numbers, as `Experiment.trials` gives them.

    Those that were logged without a number follow those with one, in the order in which they arrived.
    """
    numbered = sorted(number for number in lines if number >= 0)
    others = sorted((key for key in lines if key < 0), reverse=True)
    first = numbered[-1] + 1 if numbered else 0
    return (
        *(_readable(number, lines[number]) for number in numbered),
        *(_readable(number, lines[key]) for number, key in enumerate(others, start=first)),
    )


def _readable(number: int, line: dict[str, Any]) -> dict[str, Any]:
    # A line may come from a flipped bit or another program: what is not understood is left out, and raises nothing.
    scores, folds = _mapping(line.get("scores")), _mapping(line.get("folds"))
    values, error = line.get("values"), line.get("error")
    return {
        "number": number,
        "status": str(line.get("status", "finished")),
        "params": {name: param_from_json(value) for name, value in _mapping(line.get("params")).items()},
        "scores": {name: score for name in scores if (score := number_from_json(scores[name])) is not None},
        "folds": {name: [number_from_json(one) for one in row] for name, row in folds.items() if isinstance(row, list)},
        "fit_seconds": number_from_json(line.get("fit_seconds")),
        "score_seconds": number_from_json(line.get("score_seconds")),
        "values": [
            (pair[0], number_from_json(pair[1]))
            for pair in (values if isinstance(values, list) else ())
            if isinstance(pair, list) and len(pair) == 2
        ],
        "error": error if isinstance(error, dict) else None,
    }


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
