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
    from specweave_ml import mlflow, wandb
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
    from specweave_ml.mlflow.configure import configure_mlflow
    from specweave_ml.record import Experiment, ExperimentMetadata, Experiments, History, Point
    from specweave_ml.reports import Comparison, compare_experiments
    from specweave_ml.store.load import load_experiment, load_experiments
    from specweave_ml.tracking import TrackedExperiment, track_artifacts, track_experiment, track_model
    from specweave_ml.tracking.backends import TrackingBackend, register_tracking_backend
    from specweave_ml.training.autotrack import AutoTracker
    from specweave_ml.training.boosting import track_boosting_model
    from specweave_ml.training.comparing import compare_models
    from specweave_ml.training.cross_validation import CrossValidation, track_cross_validation
    from specweave_ml.training.event_files import TensorBoardCallback
    from specweave_ml.training.keras import KerasCallback
    from specweave_ml.training.lightning import SpecweaveLogger
    from specweave_ml.training.neighbours import ModelExperiment, run_experiments, train_baseline_model
    from specweave_ml.training.optuna_study import configure_optuna
    from specweave_ml.training.pipeline import ExperimentPipeline
    from specweave_ml.training.search import SearchResults, track_grid_search, track_hyperparameters
    from specweave_ml.training.sklearn_model import track_sklearn_model
    from specweave_ml.training.torch_model import track_pytorch_model
    from specweave_ml.training.transformers import SpecweaveCallback
    from specweave_ml.wandb.configure import configure_wandb

__version__ = "0.1.0"

__all__ = [
    "AutoTracker",
    "Comparison",
    "CrossValidation",
    "Experiment",
    "ExperimentMetadata",
    "ExperimentPipeline",
    "Experiments",
    "History",
    "KerasCallback",
    "MissingDependency",
    "ModelExperiment",
    "NotFound",
    "Point",
    "Refused",
    "RemoteError",
    "SearchResults",
    "SpecweaveCallback",
    "SpecweaveError",
    "SpecweaveLogger",
    "SpecweaveWarning",
    "StoreError",
    "TensorBoardCallback",
    "TrackedExperiment",
    "TrackingBackend",
    "UsageError",
    "compare_experiments",
    "compare_models",
    "configure_mlflow",
    "configure_optuna",
    "configure_wandb",
    "load_experiment",
    "load_experiments",
    "mlflow",
    "register_tracking_backend",
    "run_experiments",
    "track_artifacts",
    "track_boosting_model",
    "track_cross_validation",
    "track_experiment",
    "track_grid_search",
    "track_hyperparameters",
    "track_model",
    "track_pytorch_model",
    "track_sklearn_model",
    "train_baseline_model",
    "wandb",
]

_HOMES = {
    "": ("mlflow", "wandb"),  # modules of ours, handed out whole
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
    "mlflow.configure": ("configure_mlflow",),
    "record": ("Experiment", "ExperimentMetadata", "Experiments", "History", "Point"),
    "reports": ("Comparison", "compare_experiments"),
    "store.load": ("load_experiment", "load_experiments"),
    "tracking": ("TrackedExperiment", "track_artifacts", "track_experiment", "track_model"),
    "tracking.backends": ("TrackingBackend", "register_tracking_backend"),
    "training.autotrack": ("AutoTracker",),
    "training.boosting": ("track_boosting_model",),
    "training.comparing": ("compare_models",),
    "training.cross_validation": ("CrossValidation", "track_cross_validation"),
    "training.event_files": ("TensorBoardCallback",),
    "training.keras": ("KerasCallback",),
    "training.lightning": ("SpecweaveLogger",),
    "training.neighbours": ("ModelExperiment", "run_experiments", "train_baseline_model"),
    "training.optuna_study": ("configure_optuna",),
    "training.pipeline": ("ExperimentPipeline",),
    "training.search": ("SearchResults", "track_grid_search", "track_hyperparameters"),
    "training.sklearn_model": ("track_sklearn_model",),
    "training.torch_model": ("track_pytorch_model",),
    "training.transformers": ("SpecweaveCallback",),
    "wandb.configure": ("configure_wandb",),
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
    module = import_module(f"specweave_ml.{home or name}")
    if home.startswith(("tracking", "training")):
        tracking = import_module("specweave_ml.tracking")
        for purpose, target in _TEXTS_OF_A_HANDLE.items():
            tracking.register(purpose, target)
    value = globals()[name] = getattr(module, name) if home else module
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
