"""`run`: a command as an experiment. Its code need not know of us."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from specweave_ml.errors import NotFound, StoreError, UsageError
from specweave_ml.provenance import command
from specweave_ml.reproduction.metrics_file import read_lines, read_metrics
from specweave_ml.reproduction.output import Output
from specweave_ml.tracking import endings, track_experiment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from specweave_ml.reproduction.metrics_file import Points
    from specweave_ml.tracking import TrackedExperiment

OUTPUT = "output.txt"
PRINTED = "-"
"""In place of a file of metrics: the lines that the command prints."""

_PATIENCE_SECONDS = 5.0
_LAST_LINES = 20
_FORWARDED = (signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Run:
    """A command that ended.

    Attributes:
        experiment: the name of its experiment.
        increment: the full name of its increment.
        status: `finished`, `failed` or `killed`.
        code: what a shell would see: the exit code, or 128 + the number of the signal that killed it.
        seconds: from start to end.
        metrics: how many metrics were recorded.
        problem: why metrics are missing, in a sentence; None where none were asked for, or all is well.
    """

    experiment: str
    increment: str
    status: str
    code: int
    seconds: float
    metrics: int
    problem: str | None = None


def run(
    argv: Sequence[str],
    *,
    increment: str | None = None,
    name: str | None = None,
    metrics: str | None = None,
    data: Sequence[str] = (),
) -> Run:
    """Run a command and record it: command line, output, exit code, duration, peak memory, metrics.

    Args:
        argv: the program and its arguments.
        increment: where the experiment belongs; the active one by default.
        name: of the experiment; by default the name of the script, the module or the program.
        metrics: a file that the command writes (see `read_metrics`), or `-` for `name=value` lines that it prints.
        data: files, folders or URIs that it reads; a re-run needs those that git does not hold.

    Raises:
        UsageError: there is no command.
        NotFound: there is no such program, or no such increment.
        StoreError: the experiment cannot be written, or the program not be started.
    """
    if not argv:
        raise UsageError("there is no command to run", next_step="specweave-ml run -- python train.py")
    if shutil.which(argv[0]) is None:
        raise NotFound("there is no such program", received=argv[0], expected="a program on PATH, or its path")
    command.stand_for(tuple(argv))
    experiment = track_experiment(name or _name(argv), increment=increment)
    file = os.path.relpath(metrics) if metrics and os.path.isabs(metrics) else metrics
    endings.tell(experiment, wrapped={"metrics": file})
    for path in data:
        experiment.log_dataset(os.path.basename(os.path.normpath(path)), path)
    began, started = time.perf_counter(), time.time()
    try:
        code, output = _execute(argv)
    except OSError as error:
        endings.end_by(experiment, error)
        raise StoreError(f"the program cannot be started: {error.strerror or error}", path=argv[0]) from error
    points, problem = _points(metrics, output, started)
    _record(experiment, code, output, points)
    return Run(
        experiment.name, experiment.increment, experiment.status, code, time.perf_counter() - began,
        len({name for _, values in points for name in values}), problem,
    )  # fmt: skip


def _name(argv: Sequence[str]) -> str:
    """`train` of `python -u src/train.py`, `pkg.train` of `python -m pkg.train`, else the program's own name."""
    words = list(argv)
    if command.interpreter(words) and "-m" in words[1:-1]:
        return words[words.index("-m") + 1]
    script = next((word for word in words[1:] if word.endswith((".py", ".sh", ".R", ".jl"))), words[0])
    return os.path.splitext(os.path.basename(script))[0]


def _execute(argv: Sequence[str]) -> tuple[int, Output]:
    """Run to the end, and return the exit code as a shell would have it."""
    environment = {**os.environ, "PYTHONUNBUFFERED": os.environ.get("PYTHONUNBUFFERED", "1")}
    process = subprocess.Popen(list(argv), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    output = Output(process)
    with process:
        with _signals_go_to(process):
            code = process.wait()
        output.wait(_PATIENCE_SECONDS)
    return (128 - code if code < 0 else code), output


@contextmanager
def _signals_go_to(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Our own signals are the command's: it decides what they mean, and we record how it ended."""

    def forward(number: int, _frame: FrameType | None) -> None:
        process.send_signal(number)

    # The terminal sends an interrupt to the command too, so that it needs none from us.
    handlers = {number: signal.signal(number, forward) for number in _FORWARDED}
    handlers[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _points(metrics: str | None, output: Output, started: float) -> tuple[Points, str | None]:
    """What was measured, and why it is nothing: a file that is as old as an earlier run is not this one's."""
    if metrics is None:
        return [], None
    if metrics == PRINTED:
        points = read_lines(output.text())
        return points, None if points else "no line of its output has the form name=value"
    try:
        if os.stat(metrics).st_mtime < started - 1:
            return [], f"{metrics} is older than this run, so its metrics were not recorded"
        points = read_metrics(metrics)
    except OSError as error:
        return [], f"{metrics} cannot be read: {error.strerror or error}"
    except UsageError as error:
        return [], str(error)
    return points, None if any(values for _, values in points) else f"{metrics} holds no number"


def _record(experiment: TrackedExperiment, code: int, output: Output, points: Points) -> None:
    for step, values in points:
        if values:
            experiment.log_metrics(values, step)
    text = output.text()
    if text:
        experiment.save_artifact(OUTPUT, text)
    endings.tell(experiment, peak_memory_bytes=_peak_memory(), **({"exit_code": code} if code else {}))
    if code == 0:
        experiment.finish()
        return
    ended = f"signal {code - 128}" if code > 128 else f"exit code {code}"
    last = "\n".join(text.splitlines()[-_LAST_LINES:])
    error = {"type": "CommandFailed", "message": f"the command ended with {ended}", "traceback": last}
    endings.end(experiment, "killed" if code > 128 else "failed", error=error)


def _peak_memory() -> int:
    """Bytes that the largest of our children ever held at once."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024
