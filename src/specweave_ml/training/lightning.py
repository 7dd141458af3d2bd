"""PyTorch Lightning: a logger whose training is an experiment.

    trainer = Trainer(logger=SpecweaveLogger(increment="0042"))

Metrics are what the module logs, at Lightning's global step; params are the module's and data module's hyperparameters.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from specweave_ml.artifacts.formats import needed
from specweave_ml.training.framework import FrameworkCallback

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from specweave_ml.tracking import TrackedExperiment


class SpecweaveLogger(FrameworkCallback):
    """A logger for `Trainer(logger=…)` of `lightning` or `pytorch_lightning`.

    Its experiment begins with the first thing that is logged, in the process of rank 0 alone, and ends with the call
    of the trainer (`fit`, …) that this was. What is logged later, as by a `test` after the `fit`, is added to it.

    Args:
        increment: `0042`, `42`, the full name, or None for the active one.
        name: of the experiment.
        experiment: an open one to record in; whoever opened it ends it.
        save_model: keep the best checkpoint, as `checkpoints/<file>`, where a callback of Lightning makes any.
        options: what else `track_experiment` takes, such as `tags`.

    Raises:
        MissingDependency: Lightning is not installed.
        NotFound: no project, or no such increment.
    """

    _base = ("lightning.pytorch.loggers:Logger", "pytorch_lightning.loggers:Logger")

    def __init__(
        self,
        increment: str | os.PathLike[str] | None = None,
        *,
        name: str = "lightning",
        experiment: TrackedExperiment | None = None,
        save_model: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(increment, name=name if experiment is None else None, experiment=experiment, **options)
        self._saves_model = save_model
        self._checkpoints: Any = None

    @property
    def name(self) -> str:
        """The experiment's name; Lightning calls folders of checkpoints so."""
        return self.experiment.name if self.experiment is not None else self._name or "lightning"

    @property
    def version(self) -> str:
        """Nothing: the name is unique already."""
        return ""

    def log_hyperparams(self, params: Any, *_args: Any, **_options: Any) -> None:
        """Record hyperparameters; those of a namespace by their names."""
        if self._is_first_process():
            experiment = self._ready()
            given = params if hasattr(params, "items") else vars(params)
            self._attempt("the hyperparameters", lambda: experiment.log_params({**given}))

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Record metrics. Lightning's `epoch`, which comes with every step, is none."""
        if self._is_first_process():
            self._ready()
            kept = {name: value for name, value in metrics.items() if name != "epoch"}
            self._attempt("metrics", lambda: self._log(kept, step))

    def log_graph(self, model: Any, *_args: Any) -> None:
        """Record the class of the module and how many weights it has."""
        if self._is_first_process():
            weights = sum(each.numel() for each in model.parameters())
            self._ready().log_param("model", type(model).__name__)
            self._ready().log_metric("n_parameters", weights)

    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        """Remember who keeps the checkpoints."""
        self._checkpoints = checkpoint_callback

    def finalize(self, status: str) -> None:
        """End the experiment by what Lightning raises, or as finished."""
        if not (self._is_first_process() and self._is_open and self.experiment is not None):
            return
        best = getattr(self._checkpoints, "best_model_path", "")
        if self._saves_model and best:
            self._attempt("the checkpoint", lambda: self._keep(best))
        error = sys.exc_info()[1]
        if status != "success" and error is None and self._given is None:
            self.experiment.set_status("failed")
        self._end(error if status != "success" else None)

    def _keep(self, checkpoint: str) -> None:
        from os.path import basename

        self._ready().log_artifact(checkpoint, f"checkpoints/{basename(checkpoint)}")

    def _ready(self) -> TrackedExperiment:
        if self.experiment is None:
            return self._begin(self._name or "lightning")
        return self.experiment

    def _is_first_process(self) -> bool:
        rank_zero = needed("lightning_utilities.core.rank_zero", "lightning")
        return getattr(rank_zero.rank_zero_only, "rank", None) in {0, None}
