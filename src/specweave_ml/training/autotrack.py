"""A decorator around training code: every call becomes an experiment.

What a call is given and uses becomes params and data sets; what it gives back becomes metrics and models, named as the
code names them. What is neither number nor model is named in a note. The numbers that a generator yields are series.

    peak_memory_mb     the most memory the process ever held until the call ended, in megabytes (10^6 bytes)
"""

from __future__ import annotations

import functools
import inspect
import resource
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, Self

from specweave_ml.artifacts import model_suffix
from specweave_ml.errors import UsageError
from specweave_ml.tracking import track_experiment
from specweave_ml.training.calls import Ingredients, is_model
from specweave_ml.training.recorded import attempt
from specweave_ml.training.results import Results, results_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator
    from types import FrameType, TracebackType

    Function = Callable[..., Any]

_PATIENCE = 200  # calls that may come between ours and the function itself: those of other decorators


class AutoTracker:
    """Tracks the calls of functions in one increment.

    Args:
        increment: `0042`, `42`, the full name, or None for the active one.
        options: what else `track_experiment` takes, such as `tags`.
    """

    def __init__(self, increment: str | None = None, **options: Any) -> None:
        self.increment = increment
        self.options = options

    def track(self, function: Any = None, *, name: str | None = None) -> Any:
        """Record every call of a function as an experiment: `@tracker.track` or `@tracker.track(name="xgboost")`.

        Functions, methods, generators, and their `async` kinds: what the call gives back and raises is untouched. A
        second call gives `<name>-2`. A call inside a tracked call is an experiment of its own.

        Args:
            function: the function, where the decorator has no arguments.
            name: of the experiment; by default the function's.

        Raises:
            UsageError: it is no function. At a call: whatever `track_experiment` raises, before the function runs.
        """
        if function is None or isinstance(function, str):
            return functools.partial(self._wrapped, name=name or function)
        return self._wrapped(function, name)

    def _wrapped(self, function: Any, name: str | None) -> Any:
        if isinstance(function, classmethod | staticmethod):
            return type(function)(self._wrapped(function.__func__, name))
        if isinstance(function, type) or not callable(function):
            raise UsageError("only functions can be tracked", received=function, expected="a function or a method")
        called = name or str(getattr(function, "__name__", type(function).__name__))
        begin = functools.partial(_Call, self, function, called)
        if inspect.isasyncgenfunction(function):
            wrapper: Function = _async_generator(function, begin)
        elif inspect.isgeneratorfunction(function):
            wrapper = _generator(function, begin)
        elif inspect.iscoroutinefunction(function):
            wrapper = _coroutine(function, begin)
        else:
            wrapper = _plain(function, begin)
        return functools.wraps(function)(wrapper)


class _Call:
    """One call, and its experiment.

    Attributes:
        frame: of the function, as soon as it is known: its variables outlive the call in it.
    """

    def __init__(self, tracker: AutoTracker, function: Function, name: str, args: Any, kwargs: Any) -> None:
        self.frame: FrameType | None = None
        self._function = inspect.unwrap(function)
        self._made_of = Ingredients()
        self._yielded = 0
        self._unknown: Counter[str] = Counter()
        arguments = _bound(function, args, kwargs)
        self.experiment = track_experiment(name, tracker.increment, **tracker.options)
        self._attempt("the params of the call", lambda: self._begin(arguments))

    def __enter__(self) -> Self:
        self.experiment.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                self._record_models(self._made_here(), save=False)
            self._say_unknown()
            self.experiment.log_metric("peak_memory_mb", _peak_memory_mb())
        finally:
            self.frame = None
            self.experiment.__exit__(kind, error, trace)

    def returned(self, value: Any) -> None:
        """Record what the function gave back."""
        results = self._sorted(value)
        self._attempt("the metrics", lambda: self.experiment.log_metrics(results.metrics))
        self._record_models(results.models or self._made_here(), save=True)

    def yielded(self, value: Any) -> None:
        """Record one value of a generator, at the step of its place."""
        results = self._sorted(value)
        self._attempt("the metrics", lambda: self.experiment.log_metrics(results.metrics, step=self._yielded))
        self._yielded += 1

    def watch(self, frame: FrameType, event: str, _: object) -> None:
        """A profile function that finds the function's frame, and is then gone."""
        self._patience = getattr(self, "_patience", _PATIENCE) - 1
        found = event == "call" and frame.f_code is getattr(self._function, "__code__", None)
        if found:
            self.frame = frame
        if found or self._patience <= 0:
            sys.setprofile(None)

    def _begin(self, arguments: inspect.BoundArguments | None) -> None:
        if arguments is not None:
            self._made_of.add_arguments(arguments)
        self._made_of.add_used(self._function)
        self.experiment.log_params(self._made_of.params)
        for name, data in self._made_of.data.items():
            self._attempt(f"the data set {name}", functools.partial(self.experiment.log_dataset, name, data))

    def _sorted(self, value: Any) -> Results:
        found = self._attempt("what it gave back", lambda: results_of(value, self._function, self.frame)) or Results()
        self._unknown.update(found.unknown)
        return found

    def _made_here(self) -> dict[str, Any]:
        """The models among the function's variables, or else those that it was given or used."""
        variables = {} if self.frame is None else self.frame.f_locals
        made = {name: value for name, value in variables.items() if name != "self" and is_model(value)}
        return made or self._made_of.models

    def _record_models(self, models: dict[str, Any], *, save: bool) -> None:
        different = {id(model): (name, model) for name, model in models.items()}
        for name, model in different.values():
            new = self._attempt(f"the params of {name}", functools.partial(self._made_of.add_model, name, model))
            self.experiment.log_params(new or {})
            if save:
                file = None if len(different) == 1 else f"{name.replace('/', '-')}{model_suffix(model)}"
                self._attempt(f"the model {name}", functools.partial(self.experiment.save_model, model, file))

    def _say_unknown(self) -> None:
        for words, times in self._unknown.items():
            often = "" if times == 1 else f" ({times} times)"
            self.experiment.log_note(f"Gave back {words}{often}, which is no number and no model: not recorded.")

    def _attempt(self, what: str, action: Callable[[], Any]) -> Any:
        return attempt(self.experiment, what, action)


def _bound(function: Function, args: Any, kwargs: Any) -> inspect.BoundArguments | None:
    """The arguments under their names; None of a function that does not tell them.

    Raises:
        TypeError: they do not fit, as the call itself would say.
    """
    try:
        signature = inspect.signature(function)
    except ValueError:
        return None
    return signature.bind(*args, **kwargs)


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (peak if sys.platform == "darwin" else peak * 1024) / 1e6


def _plain(function: Function, begin: Function) -> Function:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with begin(args, kwargs) as call:
            if sys.getprofile() is None:  # somebody else's profiler goes on; the variables stay unknown then
                sys.setprofile(call.watch)
            try:
                value = function(*args, **kwargs)
            finally:
                if sys.getprofile() == call.watch:
                    sys.setprofile(None)
            call.returned(value)
            return value

    return wrapper


def _coroutine(function: Function, begin: Function) -> Function:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        with begin(args, kwargs) as call:
            coroutine = function(*args, **kwargs)
            call.frame = getattr(coroutine, "cr_frame", None)
            value = await coroutine
            call.returned(value)
            return value

    return wrapper


def _generator(function: Function, begin: Function) -> Function:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with begin(args, kwargs) as call:
            inner = function(*args, **kwargs)
            call.frame = getattr(inner, "gi_frame", None)
            resumed = functools.partial(next, inner)
            while True:
                try:
                    value = resumed()
                except StopIteration as stop:
                    call.returned(stop.value)
                    return stop.value
                call.yielded(value)
                try:
                    resumed = functools.partial(inner.send, (yield value))
                except GeneratorExit:
                    inner.close()
                    call.returned(None)
                    return None
                except BaseException as error:  # noqa: BLE001 - thrown in from outside, it is the inner one's to handle
                    resumed = functools.partial(inner.throw, error)

    return wrapper


def _async_generator(function: Function, begin: Function) -> Function:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        with begin(args, kwargs) as call:
            inner = function(*args, **kwargs)
            call.frame = getattr(inner, "ag_frame", None)
            resumed = inner.__anext__()
            while True:
                try:
                    value = await resumed
                except StopAsyncIteration:
                    break
                call.yielded(value)
                try:
                    resumed = inner.asend((yield value))
                except GeneratorExit:
                    await inner.aclose()
                    break
                except BaseException as error:  # noqa: BLE001 - thrown in from outside, it is the inner one's to handle
                    resumed = inner.athrow(error)
            call.returned(None)

    return wrapper
