"""The rows of living documents: a sync beside parsing the same documents with markdown-it-py."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from functools import partial

from benchmarks.measure import FLOOR, OURS, Bench, MeasurementError, Sample
from benchmarks.table import Line
from benchmarks.work.data import INCREMENTS

PAGE = 1_000_000


def sync(bench: Bench, count: int = 60) -> Iterator[Line]:
    """News in every increment of a large page."""
    reasons = itertools.count()
    with bench.project() as folder:
        shutil.rmtree(folder / INCREMENTS)  # of the other rows
        size = bench.work(OURS, "make_increments", folder, count, PAGE).result

        def renew() -> Sample:
            return all_of(bench.work(OURS, "renew", folder, next(reasons)), count)

        jobs: dict[str, Callable[[], Sample]] = {"floor": partial(bench.work, FLOOR, "renew", folder), "ours": renew}
        taken = bench.interleave(jobs)
    yield Line(
        row="sync",
        work=f"sync of {count} increments with news, a page of {size / 1e6:.1f} MB",
        unit="ms",
        floor=[sample.laps[0] for sample in taken["floor"]],
        ours=[sample.laps[0] for sample in taken["ours"]],
        reach=2.0,
        notes=["the floor is two full parses of the page; ours reads and compares the experiments, too"],
    )


def settled(bench: Bench, count: int = 100) -> Iterator[Line]:
    """Nothing to do."""
    with bench.project() as folder:
        shutil.rmtree(folder / INCREMENTS)
        bench.work(OURS, "make_increments", folder, count, PAGE)
        bench.work(OURS, "renew", folder, 0)
        works = {"the documents alone": "look_at_documents", "from the experiments on": "look"}
        taken = bench.interleave(
            {"floor": partial(bench.work, FLOOR, "look", folder)}
            | {part: partial(bench.work, OURS, work, folder) for part, work in works.items()}
        )
    for part in works:
        yield Line(
            row="settled",
            work=f"sync of {count} increments without news, {part}",
            unit="ms",
            floor=[sample.laps[0] for sample in taken["floor"]],
            ours=[all_of(sample, 3 * count).laps[0] for sample in taken[part]],
            reach=1.0 if part == "the documents alone" else None,
            notes=["the floor is one parse of the blocks of all documents"],
        )


def all_of(sample: Sample, regions: int) -> Sample:
    """The sample, if it did its work.

    Raises:
        MeasurementError: it did not renew, or look at, every region.
    """
    if sample.result < regions:
        message = f"{sample.result} of {regions} regions"
        raise MeasurementError(message)
    return sample
