"""Hugging Face Transformers: a callback of `Trainer` whose training is an experiment.

    trainer = Trainer(model, args, train_dataset=…, callbacks=[SpecweaveCallback(increment="0042")])

Metrics are what the trainer logs, at its global step, under its names: `loss`, `eval_loss`, `learning_rate`. Params are
the arguments that differ from their defaults, and what the trainer makes of the batch size.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any

from specweave_ml.training.calls import is_plain
from specweave_ml.training.framework import FrameworkCallback
from specweave_ml.training.recorded import class_name

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from specweave_ml.tracking import TrackedExperiment

_NO_CHOICES = frozenset("output_dir logging_dir run_name hub_token hub_model_id push_to_hub_token report_to".split())
_NO_CHOICES |= {"disable_tqdm", "local_rank", "resume_from_checkpoint"}
_ALWAYS = ("learning_rate", "num_train_epochs", "weight_decay", "seed", "lr_scheduler_type", "optim")


class SpecweaveCallback(FrameworkCallback):
    """A callback for `Trainer(callbacks=[…])`; every `train()` is an experiment, of the main process.

    Give it explicitly: `report_to` knows only the trackers that Transformers comes with. A `train()` that raises has
    failed once the script or the next `train()` tells; inside `with track_experiment(…) as exp`, with
    `experiment=exp`, it is told at once.

    Args:
        increment: `0042`, `42`, the full name, or None for the active one.
        name: of the experiment; by default from the model's class.
        experiment: an open one to record in; whoever opened it ends it.
        save_model: save the weights at the end.
        options: what else `track_experiment` takes, such as `tags`.

    Raises:
        MissingDependency: Transformers is not installed.
        NotFound: no project, or no such increment.
    """

    _base = ("transformers:TrainerCallback",)

    def __init__(
        self,
        increment: str | os.PathLike[str] | None = None,
        *,
        name: str | None = None,
        experiment: TrackedExperiment | None = None,
        save_model: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(increment, name=name, experiment=experiment, **options)
        self._saves_model = save_model

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Open the experiment."""
        if not state.is_world_process_zero:
            return
        experiment = self._begin(class_name(model))
        self._attempt("the arguments of the training", lambda: experiment.log_params(_params_of(args, state, model)))
        self._attempt("the number of weights", lambda: experiment.log_metric("n_parameters", model.num_parameters()))

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        """Record what the trainer logs; its `epoch`, which comes with every step, is no metric."""
        kept = {name: value for name, value in (logs or {}).items() if name != "epoch"}
        self._attempt("metrics", lambda: self._log(kept, state.global_step))

    def on_train_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Save the model and end the experiment."""
        experiment = self.experiment
        if experiment is None or not self._is_open:
            return
        if state.best_metric is not None:
            experiment.log_note(
                f"Best {args.metric_for_best_model}: {state.best_metric}, of {state.best_model_checkpoint}"
            )
        if self._saves_model and model is not None:
            self._attempt("the model", lambda: experiment.save_model(model))
        self._end()


def _params_of(args: Any, state: Any, model: Any) -> dict[str, Any]:
    """What was chosen: the arguments that differ from their defaults, without places and credentials."""
    chosen = {name: getattr(args, name) for name in _ALWAYS if hasattr(args, name)}
    for field in fields(args):
        value = getattr(args, field.name)
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        filled_in = default is None and not value
        if field.name not in _NO_CHOICES and value != default and is_plain(value) and not filled_in:
            chosen.setdefault(field.name, value)
    plain = {name: getattr(value, "value", value) for name, value in chosen.items()}
    sizes = {"batch_size": args.train_batch_size * args.gradient_accumulation_steps, "max_steps": state.max_steps}
    return {"model": type(model).__name__, **plain, **sizes}
