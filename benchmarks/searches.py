"""The rows of searches: the floor is scikit-learn's own search or cross-validation with the same number of workers."""

from collections.abc import Iterator

from benchmarks.measure import Bench, Contender
from benchmarks.table import Line

SEARCHES = Contender("ours", "benchmarks.work.searches")
WORKERS = (1, 2)
REACH = 1.05


def search(bench: Bench) -> Iterator[Line]:
    """A grid search against `GridSearchCV`."""
    yield from beside_scikit_learn(bench, "search", "`track_grid_search` of 100 candidates × 5 folds")


def folds(bench: Bench) -> Iterator[Line]:
    """A cross-validation against `cross_validate`."""
    yield from beside_scikit_learn(bench, "folds", "`track_cross_validation`, 10 × 10 folds")


def beside_scikit_learn(bench: Bench, work: str, words: str) -> Iterator[Line]:
    """Plain and tracked laps in turns, in fresh processes."""
    for jobs in WORKERS:
        laps: list[float] = []
        for _ in range(bench.repeat):
            with bench.project() as folder:
                laps += bench.work(SEARCHES, work, folder, jobs).laps
        yield Line(
            row=work,
            work=f"{words}, n_jobs={jobs}",
            unit="ms",
            floor=laps[0::2],
            ours=laps[1::2],
            reach=REACH,
        )
