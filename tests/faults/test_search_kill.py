"""SIGKILL in the middle of a search: no finished trial is lost, and none is fitted again when it goes on."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import numpy

from faults.driving import dice, forked, in_fresh_process, proved, runs
from tracked import wait_for_the_capture

POINTS = 30
FOLDS = 2
ROWS = 20


def search(log: Path) -> Any:
    """A search whose fits take about a millisecond and leave a line each."""
    from odd_estimators import Odd
    from specweave_ml.training.search import track_hyperparameters

    model = Odd(log=str(log), seconds=0.0005)
    rows, truth = numpy.zeros((ROWS, 1)), numpy.arange(ROWS) % 2
    return track_hyperparameters(model, {"level": list(range(POINTS))}, rows, truth, cv=FOLDS, name="search")


def acknowledge(pipe: int, log: Path) -> None:
    """The same search, with a byte through the pipe for every trial that was logged."""
    from specweave_ml.tracking import TrackedExperiment

    log_trial = TrackedExperiment.log_trial

    def acknowledged(self: TrackedExperiment, *said: Any, **more: Any) -> None:
        log_trial(self, *said, **more)
        os.write(pipe, b".")

    TrackedExperiment.log_trial = acknowledged  # type: ignore[method-assign]
    search(log)


def kill_many(count: int) -> dict[str, int]:
    """Kill `count` searches, let each go on, and add up what was lost or done twice."""
    from specweave_ml import load_experiment

    moments = dice("search")
    log = Path("fits")
    total = {"acknowledged": 0, "cut short": 0, "lost": 0, "fitted again": 0, "wrong": 0}
    for _ in range(count):
        reading, writing = os.pipe()
        pid = forked(lambda: acknowledge(writing, log))  # noqa: B023 - the child is made here and now
        os.close(writing)
        first = os.read(reading, 1)
        time.sleep(moments.uniform(0, 0.09))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        seen = len(first)
        while piece := os.read(reading, 1 << 16):
            seen += len(piece)
        os.close(reading)
        killed = load_experiment("search")
        done = {trial["number"] for trial in killed.trials}
        total["acknowledged"] += seen
        total["lost"] += max(seen - len(done), 0)
        if killed.status == "stale":
            total["cut short"] += 1
            go_on(log, done, total)
        wait_for_the_capture()  # of the search that went on here: its last word must not meet a folder that goes
        shutil.rmtree(killed.path)
    return total


def go_on(log: Path, done: set[int], total: dict[str, int]) -> None:
    from specweave_ml import load_experiment

    log.write_text("")
    results = search(log)
    *fitted, _refit = map(int, log.read_text().split())
    total["fitted again"] += len(done & {*fitted})
    total["wrong"] += len(fitted) != FOLDS * (POINTS - len(done)) or len(results.trials) != POINTS
    found = load_experiment("search")
    total["wrong"] += found.status != "finished" or [trial["number"] for trial in found.trials] != [*range(POINTS)]


def test_killed_searches_lose_no_finished_trial_and_fit_none_again(project):
    """25 kills in CI, 1,000 with LONG=1."""
    count = runs(25, 1_000)
    total = in_fresh_process(kill_many, count, at=project, seconds=60 * runs(1, 10))
    assert total["acknowledged"] > count
    assert total["cut short"] > count / 4
    assert {key: total[key] for key in ("lost", "fitted again", "wrong")} == {"lost": 0, "fitted again": 0, "wrong": 0}
    proved(f"kills lost one of {total['acknowledged']:,} trials, or had one fitted again", count)
