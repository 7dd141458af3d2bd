"""`track_pytorch_model` with PyTorch itself."""

from __future__ import annotations

from typing import Any

import pytest

from specweave import load_experiment, track_pytorch_model
from specweave_ml.errors import UsageError

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("project")]


class NeuralNet(torch.nn.Module):  # type: ignore[misc,name-defined]
    def __init__(self, outputs: int = 2) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, outputs))

    def forward(self, rows: Any) -> Any:
        return self.layers(rows)


def loader(target: Any) -> Any:
    torch.manual_seed(0)
    rows = torch.rand(50, 4)
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(rows, target(rows)), batch_size=16)


def classes(rows: Any) -> Any:
    return (rows[:, 0] > rows[:, 1]).long()


def test_as_its_page_has_it() -> None:
    names: dict[str, Any] = {"NeuralNet": NeuralNet, "train_loader": loader(classes), "epochs": 8, "loss": 0.5}
    snippet = """
import torch
from specweave import track_pytorch_model

model = NeuralNet()
with track_pytorch_model(model, increment="0042") as tracked:
    for epoch in range(epochs):
        tracked.train_epoch(train_loader)
        tracked.log_metric(f"loss_epoch_{epoch}", loss)
"""
    exec(compile(snippet, "snippet", "exec"), names)  # noqa: S102 - the neighbours' words are to be run
    found = load_experiment("neural-net")
    losses = [point.value for point in found.history("train_loss")]
    assert len(losses) == 8
    assert losses[-1] < losses[0]
    assert [(point.step, point.value) for point in found.history("loss")] == [(epoch, 0.5) for epoch in range(8)]
    assert not [name for name in found.metrics if "epoch" in name]
    assert found.params.items() >= {"optimizer": "Adam", "loss": "cross_entropy", "lr": 0.001, "batch_size": 16}.items()
    assert found.metrics["n_parameters"] == 4 * 8 + 8 + 8 * 2 + 2
    assert (found.status, list(found.artifacts)) == ("finished", ["model.pt"])


def test_an_optimizer_and_a_loss_of_ones_own() -> None:
    model = NeuralNet(1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with track_pytorch_model(model, name="mine") as tracked:
        first = tracked.train_epoch(loader(lambda rows: rows.sum(1, keepdim=True)), optimizer, torch.nn.L1Loss())
        second = tracked.train_epoch(loader(lambda rows: rows.sum(1, keepdim=True)))
    assert second < first
    assert tracked.epoch == 2
    assert load_experiment("mine").params.items() >= {"optimizer": "SGD", "loss": "L1Loss", "lr": 0.1}.items()


def test_numbers_as_targets_and_their_shape() -> None:
    with pytest.raises(UsageError, match="output and target differ in shape"), track_pytorch_model(NeuralNet(1)) as it:
        it.train_epoch(loader(lambda rows: rows.sum(1)))
    with track_pytorch_model(NeuralNet(1), name="fits") as tracked:
        tracked.train_epoch(loader(lambda rows: rows.sum(1, keepdim=True)))
    assert load_experiment("fits").params["loss"] == "mse_loss"


@pytest.mark.parametrize(("batches", "said"), [([], "gives no batch"), ([torch.rand(3, 4)], "no pair of inputs")])
def test_a_loader_that_cannot_be_meant(batches: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said), track_pytorch_model(NeuralNet()) as tracked:
        tracked.train_epoch(batches)
