"""The same work by other trackers, each in its own environment, taken in turns with the floor and ours."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median
from typing import Any, TypeVar

from benchmarks.environments import PEERS
from benchmarks.measure import FLOOR, OURS, Bench, Contender, MeasurementError, Sample
from benchmarks.rows import log_until_killed, short_in_project, sizes_of_short
from benchmarks.table import in_unit
from benchmarks.work.boosting import ROUNDS

POINTS = 10_000
WIDE_ROWS = 100
RUNS = 1_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One work by everyone: the median of each contender, or why it could not be measured.

    `unit` is a unit of time, or `kept` for rows on disk, where more is better.
    """

    work: str
    unit: str
    values: Mapping[str, float | str]

    def cells(self, names: Sequence[str]) -> list[str]:
        """Work, one cell a contender, and whether ours is ahead of every peer."""
        return [self.work, *(self._cell(name) for name in names), "yes" if self.ahead else "**no**"]

    def _cell(self, name: str) -> str:
        value, floor = self.values[name], self.values["floor"]
        if isinstance(value, str) or isinstance(floor, str):
            return f"not measured: {value}"
        if self.unit == "kept":
            return f"{value:,.0f}"
        times = "" if name == "floor" or floor == 0 else f" ({value / floor:.1f} ×)"
        return in_unit(value, self.unit) + times

    @property
    def ahead(self) -> bool:
        """Whether no peer is better; a peer that could not be measured is not counted."""
        ours = self.values["ours"]
        peers = [v for name, v in self.values.items() if name not in ("floor", "ours") and not isinstance(v, str)]
        if isinstance(ours, str):
            return False
        return all(ours >= peer if self.unit == "kept" else ours <= peer for peer in peers)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form: seconds, or rows kept."""
        return asdict(self) | {"ahead": self.ahead}


class Versus:
    """The peers that can be installed here, beside the floor and ours."""

    def __init__(self, bench: Bench, peers: Sequence[str]) -> None:
        self.bench = bench
        self.contenders: list[Contender] = [FLOOR, OURS]
        self.missing: dict[str, str] = {}
        for name in peers:
            try:
                self.contenders.append(PEERS[name].install())
            except MeasurementError as reason:
                self.missing[name] = str(reason)

    @property
    def names(self) -> list[str]:
        """The columns of the table."""
        return [contender.name for contender in self.contenders] + list(self.missing)

    def measure(self) -> Iterator[Comparison]:
        """One comparison a work, in the order of the table."""
        yield self.imports()
        yield from self.short()
        yield from self.points(POINTS, 1, "one point")
        yield from self.points(WIDE_ROWS, 100, "a value of 100 logged at once")
        yield self.read()
        yield self.rounds()
        yield self.tuned()

    def imports(self) -> Comparison:
        """By the wall, less the bare Python of the same environment."""
        statements = {"floor": "pass", "ours": "from specweave import track_experiment"}
        jobs: dict[str, Callable[[], float]] = {}
        for contender in self.contenders:
            statement = statements.get(contender.name, f"import {contender.name.split()[0]}")
            jobs[contender.name] = partial(self._more_than_bare, contender, statement)
        return self._compare("import, more than bare Python", "ms", self._taken(jobs), lambda seconds: seconds)

    def _more_than_bare(self, contender: Contender, statement: str) -> float:
        if contender is FLOOR:
            return 0.0
        walls = [
            self.bench.command([contender.python, "-c", code], environment=contender.environment).wall
            for code in ("pass", statement)
        ]
        return walls[1] - walls[0]

    def short(self) -> Iterator[Comparison]:
        """Start, 10 params, 10 metrics, finish."""
        sizes = sizes_of_short(self.bench, None)
        taken = self._taken(
            {
                c.name: partial(short_in_project, self.bench, c, None, *(sizes if c is FLOOR else ()))
                for c in self.contenders
            }
        )
        yield self._compare("short run, first of a process", "ms", taken, lambda sample: sample.laps[0])
        yield self._compare("short run, 2nd to 20th", "ms", taken, lambda sample: median(sample.laps[1:]))

    def points(self, rows: int, width: int, work: str) -> Iterator[Comparison]:
        """Time of a value, and the rows that outlive SIGKILL."""
        taken = self._taken({c.name: partial(log_until_killed, self.bench, c, rows, width) for c in self.contenders})
        yield self._compare(work, "µs", taken, lambda logged: logged.a_value)
        yield self._compare(f"rows on disk after SIGKILL, of {rows:,}", "kept", taken, lambda logged: logged.kept)

    def read(self) -> Comparison:
        """Cold process to a sorted table. Each reads what it wrote itself, the floor what we wrote."""
        with ExitStack() as folders:
            jobs: dict[str, Callable[[], Sample]] = {}
            unable: dict[str, str] = {}
            for contender in self.contenders[1:]:
                folder = folders.enter_context(self.bench.project())
                try:
                    self.bench.work(contender, "make", folder, RUNS)
                except MeasurementError as reason:
                    unable[contender.name] = str(reason)
                    continue
                jobs[contender.name] = partial(self.bench.work, contender, "read", folder)
                if contender is OURS:
                    jobs[FLOOR.name] = partial(self.bench.work, FLOOR, "read", folder)
            taken = self._taken(jobs)
        return self._compare(f"read {RUNS:,} runs, sorted, cold process", "ms", taken | unable, lambda s: s.wall)

    def rounds(self) -> Comparison:
        """XGBoost with each tracker's own integration, where it has one."""
        taken = self._taken({c.name: partial(self._in_project, c, "rounds") for c in self.contenders})
        return self._compare(f"{ROUNDS:,} rounds of XGBoost", "ms", taken, lambda sample: sample.laps[0])

    def tuned(self) -> Comparison:
        """A grid search as each tracker records it by itself, where it does."""
        taken = self._taken({c.name: partial(self._in_project, c, "tuned") for c in self.contenders})
        return self._compare("a grid search of 100 × 5 fits", "ms", taken, lambda sample: sample.laps[0])

    def _in_project(self, contender: Contender, work: str) -> Sample:
        with self.bench.project() as folder:
            return self.bench.work(contender, work, folder)

    def _taken(self, jobs: Mapping[str, Callable[[], T]]) -> dict[str, list[T] | str]:
        """What each job gave in every repeat, or why a peer could not do it at all."""
        unable = {name: reason for name, job in jobs.items() if (reason := self._reason_against(job))}
        if FLOOR.name in unable or OURS.name in unable:
            raise MeasurementError("; ".join(unable.values()))
        able = {name: job for name, job in jobs.items() if name not in unable}
        return {**self.bench.interleave(able, warm=False), **unable}

    def _reason_against(self, job: Callable[[], object]) -> str | None:
        try:
            job()
        except MeasurementError as reason:
            return str(reason)
        return None

    def _compare(
        self, work: str, unit: str, taken: Mapping[str, list[T] | str], value: Callable[[T], float]
    ) -> Comparison:
        medians: dict[str, float | str] = {
            name: samples if isinstance(samples, str) else median(map(value, samples))
            for name, samples in taken.items()
        }
        return Comparison(work, unit, medians | self.missing)
