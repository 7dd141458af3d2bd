"""Where runs of other tools lie: in an increment while people work, or in a place that somebody names.

Looking costs a few `stat` calls: a tool's module is imported only where its data is.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from specweave_ml.errors import NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specweave_ml.foreign import Source
    from specweave_ml.project import Increment

_LIVE = {
    "mlflow": ("experiments/.mlflow/mlflow.db", "specweave_ml.mlflow.sources:live"),
    "tensorboard": ("tensorboard", "specweave_ml.tensorboard.source:live"),
    "wandb": ("experiments/.wandb {root}/wandb", "specweave_ml.wandb.source:live"),
}
"""Tool: the places, in an increment or its project, of which one is there where the tool is in use, and the function
that makes a source of the first."""

_IMPORTED = {
    "mlflow": "specweave_ml.mlflow.sources:imported",
    "tensorboard": "specweave_ml.tensorboard.source:imported",
    "wandb": "specweave_ml.wandb.source:imported",
}
"""Tool: the function that makes a source of a path (None: where the tool itself would look) for an increment."""

TOOLS = tuple(_IMPORTED)


def live_sources(increment: Increment) -> Iterator[Source]:
    """The sources inside an increment, those that have data."""
    for places, target in _LIVE.values():
        for place in places.split():
            path = os.path.join(increment.path, place.format(root=increment.root))
            if os.path.exists(path):
                yield _function(target)(path, increment)
                break


def open_source(tool: str, path: str | None, increment: Increment) -> Source:
    """The source of a tool's runs at a path.

    Args:
        tool: one of `TOOLS`.
        path: a file or folder; None: where the tool itself would look.
        increment: for which it is read.

    Raises:
        UsageError: no tool of that name.
        NotFound: nothing is at the path.
        MissingDependency: reading it needs the tool, which is not installed.
    """
    target = _IMPORTED.get(tool)
    if target is None:
        raise UsageError(
            "runs of this tool cannot be imported",
            received=tool,
            expected=f"one of {', '.join(TOOLS)}",
            next_step="specweave-ml import --help",
        )
    if path is not None and not os.path.exists(path):
        raise NotFound("nothing is there to import", path=path, expected="a file or folder of the tool")
    source: Source = _function(target)(path, increment)
    return source


def _function(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)
