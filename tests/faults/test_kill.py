"""T1: SIGKILL at any moment. What a log call returned from is there; at most the last line of a journal is torn."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from faults.driving import dice, forked, in_fresh_process, proved, runs

LENGTHS = (80, 200, 1_000, 3_000, 64_000)
LONGEST_NAME = 480
BESIDE_NAMES = 40  # bytes of a line that are not the names of its metrics, about


def names_for(length: int) -> list[str]:
    """Names of metrics that together make a line of about `length` bytes."""
    names = []
    left = length - BESIDE_NAMES
    while left > 0:
        size = min(left, LONGEST_NAME)
        names.append(f"{len(names)}".ljust(size, "x"))
        left -= size + 10
    return names


def log_for_ever(pipe: int, names: list[str]) -> None:
    """Log 0, 1, 2, …; after each number is logged, a byte goes through the pipe."""
    from specweave_ml.tracking import track_experiment

    experiment = track_experiment("killed")
    number = 0
    while True:
        if len(names) == 1:
            experiment.log_metric(names[0], float(number), step=number)
        else:
            experiment.log_metrics(dict.fromkeys(names, float(number)), step=number)
        os.write(pipe, b".")
        number += 1


def kill_many(length: int, count: int) -> dict[str, int]:
    """Kill `count` processes that log lines of this length; what was lost, doubled or torn, added up."""
    names = names_for(length)
    moments = dice(length)
    total = {"acknowledged": 0, "lost": 0, "phantom": 0, "torn": 0, "wrong": 0}
    for kill in range(count):
        reading, writing = os.pipe()
        pid = forked(lambda: log_for_ever(writing, names))  # noqa: B023 - the child is made here and now
        os.close(writing)
        first = b"" if kill % 5 == 0 else os.read(reading, 1)  # every fifth may die while it starts
        time.sleep(moments.uniform(0, 0.008))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        acknowledged = len(first)
        while piece := os.read(reading, 1 << 16):
            acknowledged += len(piece)
        os.close(reading)
        look(names[-1], acknowledged, total)
    return total


def look(name: str, acknowledged: int, total: dict[str, int]) -> None:
    """Read what the killed process left and add to the counts."""
    from specweave_ml.store.load import load_experiments

    total["acknowledged"] += acknowledged
    found = load_experiments()
    if acknowledged and (len(found) != 1 or found[0].status != "stale" or found[0].problems):
        total["wrong"] += 1
    for experiment in found:
        logged = [point.value for point in experiment.history(name)]
        if logged and experiment.metrics[name] != logged[-1]:
            total["wrong"] += 1
        total["lost"] += len(set(map(float, range(acknowledged))) - set(logged))
        total["phantom"] += logged != [float(number) for number in range(len(logged))] or len(logged) > acknowledged + 1
        total["torn"] += sum(not whole(journal) for journal in experiment.path.glob("journal*.jsonl"))
        shutil.rmtree(experiment.path)


def whole(journal: Path) -> bool:
    return journal.read_bytes()[-1:] in (b"", b"\n")


@pytest.mark.parametrize("length", LENGTHS)
def test_killed_processes_lose_nothing_that_was_acknowledged(project, length):
    """200 kills at each of 5 lengths in CI (3/N = 0.3 % over all 1,000), 2,000 each with LONG=1."""
    count = runs(200, 2_000)
    total = in_fresh_process(kill_many, length, count, at=project, seconds=60 * runs(1, 10))
    assert total["acknowledged"] > count
    assert {key: total[key] for key in ("lost", "phantom", "wrong")} == {"lost": 0, "phantom": 0, "wrong": 0}
    proved(f"kills lost or doubled one of {total['acknowledged']:,} points; {total['torn']} tails torn", count)
