"""Estimators as scikit-learn means them: made from what the caller gave, named, described."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from specweave_ml.errors import MissingDependency, UsageError
from specweave_ml.training.recorded import class_name

try:
    from sklearn.base import clone
except ImportError as missing:
    raise MissingDependency(
        f"searches, cross-validation and compare_models need scikit-learn, which cannot be imported: {missing}",
        next_step='pip install "specweave-ml[sklearn]"',
    ) from missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_UNKNOWN = object()


def unfitted(model: Any) -> Any:
    """A fresh estimator from an estimator or its class.

    Raises:
        UsageError: it is no estimator, its class needs arguments, or it cannot be cloned.
    """
    try:
        estimator = model() if isinstance(model, type) else model
    except TypeError as error:
        raise UsageError(
            f"{model.__name__} cannot be made without arguments: {error}",
            received=model,
            expected="a class whose arguments all have defaults, or an estimator",
            next_step=f"give the estimator itself: {model.__name__}(…)",
        ) from error
    if not hasattr(estimator, "fit") or not hasattr(estimator, "get_params"):
        raise UsageError(
            "this is no estimator as scikit-learn means it",
            received=model,
            expected="an object, or a class, with fit, get_params and set_params",
        )
    try:
        return clone(estimator)
    except Exception as error:  # a stranger's constructor runs here, and may raise anything
        raise UsageError(
            f"this {type(estimator).__name__} cannot be cloned, so it cannot be fitted afresh: {error}",
            received=type(estimator),
            expected="a constructor that keeps its arguments as they are, under their own names",
        ) from error


def with_params(estimator: Any, params: Mapping[str, Any]) -> Any:
    """A fresh clone with other params; those that are estimators are cloned too."""
    fresh = clone(estimator)
    return fresh.set_params(**clone(dict(params), safe=False)) if params else fresh


def short_name(estimator: Any) -> str:
    """What an experiment on it is called when nobody says: `random-forest-classifier`; of a pipeline its last step."""
    steps = getattr(estimator, "steps", None)
    last = steps[-1][1] if isinstance(steps, list) and steps else estimator
    return class_name(last)


def chosen_params(estimator: Any) -> dict[str, Any]:
    """The class of an estimator, as `model`, and its params that are not at their defaults, those of steps too."""
    return {"model": type(estimator).__name__, **dict(_chosen(estimator, ""))}


def _chosen(estimator: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    own = estimator.get_params(deep=False)
    inner = {
        name: part
        for name, part in estimator.get_params(deep=True).items()
        if "__" not in name and hasattr(part, "get_params") and not isinstance(part, type)
    }
    usual = defaults(type(estimator))
    for name, value in own.items():
        if name not in inner and not _holds(value, inner) and not _same(value, usual.get(name, _UNKNOWN)):
            yield prefix + name, value
    for name, part in inner.items():
        yield prefix + name, type(part).__name__
        yield from _chosen(part, f"{prefix}{name}__")


def defaults(kind: type) -> dict[str, Any]:
    """The params that an estimator of this class has when nothing is said."""
    try:
        usual: dict[str, Any] = kind().get_params(deep=False)
    except Exception:  # noqa: BLE001 - a stranger's constructor may raise anything, and some need arguments
        return {each.name: each.default for each in inspect.signature(kind).parameters.values()}
    return usual


def _holds(value: Any, inner: dict[str, Any]) -> bool:
    """Whether a param is the list of the steps, which are described one by one."""
    return isinstance(value, list) and any(isinstance(item, tuple) and item[0] in inner for item in value)


def _same(value: Any, usual: Any) -> bool:
    try:
        return value is usual or bool(value == usual) or bool(value != value and usual != usual)  # noqa: PLR0124 - NaN
    except Exception:  # noqa: BLE001 - arrays and frames do not compare to one truth
        return False
