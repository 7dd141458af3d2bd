"""Driving faults: each test in a fresh process of its own, children that cost a fork, and what a zero proves.

A fault test breaks processes, limits and signals, so nothing of it happens in the process of pytest: the test names a
function of its module, which runs in a new interpreter (one thread, no hooks) and gives back what it counted.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CALLS = "open write fsync link mkdir rmdir unlink replace fchmod".split()
_HERE = Path(__file__).parent
_RUN = """
import importlib, json, sys
folders, module, function, arguments, answer = json.loads(sys.argv[1])
sys.path[:0] = folders
result = getattr(importlib.import_module(module), function)(*arguments)
with open(answer, "w") as file:
    json.dump(result, file)
"""


def runs(ci: int, long: int) -> int:
    """How often a fault is tried: `LONG=1` in the environment asks for the long count."""
    return long if os.environ.get("LONG") else ci


def proved(what: str, count: int) -> None:
    """Print what was never seen in `count` tries, and the rate that this still allows at 95 % (rule of three)."""
    print(f"0 of {count:,} {what} (95 % bound 3/N = {3 / count:.2g})")  # noqa: T201 - shown by pytest -rP


def dice(seed: object) -> random.Random:
    """Random numbers that are the same in every run of the test."""
    return random.Random(str(seed))  # noqa: S311 - moments of faults, not keys


def in_fresh_process(function: Callable[..., Any], *arguments: Any, at: Path, seconds: float = 170) -> Any:
    """The result of a module's function, called in a new Python process that stands in `at`.

    Arguments and result are what JSON holds. Whatever the process leaves running is ended and fails the test.
    """
    answer = at / ".answer.json"
    answer.unlink(missing_ok=True)
    call = json.dumps([[str(_HERE.parent), str(_HERE)], function.__module__, function.__name__, arguments, str(answer)])
    with open(at / ".stderr", "w+") as errors:
        process = subprocess.Popen([sys.executable, "-c", _RUN, call], cwd=at, stderr=errors, start_new_session=True)
        try:
            code = process.wait(seconds)
        finally:
            left_over = _end_group(process)
        errors.seek(0)
        said = errors.read()
    assert code == 0, said[-4000:]
    assert not left_over, "the test left a process behind"
    return json.loads(answer.read_text())


def _end_group(process: subprocess.Popen[bytes]) -> bool:
    """End what is left of the process and its children; True if anything was."""
    for _ in range(100):  # workers that were told to go need a moment
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return False
        if process.poll() is None:
            break
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return True


def forked(body: Callable[[], None]) -> int:
    """The pid of a child that runs `body` and is gone, without any of Python's endings; code 70 if it raised."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        body()
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, it must not run on as a second copy of the test
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
    os._exit(code)


def ended(pid: int, seconds: float) -> int | None:
    """The exit code of a child (negative: the signal); None when it hung for `seconds`, and was killed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.0005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def at_step(number: int, what: Callable[[], None]) -> Callable[[], int]:
    """Do something before the sync's call of this number; the function that is given back says how many there were."""
    from specweave_ml.living_docs import exchange

    steps = 0

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def calling(*arguments: Any, **options: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps == number:
                what()
            return call(*arguments, **options)

        return calling

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))
    call = counted(exchange._system_call())
    exchange.exchange_files.__globals__["_system_call"] = lambda: call
    return lambda: steps
