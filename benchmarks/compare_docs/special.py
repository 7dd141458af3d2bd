"""What a case cannot say with documents alone: other surroundings, how the file is written, a large document."""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.compare_docs import ours
from benchmarks.compare_docs.judge import SECONDS, run
from benchmarks.compare_docs.tools import DOCUMENT, Tool, nothing

BODY = "### Experiments\n\n" + "".join(
    f"- exp-{number:03}-model: tried (acc=0.{number:02})\n" for number in range(1, 21)
)
NEWS = BODY + "- exp-021-model: tried (acc=0.21)\n"
PEOPLE = "What the team says about it, in *their* words, with `code` and a [link](https://example.org).\n" * 7 + "\n"
ELSEWHERE = (
    {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
    {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2", "HOME": "/nonexistent"},
)
IN_PLACE = re.compile(rf'open(?:at)?\([^"]*"(?:[^"]*/)?{re.escape(DOCUMENT)}", [^)]*O_(?:WRONLY|RDWR)')


class Ready:
    """A folder with a document in which a tool has written once, and news for it; `tool` None is this package."""

    def __init__(self, tool: Tool | None, folder: Path, *, regions: int = 1, size: int = 0) -> None:
        self.tool = tool
        self.folder = folder
        self.path = folder / DOCUMENT
        self.ids = [f"inc-{number:04}" for number in range(1, (regions if tool is None or tool.any_text else 1) + 1)]
        words = PEOPLE * (size // (len(PEOPLE) * regions) + 1)
        self._feed(BODY)
        if tool is None:
            self.path.write_text("# ML Models\n")
            self.run()
            self.path.write_text(self.path.read_text().replace("\n## ", f"\n{words}## "))
        else:
            end = f"\n{tool.end}\n" if tool.end else "\n"
            sections = [f"## Model {region}\n\n{tool.begin(region)}{end}\n{words}" for region in self.ids]
            self.path.write_text("# ML Models\n\n" + "".join(sections) + words * (regions - len(self.ids)))
            self.run()
        self.tell(NEWS)

    def tell(self, body: str) -> None:
        """Have this text generated next; for a tool that reads the document alone, a heading is the news."""
        self._feed(body)
        if self.tool and self.tool.feed is nothing:
            self.path.write_text(f"{self.path.read_text()}\n## News of {len(body)}\n")

    def run(self, **environment: str) -> float:
        """The seconds of one run."""
        start = time.perf_counter()
        run(self.tool, self.command, self.folder, **environment)
        return time.perf_counter() - start

    @property
    def command(self) -> Sequence[str]:
        """What renews the document."""
        return self.tool.command if self.tool else (sys.executable, "-m", "benchmarks.compare_docs.ours")

    def _feed(self, body: str) -> None:
        (self.tool.feed if self.tool else ours.feed)(self.folder, dict.fromkeys(self.ids, body))


def looking_writes_nothing(tool: Tool | None) -> bool | None:
    """Case 14: the check of a stale document leaves everything as it is; None where there is no check."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Ready(tool, Path(folder))
        check = tool.check if tool else (*ready.command, "check")
        if check is None:
            return None
        before = _files(ready.folder)
        run(tool, check, ready.folder)
        return _files(ready.folder) == before


def same_everywhere(tool: Tool | None) -> bool:
    """Case 15: the same bytes in other surroundings."""
    results = set()
    for environment in ({}, *ELSEWHERE):
        with tempfile.TemporaryDirectory() as folder:
            ready = Ready(tool, Path(folder))
            ready.run(**environment)
            results.add(ready.path.read_bytes())
    return len(results) == 1


def never_half(tool: Tool | None) -> bool | None:
    """Case 16: the document itself is never opened for writing, so that a kill leaves the old or the new one."""
    if shutil.which("strace") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        ready = Ready(tool, Path(folder))
        log = ready.folder / "calls.log"
        before = ready.path.read_bytes()
        run(tool, ("strace", "-f", "-o", str(log), "-e", "trace=open,openat,creat", *ready.command), ready.folder)
        if ready.path.read_bytes() == before:
            return None
        return not IN_PLACE.search(log.read_text(errors="replace"))


def seconds_for_a_megabyte(tool: Tool | None) -> float | None:
    """Case 18: sixty regions with news in a megabyte; None when it takes too long."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            ready = Ready(tool, Path(folder), regions=60, size=1_000_000)
            seconds = []
            for body in (NEWS, BODY, NEWS):
                ready.tell(body)
                seconds.append(ready.run())
            return median(seconds)
        except subprocess.TimeoutExpired:
            print(f"not within {SECONDS} s", file=sys.stderr)
            return None


def _files(folder: Path) -> dict[Path, tuple[int, bytes]]:
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}
