"""What a tracking backend has to do: one class of tests that our own store and a small sample of a backend pass."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from specweave import TrackingBackend, load_experiment, register_tracking_backend, track_experiment
from specweave_ml.errors import SpecweaveWarning, UsageError
from specweave_ml.store.owner import Owner
from specweave_ml.tracking import backends
from tracked import wait_for_the_capture

Kept = dict[str, Any]


@pytest.fixture(autouse=True)
def _nobody_is_registered(project: Path) -> Iterator[None]:
    yield
    backends._registered.clear()
    wait_for_the_capture()


class JsonBackend:
    """A sample: everything in one JSON file beside the project, written anew at every call."""

    def __init__(self, name: str, increment: str) -> None:
        self._file = Path(f"../{increment}-{name}.json")
        self._kept: Kept = {"params": {}, "points": [], "files": {}, "notes": [], "tags": [], "status": "running"}

    def log_params(self, params: Any) -> None:
        self._kept["params"] |= params
        self._write()

    def log_metrics(self, metrics: Any, step: Any) -> None:
        self._kept["points"] += [[name, value, step] for name, value in metrics.items()]
        self._write()

    def log_artifact(self, path: str, name: str) -> None:
        self._kept["files"][name] = Path(path).read_text()
        self._write()

    def log_note(self, text: str) -> None:
        self._kept["notes"].append(text)
        self._write()

    def add_tag(self, tag: str) -> None:
        self._kept["tags"].append(tag)
        self._write()

    def finish(self, status: str) -> None:
        self._kept["status"] = status
        self._write()

    def _write(self) -> None:
        self._file.write_text(json.dumps(self._kept))


def kept_by_json(name: str) -> Kept:
    kept: Kept = json.loads(Path(f"../0042-recommendation-model-{name}.json").read_text())
    return kept


def kept_by_us(name: str) -> Kept:
    found = load_experiment(name)
    return {
        "params": dict(found.params),
        "points": [[metric, each.value, each.step] for metric in found.metrics for each in found.history(metric)],
        "files": {file: (Path(found.path) / file).read_text() for file in found.artifacts},
        "notes": list(found.notes),
        "tags": list(found.tags),
        "status": found.status,
    }


@pytest.mark.parametrize(("start", "kept"), [(track_experiment, kept_by_us), (JsonBackend, kept_by_json)])
class TestContract:
    """Called as `register_tracking_backend` calls it; give your own backend and how to read it as one more parameter."""

    def test_what_is_said_is_kept(
        self, start: Callable[[str, str], TrackingBackend], kept: Callable[[str], Kept], tmp_path: Path
    ) -> None:
        (tmp_path / "a.txt").write_text("text")
        backend = start("net", "0042-recommendation-model")
        backend.log_params({"lr": 0.1, "layers": [3, 1]})
        backend.log_params({"depth": None})
        backend.log_metrics({"loss": 0.5}, 0)
        backend.log_metrics({"loss": 0.25}, 1)
        backend.log_metrics({"precision@10": 1.0}, None)
        backend.log_artifact(str(tmp_path / "a.txt"), "texts/a.txt")
        backend.log_note("a sentence")
        backend.add_tag("baseline")
        backend.finish("finished")
        assert kept("net") == {
            "params": {"lr": 0.1, "layers": [3, 1], "depth": None},
            "points": [["loss", 0.5, 0], ["loss", 0.25, 1], ["precision@10", 1.0, None]],
            "files": {"texts/a.txt": "text"},
            "notes": ["a sentence"],
            "tags": ["baseline"],
            "status": "finished",
        }

    def test_numbers_that_are_none(self, start: Any, kept: Any) -> None:
        backend = start("net", "0042-recommendation-model")
        backend.log_metrics({"loss": math.inf, "auc": math.nan}, 3)
        backend.finish("failed")
        points = {name: value for name, value, _ in kept("net")["points"]}
        assert points["loss"] == math.inf
        assert math.isnan(points["auc"])
        assert kept("net")["status"] == "failed"

    def test_words_after_the_end(self, start: Any, kept: Any) -> None:
        backend = start("net", "0042-recommendation-model")
        backend.finish("finished")
        backend.add_tag("production")
        backend.log_note("deployed")
        assert (kept("net")["tags"], kept("net")["notes"]) == (["production"], ["deployed"])
        assert kept("net")["status"] == "finished"

    def test_two_of_them_at_once(self, start: Any, kept: Any) -> None:
        first, second = start("one", "0042-recommendation-model"), start("two", "0042-recommendation-model")
        first.log_params({"a": 1})
        second.log_params({"a": 2})
        first.finish("finished")
        second.finish("killed")
        assert [kept(name)["params"]["a"] for name in ("one", "two")] == [1, 2]


def test_all_that_is_logged_is_mirrored() -> None:
    register_tracking_backend(JsonBackend)
    register_tracking_backend(JsonBackend)
    with track_experiment("net", "0042", tags=["first"]) as exp:
        exp.log_params({"lr": 0.1, "big": 2**70, "token": "ghp_" + "a" * 36})
        exp.log_metric("loss", math.nan, step=1)
        exp.log_metrics({"auc": 0.9, "f1": 0.8}, step=2)
        exp.log_fold(0, {"accuracy": 0.5})
        exp.log_fold(1, {"accuracy": 0.75})
        exp.save_artifact("notes.txt", "hello")
        exp.log_note("a sentence")
    exp.add_tag("production")
    mirrored = kept_by_json("net")
    assert mirrored["params"] == kept_by_us("net")["params"]
    assert "ghp_" not in json.dumps(mirrored)
    assert math.isnan(mirrored["points"][0][1])
    assert mirrored["points"][1:] == [["auc", 0.9, 2], ["f1", 0.8, 2], ["accuracy", 0.625, None]]
    assert mirrored["files"] == {"notes.txt": "hello"}
    assert (mirrored["notes"], mirrored["tags"]) == (["a sentence"], ["first", "production"])
    assert mirrored["status"] == "finished"


@pytest.mark.parametrize(("error", "status"), [(ValueError, "failed"), (KeyboardInterrupt, "killed")])
def test_the_end_is_mirrored(error: type[BaseException], status: str) -> None:
    register_tracking_backend(JsonBackend)
    with pytest.raises(error), track_experiment("net") as exp:  # noqa: PT012 - what leaves the block is what is tested
        exp.log_metric("loss", 1)
        raise error
    assert kept_by_json("net")["status"] == status
    with track_experiment("net", resume=True) as exp:
        exp.log_metric("loss", 2, step=2)
    assert kept_by_json("net")["points"] == [["loss", 2.0, 2]]


class Broken(JsonBackend):
    def log_metrics(self, metrics: Any, step: Any) -> None:
        raise ConnectionError("no route to host")


class Stillborn(JsonBackend):
    def __init__(self, name: str, increment: str) -> None:
        raise ConnectionError("no server")


def test_a_backend_that_raises_is_said_once_and_training_goes_on() -> None:
    for kind in (Broken, Stillborn, JsonBackend):
        register_tracking_backend(kind)
    with pytest.warns(SpecweaveWarning) as said, track_experiment("net") as exp:  # noqa: PT031 - both are looked at
        for step in range(3):
            exp.log_metric("loss", 0.5, step=step)
    assert [str(each.message) for each in said] == [
        "Stillborn does not get all of net: ConnectionError: no server",
        "Broken does not get all of net: ConnectionError: no route to host",
    ]
    assert len(load_experiment("net").history("loss")) == 3


def test_a_forked_child_writes_and_mirrors_nothing() -> None:
    register_tracking_backend(JsonBackend)
    with track_experiment("net") as exp:
        child = os.fork()
        if child == 0:
            exp.log_param("of", "the child")
            os._exit(0)
        os.waitpid(child, 0)
        exp.log_param("by", "the parent")
    assert kept_by_json("net")["params"] == {"by": "the parent"}
    assert load_experiment("net").params == {"by": "the parent", "of": "the child"}


def test_without_one_nothing_is_different() -> None:
    with track_experiment("net") as exp:
        assert type(exp._writer) is Owner


@pytest.mark.parametrize(
    ("given", "said"), [("mlflow", "no tracking backend"), (dict, "lacks log_params, log_metrics,")]
)
def test_what_is_no_backend(given: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        register_tracking_backend(given)
