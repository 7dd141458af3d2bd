"""Keras 3, on any backend that trains: every `fit` an experiment.

loss, val_loss, …     what Keras logs, a point an epoch, counted from 0
batch/<metric>        with `batches=True`: the same a batch, counted over all epochs
n_parameters          how many weights the model has
training_seconds      from before the first epoch to the end of the last
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

from specweave_ml.training.framework import FrameworkCallback
from specweave_ml.training.recorded import class_name

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

    from specweave_ml.tracking import TrackedExperiment


class KerasCallback(FrameworkCallback):
    """Records every `fit` it is given to: `model.fit(X, y, callbacks=[KerasCallback(increment="0042")])`.

    Params are the optimizer's configuration, the loss, epochs, batch size and steps; metrics are what Keras logs. The
    model is saved at the end. A `fit` that raises has failed, or was killed by Ctrl-C.

    Args:
        increment: `0042`, `42`, the full name, or None for the active one.
        name: of the experiment; by default from the model's name or class.
        experiment: an open one to record in; whoever opened it ends it.
        batches: record what Keras logs after every batch as well.
        save_model: save the model at the end, as `model.keras`.
        options: what else `track_experiment` takes, such as `tags`.

    Attributes:
        experiment: the handle of the fit that runs, or ran last; None before the first.

    Raises:
        MissingDependency: Keras, or the backend it is set to, is not installed.
        NotFound: no project, or no such increment.
    """

    _base = ("keras.callbacks:Callback",)
    model: Any
    params: Any

    def __init__(
        self,
        increment: str | os.PathLike[str] | None = None,
        *,
        name: str | None = None,
        experiment: TrackedExperiment | None = None,
        batches: bool = False,
        save_model: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(increment, name=name, experiment=experiment, **options)
        self._saves_model = save_model
        self._restore: list[tuple[Any, str, Any]] = []
        if batches:  # Keras makes a callback wait for each batch only when it has this method
            self.on_train_batch_end = self._take_batch

    def on_train_begin(self, logs: Any = None) -> None:
        """Open the experiment."""
        experiment = self._begin(_name_of(self.model))
        self._epochs = self._batches = 0
        frame = _fit_that_calls()
        self._attempt("the params of the training", lambda: experiment.log_params(self._params_of(frame)))
        self._attempt("the number of weights", lambda: experiment.log_metric("n_parameters", self.model.count_params()))
        if frame is not None:
            self._attempt("what this fit may raise", lambda: self._watch(frame.f_locals))
        self._began = monotonic()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Record the epoch."""
        self._epochs += 1
        self._attempt(f"epoch {epoch}", lambda: self._log(logs, epoch))

    def on_train_end(self, logs: Any = None) -> None:
        """Save the model and end the experiment."""
        experiment = self.experiment
        if experiment is None or not self._is_open:
            return
        experiment.log_metric("training_seconds", monotonic() - self._began)
        if self.model.stop_training:
            experiment.log_note(f"Stopped early, after {self._epochs} of {self.params.get('epochs')} epochs.")
        if self._saves_model:
            self._attempt("the model", lambda: experiment.save_model(self.model))
        self._end()

    def _take_batch(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._attempt("the batches", lambda: self._log(logs, self._batches, "batch/"))
        self._batches += 1

    def _end(self, error: BaseException | None = None) -> None:
        while self._restore:
            owner, name, value = self._restore.pop()
            if value is None:
                owner.__dict__.pop(name, None)
            else:
                setattr(owner, name, value)
        super()._end(error)

    def _params_of(self, frame: FrameType | None) -> dict[str, Any]:
        given = {key: value for key, value in self.params.items() if key != "verbose" and value is not None}
        adapter = getattr(frame.f_locals["epoch_iterator"], "data_adapter", None) if frame else None
        size = getattr(adapter, "batch_size", None)
        if size:
            given["batch_size"] = int(size)
        about = {"model": type(self.model).__name__, "loss": _loss_name(getattr(self.model, "loss", None))}
        return {key: value for key, value in about.items() if value} | given | _optimizer_params(self.model.optimizer)

    def _watch(self, fit: Mapping[str, Any]) -> None:
        """Come last, so that what others do at the end (restore the best weights) is done; learn of what is raised.

        Keras tells callbacks of no exception. So what `fit` calls is made to tell: the callbacks, the batches, the
        training step where it stands alone, and the validation.
        """
        container, batches = fit["callbacks"], fit["epoch_iterator"]
        container.callbacks = [*(each for each in container.callbacks if each is not self), self]
        for name in dir(container):
            if name.startswith("on_") and name != "on_train_begin":
                setattr(container, name, self._telling(getattr(container, name)))
        batches.catch_stop_iteration = self._telling_within(batches.catch_stop_iteration)
        self._restore.append((self.model, "evaluate", None))
        self.model.__dict__["evaluate"] = self._telling(self.model.evaluate)
        if sys.modules["keras"].backend.backend() == "torch":
            self._restore.append((self.model, "train_function", self.model.train_function))
            self.model.train_function = self._telling(self.model.train_function)

    def _telling(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def told(*args: Any, **options: Any) -> Any:
            try:
                return function(*args, **options)
            except BaseException as error:
                self._end(error)
                raise

        return told

    def _telling_within(self, block: Callable[[], Any]) -> Callable[[], Any]:
        @contextmanager
        def told() -> Iterator[None]:
            try:
                with block():
                    yield
            except BaseException as error:
                self._end(error)
                raise

        return told


def _name_of(model: Any) -> str:
    """The model's own name, where somebody gave it one: Keras makes `sequential_3` of the class."""
    name = str(getattr(model, "name", ""))
    kind = class_name(model)
    return kind if name.rstrip("0123456789_") in {"", kind.replace("-", "_")} else name


def _fit_that_calls() -> FrameType | None:
    """The call of Keras's `fit` that we are in; None in a training loop of somebody's own."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_name == "fit" and {"epoch_iterator", "callbacks"} <= frame.f_locals.keys():
            return frame
        frame = frame.f_back
    return None


def _loss_name(loss: Any) -> Any:
    if isinstance(loss, dict):
        return {str(key): _loss_name(value) for key, value in loss.items()}
    if isinstance(loss, list | tuple):
        return [_loss_name(value) for value in loss]
    if loss is None or isinstance(loss, str):
        return loss
    return getattr(loss, "name", None) or getattr(loss, "__name__", None) or type(loss).__name__


def _optimizer_params(optimizer: Any) -> dict[str, Any]:
    """The optimizer's configuration; a schedule of the learning rate by its class and its own configuration."""
    if optimizer is None:
        return {}
    params: dict[str, Any] = {"optimizer": type(optimizer).__name__}
    for key, value in optimizer.get_config().items():
        if isinstance(value, dict) and "config" in value:
            params |= {key: value.get("class_name")} | {f"{key}.{name}": each for name, each in value["config"].items()}
        elif value is not None and key != "name":
            # Keras keeps the rate in 32 bits: 0.0010000000474974513 is 0.001.
            params[key] = float(f"{value:.7g}") if isinstance(value, float) else value
    return params
