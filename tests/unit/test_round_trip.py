"""Random sequences of calls: what is read is what was said."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specweave_ml.record import Experiment
from specweave_ml.store.load import load_experiment
from specweave_ml.store.projections import project as make_small_files
from specweave_ml.store.verify import Integrity, verify
from specweave_ml.tracking import TrackedExperiment, track_experiment
from tracked import wait_for_the_capture

EXPERIMENTS = Path(".specweave/increments/0042-recommendation-model/experiments")
pytestmark = pytest.mark.usefixtures("_tracked")


NAMES = st.sampled_from(["auc", "loss", "val/loss", "precision@10", "größe", "a b", "\ud800", 'q"'])
NUMBERS = st.floats() | st.integers(-(2**70), 2**70) | st.booleans()
STEPS = st.none() | st.integers(-3, 10) | st.sampled_from([0.5, 2.25])
PARAM = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers(), max_size=3)
)
CALLS = st.one_of(
    st.tuples(st.just("metric"), NAMES, NUMBERS, STEPS),
    st.tuples(st.just("metrics"), st.dictionaries(NAMES, NUMBERS, min_size=1, max_size=4), STEPS),
    st.tuples(st.just("param"), NAMES, PARAM),
    st.tuples(st.just("note"), st.text(max_size=10)),
    st.tuples(st.just("tag"), st.sampled_from(["a", "b", "c"])),
    st.tuples(st.just("status"), st.sampled_from(["failed", "killed", "finished"])),
    st.tuples(st.just("fold"), st.integers(0, 2), st.floats(0, 1)),
    st.tuples(st.just("count"), st.floats(0, 1), st.integers(1, 100)),
    st.tuples(st.just("artifact"), st.sampled_from(["a.txt", "b.txt"]), st.text("xyz", max_size=5)),
    st.tuples(st.just("resume")),
    st.tuples(st.just("small files")),
)


class Model:
    """What an experiment must say, kept in dicts."""

    def __init__(self) -> None:
        self.metrics: dict[str, float] = {}
        self.params: dict[str, Any] = {}
        self.counts: dict[str, int] = {}
        self.folds: dict[int, float] = {}
        self.notes: list[str] = []
        self.tags: dict[str, None] = {}
        self.artifacts: dict[str, int] = {}
        self.points: list[tuple[str, float | None, float]] = []
        self.said: str | None = None

    def metric(self, name: str, value: Any, step: float | None) -> None:
        plain = value if isinstance(value, float) else int(value) if -(2**63) <= value < 2**63 else float(value)
        self.metrics[name] = plain
        self.counts.pop(name, None)
        self.points.append((name, step, float(plain)))


def say(experiment: TrackedExperiment, model: Model, call: tuple[Any, ...]) -> TrackedExperiment:
    """One call to the handle and the same to the model; the handle to go on with."""
    kind, *rest = call
    if kind == "resume":
        experiment.finish()
        model.said = None
        return track_experiment(experiment.name, resume=True)
    if kind == "small files":
        experiment._writer._due = 0
    elif kind in {"metric", "metrics", "count", "fold", "param"}:
        say_value(experiment, model, kind, rest)
    else:
        say_word(experiment, model, kind, rest)
    return experiment


def say_value(experiment: TrackedExperiment, model: Model, kind: str, rest: list[Any]) -> None:
    if kind == "metric":
        experiment.log_metric(*rest)
        model.metric(*rest)
    elif kind == "metrics":
        experiment.log_metrics(*rest)
        for name, value in rest[0].items():
            model.metric(name, value, rest[1])
    elif kind == "count":
        experiment.log_metric("accuracy", rest[0], n=rest[1])
        model.metric("accuracy", rest[0], None)
        model.counts["accuracy"] = rest[1]
    elif kind == "fold":
        experiment.log_fold(rest[0], {"fold score": rest[1]})
        model.folds[rest[0]] = rest[1]
        model.metrics["fold score"] = math.fsum(model.folds.values()) / len(model.folds)
    else:
        experiment.log_param(*rest)
        model.params[rest[0]] = rest[1]


def say_word(experiment: TrackedExperiment, model: Model, kind: str, rest: list[Any]) -> None:
    if kind == "note":
        experiment.log_note(*rest)
        model.notes += rest
    elif kind == "tag":
        experiment.add_tag(*rest)
        model.tags[rest[0]] = None
    elif kind == "status":
        experiment.set_status(*rest)
        model.said = rest[0]
    else:
        experiment.save_artifact(*rest)
        model.artifacts[rest[0]] = len(rest[1])


def compare(found: Experiment, model: Model) -> None:
    assert repr(found.metrics) == repr(model.metrics)
    assert repr(found.params) == repr(model.params)
    assert (found.counts, found.notes, found.tags) == (model.counts, tuple(model.notes), tuple(model.tags))
    assert {name: facts["bytes"] for name, facts in found.artifacts.items()} == model.artifacts
    assert {fold.index: fold.metrics["fold score"] for fold in found.folds} == model.folds
    for name in {point[0] for point in model.points}:
        shown = [(point.step, point.value) for point in found.history(name, all=True)]
        expected = [point[1:] for point in model.points if point[0] == name]
        assert sorted(map(repr, shown)) == sorted(map(repr, expected))
    assert found.problems == ()


@pytest.mark.filterwarnings("ignore:param")
@settings(max_examples=60)
@given(st.lists(CALLS, max_size=25))
def test_what_is_read_is_what_was_said(calls):
    """While it runs, after its end, and after the small files were made again from the journals alone."""
    model = Model()
    experiment = track_experiment("sequence")
    for call in calls:
        experiment = say(experiment, model, call)
    compare(load_experiment(experiment.name), model)
    experiment.finish()
    found = load_experiment(experiment.name)
    compare(found, model)
    assert found.status == (model.said or "finished")
    wait_for_the_capture()
    folder = EXPERIMENTS / experiment.name
    files = {name: (folder / name).read_bytes() for name in ("params.json", "metrics.json", "metadata.yaml")}
    for name in files:
        (folder / name).unlink()
    make_small_files(str(folder), None, sync=False, ended=True)
    assert {name: (folder / name).read_bytes() for name in files} == files
    compare(load_experiment(experiment.name), model)
    assert verify(str(folder)) == Integrity()
