"""Callbacks of Keras 3 on JAX: every fit an experiment, with TensorBoard itself as the judge of event files."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")  # before Keras is imported: its default is TensorFlow

import keras
import numpy
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from specweave import KerasCallback, TensorBoardCallback, load_experiment, load_experiments, track_experiment
from specweave_ml.errors import MissingDependency, NotFound, UsageError
from specweave_ml.store.pulling import pull
from specweave_ml.tensorboard.source import TensorBoardSource

pytestmark = [
    pytest.mark.usefixtures("_tracked"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of Keras's and TensorBoard's own making
]

_RANDOM = numpy.random.RandomState(0)
X_train = _RANDOM.uniform(size=(48, 4)).astype("float32")
y_train = (X_train[:, 0] > 0.5).astype("float32")


@pytest.fixture
def model() -> Any:
    keras.utils.set_random_seed(0)
    made = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    made.compile(keras.optimizers.SGD(0.1), "binary_crossentropy", metrics=["accuracy"])
    return made


class Raises(keras.callbacks.Callback):  # type: ignore[misc]
    """Raises in one of Keras's calls."""

    def __init__(self, hook: str, error: BaseException) -> None:
        super().__init__()
        self._error = error
        setattr(self, hook, self._strike)

    def _strike(self, *_: Any, **__: Any) -> None:
        raise self._error


def fit(model: Any, *callbacks: Any, epochs: int = 2, **options: Any) -> Any:
    return model.fit(X_train, y_train, epochs=epochs, verbose=0, callbacks=list(callbacks), **options)


def values(name: str, metric: str) -> list[tuple[Any, float]]:
    return [(point.step, point.value) for point in load_experiment(name).history(metric)]


def scalars(folder: Path) -> dict[str, list[Any]]:
    events = EventAccumulator(str(folder)).Reload()
    return {tag: [(each.step, each.value) for each in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_the_seeds_snippet(model: Any, project: Path) -> None:
    names: dict[str, Any] = {"model": model, "X_train": X_train, "y_train": y_train}
    snippet = """
from specweave import TensorBoardCallback

# Keras callback
model.fit(
    X_train,
    y_train,
    callbacks=[
        TensorBoardCallback(
            increment="0042",
            log_dir=".specweave/increments/0042.../tensorboard"
        )
    ]
)
"""
    exec(compile(snippet, "snippet", "exec"), names)  # noqa: S102 - the seed's words are to be run
    found = load_experiment("sequential")
    assert (found.status, list(found.artifacts)) == ("finished", ["model.keras"])
    folder = project / ".specweave/increments/0042-recommendation-model/tensorboard/sequential"
    assert scalars(folder).keys() == {"accuracy", "loss"}


def test_what_is_recorded_of_a_fit(model: Any) -> None:
    history = fit(model, KerasCallback(increment="0042", tags=["net"]), validation_split=0.25, batch_size=12).history
    found = load_experiment("sequential")
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert values("sequential", name) == [*enumerate(history[name])]
    assert found.params.items() >= {"model": "Sequential", "loss": "binary_crossentropy", "optimizer": "SGD"}.items()
    assert found.params.items() >= {"learning_rate": 0.1, "epochs": 2, "batch_size": 12, "steps": 3}.items()
    assert found.metrics["n_parameters"] == 5
    assert found.metrics["training_seconds"] > 0
    assert (found.tags, found.notes) == (("net",), ())


def test_the_batch_size_that_nobody_gave_and_a_schedule(model: Any) -> None:
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    model.compile(keras.optimizers.Adam(schedule), keras.losses.BinaryCrossentropy(from_logits=False))
    fit(model, KerasCallback())
    params = load_experiment("sequential").params
    assert params.items() >= {"batch_size": 32, "loss": "binary_crossentropy"}.items()
    assert params["learning_rate"] == "ExponentialDecay"
    assert params["learning_rate.initial_learning_rate"] == 0.1


def test_two_fits_in_a_row_are_two_experiments(model: Any, project: Path) -> None:
    callback = TensorBoardCallback("0042", name="net", batches=True)
    fit(model, callback)
    fit(model, callback, epochs=3)
    assert [each.name for each in load_experiments()] == ["net", "net-2"]
    home = project / ".specweave/increments/0042-recommendation-model/tensorboard"
    for name, epochs in (("net", 2), ("net-2", 3)):
        written = scalars(home / name)
        assert len(values(name, "batch/loss")) == 2 * epochs
        for metric in ("loss", "batch/loss"):
            assert written[metric] == [(step, pytest.approx(value)) for step, value in values(name, metric)]


def test_early_stopping_restores_before_the_model_is_saved(model: Any) -> None:
    stopping = keras.callbacks.EarlyStopping(monitor="loss", mode="max", patience=1, restore_best_weights=True)
    fit(model, callback := KerasCallback(), stopping, epochs=9)
    assert load_experiment("sequential").notes == ("Stopped early, after 2 of 9 epochs.",)
    saved = keras.saving.load_model(callback.experiment.path / "model.keras")
    assert all((a == b).all() for a, b in zip(saved.get_weights(), model.get_weights(), strict=True))


@pytest.mark.parametrize(
    ("hook", "error", "status"),
    [
        ("on_epoch_begin", ValueError("no"), "failed"),
        ("on_train_batch_end", KeyboardInterrupt(), "killed"),
        ("on_test_end", ValueError("no"), "failed"),
        ("on_train_end", ValueError("no"), "failed"),
    ],
)
def test_a_fit_that_raises(model: Any, hook: str, error: BaseException, status: str) -> None:
    with pytest.raises(type(error)):
        fit(model, KerasCallback(), Raises(hook, error), validation_split=0.25)
    found = load_experiment("sequential")
    assert found.status == status
    assert "evaluate" not in vars(model)
    if status == "failed":
        assert found.value("error")["message"] == "no"
    model.evaluate(X_train, y_train, verbose=0)
    assert load_experiment("sequential").status == status


def test_data_that_raises(model: Any) -> None:
    def batches() -> Any:
        yield from [(X_train[:8], y_train[:8])] * 8  # Keras looks at some of them before it begins
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        model.fit(batches(), steps_per_epoch=9, shuffle=False, verbose=0, callbacks=[KerasCallback()])
    assert load_experiment("sequential").status == "failed"


def test_data_that_ends_early_is_no_failure(model: Any) -> None:
    pairs = ((X_train[:8], y_train[:8]) for _ in range(3))
    with pytest.warns(UserWarning, match="ran out of data"):
        model.fit(pairs, steps_per_epoch=4, shuffle=False, verbose=0, callbacks=[KerasCallback()])
    assert load_experiment("sequential").status == "finished"


def test_it_joins_an_experiment_that_is_open(model: Any) -> None:
    with track_experiment("mine") as exp:
        fit(model, TensorBoardCallback(experiment=exp))
        assert exp.status == "running"
        exp.log_metric("after", 1)
    assert [each.name for each in load_experiments()] == ["mine"]
    assert len(values("mine", "loss")) == 2
    with track_experiment("outer"):
        fit(model, KerasCallback(name="own"))
    assert {each.name for each in load_experiments()} == {"mine", "outer", "own"}


def test_a_loop_of_ones_own(model: Any) -> None:
    callbacks = keras.callbacks.CallbackList([KerasCallback()], model=model, epochs=1)
    callbacks.on_train_begin()
    callbacks.on_epoch_end(0, {"loss": 0.5, "words": "many"})
    model.stop_training = False
    callbacks.on_train_end()
    found = load_experiment("sequential")
    assert (found.status, found.metrics["loss"]) == ("finished", 0.5)
    assert found.notes == ("Not recorded, because they are no numbers: words",)


def test_it_is_of_keras_class_and_of_ours(model: Any) -> None:
    class Mine(KerasCallback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            super().on_epoch_end(epoch, logs)
            self.experiment.add_tag(f"epoch-{epoch}")

    callback = Mine(save_model=False)
    assert isinstance(callback, Mine)
    assert isinstance(callback, keras.callbacks.Callback)
    fit(model, callback)
    assert load_experiment("sequential").tags == ("epoch-0", "epoch-1")
    assert not load_experiment("sequential").artifacts
    again = pickle.loads(pickle.dumps(TensorBoardCallback(name="net")))  # noqa: S301 - our own
    fit(model, again)
    assert load_experiment("net").status == "finished"


def test_its_event_files_are_not_pulled_again(model: Any, project: Path) -> None:
    fit(model, TensorBoardCallback("0042"))
    increment = project / ".specweave/increments/0042-recommendation-model"
    source = TensorBoardSource(str(increment / "tensorboard"))
    pull(source, str(increment / "experiments"), increment.name)
    assert [each.name for each in load_experiments()] == ["sequential"]


def test_switched_off(model: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPECWEAVE_MODE", "disabled")
    fit(model, TensorBoardCallback("0042"))
    assert [each.name for each in project.rglob("*")].count("experiments") == 0
    assert not [*project.rglob("*tfevents*")]


def test_mistakes_are_told_before_any_training(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFound, match="there is no such increment"):
        KerasCallback(increment="0099")
    with pytest.raises(NotFound, match="there is no such increment"):
        TensorBoardCallback(log_dir=".specweave/increments/0099.../tensorboard")
    with track_experiment("open") as exp, pytest.raises(UsageError, match="has its increment and name"):
        KerasCallback(increment="0042", experiment=exp)
    with pytest.raises(UsageError, match="no experiment"):
        KerasCallback(experiment="0042")
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(MissingDependency, match=r'tensorboardX is not installed\n  next: pip install "specweave-ml'):
        TensorBoardCallback()
