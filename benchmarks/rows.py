"""The rows of the table: what is measured against the floor, and what is to be reached."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.boosting import rounds
from benchmarks.documents import settled, sync
from benchmarks.measure import FLOOR, OURS, Bench, Contender, MeasurementError, Sample
from benchmarks.searches import folds, search
from benchmarks.table import Line, in_unit
from benchmarks.work.data import EXPERIMENTS

BARE = [sys.executable, "-c", "pass"]
IMPORT = [sys.executable, "-c", "from specweave import track_experiment"]
REPOSITORY_FILES = 5_000
LARGE_REPOSITORY_FILES = 50_000
MEGABYTE = 1 << 20


def imports(bench: Bench) -> Iterator[Line]:
    """The cost of our import by the wall. Noisy, so many repeats."""
    walls = bench.interleave(
        {"floor": partial(bench.command, BARE), "ours": partial(bench.command, IMPORT)}, max(20, 4 * bench.repeat)
    )
    third_party = bench.work(OURS, "third_party", bench.folder).result
    yield Line(
        row="import",
        work="`from specweave import track_experiment`",
        unit="ms",
        floor=[sample.wall for sample in walls["floor"]],
        ours=[sample.wall for sample in walls["ours"]],
        judge="more",
        reach=0.030,
        also=not third_party,
        notes=[f"third-party modules loaded: {', '.join(third_party) or 'none'}", costliest_imports(bench)],
    )


def costliest_imports(bench: Bench) -> str:
    """The six most expensive modules by their own time, as `-X importtime` sees them (it slows every import)."""
    said = bench.command([IMPORT[0], "-X", "importtime", *IMPORT[1:]]).result
    bare = bench.command([BARE[0], "-X", "importtime", *BARE[1:]]).result
    pattern = re.compile(r"import time:\s+(\d+) \|\s+\d+ \| +(\S+)")
    known = {name for _, name in pattern.findall(bare)}
    costs = sorted(((int(us), name) for us, name in pattern.findall(said) if name not in known), reverse=True)
    return "costliest modules: " + ", ".join(f"{name} {us / 1000:.1f} ms" for us, name in costs[:6])


def short(bench: Bench) -> Iterator[Line]:
    """Start, 10 params, 10 metrics, finish: the first of a process, which is judged, and the ones after it."""
    yield from short_in(bench, None, "bare folder")
    yield from short_in(bench, dirty_repository(bench), f"dirty git repository of {REPOSITORY_FILES:,} files")


def short_in(bench: Bench, root: Path | None, where: str) -> Iterator[Line]:
    """In a project folder of its own, or in `root` with an empty `.specweave` each time."""
    sizes = sizes_of_short(bench, root)
    taken = bench.interleave(
        {
            "floor": partial(short_in_project, bench, FLOOR, root, *sizes),
            "ours": partial(short_in_project, bench, OURS, root),
        },
        max(15, 3 * bench.repeat),
    )
    laps = {name: [sample.laps for sample in samples] for name, samples in taken.items()}
    rest = median(background(bench, root) for _ in range(bench.repeat))
    yield Line(
        row="short",
        work=f"short experiment, {where}",
        unit="ms",
        floor=[lap[0] for lap in laps["floor"]],
        ours=[lap[0] for lap in laps["ours"]],
        reach=2.0,
        notes=[f"{where}: after its end, a thread completes the provenance for {in_unit(rest, 'ms')}"],
    )
    yield Line(
        row="short",
        work="the 2nd to 20th in the same process",
        unit="ms",
        floor=[median(lap[1:]) for lap in laps["floor"]],
        ours=[median(lap[1:]) for lap in laps["ours"]],
    )


def short_in_project(bench: Bench, contender: Contender, root: Path | None, *sizes: int) -> Sample:
    """One process with its short experiments; `sizes` are the bytes of the floor's files."""
    with bench.project(root) as folder:
        return bench.work(contender, "short", folder, *sizes)


def background(bench: Bench, root: Path | None) -> float:
    """Seconds that a process works on after its first short experiment has ended."""
    with bench.project(root) as folder:
        return bench.work(OURS, "background", folder).laps[0]


def sizes_of_short(bench: Bench, root: Path | None) -> list[int]:
    """Bytes of our params.json, metrics.json and metadata.yaml: the floor writes as many."""
    with bench.project(root) as folder:
        bench.work(OURS, "short", folder)
        ours = folder / EXPERIMENTS / "short-0"
        return [(ours / name).stat().st_size for name in ("params.json", "metrics.json", "metadata.yaml")]


def capture(bench: Bench) -> Iterator[Line]:
    """What the capture costs training: the same short experiment in a bare folder, and in a huge repository."""
    repository = dirty_repository(bench, LARGE_REPOSITORY_FILES)
    with (repository / "data.bin").open("wb") as untracked:
        untracked.truncate(1 << 30)
    taken = bench.interleave(
        {
            "floor": partial(short_in_project, bench, OURS, None),
            "ours": partial(short_in_project, bench, OURS, repository),
        },
        max(15, 3 * bench.repeat),
    )
    yield Line(
        row="capture",
        work=f"short experiment, {LARGE_REPOSITORY_FILES:,} files and 1 GB untracked; floor: a bare folder",
        unit="ms",
        floor=[sample.laps[0] for sample in taken["floor"]],
        ours=[sample.laps[0] for sample in taken["ours"]],
        judge="more",
        reach=0.002,
        notes=["both are ours, the first of a process: the difference is what the repository costs the main thread"],
    )


def dirty_repository(bench: Bench, files: int = REPOSITORY_FILES) -> Path:
    """A git repository of so many committed files, a hundredth of them changed since, and 20 untracked ones."""
    repository = bench.folder / f"repository-{files}"
    for number in range(files):
        path = repository / f"package_{number // 100:02d}" / f"module_{number:04d}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'"""Module {number}."""\n\nVALUE = {number}\n' + "# a line of source\n" * 40, encoding="utf-8")
    git = ["git", "-C", str(repository), "-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "start"]):
        subprocess.run([*git, *command], check=True)
    for path in sorted(repository.glob("package_*/module_*00.py")):
        path.write_text("VALUE = 'changed'\n", encoding="utf-8")
    for number in range(20):
        (repository / f"untracked_{number}.py").write_text("VALUE = 'new'\n", encoding="utf-8")
    return repository


@dataclass(frozen=True, slots=True)
class Logged:
    """Rows logged until the process was killed: seconds a value, and the rows that were on disk afterwards."""

    a_value: float
    kept: int


def log_until_killed(bench: Bench, contender: Contender, rows: int, width: int) -> Logged:
    """One process that logs until it is killed, and a second one that counts."""
    with bench.project() as folder:
        sample = bench.work(contender, "points", folder, rows, width)
        kept = bench.work(contender, "count", folder).result
    return Logged(sample.laps[0] / (rows * width), kept)


def points(bench: Bench, rows: int, width: int, row: str, work: str) -> Iterator[Line]:
    """`rows` calls of `width` values; every one of ours must be on disk when the process is killed."""
    taken = bench.interleave({c.name: partial(log_until_killed, bench, c, rows, width) for c in (FLOOR, OURS)})
    worst = {name: min(logged.kept for logged in every) for name, every in taken.items()}
    yield Line(
        row=row,
        work=work,
        unit="µs",
        floor=[logged.a_value for logged in taken["floor"]],
        ours=[logged.a_value for logged in taken["ours"]],
        reach=1.2,
        also=worst["ours"] == rows,
        notes=[
            f"rows on disk after SIGKILL, of {rows:,}, at least: ours {worst['ours']:,}, the floor {worst['floor']:,}"
        ],
    )


def read(bench: Bench, count: int = 10_000) -> Iterator[Line]:
    """Cold process to a sorted table, by the wall."""
    with bench.project() as folder:
        bench.work(OURS, "make", folder, count)
        taken = bench.interleave({c.name: partial(bench.work, c, "read", folder) for c in (FLOOR, OURS)})
    seen = {tuple(sample.result) for samples in taken.values() for sample in samples}
    if len(seen) != 1 or next(iter(seen))[0] != count:
        raise MeasurementError(f"the tables differ (count, first, last): {seen}")
    yield Line(
        row="read",
        work=f"cold process to a sorted table of {count:,} experiments",
        unit="ms",
        floor=[sample.wall for sample in taken["floor"]],
        ours=[sample.wall for sample in taken["ours"]],
        reach=1.0,
    )


def history(bench: Bench, count: int = 1_000_000, most: int = 512 * MEGABYTE) -> Iterator[Line]:
    """One journal as columns."""
    with bench.project() as folder:
        bench.work(OURS, "make_history", folder, count)
        taken = bench.interleave({c.name: partial(bench.work, c, "history", folder) for c in (FLOOR, OURS)})
    wrong = [sample.result for sample in taken["ours"] if sample.result[:3] != [count] * 3]
    if wrong:
        raise MeasurementError(f"history() gave columns of {wrong[0][:3]} points, not {count}")
    peak = max(sample.peak_bytes for sample in taken["ours"])
    yield Line(
        row="history",
        work=f"`history()` of {count:,} points as columns",
        unit="ms",
        floor=[sample.laps[0] for sample in taken["floor"]],
        ours=[sample.laps[0] for sample in taken["ours"]],
        reach=1.5,
        also=peak <= most,
        notes=[f"peak memory {peak / MEGABYTE:.0f} MB, to be at most {most / MEGABYTE:.0f} MB"],
    )


def listing(bench: Bench, count: int = 1_000) -> Iterator[Line]:
    """The command line, its output going to a file as an agent reads it, and to a terminal as a person does."""
    command = [str(Path(sys.executable).parent / "specweave-ml"), "list"]
    color = {"TERM": "xterm-256color"}
    with bench.project() as folder:
        bench.work(OURS, "make", folder, count)
        walls = bench.interleave(
            {
                "floor": partial(bench.command, BARE, folder),
                "to a file": partial(bench.command, command, folder),
                "on a terminal": partial(bench.command, command, folder, color, on_terminal=True),
            },
            max(10, 2 * bench.repeat),
        )
    for where in ("to a file", "on a terminal"):
        yield Line(
            row="list",
            work=f"`specweave-ml list` of {count:,}, {where}",
            unit="ms",
            floor=[sample.wall for sample in walls["floor"]],
            ours=[sample.wall for sample in walls[where]],
            judge="more",
            reach=0.150,
        )


ROWS: dict[str, Callable[[Bench], Iterator[Line]]] = {
    "import": imports,
    "short": short,
    "capture": capture,
    "point": partial(points, rows=100_000, width=1, row="point", work="one `log_metric`, 100,000 in a row"),
    "wide": partial(points, rows=1_000, width=100, row="wide", work="`log_metrics` of 100 values, a value"),
    "read": read,
    "history": history,
    "list": listing,
    "sync": sync,
    "settled": settled,
    "search": search,
    "folds": folds,
    "rounds": rounds,
}
