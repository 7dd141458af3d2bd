"""A search and a cross-validation, plain and tracked in turns in the same process, so that one noise hits both."""

from collections.abc import Callable
from typing import Any

from benchmarks.work.timed import Timed

CANDIDATES = 100
FOLDS = 5
REPEATED = 10
PAIRS = 2

GRID = {"max_depth": [*range(1, 11)], "min_samples_leaf": [*range(1, 11)]}


def problem() -> tuple[Any, Any, Any]:
    """A small model, and rows on which it is fitted in a few milliseconds."""
    from sklearn.datasets import make_classification
    from sklearn.tree import DecisionTreeClassifier

    features, target = make_classification(1_000, 10, random_state=0)
    return DecisionTreeClassifier(random_state=0), features, target


def in_turns(timed: Timed, plain: Callable[[], object], tracked: Callable[[], object]) -> None:
    """Laps of both, the plain one first; what only the first call of a process pays is not in them."""
    plain()
    tracked()
    for _ in range(PAIRS):
        for work in (plain, tracked):
            with timed:
                work()


def plain_search(jobs: int = 1) -> None:
    """100 candidates on 5 folds, by scikit-learn alone."""
    from sklearn.model_selection import GridSearchCV

    model, features, target = problem()
    GridSearchCV(model, GRID, cv=FOLDS, n_jobs=jobs).fit(features, target)


def tracked_search(jobs: int = 1) -> None:
    """The same, every candidate recorded."""
    from specweave import track_grid_search

    model, features, target = problem()
    track_grid_search(model, GRID, features, target, increment="0001", cv=FOLDS, n_jobs=jobs)


def search(timed: Timed, jobs: int) -> None:
    """GridSearchCV, and ours."""
    in_turns(timed, lambda: plain_search(jobs), lambda: tracked_search(jobs))


def folds(timed: Timed, jobs: int) -> None:
    """10 × 10 folds: cross_validate, and ours."""
    from sklearn.model_selection import RepeatedStratifiedKFold, cross_validate

    from specweave import track_cross_validation

    model, features, target = problem()
    cv = RepeatedStratifiedKFold(n_splits=REPEATED, n_repeats=REPEATED, random_state=0)
    in_turns(
        timed,
        lambda: cross_validate(model, features, target, cv=cv, n_jobs=jobs),
        lambda: track_cross_validation(model, features, target, increment="0001", cv=cv, n_jobs=jobs),
    )
