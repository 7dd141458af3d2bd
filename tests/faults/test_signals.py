"""T12: SIGTERM and SIGINT at any moment inside logging and closing: no hang, the true status, every point whole."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections import Counter
from itertools import product
from typing import Any

import pytest

from faults.driving import dice, ended, forked, in_fresh_process, proved, runs

HANG_SECONDS = 5
POINTS = 3_000
SIGNALS = {"SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}


def with_block(said: int) -> None:
    from specweave_ml.tracking import track_experiment

    with track_experiment("signalled") as experiment:
        log(experiment, said)
        os.write(said, b"c")


def without_block(said: int) -> None:
    from specweave_ml.tracking import track_experiment

    experiment = track_experiment("signalled")
    log(experiment, said)
    os.write(said, b"c")
    experiment.finish()


def without_finish(said: int) -> None:
    from specweave_ml.tracking import track_experiment

    log(track_experiment("signalled"), said)
    os.write(said, b"c")


def stopped_early(said: int) -> None:
    """What people do with Ctrl-C: end the training, keep what there is."""
    from specweave_ml.tracking import track_experiment

    with track_experiment("signalled") as experiment:
        try:
            log(experiment, said)
            time.sleep(1)
        except KeyboardInterrupt:
            os.write(said, b"c")


def log(experiment: Any, said: int) -> None:
    os.write(said, b"s")
    for number in range(POINTS):
        experiment.log_metric("value", number, step=number)
        os.write(said, b".")
        if number % 10 == 0:
            experiment.log_params({f"p{number}": number})


SCRIPTS = {script.__name__: script for script in (with_block, without_block, without_finish)}


def signal_many(script: str, name: str, count: int) -> dict[str, int]:
    """Send the signal to `count` processes, one half of them while they close; what went wrong, counted."""
    moments = dice((script, name))
    total: Counter[str] = Counter()
    for number in range(count):
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(reading)
            SCRIPTS.get(script, stopped_early)(writing)
            raise SystemExit(0)  # on through the endings of an interpreter, as a script
        os.close(writing)
        closing = number % 2 == 0 and script != "stopped_early"
        heard = wait_for(b"c" if closing else b"s", reading)
        time.sleep(moments.uniform(0, 0.006 if closing else 0.012))
        os.kill(pid, SIGNALS[name])
        code = ended(pid, HANG_SECONDS)
        while piece := os.read(reading, 1 << 16):
            heard += piece
        os.close(reading)
        total.update(wrongs(heard, code))
    total.pop("right", None)
    return total


def wait_for(mark: bytes, reading: int) -> bytes:
    heard = b""
    while mark not in heard and select.select([reading], [], [], HANG_SECONDS)[0]:
        heard += os.read(reading, 1 << 16)
    return heard


def wrongs(heard: bytes, code: int | None) -> list[str]:
    """What is wrong with the experiment that the process left, which is then taken away."""
    import shutil

    from specweave_ml.store.load import load_experiments

    experiment = load_experiments()[-1]
    points = [point.value for point in experiment.history("value")]
    acknowledged, block_over = heard.count(b"."), b"c" in heard
    found = {
        "hung": code is None,
        f"odd exit code {code}": code not in (None, 0, 143, -signal.SIGTERM, -signal.SIGINT),
        f"{experiment.status} (block {'over' if block_over else 'not over'})": experiment.status
        not in (("killed", "finished") if block_over else ("killed",)),
        "points": not acknowledged <= len(points) <= acknowledged + 1 or points != [*map(float, range(len(points)))],
        "small files disagree with the journal": bool(points) and experiment.metrics.get("value") != points[-1],
        "params": list(experiment.params.values()) != [*range(0, acknowledged, 10)][: len(experiment.params)]
        or len(experiment.params) < (acknowledged - 1) // 10,
        "problems": bool(experiment.problems),
        "times": experiment.ended is None or experiment.duration_seconds is None,
        # A signal behind the end may take the process while its last words are being written: temporary names only.
        "left behind": not block_over and any(file.name.startswith(".tmp") for file in experiment.path.iterdir()),
    }
    shutil.rmtree(experiment.path)
    return [what for what, wrong in found.items() if wrong] or ["right"]


@pytest.mark.parametrize(("script", "name"), [*product(SCRIPTS, SIGNALS), ("stopped_early", "SIGINT")])
def test_signals_at_any_moment(project, script, name):
    """7 × 43 signals in CI (3/N = 1 % over all 301), 7 × 500 with LONG=1."""
    count = runs(43, 500)
    assert in_fresh_process(signal_many, script, name, count, at=project, seconds=runs(120, 1_200)) == {}
    proved(f"{name}s during {script} hung or gave a wrong record", count)


def stop_and_go_on() -> dict[str, Any]:
    """A stopped process still owns its experiment; continued, it ends it as if nothing had been."""
    from specweave_ml.errors import Refused
    from specweave_ml.store.load import load_experiment
    from specweave_ml.tracking import track_experiment

    reading, writing = os.pipe()

    def work() -> None:
        with track_experiment("stopped") as experiment:
            experiment.log_metric("value", 1)
            os.write(writing, b".")
            time.sleep(0.3)

    pid = forked(work)
    os.read(reading, 1)
    os.kill(pid, signal.SIGSTOP)
    os.waitpid(pid, os.WUNTRACED)
    stopped = load_experiment("stopped").status
    try:
        track_experiment("stopped", resume=True)
        resumed = "let in"
    except Refused:
        resumed = "refused"
    os.kill(pid, signal.SIGCONT)
    ended(pid, HANG_SECONDS)
    return {"stopped": stopped, "resumed": resumed, "continued": load_experiment("stopped").status}


def test_a_stopped_process_is_not_stale(project):
    expected = {"stopped": "running", "resumed": "refused", "continued": "finished"}
    assert in_fresh_process(stop_and_go_on, at=project) == expected


def terminate_workers() -> dict[str, Any]:
    """Workers forked inside the block die of terminate(), and the parent's own ending is untouched."""
    import multiprocessing

    from specweave_ml.store.load import load_experiment
    from specweave_ml.tracking import track_experiment

    context = multiprocessing.get_context("fork")
    with track_experiment("parent") as experiment:
        experiment.log_metric("value", 1)
        workers = [context.Process(target=work_for_long, args=(experiment,)) for _ in range(4)]
        for worker in workers:
            worker.start()
        time.sleep(0.2)
        for worker in workers:
            worker.terminate()
            worker.join(HANG_SECONDS)
        codes = [worker.exitcode for worker in workers]
        for worker in workers:
            worker.kill()
        while_running = load_experiment("parent").status
    return {"codes": codes, "while running": while_running, "after": load_experiment("parent").status}


def work_for_long(experiment: Any) -> None:
    experiment.log_metric("value", 2)
    time.sleep(60)


def test_forked_workers_die_of_terminate(project):
    expected = {"codes": [-signal.SIGTERM] * 4, "while running": "running", "after": "finished"}
    assert in_fresh_process(terminate_workers, at=project) == expected


def look_at_handlers() -> dict[str, Any]:
    """Whose SIGTERM handler stands when."""
    from specweave_ml.tracking import track_experiment

    default = signal.getsignal(signal.SIGTERM)
    with track_experiment("ours"):
        during = signal.getsignal(signal.SIGTERM)
    after = signal.getsignal(signal.SIGTERM)

    def mine(number: int, frame: object) -> None:
        raise SystemExit(5)

    signal.signal(signal.SIGTERM, mine)
    with track_experiment("theirs"):
        kept = signal.getsignal(signal.SIGTERM) is mine
    kept = kept and signal.getsignal(signal.SIGTERM) is mine
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    elsewhere: list[str] = []

    def in_a_thread() -> None:
        with track_experiment("in-a-thread") as experiment:
            elsewhere.append(experiment.status)
        elsewhere.append(experiment.status)

    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()
    nested = nest()
    return {
        "default": default == after == signal.SIG_DFL and during != signal.SIG_DFL,
        "theirs kept": kept,
        "thread": elsewhere,
        "nested": nested,
    }


def nest() -> list[bool]:
    """The handler goes when the last experiment has ended, not with the first."""
    from specweave_ml.tracking import track_experiment

    caught = []
    with track_experiment("outer"):
        with track_experiment("inner"):
            pass
        caught.append(signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL)
    return [*caught, signal.getsignal(signal.SIGTERM) is signal.SIG_DFL]


def test_the_handler_is_set_only_over_the_default_and_taken_back(project):
    expected = {"default": True, "theirs kept": True, "thread": ["running", "finished"], "nested": [True, True]}
    assert in_fresh_process(look_at_handlers, at=project) == expected


def insist() -> dict[str, Any]:
    """Signal after signal until the process is gone, as an impatient scheduler does."""
    from specweave_ml.store.load import load_experiments

    codes: list[int | None] = []
    odd = []
    for number in range(20):
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            with_block(writing)
            raise SystemExit(0)
        wait_for(b"s", reading)
        until = time.monotonic() + HANG_SECONDS
        code = None
        while code is None and time.monotonic() < until:
            os.kill(pid, signal.SIGTERM)
            time.sleep(0.0005 * (number + 1))
            done, status = os.waitpid(pid, os.WNOHANG)
            code = os.waitstatus_to_exitcode(status) if done else None
        codes.append(code)
        os.close(reading)
        os.close(writing)
    for experiment in load_experiments():
        if experiment.problems or experiment.status not in ("killed", "stale"):
            odd.append(f"{experiment.status} {experiment.problems}")
    return {"hung": codes.count(None), "odd": odd}


def test_signal_after_signal(project):
    """20 processes; a second signal may cut the end off (then it reads as stale), but never hang or garble it."""
    assert in_fresh_process(insist, at=project) == {"hung": 0, "odd": []}


def interrupt_the_word_to_the_background(count: int) -> dict[str, int]:
    """A signal strikes while the thread that looks at the repository is told to go on; then the script ends."""
    moments = dice("background")
    codes: Counter[str] = Counter()
    for _ in range(count):
        after = moments.uniform(5e-6, 6e-5)
        pid = os.fork()
        if not pid:
            tell_until_interrupted(after)
            raise SystemExit(0)
        codes[str(ended(pid, HANG_SECONDS))] += 1
    return codes


def tell_until_interrupted(after: float) -> None:
    from specweave_ml.tracking import capture, track_experiment

    def strike(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    experiment = track_experiment("told")
    signal.signal(signal.SIGALRM, strike)
    try:
        signal.setitimer(signal.ITIMER_REAL, after)
        while True:
            capture.hurry()
    except KeyboardInterrupt:
        experiment.finish()


def test_a_signal_while_the_background_is_told_hangs_nothing(project):
    """40 scripts in CI, 1,000 with LONG=1."""
    count = runs(40, 1_000)
    outcome = in_fresh_process(
        interrupt_the_word_to_the_background, count, at=project, seconds=10 * HANG_SECONDS + count
    )
    assert outcome == {"0": count}
    proved("scripts hung at their end", count)
