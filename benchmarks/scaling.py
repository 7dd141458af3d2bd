"""One search on 1, 2 and 4 workers, on loky and on a Dask cluster of processes: scikit-learn's own, and ours.

python -m benchmarks.scaling prints the table of docs/scaling.md, in about a minute.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.table import in_unit, machine, markdown
from benchmarks.work.data import EXPERIMENTS

WORKERS = (1, 2, 4)
REPEAT = 3
GRID = {"max_depth": [2, 3, 4], "learning_rate": [0.03, 0.1, 0.3], "subsample": [0.7, 1.0]}


@contextmanager
def cluster(workers: int) -> Iterator[None]:
    """A Dask cluster of processes on this machine, which joblib's Dask backend finds by itself."""
    distributed: Any = import_module("distributed")
    with (
        distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs="CRITICAL"
        ) as local,
        distributed.Client(local),
    ):
        yield


def seconds(work: Callable[[], object]) -> float:
    """The median of some runs after one that warms up."""
    spent = []
    for _ in range(1 + REPEAT):
        began = perf_counter()
        work()
        spent.append(perf_counter() - began)
    return median(spent[1:])


def rows() -> Iterator[list[str]]:
    """A row a number of workers."""
    from joblib import parallel_config
    from sklearn.datasets import make_classification
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.model_selection import GridSearchCV

    from specweave import track_grid_search

    features, target = make_classification(1_000, 20, random_state=0)
    model = GradientBoostingClassifier(n_estimators=20, random_state=0)

    def plain() -> None:
        GridSearchCV(model, GRID, cv=5).fit(features, target)

    def tracked() -> None:
        track_grid_search(model, GRID, features, target, increment="0001")

    for workers in WORKERS:
        with parallel_config(backend="loky", n_jobs=workers):
            walls = [seconds(plain), seconds(tracked)]
        with cluster(workers), parallel_config(backend="dask"):
            walls += [seconds(plain), seconds(tracked)]
        yield [str(workers), *(in_unit(wall, "s") for wall in walls)]


def main() -> None:
    """Prints the table."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)  # before ours is imported, so that it runs after ours has ended
    os.chdir(folder)
    Path(EXPERIMENTS).mkdir(parents=True)
    print(machine(Path(folder)))
    print(
        markdown(["workers", "`GridSearchCV`, loky", "ours, loky", "`GridSearchCV`, Dask", "ours, Dask"], list(rows()))
    )


if __name__ == "__main__":
    main()
