"""Estimators that do what a search must survive. Here, so that worker processes can import them."""

# ruff: noqa: N803 - X is what scikit-learn calls it

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy
from sklearn.base import BaseEstimator, ClassifierMixin


class Odd(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A classifier that says the most frequent class, or its opposite, and appends a line to `log` for every fit.

    Args:
        level: added to nothing; something to search over.
        fail_at: the level at which `fit` raises.
        kill_at: the level at which the process that fits is killed.
        once: a file; where it is named, it happens only while the file is not there, and then the file is.
        seconds: how long a fit takes.
        log: a file.
    """

    def __init__(
        self,
        level: int = 0,
        fail_at: int | None = None,
        kill_at: int | None = None,
        once: str | None = None,
        seconds: float = 0.0,
        log: str | None = None,
    ) -> None:
        self.level = level
        self.fail_at = fail_at
        self.kill_at = kill_at
        self.once = once
        self.seconds = seconds
        self.log = log

    def fit(self, X: Any, y: Any) -> Odd:
        if self.log is not None:
            with open(self.log, "a", encoding="utf-8") as file:
                file.write(f"{self.level}\n")
        if self.level == self.fail_at and self._now():
            raise ValueError(f"level {self.level} cannot be fitted; password=hunter2")
        if self.level == self.kill_at and self._now():
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(self.seconds)
        self.classes_, counts = numpy.unique(y, return_counts=True)
        self.said_ = self.classes_[counts.argmax() if self.level % 2 else counts.argmin()]
        return self

    def _now(self) -> bool:
        if self.once is None:
            return True
        try:
            Path(self.once).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def predict(self, X: Any) -> Any:
        return numpy.full(len(X), self.said_)


class Unpicklable(Odd):
    """Can be fitted, and not be pickled afterwards."""

    def fit(self, X: Any, y: Any) -> Unpicklable:
        super().fit(X, y)
        self.stream_ = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - what cannot be pickled is the point
        return self

    def __del__(self) -> None:
        if hasattr(self, "stream_"):
            self.stream_.close()


class Uncloneable(Odd):
    """Does not keep its argument as it is."""

    def __init__(self, level: int = 0) -> None:
        super().__init__(level + 1)


class Unsendable(Odd):
    """Cannot be pickled at all."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("it stays where it is")


class AnyKeyword(Odd):
    """Takes any keyword, as boosting libraries do."""

    def __init__(self, level: int = 0, learning_rate: float = 0.1, **others: Any) -> None:
        super().__init__(level)
        self.learning_rate = learning_rate
        self.others = others

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {"level": self.level, "learning_rate": self.learning_rate, **self.others}

    def set_params(self, **params: Any) -> AnyKeyword:
        self.level = params.pop("level", self.level)
        self.learning_rate = params.pop("learning_rate", self.learning_rate)
        self.others.update(params)
        return self
