"""A search that was cut short goes on: what it was looking for is kept in `search.json`, what it found in its trials.

It goes on only as the same search: the same points, splits, metrics and data, by a fingerprint of all of them.
"""

from __future__ import annotations

import json
import re
from itertools import count
from typing import TYPE_CHECKING, Any

import joblib
import numpy

from specweave_ml.errors import NotFound, UsageError
from specweave_ml.store.load import load_experiment
from specweave_ml.tracking.start import is_disabled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from specweave_ml.record import Experiment
    from specweave_ml.training.scoring import Scoring
    from specweave_ml.training.trials import Trial
    from specweave_ml.training.workers import Work

PLAN = "search.json"

_CUT_SHORT = {"stale", "killed", "failed"}
_NAMELESS = " object at 0x"
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")  # of a function, which its name tells


def earlier_search(name: str, increment: str | None, *, resume: bool | None) -> Experiment | None:
    """The search of this name to go on with; of `name`, `name-2`, … the last that comes into question.

    Args:
        name: what the search is called.
        increment: as `track_experiment` takes it.
        resume: True: there must be one; False: none is wanted; None: one that was cut short.

    Raises:
        NotFound: with `resume=True`, there is none.
    """
    if resume is False or is_disabled():
        return None
    last = None
    for number in count(1):
        try:
            found = load_experiment(name if number == 1 else f"{name}-{number}", increment)
        except NotFound:
            if last is None and resume:
                raise
            return last
        if not found.archived and (resume or found.status in _CUT_SHORT):
            last = found
    return last


def plan_in(experiment: Experiment | None) -> dict[str, Any]:
    """What a search wrote of itself when it started; empty where nothing of the kind can be read."""
    if experiment is None:
        return {}
    try:
        plan = json.loads((experiment.path / PLAN).read_bytes())
    except (OSError, ValueError):
        return {}
    return plan if isinstance(plan, dict) else {}


def fingerprint(work: Work, points: Sequence[Mapping[str, Any]]) -> str | None:
    """One hash of all that makes a search the same search; None for what cannot be hashed, which never goes on."""
    scoring = work.scoring
    measured = (scoring.primary, scoring.direction, dict(scoring.signs))
    rows = [split.split_id for split in work.splits]
    try:
        said = _plain([work.estimator.get_params(deep=True), *points, *scoring.scorers.values()])
        return str(joblib.hash((type(work.estimator).__qualname__, measured, rows, said, work.X, work.y, work.extras)))
    except Exception:  # noqa: BLE001 - data of any kind is pickled for it, which may raise anything
        return None


def _plain(value: Any) -> Any:
    """Params with objects as text: an estimator among them need not pickle to the same bytes in another process.

    Raises:
        TypeError: an object has no text of its own, so that two of them could not be told apart.
    """
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, numpy.ndarray):
        return value
    text = repr(value)
    if _NAMELESS in text:
        raise TypeError(f"{text} does not say what it is")
    return _ADDRESS.sub("", text)


def to_go_on(earlier: Experiment | None, plan: Mapping[str, Any], *, must: bool) -> Experiment | None:
    """The earlier search if it is the same one.

    Raises:
        UsageError: it is not, and it must be.
    """
    known = plan_in(earlier).get("fingerprint")
    if known is not None and known == plan["fingerprint"]:
        return earlier
    if not must:
        return None
    raise UsageError(
        "the earlier search of this name looked for something else, so it cannot go on",
        received=None if earlier is None else earlier.name,
        expected="the same params, folds, metrics and data as when it was cut short",
        next_step="another name=, or resume=False for a new experiment",
    )


def finished_trials(
    experiment: Experiment, points: Sequence[Mapping[str, Any]], folds: int, scoring: Scoring
) -> list[Trial]:
    """The trials that need no second fit, their params as objects again."""
    return [
        {**trial, "params": dict(points[trial["number"]])}
        for trial in experiment.trials
        if trial["status"] == "finished" and trial["number"] < len(points)
        if all(len(trial["folds"].get(name, ())) == folds for name in scoring.signs)
    ]
