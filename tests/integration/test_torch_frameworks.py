"""The logger of Lightning and the callback of Transformers, in the trainers that they are made for."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from specweave import SpecweaveCallback, SpecweaveLogger, load_experiment, load_experiments, track_experiment

torch = pytest.importorskip("torch")
lightning = pytest.importorskip("lightning")
transformers = pytest.importorskip("transformers")
pytestmark = [
    pytest.mark.torch,
    pytest.mark.usefixtures("project"),
    pytest.mark.filterwarnings("default"),  # both trainers have much to say of machines and their own future
]


class Module(lightning.LightningModule):  # type: ignore[misc,name-defined]
    def __init__(self, width: int = 4, error: Any = None) -> None:
        super().__init__()
        self.save_hyperparameters(ignore="error")
        self.error = error
        self.layer = torch.nn.Linear(3, 1)

    def training_step(self, batch: Any, index: int) -> Any:
        if self.error:
            raise self.error
        return self._measured("loss", batch)

    def validation_step(self, batch: Any, index: int) -> None:
        self._measured("val_loss", batch)

    def test_step(self, batch: Any, index: int) -> None:
        self._measured("test_loss", batch)

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def _measured(self, name: str, batch: Any) -> Any:
        loss = ((self.layer(batch[0]) - batch[1]) ** 2).mean()
        self.log(name, loss)
        return loss


def loader() -> Any:
    data = torch.utils.data.TensorDataset(torch.rand(32, 3), torch.rand(32, 1))
    return torch.utils.data.DataLoader(data, batch_size=8)


def trainer(logger: Any) -> Any:
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    return lightning.Trainer(max_epochs=2, logger=logger, log_every_n_steps=2, **quiet)


def test_a_training_with_lightning() -> None:
    logger, module = SpecweaveLogger(increment="0042"), Module()
    assert isinstance(logger, lightning.pytorch.loggers.Logger)
    fitting = trainer(logger)
    fitting.fit(module, loader(), loader())
    fitting.test(module, loader(), verbose=False)
    (found,) = load_experiments()
    assert (found.name, found.status, found.params) == ("lightning", "finished", {"width": 4, "model": "Module"})
    assert [point.step for point in found.history("loss")] == [1, 3, 5, 7]
    assert len(found.history("val_loss")) == 2
    assert found.metrics.keys() == {"loss", "val_loss", "test_loss", "n_parameters"}
    assert list(found.artifacts) == ["checkpoints/epoch=1-step=8.ckpt"]


def test_a_training_with_lightning_that_raises() -> None:
    with pytest.raises(ValueError, match="no"):
        trainer(SpecweaveLogger(name="bad")).fit(Module(error=ValueError("no")), loader())
    found = load_experiment("bad")
    assert (found.status, found.value("error")["message"]) == ("failed", "no")


def test_ctrl_c_in_lightning() -> None:
    with pytest.raises(SystemExit):
        trainer(SpecweaveLogger(name="bad")).fit(Module(error=KeyboardInterrupt()), loader())
    assert load_experiment("bad").status == "killed"


def test_lightning_joins_an_experiment_that_is_open() -> None:
    with track_experiment("mine") as exp:
        logger = pickle.loads(pickle.dumps(SpecweaveLogger(experiment=exp)))  # noqa: S301 - our own
        trainer(logger).fit(Module(), loader())
        assert exp.read().status == "running"
    assert load_experiment("mine").history("loss")


def trainer_of_transformers(tmp_path: Path, callback: Any, **options: Any) -> Any:
    config = transformers.BertConfig(
        vocab_size=50, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
    )
    rows = [
        {"input_ids": torch.randint(0, 50, (6,)), "attention_mask": torch.ones(6, dtype=torch.long), "labels": each % 2}
        for each in range(16)
    ]
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path / "out"),
        **{"num_train_epochs": 2, "logging_steps": 1, "eval_strategy": "epoch", "save_strategy": "no", **options},
        per_device_train_batch_size=8,
        use_cpu=True,
        disable_tqdm=True,
    )
    model = transformers.BertForSequenceClassification(config)
    return transformers.Trainer(model, arguments, train_dataset=rows, eval_dataset=rows, callbacks=[callback])


def test_a_training_with_transformers(tmp_path: Path) -> None:
    fitting = trainer_of_transformers(tmp_path, callback := SpecweaveCallback(increment="0042"), weight_decay=0.1)
    assert isinstance(callback, transformers.TrainerCallback)
    fitting.train()
    found = load_experiment("bert-for-sequence-classification")
    assert (found.status, list(found.artifacts)) == ("finished", ["model.pt"])
    assert [point.step for point in found.history("loss")] == [1, 2, 3, 4]
    assert [point.step for point in found.history("eval_loss")] == [2, 4]
    assert found.params.items() >= {"weight_decay": 0.1, "num_train_epochs": 2, "batch_size": 8, "max_steps": 4}.items()
    assert not [value for value in found.params.values() if str(tmp_path) in str(value)]
    fitting.evaluate()
    assert len(load_experiment(found.name).history("eval_loss")) == 3
    fitting.train()
    assert len(load_experiments()) == 2


def test_transformers_joins_an_experiment_that_is_open(tmp_path: Path) -> None:
    with pytest.raises(TypeError), track_experiment("mine") as exp:  # noqa: PT012 - what leaves the block is looked at
        fitting = trainer_of_transformers(tmp_path, SpecweaveCallback(experiment=exp))
        fitting.train_dataset = [None] * 4
        fitting.train()
    assert load_experiment("mine").status == "failed"
