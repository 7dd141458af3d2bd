"""T10: many processes at once: one winner for each name, and every point of every writer exactly once, in its order."""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import Any

from faults.driving import forked, in_fresh_process, proved, runs

CLAIMANTS = 16
WRITERS = 8


def claim_names(names: int) -> dict[str, Any]:
    """Processes that start together and want the same names; who got which."""
    reading, writing = os.pipe()
    ready, go = os.pipe()

    def want(number: int) -> None:
        from specweave_ml.errors import Refused
        from specweave_ml.store.owner import claim

        os.close(go)
        os.read(ready, 1)  # ends when the parent closes its side: all at once
        won = []
        for name in range(names):
            try:
                claim(experiments, f"name-{name}", rename=False)
            except Refused:
                continue
            won.append(name)
        os.write(writing, json.dumps([number, won]).encode() + b"\n")

    experiments = (
        f"{os.getcwd()}/.specweave/increments/0042-recommendation-model/experiments"  # made by whoever is first
    )
    pids = [forked(lambda: want(number)) for number in range(CLAIMANTS)]  # noqa: B023 - forked here and now
    os.close(writing)
    os.close(go)
    rows = [json.loads(line) for line in os.fdopen(reading, "rb")]
    for pid in pids:
        os.waitpid(pid, 0)
    winners = Counter(name for _, won in rows for name in won)
    return {
        "finished": len(rows),
        "several winners": sum(count > 1 for count in winners.values()),
        "no winner": names - len(winners),
        "folders": len(os.listdir(experiments)),
    }


def test_each_name_has_exactly_one_winner(project):
    """16 processes × 200 names in CI (3,200 claims), × 1,000 × 20 with LONG=1."""
    names = runs(200, 20_000)
    outcome = in_fresh_process(claim_names, names, at=project)
    assert outcome == {"finished": CLAIMANTS, "several winners": 0, "no winner": 0, "folders": names}
    proved(f"names had no winner or several among {CLAIMANTS} processes", names)


def start_under_one_name() -> dict[str, Any]:
    """Whole experiments of one name, started together: each gets a folder and a metric of its own."""
    from specweave_ml.store.load import load_experiments

    def start(number: int) -> None:
        from specweave_ml.tracking import track_experiment

        for turn in range(5):
            with track_experiment("same") as experiment:
                experiment.log_metric("who", number * 100 + turn)

    for pid in [forked(lambda: start(number)) for number in range(CLAIMANTS)]:  # noqa: B023 - forked here and now
        os.waitpid(pid, 0)
    found = load_experiments()
    return {
        "who": sorted(experiment.metrics["who"] for experiment in found),
        "wrong": [experiment.name for experiment in found if experiment.status != "finished" or experiment.problems],
    }


def test_a_cold_start_of_many_under_one_name_gives_each_a_folder(project):
    """16 processes × 5 experiments called the same, in a project whose experiments folder is not there yet."""
    outcome = in_fresh_process(start_under_one_name, at=project)
    assert outcome == {"who": sorted(a * 100 + b for a in range(CLAIMANTS) for b in range(5)), "wrong": []}
    proved("experiments started together were lost or mixed", CLAIMANTS * 5)


def log_together(points: int) -> dict[str, Any]:
    """Forked siblings of one experiment log unique whole numbers; what is read back, before and after the end."""
    from specweave_ml.store.load import load_experiment
    from specweave_ml.tracking import track_experiment

    experiment = track_experiment("set")

    def write(number: int) -> None:
        for place in range(points):
            experiment.log_metric("value", number * 1_000_000 + place)

    pids = [forked(lambda: write(number)) for number in range(1, WRITERS)]  # noqa: B023 - forked here and now
    write(0)
    codes = [os.waitpid(pid, 0)[1] for pid in pids]
    before = load_experiment("set")
    outcome = {"codes": sum(codes), "before": judged(before, points)}
    experiment.finish()
    after = load_experiment("set")
    outcome |= {"after": judged(after, points), "status": after.status, "same": after.metrics == before.metrics}
    return outcome


def judged(experiment: Any, points: int) -> dict[str, int]:
    values = [int(point.value) for point in experiment.history("value")]
    expected = {writer * 1_000_000 + place for writer in range(WRITERS) for place in range(points)}
    found = set(values)
    latest: dict[int, int] = {}
    disordered = 0
    for value in values:
        writer, place = divmod(value, 1_000_000)
        disordered += place < latest.get(writer, -1)
        latest[writer] = place
    return {
        "lost": len(expected - found),
        "phantom": len(found - expected),
        "duplicate": len(values) - len(found),
        "disordered": disordered,
        "journals not one a writer": len(list(experiment.path.glob("journal*"))) - WRITERS,
    }


def test_forked_writers_lose_double_and_reorder_nothing(project):
    """8 writers × 10,000 unique whole numbers in CI, × 100,000 with LONG=1."""
    points = runs(10_000, 100_000)
    outcome = in_fresh_process(log_together, points, at=project)
    perfect = {"lost": 0, "phantom": 0, "duplicate": 0, "disordered": 0, "journals not one a writer": 0}
    assert outcome == {"codes": 0, "before": perfect, "after": perfect, "status": "finished", "same": True}
    proved(f"points of {WRITERS} writers were lost, doubled or out of order", WRITERS * points)
