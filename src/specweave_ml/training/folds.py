"""Splits as data: which rows each fold is trained and tested on, told apart by a hash, in their repeats."""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy
from sklearn.base import is_classifier
from sklearn.model_selection import RepeatedStratifiedKFold, StratifiedKFold, check_cv
from sklearn.utils.multiclass import type_of_target

from specweave_ml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Split(NamedTuple):
    """The rows of one fold.

    Attributes:
        train: indices of the rows to train on.
        test: indices of the rows to test on.
        fold: its place in its repeat.
        repeat: which repetition of the cross-validation.
        split_id: a hash of the test rows' indices: equal ones are the same fold, whatever order the rows come in.
    """

    train: Any
    test: Any
    fold: int
    repeat: int
    split_id: str

    @property
    def sizes(self) -> dict[str, Any]:
        """What `log_fold` takes of it."""
        return {"n_train": len(self.train), "n_test": len(self.test), "split_id": self.split_id, "repeat": self.repeat}


def splits_of(cv: Any, estimator: Any, X: Any, y: Any, groups: Any = None) -> tuple[list[Split], str]:
    """The splits that scikit-learn would make, and the splitter in words.

    Args:
        cv: a number of folds, a splitter, or splits; as in scikit-learn.
        estimator: a classifier is split so that every fold has all classes.
        X: the rows.
        y: the target.
        groups: of each row, for splitters that keep groups together.

    Raises:
        UsageError: the splitter cannot split these rows.
    """
    try:
        splitter = check_cv(cv, y, classifier=is_classifier(estimator))
        _refuse_rare_classes(splitter, y)
        with warnings.catch_warnings():
            # The check above says the same as an error; the warning would come once more.
            warnings.filterwarnings("ignore", "The least populated class", UserWarning)
            pairs = [(numpy.asarray(train), numpy.asarray(test)) for train, test in splitter.split(X, y, groups)]
    except UsageError:
        raise
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"the rows cannot be split: {error}", received=cv, expected="a cv that fits the data"
        ) from error
    pairs = [(_as_indices(train), _as_indices(test)) for train, test in pairs]
    if not pairs or any(len(part) == 0 for pair in pairs for part in pair):
        raise UsageError("a fold has no rows to train or to test on", received=cv)
    places = _places([test for _, test in pairs])
    splits = [Split(*pair, fold, repeat, _hash(pair[1])) for pair, (repeat, fold) in zip(pairs, places, strict=True)]
    return splits, " ".join(str(splitter).split()) if len(str(splitter)) < 300 else type(splitter).__name__


def _as_indices(rows: Any) -> Any:
    return numpy.flatnonzero(rows) if rows.dtype == bool else rows


def _refuse_rare_classes(splitter: Any, y: Any) -> None:
    if isinstance(splitter, RepeatedStratifiedKFold):
        folds = splitter.cvargs["n_splits"]
    elif type(splitter) is StratifiedKFold:
        folds = splitter.n_splits
    else:
        return
    if y is None or type_of_target(y) not in {"binary", "multiclass"}:
        return
    classes, counts = numpy.unique(numpy.asarray(y), return_counts=True)
    rarest = int(counts.argmin())
    if counts[rarest] < folds:
        raise UsageError(
            f"{folds} folds need {folds} rows of every class, and class {classes[rarest]!s} has {counts[rarest]}",
            received=f"cv={folds}",
            expected=f"at most {counts[rarest]} folds" if counts[rarest] > 1 else "two rows or more of every class",
            next_step="fewer folds, or a splitter that does not look at the classes, such as KFold",
        )


def _places(tests: Sequence[Any]) -> list[tuple[int, int]]:
    """(repeat, fold) of each split: a new repeat begins where a row is tested again.

    Where the repeats come out in different sizes, as of random splits, there are none: all are folds of one.
    """
    places: list[tuple[int, int]] = []
    seen = numpy.zeros(1 + max(int(test.max()) for test in tests), dtype=bool)
    repeat = fold = 0
    for test in tests:
        if seen[test].any():
            seen[:] = False
            repeat, fold = repeat + 1, 0
        seen[test] = True
        places.append((repeat, fold))
        fold += 1
    sizes = set(Counter(repeat for repeat, _ in places).values())
    return places if len(sizes) == 1 and sizes != {1} else [(0, place) for place in range(len(tests))]


def _hash(test: Any) -> str:
    return hashlib.sha256(numpy.sort(test).astype("<i8").tobytes()).hexdigest()[:16]
