"""A PyTorch model in training: an epoch a call, its loss a series. PyTorch is imported when it trains."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from specweave_ml.artifacts.formats import is_of, needed
from specweave_ml.errors import UsageError
from specweave_ml.tracking import track_experiment
from specweave_ml.training.recorded import Recorded, attempt, class_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from specweave_ml.tracking import TrackedExperiment

_OF_AN_EPOCH = re.compile(r"(.+)[_/ -]epoch[_/ -]?(\d{1,9})")


class TrackedTorchModel(Recorded):
    """A PyTorch model and its experiment. Made by `track_pytorch_model`; the model is saved at the end.

    Attributes:
        model: as it was given.
        epoch: how many epochs were trained.
    """

    def __init__(self, model: Any, experiment: TrackedExperiment) -> None:
        super().__init__(experiment)
        self.model = model
        self.epoch = 0
        self._optimizer: Any = None
        self._loss: Callable[[Any, Any], Any] | None = None

    def train_epoch(self, loader: Any, optimizer: Any = None, loss: Callable[[Any, Any], Any] | None = None) -> float:
        """Train the model once on all batches, and record the mean loss as `train_loss` at this epoch.

        Args:
            loader: gives batches of (inputs, target).
            optimizer: by default Adam at its own learning rate, kept from epoch to epoch.
            loss: of (output, target); by default cross-entropy for whole-number targets, else the mean squared error.

        Returns:
            The mean loss over the rows.

        Raises:
            UsageError: there is no batch, a batch is no pair, or output and target differ in shape.
            MissingDependency: PyTorch is not installed.
        """
        torch = needed("torch", "torch")
        self._optimizer = optimizer or self._optimizer or torch.optim.Adam(self.model.parameters())
        device = next(self.model.parameters()).device
        self.model.train()
        total, rows = 0.0, 0
        for batch in loader:
            inputs, target = (part.to(device) for part in _pair(batch))
            self._loss = loss or self._loss or _usual_loss(torch, target)
            self._optimizer.zero_grad()
            output = self.model(inputs)
            _refuse_shapes(torch, self._loss, output, target)
            value = self._loss(output, target)
            value.backward()
            self._optimizer.step()
            total += float(value.detach()) * len(target)
            rows += len(target)
        if rows == 0:
            raise UsageError("the loader gives no batch", received=type(loader), expected="batches of (inputs, target)")
        if self.epoch == 0:
            attempt(self.experiment, "the params of the training", lambda: self._log_params(loader))
        self.experiment.log_metric("train_loss", total / rows, step=self.epoch)
        self.epoch += 1
        return total / rows

    def log_metric(self, name: str, value: Any, step: Any = None, *, n: int | None = None) -> None:
        """Record one point of a metric; `loss_epoch_3` is the point of `loss` at step 3."""
        if step is None:
            name, step = series_of(name)
        self.experiment.log_metric(name, value, step, n=n)

    def _log_params(self, loader: Any) -> None:
        loss = getattr(self._loss, "__name__", type(self._loss).__name__)
        self.experiment.log_params({"optimizer": type(self._optimizer).__name__, "loss": loss})
        self.experiment.log_params(self._optimizer.defaults)
        if getattr(loader, "batch_size", None):
            self.experiment.log_param("batch_size", loader.batch_size)
        self.experiment.log_metric("n_parameters", sum(each.numel() for each in self.model.parameters()))

    def _complete(self) -> None:
        if self.epoch > 0:
            attempt(self.experiment, "the model", lambda: self.experiment.save_model(self.model))


def track_pytorch_model(
    model: Any, increment: str | None = None, *, name: str | None = None, **options: Any
) -> TrackedTorchModel:
    """Record the training of a PyTorch model.

        with track_pytorch_model(model, increment="0042") as tracked:
            for epoch in range(epochs):
                loss = tracked.train_epoch(train_loader)

    Args:
        model: a `torch.nn.Module`.
        increment: `0042`, `42`, the full name, or None for the active one.
        name: of the experiment; by default from the model's class.
        options: what else `track_experiment` takes.

    Raises:
        UsageError: it is no PyTorch model.
    """
    if not is_of(model, "torch", "Module"):
        raise UsageError("this is no PyTorch model", received=type(model), expected="a torch.nn.Module")
    experiment = track_experiment(name or class_name(model), increment, **options)
    experiment.log_param("model", type(model).__name__)
    return TrackedTorchModel(model, experiment)


def series_of(name: str) -> tuple[str, int | None]:
    """The series and the step that a name with an epoch in it means: `loss_epoch_3` → `loss`, 3."""
    found = _OF_AN_EPOCH.fullmatch(name) if isinstance(name, str) else None
    return (found[1], int(found[2])) if found else (name, None)


def _pair(batch: Any) -> tuple[Any, Any]:
    if isinstance(batch, list | tuple) and len(batch) == 2:
        return batch[0], batch[1]
    raise UsageError(
        "a batch is no pair of inputs and target",
        received=type(batch),
        expected="(inputs, target)",
        next_step="write the loop yourself and log each epoch: tracked.log_metric('train_loss', loss, step=epoch)",
    )


def _usual_loss(torch: Any, target: Any) -> Any:
    functional = torch.nn.functional
    return functional.mse_loss if target.is_floating_point() else functional.cross_entropy


def _refuse_shapes(torch: Any, loss: Any, output: Any, target: Any) -> None:
    """Of (n, 1) and (n) PyTorch would take the difference of every pair, with a warning only."""
    if loss is torch.nn.functional.mse_loss and output.shape != target.shape:
        raise UsageError(
            "output and target differ in shape",
            received=f"{tuple(output.shape)} and {tuple(target.shape)}",
            expected="one shape",
            next_step="loss=… takes a function of (output, target) that brings them together",
        )
