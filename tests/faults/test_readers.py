"""T9: readers beside a writer see the old files or the new ones, never a torn, an empty or a missing one."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable

from faults.driving import forked, in_fresh_process, proved, runs

READERS = 4


def read_with(look: Callable[[], str], report: int, seconds: float) -> None:
    """Look until the time is over; report how often, and the first things that were wrong."""
    looks, bad = 0, []
    until = time.monotonic() + seconds
    while time.monotonic() < until and len(bad) < 3:
        try:
            wrong = look()
        except Exception as error:  # noqa: BLE001 - whatever escapes a reader is what this test is after
            wrong = repr(error)
        bad += [wrong] if wrong else []
        looks += 1
    os.write(report, json.dumps([looks, bad]).encode() + b"\n")


def beside_readers(look: Callable[[], str], write: Callable[[], object], seconds: float) -> dict[str, object]:
    """Let readers look while this process writes; both counted."""
    reading, writing = os.pipe()
    pids = [forked(lambda: read_with(look, writing, seconds)) for _ in range(READERS)]
    os.close(writing)
    written = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        write()
        written += 1
    rows = [json.loads(line) for line in os.fdopen(reading, "rb")]
    for pid in pids:
        os.waitpid(pid, 0)
    return {"written": written, "looks": sum(row[0] for row in rows), "bad": [each for row in rows for each in row[1]]}


def replace_and_read(seconds: float) -> dict[str, object]:
    """Every word after the block replaces the small files; readers must see the count go up and nothing else."""
    from specweave_ml.store.load import load_experiment
    from specweave_ml.tracking import track_experiment

    with track_experiment("busy", tags=["kept"]) as experiment:
        experiment.log_metric("count", 0)
        experiment.log_params({f"param-{number}": "x" * 100 for number in range(150)})  # more than one read() takes
    latest = 0.0

    def look() -> str:
        nonlocal latest
        seen = load_experiment("busy")
        count, params = seen.metrics.get("count", -1.0), len(seen.params)
        right = seen.kind == "experiment" and seen.status == "finished" and seen.tags == ("kept",) and not seen.problems
        right = right and count >= latest and params >= 150
        latest = max(latest, count)
        return (
            ""
            if right
            else f"{seen.kind} {seen.status} {seen.tags} {params} params, {count} after {latest}: {seen.problems}"
        )

    number = 0

    def write() -> None:
        nonlocal number
        number += 1
        experiment.log_metric("count", number)
        experiment.log_param(f"later-{number % 50}-{number // 50}", number)

    return beside_readers(look, write, seconds)


def test_replaced_files_are_whole_to_every_reader(project):
    """4 readers against 1 replacer for 10 s in CI (some ten thousand reads), 10 min with LONG=1."""
    seconds = runs(10, 600)
    outcome = in_fresh_process(replace_and_read, seconds, at=project, seconds=seconds + 60)
    assert outcome["bad"] == []
    assert outcome["looks"] > 500
    proved(f"reads beside {outcome['written']:,} replacements were bad", outcome["looks"])


def come_and_go(seconds: float) -> dict[str, object]:
    """Experiments that others archive, restore or throw away while somebody lists the rest."""
    from specweave_ml.store.load import load_experiments
    from specweave_ml.tracking import track_experiment

    with track_experiment("stays") as stays:
        stays.log_metric("auc", 0.5)
    pid = forked(lambda: (track_experiment("dead").log_note("x"), os.kill(os.getpid(), signal.SIGKILL)))
    os.waitpid(pid, 0)
    with track_experiment("ended"):
        pass
    experiments = stays.path.parent
    (experiments / "_archive").mkdir()

    def look() -> str:
        found = {experiment.name: experiment for experiment in load_experiments(archived=True)}
        for experiment in found.values():
            _ = experiment.status, experiment.params, experiment.metrics, experiment.tags, experiment.history("auc")
        return "" if found.get("stays") and found["stays"].status == "finished" else f"stays is hidden: {sorted(found)}"

    def write() -> None:
        for name in ("dead", "ended"):
            os.rename(experiments / name, experiments / "_archive" / name)
        for name in ("dead", "ended"):
            os.rename(experiments / "_archive" / name, experiments / name)

    return beside_readers(look, write, seconds)


def test_an_experiment_that_is_moved_away_hides_no_other(project):
    """4 readers against 1 mover for 4 s in CI (some thousand lists), 60 s with LONG=1."""
    seconds = runs(4, 60)
    outcome = in_fresh_process(come_and_go, seconds, at=project, seconds=seconds + 60)
    assert outcome["bad"] == []
    assert outcome["looks"] > 100
    proved("lists beside a folder that came and went failed", outcome["looks"])
