"""What MLflow loads by its entry point for runs: builders for `specweave:` URIs and for `experiments` folders.

MLflow asks for a builder by the scheme of a URI, and a plain path has none. So loading this module puts a builder of
ours before MLflow's own for paths; it takes the folders of increments and hands everything else on.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from mlflow.tracking._tracking_service import utils as tracking_service

from specweave_ml.mlflow.routing import check_installation, increment_at, increment_named

if TYPE_CHECKING:
    from collections.abc import Callable

    from specweave_ml.project import Increment


def put_before(registry: Any, ours: Callable[[Increment], Any]) -> None:
    """Let the builder of ours take the paths of increments from a registry of MLflow's stores."""
    for scheme, example in (("", "mlruns"), ("file", "file:///mlruns")):
        registry.register(scheme, _before(registry.get_store_builder(example), ours))


def _before(builder: Callable[..., Any], ours: Callable[[Increment], Any]) -> Callable[..., Any]:
    @wraps(builder)
    def build(store_uri: str, **others: Any) -> Any:
        increment = increment_at(store_uri)
        return builder(store_uri, **others) if increment is None else ours(increment)

    return build


def tracking_store(store_uri: str, artifact_uri: str | None = None) -> Any:  # noqa: ARG001 - what MLflow calls with
    """The store of runs of the increment that a `specweave:` URI names."""
    return _runs_of(increment_named(store_uri))


def _runs_of(increment: Increment) -> Any:
    check_installation()
    from specweave_ml.mlflow.store import IncrementStore

    return IncrementStore(increment)


put_before(tracking_service._tracking_store_registry, _runs_of)
