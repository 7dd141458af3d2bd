"""What is measured: scikit-learn's scorers under names that say which way is better.

A scorer keeps its name and its value: `neg_mean_squared_error` is negative, and higher is better. Under a name that
says "lower is better", as `rmse` does, or the caller's own in `{"mse": "neg_mean_squared_error"}`, the natural sign is
recorded.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy
from sklearn.base import is_classifier, is_regressor
from sklearn.metrics import check_scoring, get_scorer_names

from specweave_ml.analysis.metrics import Direction, parse_direction, understand
from specweave_ml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_SHORT = {
    "mae": "neg_mean_absolute_error",
    "mse": "neg_mean_squared_error",
    "rmse": "neg_root_mean_squared_error",
    "mape": "neg_mean_absolute_percentage_error",
    "log_loss": "neg_log_loss",
    "auc": "roc_auc",
}

# Metrics that are means over the test rows: what each row adds.
_OF_A_ROW: dict[str, Callable[[Any, Any], Any]] = {
    "accuracy": lambda true, said: true == said,
    "mae": lambda true, said: abs(true - said),
    "mse": lambda true, said: (true - said) ** 2,
    "neg_mean_absolute_error": lambda true, said: -abs(true - said),
    "neg_mean_squared_error": lambda true, said: -((true - said) ** 2),
}


_OF_TWO_CLASSES = ("accuracy", "precision", "recall", "f1", "roc_auc")
_OF_CLASSES = ("accuracy", "precision_macro", "recall_macro", "f1_macro")
# Means over rows, so that two models can be compared row by row; the root of a mean is none.
_OF_NUMBERS = ("mae", "r2")


@dataclass(frozen=True, slots=True)
class Scoring:
    """The scorers of a search or a comparison.

    Attributes:
        scorers: metric → what scikit-learn calls so.
        together: of several, one that gives all values and predicts only once.
        signs: metric → 1, or -1 where the natural sign is recorded and not the scorer's.
        primary: the metric that decides.
        direction: which way it is better.
    """

    scorers: Mapping[str, Any]
    together: Any
    signs: Mapping[str, int]
    primary: str
    direction: Direction

    def better(self, one: float, other: float) -> bool:
        """Whether one value of the deciding metric beats another; one that is no number beats none."""
        if isnan(one) or isnan(other):
            return isnan(other) and not isnan(one)
        return one > other if self.direction == "maximize" else one < other

    def scores(self, model: Any, X: Any, y: Any, weights: Any = None) -> tuple[dict[str, float], dict[str, str] | None]:
        """Metric → score, NaN where one scorer of several failed, and what that failure was.

        Raises:
            Exception: whatever a scorer raises that is the only one.
        """
        arguments = (model, X) if y is None else (model, X, y)
        said = {} if weights is None else {"sample_weight": weights}
        if self.together is None:
            scorer = self.scorers[self.primary]
            return {self.primary: self.signs[self.primary] * float(scorer(*arguments, **said))}, None
        try:
            found = self.together(*arguments, **said)
        except Exception:  # noqa: BLE001 - one that wants what the model lacks, such as probabilities, stops all of them
            found = {name: _score_or_why(scorer, arguments, said) for name, scorer in self.scorers.items()}
        failed = {name: text.strip().splitlines()[-1] for name, text in found.items() if isinstance(text, str)}
        scores = {name: sign * float("nan" if name in failed else found[name]) for name, sign in self.signs.items()}
        error = {"type": "scorer", "message": "; ".join(f"{name}: {why}" for name, why in failed.items())}
        return scores, error if failed else None

    @property
    def takes_weights(self) -> bool:
        """Whether one of the scorers takes sample weights."""
        return any(map(_takes_weights, self.scorers.values()))

    @property
    def of_rows(self) -> tuple[str, ...]:
        """The metrics that are means over the test rows."""
        return tuple(name for name in self.signs if name in _OF_A_ROW)


def _score_or_why(scorer: Any, arguments: tuple[Any, ...], said: Mapping[str, Any]) -> Any:
    try:
        return scorer(*arguments, **(said if _takes_weights(scorer) else {}))
    except Exception as error:  # noqa: BLE001 - a stranger's scorer may raise anything, which costs its own score
        return f"{type(error).__name__}: {error}"


def outcomes(metric: str, true: Any, said: Any) -> list[float]:
    """What each test row adds to a metric of `Scoring.of_rows`."""
    added: list[float] = numpy.asarray(
        _OF_A_ROW[metric](numpy.asarray(true), numpy.asarray(said)), dtype=float
    ).tolist()
    return added


def usual_metrics(model: Any, target: Any) -> tuple[str, ...]:
    """What a model is judged by when nobody says."""
    if is_regressor(model):
        return _OF_NUMBERS
    return _OF_TWO_CLASSES if is_binary(target) else _OF_CLASSES


def is_binary(target: Any) -> bool:
    """Whether the classes are 0 and 1, so that it is plain which one precision and recall are about."""
    values = numpy.asarray(target)
    return values.ndim == 1 and values.dtype.kind in "biuf" and set(numpy.unique(values).tolist()) == {0, 1}


def scoring_of(estimator: Any, scoring: Any = None, primary: Any = None, direction: str | None = None) -> Scoring:
    """The scorers that the caller means.

    Args:
        estimator: what will be scored.
        scoring: None for the estimator's own `score`, a name, a scorer, a list of them, or a mapping name → scorer.
        primary: the metric that decides; None: the first.
        direction: which way it is better, where neither the scorer nor its name says so.

    Raises:
        UsageError: no such scorer, or which way is better is not known.
    """
    declared = None if direction is None else parse_direction(direction)
    entries = _entries(estimator, scoring)
    metrics = {name: _direction_and_sign(name, scorer, declared) for name, scorer in entries.items()}
    decides = next(iter(metrics)) if primary is None else primary
    if decides not in metrics:
        raise UsageError("this metric is not measured", received=decides, expected=f"one of {', '.join(metrics)}")
    if declared is not None and metrics[decides][0] != declared:
        raise UsageError(f"{decides} is better when {_WORDS[metrics[decides][0]]}", received=direction)
    try:
        scorers = {name: check_scoring(estimator, scorer) for name, scorer in entries.items()}
        together = check_scoring(estimator, scorers, raise_exc=False) if len(scorers) > 1 else None
    except (TypeError, ValueError) as error:
        raise UsageError(f"this cannot be scored: {error}", received=scoring) from error
    signs = {name: sign for name, (_, sign) in metrics.items()}
    return Scoring(scorers, together, signs, decides, metrics[decides][0])


_WORDS = {"maximize": "higher", "minimize": "lower"}


def _entries(estimator: Any, scoring: Any) -> dict[str, Any]:
    """Metric → scikit-learn's name of a scorer, or a scorer, or None for the estimator's own."""
    if scoring is None:
        own = "accuracy" if is_classifier(estimator) else "r2" if is_regressor(estimator) else "score"
        return {own: None}
    if isinstance(scoring, Mapping):
        entries = {str(name): _known(scorer) for name, scorer in scoring.items()}
    else:
        several = scoring if isinstance(scoring, list | tuple) else [scoring]
        entries = {_name_of(scorer): _known(scorer) for scorer in several}
    if not entries:
        raise UsageError(
            "no metric is given", received=scoring, expected="a scorer's name, or None for the estimator's own"
        )
    return entries


def _known(scorer: Any) -> Any:
    if callable(scorer):
        return scorer
    names = get_scorer_names()
    if isinstance(scorer, str) and (name := _SHORT.get(scorer, scorer)) in names:
        return name
    close = get_close_matches(str(scorer), [*names, *_SHORT], n=3)
    raise UsageError(
        "there is no such metric",
        received=scorer,
        expected=f"one of {', '.join(close)}" if close else "a name of sklearn.metrics.get_scorer_names(), or a scorer",
        next_step="wrap a function of your own: sklearn.metrics.make_scorer(function, greater_is_better=…)",
    )


def _name_of(scorer: Any) -> str:
    if isinstance(scorer, str):
        return scorer
    measured = getattr(scorer, "_score_func", scorer)
    name = getattr(measured, "__name__", type(measured).__name__).strip("<>")
    return f"neg_{name}" if _sign(scorer) < 0 else name


def _sign(scorer: Any) -> int:
    """What scikit-learn multiplies the measure with, so that higher is better."""
    if isinstance(scorer, str):
        return -1 if scorer.startswith("neg_") else 1
    return getattr(scorer, "_sign", 1)


def _direction_and_sign(name: str, scorer: Any, declared: Direction | None) -> tuple[Direction, int]:
    said = understand(name).direction
    if callable(scorer) and not hasattr(scorer, "_sign"):
        return _of_function(name, scorer, said, declared), 1
    if said == "minimize" and _sign(scorer) > 0:
        raise _which_way(
            name,
            "its name says that lower is better, and its scorer that higher is",
            "make_scorer(function, greater_is_better=False), or another name",
        )
    return ("minimize", -1) if said == "minimize" else ("maximize", 1)


def _of_function(name: str, scorer: Any, said: Direction | None, declared: Direction | None) -> Direction:
    """A function of the caller's own: scikit-learn takes higher for better, which a loss that is written so is not."""
    try:
        arguments = [each for each in inspect.signature(scorer).parameters.values() if each.default is each.empty]
    except (TypeError, ValueError):
        arguments = []
    if len(arguments) == 2:
        raise _which_way(
            name,
            "it is a function of true and predicted values, no scorer",
            f"make_scorer({name}, greater_is_better=True or False)",
        )
    if declared is None and said != "maximize":
        raise _which_way(name, "neither its name nor the call says so", 'direction="maximize" or "minimize"')
    return declared or "maximize"


def _which_way(name: str, why: str, mend: str) -> UsageError:
    return UsageError(f"which way is {name!r} better? {why}", received=name, expected=mend)


def _takes_weights(scorer: Any) -> bool:
    own_score = getattr(getattr(scorer, "_estimator", None), "score", scorer)
    try:
        return "sample_weight" in inspect.signature(getattr(scorer, "_score_func", own_score)).parameters
    except (TypeError, ValueError):
        return False
