"""What a worker does: fit one candidate on one fold and score it. It writes nothing: the parent records."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from sklearn.utils import _safe_indexing
from sklearn.utils.metaestimators import _safe_split

from specweave_ml.training.estimators import with_params
from specweave_ml.training.scoring import outcomes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from specweave_ml.training.scoring import Scoring


class Fit(NamedTuple):
    """What comes back from a worker.

    Attributes:
        trial: the candidate's number.
        fold: the split's place.
        scores: metric → score; NaN of a scorer that failed.
        fit_seconds: spent on fitting.
        score_seconds: spent on scoring.
        error: type and message of what failed.
        outcomes: metric → what each test row adds to it, where asked for.
    """

    trial: int
    fold: int
    scores: Mapping[str, float]
    fit_seconds: float = 0.0
    score_seconds: float = 0.0
    error: dict[str, str] | None = None
    outcomes: Mapping[str, list[float]] | None = None


class Extras(NamedTuple):
    """What goes to every fit and scoring beside the data.

    Attributes:
        fit_params: keyword arguments of `fit`.
        by_row: those of them that have one value a row.
        weights: sample weights for the scorers that take them.
        outcomes: whether each test row's outcome is wanted.
    """

    fit_params: Mapping[str, Any]
    by_row: Mapping[str, Any]
    weights: Any = None
    outcomes: bool = False


def fit_and_score(
    trial: int,
    fold: int,
    params: Mapping[str, Any],
    train: Any,
    test: Any,
    estimator: Any,
    X: Any,
    y: Any,
    scoring: Scoring,
    extras: Extras,
) -> Fit:
    """Fit a clone on the rows `train` and score it on the rows `test`; what goes wrong becomes the `error`."""
    began = perf_counter()
    try:
        model = with_params(estimator, params)
        # These two helpers are private, and what scikit-learn's own searches use: they know every container of rows,
        # and kernels that were computed beforehand.
        X_train, y_train = _safe_split(model, X, y, train)
        X_test, y_test = _safe_split(model, X, y, test, train)
        by_row = {name: _safe_indexing(values, train) for name, values in extras.by_row.items()}
        weights = None if extras.weights is None else _safe_indexing(extras.weights, test)
        began = perf_counter()
        fitted(model, X_train, y_train, {**extras.fit_params, **by_row})
        ended = perf_counter()
        scores, error = scoring.scores(model, X_test, y_test, weights)
        scored = perf_counter()
        wanted = scoring.of_rows if extras.outcomes else ()
        said = model.predict(X_test) if wanted else None
        by_item = {name: outcomes(name, y_test, said) for name in wanted}
        return Fit(trial, fold, scores, ended - began, scored - ended, error, by_item)
    except Exception as error:  # noqa: BLE001 - a candidate that fails is a result, and the search goes on
        failed = {"type": type(error).__name__, "message": str(error)}
        return Fit(trial, fold, dict.fromkeys(scoring.signs, float("nan")), perf_counter() - began, 0.0, failed)


def fitted(model: Any, X: Any, y: Any, fit_params: Mapping[str, Any]) -> Any:
    """Fit a model, with a target or without one."""
    return model.fit(X, **fit_params) if y is None else model.fit(X, y, **fit_params)
