"""Experiment tracking that writes into SpecWeave increments: the public names, each loaded when first asked for.

`import specweave_ml` (or its alias `specweave`) loads nothing but this file, so a training script pays only for
what it uses. This is also where the parts are put together: the handle that `track_experiment` gives can write
reports although `tracking` knows nothing of `reports`.
"""

from __future__ import annotations

import sys
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from specweave_ml.errors import (
        MissingDependency,
        NotFound,
        Refused,
        RemoteError,
        SpecweaveError,
        SpecweaveWarning,
        StoreError,
        UsageError,
    )
    from specweave_ml.record import Experiment, ExperimentMetadata, Experiments, History, Point
    from specweave_ml.reports import Comparison, compare_experiments
    from specweave_ml.store.load import load_experiment, load_experiments
    from specweave_ml.tracking import TrackedExperiment, track_artifacts, track_experiment, track_model

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "Experiment",
    "ExperimentMetadata",
    "Experiments",
    "History",
    "MissingDependency",
    "NotFound",
    "Point",
    "Refused",
    "RemoteError",
    "SpecweaveError",
    "SpecweaveWarning",
    "StoreError",
    "TrackedExperiment",
    "UsageError",
    "compare_experiments",
    "load_experiment",
    "load_experiments",
    "track_artifacts",
    "track_experiment",
    "track_model",
]

_HOMES = {
    "errors": (
        "MissingDependency",
        "NotFound",
        "Refused",
        "RemoteError",
        "SpecweaveError",
        "SpecweaveWarning",
        "StoreError",
        "UsageError",
    ),
    "record": ("Experiment", "ExperimentMetadata", "Experiments", "History", "Point"),
    "reports": ("Comparison", "compare_experiments"),
    "store.load": ("load_experiment", "load_experiments"),
    "tracking": ("TrackedExperiment", "track_artifacts", "track_experiment", "track_model"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

_TEXTS_OF_A_HANDLE = {
    "refresh": "specweave_ml.reports:refresh",
    "report": "specweave_ml.reports:experiment_report",
    "html": "specweave_ml.reports:experiment_html",
}


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        asking = sys._getframe(1)  # what to raise depends on who asks
        if asking.f_code.co_name == "_handle_fromlist":
            raise AttributeError(name)  # `from specweave_ml import store`: Python looks for a submodule next
        from specweave_ml.elsewhere import absent

        raise absent(name, asking)
    module = import_module(f"specweave_ml.{home}")
    if home == "tracking":
        for purpose, target in _TEXTS_OF_A_HANDLE.items():
            module.register(purpose, target)
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
