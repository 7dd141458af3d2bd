"""T18, small: every byte of a small store is flipped. Nothing crashes, the others read on, and after the end it shows."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from faults.driving import forked, in_fresh_process, proved, runs
from faults.looking import everything
from tracked import wait_for_the_capture

NAMES = ("ended", "resumed", "dead")
MASKS = (0x01, 0x80, 0x20, 0xFF, 0x02, 0x40, 0x10, 0x04)


def make_store() -> None:
    """A finished experiment with a line of nearly every kind, one in two sessions with a sibling, one that died."""
    from specweave_ml.tracking import track_experiment

    with track_experiment("ended", description="größe", tags=["a", "b"]) as experiment:
        experiment.log_params({"lr": 0.1, "big": 2**70, "none": None, "nested": {"a": [1, float("nan")]}})
        for step in range(3):
            experiment.log_metric("auc", 0.5 + step / 10, step=step)
        experiment.log_metric("accuracy", 0.87, n=1000)
        experiment.log_metric("loss", float("nan"))
        experiment.log_fold(0, {"f1": 0.5}, n_train=10, n_test=5)
        experiment.log_note("a note")
        experiment.log_dataset("train", "s3://bucket/data", version="v1")
        experiment.log_outcomes("accuracy", ["x", "y"], [1, 0])
        experiment.save_artifact("words.txt", "text")
    with track_experiment("resumed") as experiment:
        experiment.log_metric("auc", 0.1, step=0)
        os.waitpid(forked(lambda: experiment.log_metric("auc", 0.2, step=1)), 0)
    try:
        with track_experiment("resumed", resume=True) as experiment:
            experiment.log_metric("auc", 0.3, step=1)
            raise KeyError("a reason")
    except KeyError:
        pass
    os.waitpid(forked(die), 0)


def die() -> None:
    from specweave_ml.tracking import track_experiment

    experiment = track_experiment("dead", tags=["a"])
    experiment.log_param("lr", 0.1)
    for step in range(5):
        experiment.log_metric("auc", step / 10, step=step)
    experiment.log_note("then it died")
    os.kill(os.getpid(), signal.SIGKILL)


def flip_every_byte(name: str, masks: int) -> dict[str, Any]:
    """Flip each byte of each file of one experiment; how often, and what went wrong."""
    make_store()
    wait_for_the_capture()
    folder = Path(f".specweave/increments/0042-recommendation-model/experiments/{name}").absolute()
    healthy = read_all()
    tried, wrong = 0, Counter[str]()
    for file in sorted(folder.iterdir()):
        if file.name.startswith(("outcomes", "words")):
            continue  # artifacts are the caller's bytes
        original = file.read_bytes()
        for place in range(len(original)):
            for turn in range(masks):
                flipped = bytearray(original)
                flipped[place] ^= MASKS[(place + turn) % len(MASKS)]
                file.write_bytes(flipped)
                tried += 1
                wrong.update(f"{file.name}: {what}" for what in wrongs(name, file, place, bytes(flipped), healthy))
        file.write_bytes(original)
    return {"tried": tried, "wrong": dict(wrong.most_common(20)), "healthy again": read_all() == healthy}


def read_all() -> dict[str, str]:
    from specweave_ml.store.load import load_experiments

    return {experiment.name: shortly(experiment) for experiment in load_experiments()}


def shortly(experiment: Any) -> str:
    return repr((experiment.status, experiment.params, experiment.metrics, experiment.metadata, experiment.problems))


def wrongs(name: str, file: Path, place: int, flipped: bytes, healthy: dict[str, str]) -> list[str]:
    from specweave_ml.store.load import load_experiments
    from specweave_ml.store.verify import verify

    found = []
    try:
        experiments = {experiment.name: experiment for experiment in load_experiments()}
    except Exception as error:  # noqa: BLE001 - whatever escapes is what this test is after
        return [f"load_experiments raised {error!r}"]
    for other in healthy.keys() - {name}:
        if other not in experiments or shortly(experiments[other]) != healthy[other]:
            found.append("another experiment reads differently")
    try:
        said = everything(experiments[name], "auc")
    except Exception as error:  # noqa: BLE001 - the same
        return [*found, f"reading raised {type(error).__name__}: {error}"[:90]]
    journal = file.name.startswith("journal")
    if journal and name == "dead" and broken(flipped, place) and not reported(said, file.name, flipped, place):
        found.append("a broken line is not reported as file:line")
    try:
        integrity = verify(str(file.parent))
    except Exception as error:  # noqa: BLE001 - the same
        return [*found, f"verify raised {type(error).__name__}: {error}"[:90]]
    if name != "dead" and not (
        integrity.changed if journal else (integrity.changed or integrity.behind or integrity.differing)
    ):
        found.append(f"verify does not see the flip in byte {place}")
    return found


def broken(data: bytes, place: int) -> bool:
    """Whether the flip made its line something else than a JSON object (a line without an end is torn, not broken)."""
    if data[-1:] != b"\n" and place >= data.rfind(b"\n"):
        return False
    try:
        return not isinstance(json.loads(line_at(data, place)), dict)
    except ValueError:
        return True


def line_at(data: bytes, place: int) -> bytes:
    start = data.rfind(b"\n", 0, place) + 1
    return data[start : data.find(b"\n", place)]


def reported(said: dict[str, Any], file: str, data: bytes, place: int) -> bool:
    number = data.count(b"\n", 0, place) + 1
    return any(problem.startswith((f"{file}:{number}: ", f"{file}:{number + 1}: ")) for problem in said["problems"])


@pytest.mark.parametrize("name", NAMES)
def test_every_flipped_byte_is_survived_and_after_the_end_found(project, name):
    """Some 14,000 bytes of 3 experiments, one flip each in CI (3/N = 0.02 %), eight with LONG=1."""
    outcome = in_fresh_process(flip_every_byte, name, runs(1, 8), at=project, seconds=runs(170, 1_700))
    tried = outcome.pop("tried")
    assert tried > 1_000
    assert outcome == {"wrong": {}, "healthy again": True}
    proved(f"flips in {name} crashed a reader, hid another experiment or stayed unseen", tried)
