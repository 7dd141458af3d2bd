"""What MLflow loads by its entry point for registered models: they live in the database of the increment too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlflow.tracking._model_registry import utils as model_registry

from specweave_ml.mlflow.plugin import put_before
from specweave_ml.mlflow.routing import check_installation, increment_named

if TYPE_CHECKING:
    from specweave_ml.project import Increment


def registry_store(store_uri: str, tracking_uri: str | None = None) -> Any:  # noqa: ARG001 - what MLflow calls with
    """The model registry of the increment that a `specweave:` URI names."""
    return _models_of(increment_named(store_uri))


def _models_of(increment: Increment) -> Any:
    check_installation()
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    from specweave_ml.mlflow.database import prepared

    return SqlAlchemyStore(prepared(increment))


put_before(model_registry._model_registry_store_registry, _models_of)
