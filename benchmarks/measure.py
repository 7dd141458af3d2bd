"""Fresh processes in fresh project folders on a real disk, taken in turns."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.work.data import EXPERIMENTS, REPORT

REPOSITORY = Path(__file__).resolve().parent.parent
IN_MEMORY = {"tmpfs", "ramfs", "devtmpfs"}
LONGEST_SECONDS = 600.0
# What would change a child from outside: Python's own switches, git's, and every tracker's.
SCRUBBED = ("PYTHON", "GIT_", "SPECWEAVE", "MLFLOW", "WANDB", "TRACKIO", "HF_")

T = TypeVar("T")


class MeasurementError(Exception):
    """A process that should have been measured did not do its work."""


@dataclass(frozen=True, slots=True)
class Contender:
    """Who does the work: a module of `benchmarks.work` or `benchmarks.peers`, and the Python that has what it needs."""

    name: str
    module: str
    python: str = sys.executable
    environment: Mapping[str, str] = field(default_factory=dict)
    # Seconds that helper processes get after a kill, before what reached the disk is counted.
    grace: float = 0.0


FLOOR = Contender("floor", "benchmarks.work.floor")
OURS = Contender("ours", "benchmarks.work.ours")


@dataclass(frozen=True, slots=True)
class Sample:
    """One process: its wall in seconds from spawn to exit, and what it reported (`benchmarks.work.run`)."""

    wall: float
    laps: Sequence[float] = ()
    result: Any = None
    peak_bytes: int = 0


class Bench(AbstractContextManager["Bench"]):
    """Runs processes below one temporary folder, which is removed at the end, however it ends.

    Args:
        repeat: how often each measurement is taken.
        parent: where the temporary folder is made; by default a temporary folder that is on a disk.
    """

    def __init__(self, repeat: int = 5, parent: str | None = None) -> None:
        self.repeat = repeat
        self.folder = Path(tempfile.mkdtemp(prefix="specweave-ml-bench-", dir=parent or disk_folder()))
        self._report = self.folder / "report.json"

    def __exit__(self, *error: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def project(self, root: Path | None = None) -> Iterator[Path]:
        """A folder with an empty `.specweave` project in it; inside `root`, where that is given."""
        folder = root or Path(tempfile.mkdtemp(dir=self.folder))
        (folder / EXPERIMENTS).mkdir(parents=True)
        os.sync()  # what earlier processes left to be written must not be paid by the next one's fsync
        try:
            yield folder
        finally:
            shutil.rmtree(folder / ".specweave" if root else folder, ignore_errors=True)

    def work(self, contender: Contender, work: str, folder: Path, *numbers: int) -> Sample:
        """One function of a contender in a process of its own, with `folder` as the current folder."""
        self._report.unlink(missing_ok=True)
        environment = {**contender.environment, "PYTHONPATH": str(REPOSITORY), REPORT: str(self._report)}
        command = [contender.python, "-P", "-m", "benchmarks.work.run", contender.module, work, *map(str, numbers)]
        wall, code, said = self._spawn(command, folder, environment, contender.grace if work == "points" else 0.0)
        expected = -signal.SIGKILL if work == "points" else 0
        if code != expected or not self._report.exists():
            raise MeasurementError(f"{contender.name} {work} ended with {code}: {last_line(said)}")
        return Sample(wall, **json.loads(self._report.read_text(encoding="utf-8")))

    def command(
        self,
        command: Sequence[str],
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        *,
        on_terminal: bool = False,
    ) -> Sample:
        """A command line by the wall; what it printed, to a file or to a terminal, is the result."""
        wall, code, said = self._spawn(command, folder or self.folder, environment or {}, on_terminal=on_terminal)
        if code != 0:
            raise MeasurementError(f"{' '.join(command)} ended with {code}: {last_line(said)}")
        return Sample(wall, result=said)

    def interleave(
        self, jobs: Mapping[str, Callable[[], T]], times: int | None = None, *, warm: bool = True
    ) -> dict[str, list[T]]:
        """Every job in turn, over and over, in alternating order, after one round that only warms the caches."""
        taken: dict[str, list[T]] = {name: [] for name in jobs}
        if warm:
            for job in jobs.values():
                job()
        for round_number in range(times or self.repeat):
            names = list(jobs) if round_number % 2 == 0 else list(jobs)[::-1]
            for name in names:
                taken[name].append(jobs[name]())
        return taken

    def _spawn(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        grace: float = 0.0,
        *,
        on_terminal: bool = False,
    ) -> tuple[float, int, str]:
        """Wall, exit code and output. Output goes to a file: a helper process left behind would keep a pipe open."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(SCRUBBED)}
        clean.update(environment, HOME=str(self.folder), TMPDIR=str(self.folder))
        written = self.folder / "output.txt"
        with terminal(written) if on_terminal else written.open("wb") as output:
            start = time.perf_counter()
            process = subprocess.Popen(
                command, cwd=folder, env=clean, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
            # A timer, because wait(timeout) looks only every 50 ms.
            timer = threading.Timer(LONGEST_SECONDS, process.kill)
            timer.start()
            try:
                code = process.wait()
                wall = time.perf_counter() - start
                time.sleep(grace)
            finally:
                timer.cancel()
                end_group(process.pid)
                process.wait()
        return wall, code, written.read_text(encoding="utf-8", errors="replace")


@contextmanager
def terminal(written: Path) -> Iterator[int]:
    """A terminal to print on; what appears there goes to a file."""
    screen, printed_on = pty.openpty()

    def copy() -> None:
        with written.open("wb") as file, suppress(OSError):  # raised when the last process has let go of the terminal
            while said := os.read(screen, 1 << 16):
                file.write(said)

    reader = threading.Thread(target=copy)
    reader.start()
    try:
        yield printed_on
    finally:
        os.close(printed_on)
        reader.join()
        os.close(screen)


def end_group(group: int) -> None:
    """Ends what a measured process left running in its own session."""
    with suppress(ProcessLookupError):  # nothing was left
        os.killpg(group, signal.SIGKILL)


def last_line(text: str) -> str:
    """The line of an output that most often holds the reason."""
    return text.strip().rpartition("\n")[2] or "it said nothing"


def disk_folder() -> str:
    """The first usual temporary folder that is on a disk: in memory, an fsync would cost nothing."""
    usual = [tempfile.gettempdir(), "/var/tmp", str(REPOSITORY.parent)]  # noqa: S108 - only as a parent
    return next((folder for folder in usual if filesystem(folder) not in IN_MEMORY), usual[0])


def filesystem(folder: str | Path) -> str:
    """The type of the file system under a folder, or `unknown` where the system does not tell it as Linux does."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown"
    path = Path(folder).resolve()
    types = {mount.split()[1]: mount.split()[2] for mount in mounts}
    return next((types[str(place)] for place in (path, *path.parents) if str(place) in types), "unknown")
