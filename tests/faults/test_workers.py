"""T11: threads, forks under load, spawned processes, pools and loky: every point once, and only the owner ends it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import Counter
from functools import partial
from typing import Any

import pytest

from faults.driving import dice, ended, forked, in_fresh_process, proved, runs

HANG_SECONDS = 5


def values_of(name: str) -> list[int]:
    from specweave_ml.store.load import load_experiment

    return [int(point.value) for point in load_experiment(name).history("value")]


def outcome_of(name: str, expected: set[int]) -> dict[str, Any]:
    """What an experiment lost, made up or doubled, and what it says of itself."""
    from specweave_ml.store.load import load_experiment

    experiment = load_experiment(name)
    values = values_of(name)
    return {
        "lost": len(expected - set(values)),
        "phantom": len(set(values) - expected),
        "doubled": len(values) - len(set(values)),
        "status": experiment.status,
        "problems": list(experiment.problems),
    }


PERFECT = {"lost": 0, "phantom": 0, "doubled": 0, "status": "finished", "problems": []}


def log_from_threads(threads: int, points: int) -> dict[str, Any]:
    from specweave_ml.tracking import track_experiment

    sys.setswitchinterval(1e-5)
    with track_experiment("threads") as experiment:

        def work(number: int) -> None:
            for place in range(points):
                experiment.log_metric("value", number * 100_000 + place)
                if place % 50 == 0:
                    experiment.log_params({f"{number}-{place}": place})
                    experiment.add_tag(f"{number}-{place}")

        workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    from specweave_ml.store.load import load_experiment

    read = load_experiment("threads")
    expected = {number * 100_000 + place for number in range(threads) for place in range(points)}
    words = threads * len(range(0, points, 50))
    return outcome_of("threads", expected) | {"words": [len(read.params) - words, len(read.tags) - words]}


def test_threads(project):
    """8 threads × 3,000 points, with params and tags between them; × 100,000 with LONG=1."""
    points = runs(3_000, 100_000)
    assert in_fresh_process(log_from_threads, 8, points, at=project) == PERFECT | {"words": [0, 0]}
    proved("points of 8 threads were lost or doubled", 8 * points)


def ten_points(experiment: Any, number: int, first: int) -> None:
    for place in range(first, first + 10):
        experiment.log_metric("value", 100_000_000 + number * 100 + place)


def be_a_child(experiment: Any, number: int) -> None:
    """Log; every third forks again; every fourth does what a copied block does, and ends nothing by it."""
    ten_points(experiment, number, 0)
    if number % 3 == 0:
        code = ended(forked(lambda: ten_points(experiment, number, 50)), HANG_SECONDS)
        assert code == 0, "the grandchild failed"
    if number % 4 == 0:
        experiment.finish()


def fork_under_load(forks: int) -> dict[str, Any]:
    """Fork while threads log; every child logs too, and what all of them said is there once."""
    from specweave_ml.tracking import track_experiment

    moments = dice("fork")
    experiment = track_experiment("forks")
    stop = threading.Event()
    counts = [0, 0, 0]

    def load(number: int) -> None:
        while not stop.is_set():
            experiment.log_metric("value", number * 10_000_000 + counts[number])
            counts[number] += 1

    threads = [threading.Thread(target=load, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    codes = []
    for number in range(forks):
        time.sleep(moments.uniform(0, 0.002))
        codes.append(ended(forked(partial(be_a_child, experiment, number)), 2 * HANG_SECONDS))
    stop.set()
    for thread in threads:
        thread.join()
    experiment.finish()
    expected = {number * 10_000_000 + place for number in range(3) for place in range(counts[number])}
    for number in range(forks):
        places = [*range(10), *(range(50, 60) if number % 3 == 0 else ())]
        expected |= {100_000_000 + number * 100 + place for place in places}
    return outcome_of("forks", expected) | {"codes": dict(Counter(map(str, codes)))}


def test_forks_while_threads_log(project):
    """150 forks and 50 forks of forks under the load of 3 threads in CI, 2,000 with LONG=1."""
    forks = runs(150, 2_000)
    assert in_fresh_process(fork_under_load, forks, at=project) == PERFECT | {"codes": {"0": forks}}
    proved("forks under load lost or doubled a point, or hung", forks)


def fork_after_the_end(forks: int) -> dict[str, int]:
    """A thread says words after the end (as the capture of provenance does) while the process forks."""
    from specweave_ml.tracking import track_experiment

    with track_experiment("over") as experiment:
        pass
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            experiment.log_note("from the thread")

    thread = threading.Thread(target=load)
    thread.start()
    hung = 0
    for number in range(forks):
        hung += ended(forked(lambda: experiment.add_tag(f"child-{number}")), HANG_SECONDS) != 0  # noqa: B023
        if hung:
            break
    stop.set()
    thread.join()
    from specweave_ml.store.load import load_experiment

    return {"hung": hung, "tags": len(load_experiment("over").tags)}


def test_a_child_can_speak_after_the_end_whatever_a_thread_was_doing(project):
    """40 forks in CI, 500 with LONG=1."""
    forks = runs(40, 500)
    assert in_fresh_process(fork_after_the_end, forks, at=project) == {"hung": 0, "tags": forks}
    proved("children hung on a lock of the parent", forks)


def finish_beside_a_child() -> dict[str, Any]:
    """The owner ends while a forked child goes on logging as fast as it can."""
    from specweave_ml.store.load import load_experiment
    from specweave_ml.tracking import track_experiment

    experiment = track_experiment("goes-on")
    reading, writing = os.pipe()

    def child() -> None:
        number = 0
        until = time.monotonic() + 4
        while time.monotonic() < until:
            experiment.log_metric("value", number)
            number += 1
            if number == 1:
                os.write(writing, b".")
        os.write(writing, number.to_bytes(8, "big"))

    pid = forked(child)
    os.read(reading, 1)
    time.sleep(0.2)
    began = time.monotonic()
    experiment.finish()
    took = time.monotonic() - began
    status = load_experiment("goes-on").status
    os.waitpid(pid, 0)
    logged = int.from_bytes(os.read(reading, 8), "big")
    return outcome_of("goes-on", set(range(logged))) | {"at once": took < 1, "status at once": status}


def test_the_end_waits_for_no_child(project):
    """A child that logs for four seconds; ending takes less than one, and what comes later is read all the same."""
    assert in_fresh_process(finish_beside_a_child, at=project) == PERFECT | {
        "at once": True,
        "status at once": "finished",
    }


def log_some(experiment: Any, number: int) -> int:
    """One task of a pool: ten points of its own."""
    for place in range(10):
        experiment.log_metric("value", number * 100 + place)
    return os.getpid()


def log_in_pool(method: str, tasks: int) -> dict[str, Any]:
    import multiprocessing

    from specweave_ml.tracking import track_experiment

    experiment = track_experiment("pool")
    with multiprocessing.get_context(method).Pool(2) as pool:
        pids = pool.starmap(log_some, [(experiment, number) for number in range(tasks)])
        pool.close()
        pool.join()
    journals = len(list(experiment.path.glob("journal*")))
    running = experiment.read().status
    experiment.finish()
    expected = {number * 100 + place for number in range(tasks) for place in range(10)}
    extra = {"journals": journals - 1 - len(set(pids)), "while it ran": running}
    return outcome_of("pool", expected) | extra


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pools_of_multiprocessing(project, method):
    """200 tasks on 2 workers, the handle pickled to each: one journal a worker, not one a task."""
    assert in_fresh_process(log_in_pool, method, 200, at=project) == PERFECT | {
        "journals": 0,
        "while it ran": "running",
    }
    proved(f"points of a {method} pool were lost or doubled", 2_000)


def log_in_loky(tasks: int) -> dict[str, Any]:
    """Parallel(...) of joblib, whose workers outlive the experiment: it stays unsettled and reads whole."""
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor

    from specweave_ml.store.load import load_experiment
    from specweave_ml.tracking import track_experiment

    with track_experiment("pool") as experiment:
        pids = Parallel(n_jobs=2)(delayed(log_some)(experiment, number) for number in range(tasks))
        journals = len(list(experiment.path.glob("journal*")))
    expected = {number * 100 + place for number in range(tasks) for place in range(10)}
    unsettled = outcome_of("pool", expected) | {"marked": load_experiment("pool").metadata.get("unsettled", False)}
    after = Parallel(n_jobs=2)(delayed(log_some)(experiment, number) for number in (tasks,))
    get_reusable_executor().shutdown(wait=True)
    expected |= {tasks * 100 + place for place in range(10)}
    settled = outcome_of("pool", expected) | {"marked": load_experiment("pool").metadata.get("unsettled", False)}
    return {"unsettled": unsettled, "settled": settled, "journals": journals - 1 - len(set(pids) | set(after))}


def test_loky(project):
    """200 tasks by joblib's default backend: exact while its workers live, after a task behind the end, and after them."""
    outcome = in_fresh_process(log_in_loky, 200, at=project)
    settled = outcome.pop("settled")
    assert settled == PERFECT | {"marked": False}
    assert {key: outcome["unsettled"][key] for key in PERFECT} == PERFECT
    assert outcome["journals"] == 0
    proved("points of loky's workers were lost or doubled", 2_010)


def resume_with_the_same_workers() -> dict[str, Any]:
    """loky keeps its workers: what they log into a second session belongs to the second session."""
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor

    from specweave_ml.store.load import load_experiment
    from specweave_ml.tracking import track_experiment

    with track_experiment("again") as experiment:
        for step in range(10):
            experiment.log_metric("value", -1, step=step)
        Parallel(n_jobs=2)(delayed(log_at)(experiment, step) for step in range(10, 14))
    with track_experiment("again", resume=True) as experiment:
        experiment.log_metric("value", 5, step=5)
        Parallel(n_jobs=2)(delayed(log_at)(experiment, step) for step in range(20, 24))
    get_reusable_executor().shutdown(wait=True)
    return {"points": [(point.step, point.value) for point in load_experiment("again").history("value")]}


def log_at(experiment: Any, step: int) -> None:
    experiment.log_metric("value", step, step=step)


def test_workers_that_outlive_a_session_write_into_the_next(project):
    expected = [[step, -1] for step in range(5)] + [[5, 5]] + [[step, step] for step in range(20, 24)]
    assert in_fresh_process(resume_with_the_same_workers, at=project)["points"] == expected


def leave_a_block_twice() -> dict[str, Any]:
    """A child forked inside the block leaves it too; only the parent's leaving ends the experiment."""
    from specweave_ml.store.load import load_experiment
    from specweave_ml.tracking import track_experiment

    with track_experiment("block") as experiment:
        pid = os.fork()
        experiment.log_metric("value", 0 if pid else 1)
        if pid:
            os.waitpid(pid, 0)
            seen = load_experiment("block").status
    if not pid:
        sys.exit(0)  # atexit runs in this child
    return outcome_of("block", {0, 1}) | {"after the child left": seen}


def test_a_child_that_leaves_the_block_ends_nothing(project):
    assert in_fresh_process(leave_a_block_twice, at=project) == PERFECT | {"after the child left": "running"}


def kill_workers(workers: int) -> dict[str, Any]:
    """Children killed in the middle leave torn tails that hide nothing; the owner ends as if nothing had been."""
    from specweave_ml.tracking import track_experiment

    experiment = track_experiment("killed-workers")
    moments = dice("kill workers")
    expected = 0
    for number in range(workers):
        reading, writing = os.pipe()

        def work() -> None:
            place = 0
            while True:
                experiment.log_metric("value", number * 100_000 + place)  # noqa: B023 - forked here and now
                os.write(writing, b".")  # noqa: B023
                place += 1

        pid = forked(work)
        os.close(writing)
        acknowledged = len(os.read(reading, 1))
        time.sleep(moments.uniform(0, 0.002))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        while piece := os.read(reading, 1 << 16):
            acknowledged += len(piece)
        os.close(reading)
        expected += acknowledged
    experiment.finish()
    values = values_of("killed-workers")
    outcome = outcome_of("killed-workers", set(values))
    return outcome | {"lost": max(0, expected - len(values)), "phantom": max(0, len(values) - expected - workers)}


def test_workers_killed_in_the_middle(project):
    """100 children killed while they log in CI, 1,000 with LONG=1."""
    workers = runs(100, 1_000)
    assert in_fresh_process(kill_workers, workers, at=project) == PERFECT
    proved("killed workers lost an acknowledged point", workers)


def look_while_starting(starts: int) -> dict[str, int]:
    """Readers probe a journal's lock the moment it exists; its owner must have it nevertheless."""
    from specweave_ml.store import liveness
    from specweave_ml.store.journal import Journal

    folder = f"{os.getcwd()}/locks"
    os.mkdir(folder)

    def look() -> None:
        for number in range(starts):
            while not os.path.exists(f"{folder}/{number}"):
                pass
            while not os.path.exists(f"{folder}/{number + 1}"):
                liveness.owner(f"{folder}/{number}")

    pids = [forked(look) for _ in range(2)]
    unlocked = 0
    for number in range(starts):
        journal = Journal(f"{folder}/{number}")
        unlocked += liveness.owner(journal.path) != liveness.ALIVE
        journal.close()
    Journal(f"{folder}/{starts}").close()
    for pid in pids:
        ended(pid, HANG_SECONDS)
    return {"unlocked": unlocked}


def test_no_reader_takes_the_lock_of_an_owner(project):
    """3,000 starts against 2 readers in CI, 100,000 with LONG=1."""
    starts = runs(3_000, 100_000)
    assert in_fresh_process(look_while_starting, starts, at=project) == {"unlocked": 0}
    proved("owners lost their lock to a reader", starts)
