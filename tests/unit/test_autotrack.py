"""AutoTracker: a decorator, and every call is an experiment."""

# ruff: noqa: RET504 - what a function returns is named, as in training code

from __future__ import annotations

import asyncio
import functools
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import pytest
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

from specweave import AutoTracker, load_experiment, load_experiments
from specweave_ml.errors import NotFound, SpecweaveWarning, UsageError

pytestmark = pytest.mark.usefixtures("_tracked")

SEED = """
# Logs everything automatically
from specweave import AutoTracker

tracker = AutoTracker(increment="0042")

# Just wrap your training code
@tracker.track(name="xgboost-auto")
def train_model():
    model = XGBClassifier(**params)
    model.fit(X_train, y_train)
    score = model.score(X_test, y_test)
    return model, score

# Automatically logs: params, metrics, model, environment, git hash
model, score = train_model()
"""

X, y = make_classification(120, 5, random_state=0)
C = 0.5
SETTINGS = {"max_iter": 200, "solver": "lbfgs"}
API_KEY = "sk-proj-0123456789abcdefghijklmnop"


@pytest.fixture
def tracker() -> AutoTracker:
    return AutoTracker(increment="0042")


def test_the_seeds_snippet(project: Path) -> None:
    names: dict[str, Any] = {
        "XGBClassifier": XGBClassifier,
        "params": {"n_estimators": 7, "max_depth": 2},
        "X_train": X[:80],
        "y_train": y[:80],
        "X_test": X[80:],
        "y_test": y[80:],
    }
    exec(compile(SEED, "seed", "exec"), names)  # noqa: S102 - the seed's words are to be run
    found = load_experiment("xgboost-auto", increment="0042")
    assert found.status == "finished"
    assert found.metrics["score"] == names["score"] == names["model"].score(X[80:], y[80:])
    assert 10 < found.metrics["peak_memory_mb"] < 100_000
    assert found.duration_seconds is not None
    assert found.params.items() >= {"n_estimators": 7, "max_depth": 2, "model": "XGBClassifier"}.items()
    assert found.params["missing"] != found.params["missing"]  # NaN, as get_params() has it
    assert list(found.artifacts) == ["model.ubj"]
    assert {each["name"]: each["shape"] for each in found.data} == {
        "X_train": [80, 5],
        "y_train": [80],
        "X_test": [40, 5],
        "y_test": [40],
    }
    assert found.metadata["environment"]["python"]
    assert found.notes == ()


def test_bare_and_twice_and_the_name_is_the_functions(tracker: AutoTracker, capsys: pytest.CaptureFixture[str]) -> None:
    @tracker.track
    def train() -> float:
        """Trains."""
        return 0.5

    assert (train.__name__, train.__doc__) == ("train", "Trains.")
    assert [train(), train()] == [0.5, 0.5]
    assert [each.name for each in load_experiments()] == ["train", "train-2"]
    assert "recorded as 'train-2'" in capsys.readouterr().err


def test_arguments_are_params_and_data_and_models(tracker: AutoTracker) -> None:
    @tracker.track
    def train(X, y, *rest, model, lr=0.1, config=None, **more):  # noqa: N803
        model.fit(X, y)
        return {"accuracy": model.score(X, y)}

    train(X, y, model=LogisticRegression(C=3.0), config={"depth": 2, "lr": 0.2}, seed=7)
    found = load_experiment("train")
    assert found.params.items() >= {"lr": 0.1, "seed": 7, "depth": 2, "config.lr": 0.2, "C": 3.0}.items()
    assert "rest" not in found.params
    assert [each["name"] for each in found.data] == ["X", "y"]
    assert list(found.artifacts) == ["model.pkl"]


def test_what_the_closure_and_the_globals_hold(tracker: AutoTracker) -> None:
    momentum = 0.9
    unused = 3  # noqa: F841

    @tracker.track
    def train() -> LogisticRegression:
        assert API_KEY
        assert momentum
        return [LogisticRegression(C=each, **SETTINGS).fit(X, y) for each in (C,)][0]  # noqa: RUF015

    train()
    params = load_experiment("train").params
    assert params.items() >= {"momentum": 0.9, "C": 0.5, "max_iter": 200, "API_KEY": "[redacted]"}.items()
    assert not params.keys() & {"unused", "SETTINGS", "LogisticRegression", "X"}


def test_a_model_that_is_made_and_not_returned(tracker: AutoTracker) -> None:
    @tracker.track
    def train() -> Any:
        scaler = StandardScaler()
        model = make_pipeline(scaler, LogisticRegression(C=0.25)).fit(X, y)
        return accuracy_score(y, model.predict(X))

    score = train()
    found = load_experiment("train")
    assert found.params["logisticregression__C"] == 0.25
    assert found.metrics["accuracy_score"] == score
    assert set(found.artifacts) == {"model.pkl", "scaler.pkl"}


class Scores(NamedTuple):
    accuracy: float
    loss: float


@pytest.mark.parametrize(
    ("value", "metrics"),
    [
        ({"auc": 0.9, "fold": {"f1": numpy.float32(0.5)}}, {"auc": 0.9, "fold/f1": 0.5}),
        (Scores(0.9, 0.3), {"accuracy": 0.9, "loss": 0.3}),
        (numpy.float64(0.25), {"value": 0.25}),
        (numpy.array(7), {"value": 7}),
        (float("nan"), {"value": pytest.approx(float("nan"), nan_ok=True)}),
        ((1.5, 2.5), {"result": 1.5, "result_2": 2.5}),
        (None, {}),
        ({}, {}),
    ],
)
def test_numbers_that_are_returned(tracker: AutoTracker, value: Any, metrics: dict[str, float]) -> None:
    @tracker.track
    def train() -> Any:
        return value

    assert train() is value
    found = load_experiment("train")
    assert {name: each for name, each in found.metrics.items() if name != "peak_memory_mb"} == metrics
    assert not [note for note in found.notes if value is None and note]


def test_names_come_from_the_return_statement(tracker: AutoTracker) -> None:
    class Model:
        quality = 0.75

    @tracker.track
    def train(which: int) -> Any:
        metrics = {"auc": 0.5}
        if which == 0:
            return (
                metrics["auc"],
                float(Model.quality),
                max(1.0, 2.0),
                1.0 + which,
            )
        return round(Model.quality, 2)

    train(0)
    train(1)
    first, second = load_experiments()
    assert first.metrics.items() >= {"auc": 0.5, "quality": 0.75, "max": 2.0, "result": 1.0}.items()
    assert second.metrics["quality"] == 0.75


@pytest.mark.parametrize("value", ["text", True, [0.1, 0.2], numpy.zeros(3), b"bytes", object()])
def test_what_is_not_understood_is_named_and_not_guessed(tracker: AutoTracker, value: Any) -> None:
    @tracker.track
    def train() -> Any:
        return value, {"auc": 0.5, "labels": value}

    assert train()[0] is value
    found = load_experiment("train")
    assert set(found.metrics) == {"auc", "peak_memory_mb"}
    assert sorted(note.split(" (")[0] for note in found.notes) == ["Gave back labels", "Gave back value"]
    assert all(f"(a {type(value).__name__})" in note for note in found.notes)


def test_an_exception_is_recorded_and_raised_with_the_model_that_was_made(tracker: AutoTracker) -> None:
    @tracker.track
    def train() -> None:
        model = LogisticRegression(C=9.0)
        model.fit(X, y[:3])

    with pytest.raises(ValueError, match="inconsistent"):
        train()
    found = load_experiment("train")
    assert (found.status, found.error["type"]) == ("failed", "ValueError")
    assert found.params["C"] == 9.0
    assert found.artifacts == {}


def test_a_call_that_does_not_fit_starts_nothing(tracker: AutoTracker) -> None:
    @tracker.track
    def train(lr: float) -> float:
        return lr

    with pytest.raises(TypeError):
        train()
    assert load_experiments() == []


def test_a_model_that_cannot_be_pickled(tracker: AutoTracker) -> None:
    @tracker.track
    def train() -> Any:
        model = DummyClassifier().fit(X, y)
        model.hook = lambda: None
        return model, 0.5

    with pytest.warns(SpecweaveWarning, match=r"model.*not recorded"):
        train()
    found = load_experiment("train")
    assert found.status == "finished"
    assert found.artifacts == {}
    assert found.notes[0].startswith("Not recorded: the model model: a DummyClassifier that holds something")


def test_what_of_ours_fails_does_not_fail_the_training(tracker: AutoTracker) -> None:
    class Odd:
        fit = predict = print

        def get_params(self) -> dict[str, Any]:
            raise RuntimeError("no params today")

    @tracker.track
    def train() -> Any:
        return Odd(), {"": 0.5}

    with pytest.warns(SpecweaveWarning):
        model, _ = train()
    assert isinstance(model, Odd)
    found = load_experiment("train")
    assert found.status == "finished"
    assert any("no params today" in note for note in found.notes)


def test_methods_class_methods_and_static_methods(tracker: AutoTracker) -> None:
    class Trainer:
        rate = 0.5

        @tracker.track
        def own(self, lr: float = 0.1) -> float:
            return self.rate * lr

        @classmethod
        @tracker.track
        def inside(cls, lr: float) -> float:
            return cls.rate * lr

        @tracker.track(name="outside")
        @classmethod
        def around(cls, lr: float) -> float:
            return cls.rate * lr

        @tracker.track
        @staticmethod
        def alone(lr: float) -> float:
            return lr

    assert [Trainer().own(), Trainer.inside(2), Trainer.around(4), Trainer.alone(8)] == [0.05, 1.0, 2.0, 8]
    found = {each.name: each.params for each in load_experiments()}
    assert found == {"own": {"lr": 0.1}, "inside": {"lr": 2}, "outside": {"lr": 4}, "alone": {"lr": 8}}


def test_under_another_decorator(tracker: AutoTracker) -> None:
    def doubled(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapper

    @tracker.track
    @doubled
    def train(lr: float) -> float:
        loss = lr * 2
        return loss

    train(0.5)
    found = load_experiment("train")
    assert (found.params, found.metrics["loss"]) == ({"lr": 0.5}, 1.0)


def test_nested_and_recursive_calls_are_experiments_of_their_own(tracker: AutoTracker) -> None:
    @tracker.track
    def inner(depth: int) -> Any:
        reached = depth if depth == 0 else inner(depth - 1) + 1
        return reached

    @tracker.track
    def outer() -> Any:
        total = inner(2)
        return total

    assert outer() == 2
    found = {each.name: each.metrics for each in load_experiments()}
    assert {name: metrics.get("reached") for name, metrics in found.items() if name != "outer"} == {
        "inner": 2,
        "inner-2": 1,
        "inner-3": 0,
    }
    assert found["outer"]["total"] == 2


def test_threads(tracker: AutoTracker) -> None:
    @tracker.track(name="threaded")
    def train(number: int) -> int:
        score = number
        return score

    threads = [threading.Thread(target=train, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = load_experiments()
    assert sorted(each.metrics["score"] for each in found) == list(range(8))
    assert all(each.params["number"] == each.metrics["score"] for each in found)


def test_a_generator_keeps_its_protocol_and_its_numbers_are_series(tracker: AutoTracker) -> None:
    @tracker.track
    def train(epochs: int) -> Any:
        heard = []
        for epoch in range(epochs):
            loss = 1 / (epoch + 1)
            try:
                heard.append((yield {"loss": loss}))
            except KeyError:
                heard.append("thrown")
        score = len(heard)
        return score, heard

    run = train(3)
    assert next(run) == {"loss": 1.0}
    assert run.send("hello") == {"loss": 0.5}
    assert run.throw(KeyError("x")) == {"loss": pytest.approx(1 / 3)}
    with pytest.raises(StopIteration) as stop:
        next(run)
    assert stop.value.value == (3, ["hello", "thrown", None])
    found = load_experiment("train")
    assert [(point.step, point.value) for point in found.history("loss")][:2] == [(0, 1.0), (1, 0.5)]
    assert (found.metrics["score"], found.status) == (3, "finished")


def test_a_generator_whose_consumer_stops_early(tracker: AutoTracker) -> None:
    closed = []

    @tracker.track
    def train() -> Any:
        try:
            for accuracy in (0.1, 0.2, 0.3):  # noqa: UP028 - the variable names the series
                yield accuracy
        finally:
            closed.append(True)

    for accuracy in train():
        if accuracy > 0.15:
            break
    found = load_experiment("train")
    assert (found.status, [point.value for point in found.history("accuracy")]) == ("finished", [0.1, 0.2])
    assert closed == [True]


def test_a_thousand_values_of_a_generator_cost_no_second(tracker: AutoTracker) -> None:
    @tracker.track
    def train() -> Any:
        for step in range(1_000):
            loss = 1 / (step + 1)
            yield loss

    began = time.perf_counter()
    assert sum(1 for _ in train()) == 1_000
    assert time.perf_counter() - began < 1
    assert len(load_experiment("train").history("loss")) == 1_000


def test_a_generator_that_fails(tracker: AutoTracker) -> None:
    @tracker.track
    def train() -> Any:
        yield 0.5
        raise RuntimeError("diverged")

    with pytest.raises(RuntimeError, match="diverged"):
        list(train())
    assert load_experiment("train").error["message"] == "diverged"


def test_a_coroutine_and_two_at_once(tracker: AutoTracker) -> None:
    @tracker.track
    async def train(lr: float) -> Any:
        model = LogisticRegression(C=lr)  # noqa: F841 - the tracker looks for it
        await asyncio.sleep(0.01)
        loss = lr / 2
        return loss

    async def both() -> list[Any]:
        return list(await asyncio.gather(train(0.5), train(0.25)))

    assert asyncio.run(both()) == [0.25, 0.125]
    found = load_experiments()
    assert sorted((each.params["lr"], each.params["C"], each.metrics["loss"]) for each in found) == [
        (0.25, 0.25, 0.125),
        (0.5, 0.5, 0.25),
    ]


def test_an_async_generator(tracker: AutoTracker) -> None:
    @tracker.track
    async def train(fails: bool) -> Any:
        for step in range(3):
            await asyncio.sleep(0)
            heard = yield {"loss": 1.0 / (step + 1), "batch": "text"}
            if fails:
                raise ValueError(heard)

    async def consume() -> list[Any]:
        return [value["loss"] async for value in train(fails=False)]

    async def fail() -> None:
        run = train(fails=True)
        await anext(run)
        await run.asend("no")

    async def stop() -> None:
        run = train(fails=False)
        await anext(run)
        await run.aclose()

    assert asyncio.run(consume()) == [1.0, 0.5, pytest.approx(1 / 3)]
    with pytest.raises(ValueError, match="no"):
        asyncio.run(fail())
    asyncio.run(stop())
    whole, failed, stopped = load_experiments()
    assert len(whole.history("loss")) == 3
    assert "batch (a str) (3 times)" in whole.notes[0]
    assert (failed.status, stopped.status, len(stopped.history("loss"))) == ("failed", "finished", 1)


def test_somebody_elses_profiler_is_left_alone(tracker: AutoTracker) -> None:
    import cProfile

    @tracker.track
    def train() -> float:
        return 0.5

    profiler = cProfile.Profile()
    profiler.enable()
    train()
    profiler.disable()
    assert any("train" in str(entry.code) for entry in profiler.getstats())
    assert load_experiment("train").metrics["result"] == 0.5


def test_builtins_and_objects_that_are_called(tracker: AutoTracker) -> None:
    class Trainer:
        def __call__(self, lr: float) -> float:
            return lr

    assert tracker.track(Trainer())(0.5) == 0.5
    assert tracker.track(functools.partial(round, 2.5), name="partial")() == 2
    assert tracker.track(max, name="most")(1, 3) == 3
    assert [each.name for each in load_experiments()] == ["Trainer", "partial", "most"]


@pytest.mark.parametrize("thing", [int, 5, [print]])
def test_only_functions_can_be_tracked(tracker: AutoTracker, thing: Any) -> None:
    with pytest.raises(UsageError, match="only functions can be tracked"):
        tracker.track(thing)


def test_without_a_project_nothing_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = []
    with pytest.raises(NotFound):
        AutoTracker().track(lambda: ran.append(1), name="x")()
    assert ran == []


def test_switched_off(tracker: AutoTracker, monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    monkeypatch.setenv("SPECWEAVE_MODE", "disabled")

    @tracker.track
    def train() -> Any:
        return LogisticRegression().fit(X, y), 0.5

    assert train()[1] == 0.5
    assert not (project / ".specweave/increments/0042-recommendation-model/experiments").exists()


def test_options_and_a_status_go_to_the_experiment() -> None:
    @AutoTracker("0042", tags=["nightly"]).track
    def train() -> float:
        return 0.5

    train()
    assert load_experiment("train").tags == ("nightly",)
