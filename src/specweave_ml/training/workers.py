"""Fits over joblib's backends: loky's processes, threads, a Dask cluster, whatever `parallel_config` says.

Every result comes to the parent the moment it is there, in any order. A worker that dies takes loky's whole pool with
it, and Dask gives up after some tries of its own: what came is kept and the rest goes to a new pool. A fit in whose
company workers died twice then runs alone, where a third death is its own.
"""

from __future__ import annotations

import pickle
import sys
from collections import Counter, deque
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from joblib.externals.loky.process_executor import BrokenProcessPool, TerminatedWorkerError
from joblib.parallel import get_active_backend
from sklearn.utils.parallel import Parallel, delayed

from specweave_ml.errors import UsageError
from specweave_ml.training.fit import Fit, fit_and_score

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from specweave_ml.training.fit import Extras
    from specweave_ml.training.folds import Split
    from specweave_ml.training.scoring import Scoring

_DEATHS_IN_COMPANY = 2
_RECOVERY_SECONDS = 60


class Work(NamedTuple):
    """What all fits share."""

    estimator: Any
    X: Any
    y: Any
    splits: Sequence[Split]
    scoring: Scoring
    extras: Extras


class Task(NamedTuple):
    """One candidate on one fold."""

    trial: int
    fold: int
    params: Mapping[str, Any]

    @property
    def place(self) -> tuple[int, int]:
        """What tells it from all others."""
        return self.trial, self.fold


def run(work: Work, tasks: Iterable[Task], n_jobs: int | None) -> Iterator[Fit]:
    """Run the tasks and yield what comes of each, exactly once, as it comes.

    Raises:
        UsageError: something of the work cannot be sent to other processes.
    """
    waiting = deque(tasks)
    cluster = getattr(get_active_backend()[0], "client", None)
    machines = 0 if cluster is None else len(cluster.ncores())
    deaths: Counter[tuple[int, int]] = Counter()
    while waiting:
        alone = deaths[waiting[0].place] >= _DEATHS_IN_COMPANY
        sent: dict[tuple[int, int], Task] = {}
        try:
            for fit in _pool(work, _taken(waiting, sent, alone=alone), n_jobs):
                del sent[fit.trial, fit.fold]
                yield fit
        except Exception as error:
            if not _is_death(error):
                raise
            if cluster is not None:
                # With fewer than two cores left joblib would run the rest, and what kills, in this very process.
                with suppress(TimeoutError):
                    cluster.wait_for_workers(machines, timeout=_RECOVERY_SECONDS)
            if not alone:
                deaths.update(list(sent))  # one each: of a mapping, the values would be added
                waiting.extend(sent.values())
                continue
            # The other folds of its trial would do the same.
            killers = {trial for trial, _ in sent}
            yield from (_killed(task, work) for task in (*sent.values(), *waiting) if task.trial in killers)
            waiting = deque(task for task in waiting if task.trial not in killers)


def _taken(waiting: deque[Task], sent: dict[tuple[int, int], Task], *, alone: bool) -> Iterator[Task]:
    while waiting:
        task = waiting.popleft()
        sent[task.place] = task
        yield task
        if alone:
            return


def _pool(work: Work, tasks: Iterable[Task], n_jobs: int | None) -> Iterator[Fit]:
    # Arguments one by one, as scikit-learn gives them: joblib keeps large arrays in shared memory, Dask on its workers.
    calls = (
        delayed(fit_and_score)(
            *task, work.splits[task.fold].train, work.splits[task.fold].test, work.estimator, work.X, work.y,
            work.scoring, work.extras,
        )
        for task in tasks
    )  # fmt: skip
    try:
        yield from Parallel(n_jobs=n_jobs, return_as="generator_unordered")(calls)
    except (pickle.PicklingError, BrokenProcessPool) as error:
        if _is_death(error):
            raise
        raise UsageError(
            f"the model, its data or its scorer cannot be sent to other processes: {error}",
            received=work.estimator,
            expected="objects that can be pickled",
            next_step="n_jobs=1 keeps everything in this process",
        ) from error


def _is_death(error: Exception) -> bool:
    # Dask names the task that killed worker after worker; one whose data went with a worker it calls cancelled.
    cluster = sys.modules.get("distributed")
    of_dask = () if cluster is None else (cluster.KilledWorker, CancelledError)
    return isinstance(error, (TerminatedWorkerError, *of_dask))


def _killed(task: Task, work: Work) -> Fit:
    why = "its worker process died, again and again (out of memory, or killed by the system)"
    scores = dict.fromkeys(work.scoring.signs, float("nan"))
    return Fit(task.trial, task.fold, scores, error={"type": "WorkerDied", "message": why})
