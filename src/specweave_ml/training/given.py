"""What the caller gives, looked at before any training starts: data, weights, the points of a search."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy
from sklearn.model_selection import ParameterGrid, ParameterSampler

from specweave_ml.errors import UsageError
from specweave_ml.training.estimators import defaults, with_params
from specweave_ml.training.fit import Extras

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from specweave_ml.tracking import TrackedExperiment
    from specweave_ml.training.scoring import Scoring

_LOG_DISTRIBUTIONS = {"loguniform", "reciprocal"}
_NEAR = 0.8  # of 1: how much of a name must agree to be taken for a slip, where any name would be taken


def check_data(X: Any, y: Any, **by_row: Any) -> None:
    """Look at the rows and what belongs to them.

    Raises:
        UsageError: the lengths differ, there are no rows, or a target is missing.
    """
    rows = _length("X", X)
    for name, values in {"y": y, **by_row}.items():
        if values is not None and _length(name, values) != rows:
            raise UsageError(
                f"X and {name} are not of the same length",
                received=f"{rows} rows in X, {_length(name, values)} in {name}",
                expected="one value a row",
            )
    if rows == 0:
        raise UsageError("there are no rows", received=type(X), expected="a table with a row an example")
    missing = 0 if y is None else _missing(y)
    if missing:
        raise UsageError(
            f"y has {missing} missing value{'' if missing == 1 else 's'} (NaN or None)",
            received=f"{missing} of {rows} rows",
            expected="a target for every row",
            next_step="leave these rows out of X and y",
        )


def _length(name: str, values: Any) -> int:
    shape = getattr(values, "shape", None)
    try:
        return int(shape[0]) if shape else len(values)
    except TypeError as error:
        raise UsageError(
            f"{name} is no table or list", received=type(values), expected="rows that can be counted"
        ) from error


def _missing(y: Any) -> int:
    if hasattr(y, "isna"):
        return int(numpy.asarray(y.isna()).sum())
    values = numpy.asarray(y)
    if values.dtype.kind == "f":
        return int(numpy.isnan(values).sum())
    if values.dtype.kind == "O":
        return sum(value is None or value != value for value in values.ravel())  # noqa: PLR0124 - NaN differs from itself
    return 0


def extras_of(
    X: Any, fit_params: Mapping[str, Any] | None, sample_weight: Any, scoring: Scoring | None = None
) -> Extras:
    """What goes to every fit beside the data. With `scoring`, the weights go to those of its scorers that take them."""
    given = dict(fit_params or {})
    if sample_weight is not None:
        given["sample_weight"] = sample_weight
    rows = _length("X", X)
    by_row = {name: values for name, values in given.items() if _has_rows(values, rows)}
    weighted = sample_weight is not None and scoring is not None and scoring.takes_weights
    constant = {name: value for name, value in given.items() if name not in by_row}
    return Extras(constant, by_row, sample_weight if weighted else None)


def _has_rows(values: Any, rows: int) -> bool:
    shape = getattr(values, "shape", None)
    if shape is not None:
        return bool(shape) and shape[0] == rows
    return isinstance(values, list | tuple) and len(values) == rows


def log_data(experiment: TrackedExperiment, **tables: Any) -> None:
    """Record which data it was, under the names that the call gives them."""
    for name, table in tables.items():
        if table is not None:
            experiment.log_dataset(name, table)


def candidates_of(estimator: Any, grid: Any, n_iter: int | None, seed: Any) -> list[dict[str, Any]]:
    """The points of a search: all of a grid, or `n_iter` drawn ones.

    Raises:
        UsageError: the grid is empty, a param is unknown, or a distribution is given without `n_iter`.
    """
    drawn = [name for part in _parts(grid) for name, values in part.items() if hasattr(values, "rvs")]
    if drawn and n_iter is None:
        raise UsageError(
            f"{drawn[0]} is a distribution, which has no grid",
            received=grid,
            expected="lists of values, or how many points to draw",
            next_step="n_iter=20 draws 20 points",
        )
    try:
        points = ParameterGrid(grid) if n_iter is None else ParameterSampler(grid, n_iter, random_state=seed)
        candidates = list(map(dict, points))
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"the grid cannot be meant: {error}", received=grid, expected="param → list of values"
        ) from error
    if not candidates:
        raise UsageError("there is no point to try", received=f"n_iter={n_iter}", expected="1 or more")
    _check_params(estimator, candidates)
    return candidates


def _parts(grid: Any) -> list[Mapping[str, Any]]:
    parts = list(grid) if isinstance(grid, list | tuple) else [grid]
    if not parts or not all(hasattr(part, "items") and part for part in parts):
        raise UsageError(
            "the grid is empty", received=grid, expected="param → list of values, such as {'max_depth': [3, 6]}"
        )
    return parts


def log_scales(grid: Any) -> dict[str, bool]:
    """For each param that is drawn from a distribution, whether it is drawn on a log scale."""
    drawn = {name: values for part in _parts(grid) for name, values in part.items() if hasattr(values, "rvs")}
    named = {name: getattr(getattr(values, "dist", values), "name", "") for name, values in drawn.items()}
    return {name: distribution in _LOG_DISTRIBUTIONS for name, distribution in named.items()}


def _check_params(estimator: Any, candidates: Iterable[Mapping[str, Any]]) -> None:
    """Set each combination of names once: what an estimator takes may depend on another param, such as a step."""
    for candidate in {frozenset(point): point for point in candidates}.values():
        try:
            ready = with_params(estimator, candidate)
        except Exception as error:  # a stranger's setter runs here, and may raise anything
            known = estimator.get_params(deep=True)
            wrong = next((name for name in candidate if name not in known), next(iter(candidate)))
            raise _unknown(estimator, wrong, get_close_matches(wrong, known, n=3), str(error)) from error
        for name in candidate:
            if near := _meant(ready, name):
                raise _unknown(estimator, name, near, "it would be passed on, and do nothing")


def _meant(estimator: Any, name: str) -> list[str]:
    """The params that a slip of the pen is near to, of an estimator that takes any keyword."""
    *steps, last = name.split("__")
    part = estimator
    for step in steps:
        part = part.get_params(deep=True)[step]
    known = defaults(type(part))
    return [] if last in known else get_close_matches(last, known, n=3, cutoff=_NEAR)


def _unknown(estimator: Any, name: str, near: list[str], why: str) -> UsageError:
    return UsageError(
        f"{type(estimator).__name__} has no param {name!r}: {' '.join(why.split())[:300]}",
        received=name,
        expected=f"one of {', '.join(near)}" if near else "a name of its get_params()",
    )
