"""What the callbacks of frameworks share: they are of the framework's class, and one training is one experiment.

A class here names the class of its framework, and an instance is of both: the framework is imported when the first
instance is made, so that a name of ours can be imported where the framework is not installed.
"""

from __future__ import annotations

import sys
from functools import cache
from types import new_class
from typing import TYPE_CHECKING, Any, ClassVar, Self

from specweave_ml.artifacts.formats import needed
from specweave_ml.errors import UsageError
from specweave_ml.project import find_increment
from specweave_ml.store.codec import metric_number
from specweave_ml.tracking import TrackedExperiment, track_experiment
from specweave_ml.tracking.start import is_disabled
from specweave_ml.training.recorded import attempt

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping


class FrameworkCallback:
    """Base of the callbacks: opens an experiment when a training begins, and ends it when that ends.

    Args:
        increment: `0042`, `42`, the full name, or None for the active one.
        name: of the experiment; by default from the model's class.
        experiment: an open one to record in; whoever opened it ends it.
        options: what else `track_experiment` takes, such as `tags`.

    Attributes:
        experiment: the handle of the training that runs, or ran last; None before the first.

    Raises:
        MissingDependency: the framework is not installed.
        UsageError: `experiment` is none, or comes with what it has been given already.
        NotFound: no project, or no such increment.
    """

    _base: ClassVar[tuple[str, ...]]
    """`module:Class` of the framework; of several the first whose package is imported, else the first."""

    experiment: TrackedExperiment | None = None

    def __new__(cls, *_args: Any, **_options: Any) -> Self:
        """Make it of the framework's class as well."""
        kind: Any = cls
        made: Self = object.__new__(_joined(kind))
        return made

    def __init__(
        self,
        increment: str | os.PathLike[str] | None = None,
        *,
        name: str | None = None,
        experiment: TrackedExperiment | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        if experiment is not None and not isinstance(experiment, TrackedExperiment):
            raise UsageError("this is no experiment", received=experiment, expected="what track_experiment gives")
        if experiment is not None and (increment is not None or name is not None or options):
            raise UsageError(
                "an experiment that is open has its increment and name",
                received={"increment": increment, "name": name, **options},
                expected="experiment=… alone",
            )
        self._given = experiment
        self._name = name
        self._options = options
        self._is_open = False
        self._odd: set[str] = set()
        # Looked up now, so that a mistake is told before any training; `0042` means the same increment later.
        found = None if experiment is not None or is_disabled() else find_increment(increment)
        self._increment = found.path if found else None

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (_ours(type(self)), self.__dict__)

    def _begin(self, name: str) -> TrackedExperiment:
        """Open the experiment of a training. One that was never ended before it has failed."""
        if self._is_open and self.experiment is not None and self._given is None:
            self.experiment.finish("failed")
        self.experiment = self._given or track_experiment(self._name or name, self._increment, **self._options)
        self._is_open = True
        return self.experiment

    def _end(self, error: BaseException | None = None) -> None:
        """End the experiment by what the training raised, if it did; a second call does nothing."""
        if not self._is_open or self.experiment is None:
            return
        self._is_open = False
        if self._given is None:
            self.experiment.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)

    def _log(self, values: Mapping[str, Any] | None, step: int | None, prefix: str = "") -> None:
        """Record the numbers among what a framework logs, also after the end; other values are named in a note."""
        if self.experiment is None:
            return
        numbers, odd = {}, []
        for name, value in (values or {}).items():
            try:
                numbers[f"{prefix}{name}"] = metric_number(str(name), value)
            except UsageError:
                odd.append(str(name))
        self.experiment.log_metrics(numbers, step=step)
        self._take_numbers(numbers, step)
        if new := [name for name in odd if name not in self._odd]:
            self._odd.update(new)
            self.experiment.log_note(f"Not recorded, because they are no numbers: {', '.join(new)}")

    def _take_numbers(self, numbers: Mapping[str, float], step: int | None) -> None:
        """Write the numbers elsewhere too."""

    def _attempt(self, what: str, action: Callable[[], Any]) -> Any:
        return attempt(self.experiment, what, action) if self.experiment is not None else None


@cache
def _joined(kind: Any) -> Any:
    """A class of ours that is one of its framework as well."""
    imported = [place for place in kind._base if place.partition(":")[0] in sys.modules]
    module, _, name = (imported or kind._base)[0].partition(":")
    base = getattr(needed(module, module.partition(".")[0]), name)
    if issubclass(kind, base):
        return kind
    about = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    return new_class(kind.__name__, (kind, base), exec_body=lambda names: names.update(about))


def _ours(kind: type[Any]) -> type[Any]:
    """The class that can be found by its name, of one that was joined."""
    module = sys.modules.get(kind.__module__)
    return kind if getattr(module, kind.__name__, None) is kind else kind.__mro__[1]


def _again(kind: Any, state: dict[str, Any]) -> Any:
    made: Any = object.__new__(_joined(kind))
    made.__dict__.update(state)
    return made
