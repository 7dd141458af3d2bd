"""A pipeline: stages with their own metrics, times and dependencies, recorded as one experiment.

A stage comes after the one before it unless it says otherwise. One that fails leaves what depends on it skipped:

    with pipeline.stage("clean"): …
    with pipeline.stage("features"): …                  after "clean"
    with pipeline.stage("baseline", after="clean"): …
    with pipeline.stage("report", after=["features", "baseline"]): …

Stages that are named beforehand (`ExperimentPipeline(name, stages=[…])`) are in the record from the start, so that
those behind a failure are skipped in it although the script ends there.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, Self

from specweave_ml.errors import Refused, UsageError
from specweave_ml.tracking import track_experiment
from specweave_ml.training.recorded import Recorded

if TYPE_CHECKING:
    from types import TracebackType

    After = str | Iterable[str] | None

_BROKEN = frozenset({"failed", "killed", "skipped"})


class ExperimentPipeline(Recorded):
    """A pipeline in the making, recorded as the experiment `name`.

    Use it in a `with` block, or as a plain object that `finish()` ends; a script that ends without is closed as any
    experiment is. It has failed when one of its stages has, unless that stage was entered again and succeeded.

    Args:
        name: of the experiment.
        increment: `0042`, `42`, the full name, or None for the active one.
        stages: those that are known beforehand: names in their order, or a mapping name → the names it comes after.
        options: what else `track_experiment` takes.

    Raises:
        UsageError: the stages depend on one another in a circle, or on one that is not there.
        NotFound: no project, or no such increment.
        StoreError: the experiment cannot be written.
    """

    def __init__(
        self,
        name: str,
        increment: str | None = None,
        *,
        stages: Iterable[str] | Mapping[str, After] = (),
        **options: Any,
    ) -> None:
        self._needs = _declared(stages)
        self._status: dict[str, str] = {}
        self._params: dict[str, str] = {}  # param of the experiment → the stage that logged it
        self._latest: str | None = None
        self._failed: set[str] = set()
        _refuse_circles(self._needs)
        super().__init__(track_experiment(name, increment, **options))
        for stage, needs in self._needs.items():
            self._say(stage, "planned", after=needs)

    def stage(self, name: str, after: After = None) -> Stage:
        """The next stage, to be entered with `with`.

        Args:
            name: unique in the pipeline; one that failed may be entered again.
            after: the stage or stages that it needs, `[]` for none. None: as declared beforehand, else the one that
                came before.

        Raises:
            UsageError: the name ran already, or what it needs is unknown, has not finished, or needs it in turn.
            Refused: what it needs failed or was skipped, so it is recorded as skipped.
        """
        if not isinstance(name, str) or not name.strip():
            raise UsageError("a stage needs a name", received=name, expected="a non-empty string")
        if self._status.get(name) in {"running", "finished"}:
            raise UsageError(
                "a stage of that name has begun already", received=name, expected="a name of its own for every stage"
            )
        needs = self._needs_of(name, after)
        self._refuse_unknown(name, needs)
        _refuse_circles({**self._needs, name: needs})
        self._needs[name] = needs
        self._latest = name
        broken = [need for need in needs if self._status.get(need) in _BROKEN]
        if broken:
            self._skip(name)
            raise Refused(
                f"stage {name!r} is skipped: it needs {broken[0]!r}, which {_was(self._status[broken[0]])}",
                received=name,
                expected="what a stage needs has finished",
                next_step=f"mend {broken[0]!r} and enter it again, or say what this one needs: after=[…]",
            )
        waiting = [need for need in needs if self._status.get(need) != "finished"]
        if waiting:
            raise UsageError(
                f"stage {name!r} needs {waiting[0]!r}, which has not finished",
                received=after,
                expected="stages that have finished",
            )
        return Stage(self, name, needs)

    def _needs_of(self, name: str, after: After) -> tuple[str, ...]:
        if after is not None:
            return _names(after)
        if name in self._needs:
            return self._needs[name]
        return () if self._latest is None else (self._latest,)

    def _refuse_unknown(self, name: str, needs: Iterable[str]) -> None:
        for need in needs:
            if need not in self._needs and need != name:
                raise _unknown(need, self._needs)

    def _skip(self, name: str) -> None:
        """Record that a stage is skipped, and with it those declared beforehand that need it."""
        self._say(name, "skipped", after=self._needs[name])
        self._skip_what_needs(name)

    def _skip_what_needs(self, broken: str) -> None:
        for name, needs in self._needs.items():
            if broken in needs and self._status.get(name) == "planned":
                self._skip(name)

    def _say(self, name: str, status: str, **about: Any) -> None:
        self._status[name] = status
        self.experiment.log_stage(name, status, **about)

    def _stage_ended(self, name: str) -> None:
        if self._status[name] in _BROKEN:
            self._skip_what_needs(name)
            self._failed.add(name)
            self.experiment.set_status("failed")
        elif name in self._failed:
            self._failed.remove(name)
            if not self._failed:
                self.experiment.set_status("running")


class Stage:
    """One stage of a pipeline, as `pipeline.stage(name)` gives it.

    What it logs belongs to the experiment under the plain name, so that experiments can be compared, and in the record
    to the stage as well. A param that another stage logged becomes `<stage>.<param>`.
    """

    def __init__(self, pipeline: ExperimentPipeline, name: str, needs: tuple[str, ...]) -> None:
        self.name = name
        self._pipeline = pipeline
        self._experiment = pipeline.experiment
        self._said: dict[str, Any] = {"after": needs, "params": {}, "metrics": {}, "artifacts": []}

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._pipeline._say(self.name, "running", **self._said)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ended_well = error is None or (isinstance(error, SystemExit) and error.code in {None, 0})
        status = "finished" if ended_well else "killed" if isinstance(error, KeyboardInterrupt) else "failed"
        seconds = time.monotonic() - self._began
        self._pipeline._say(self.name, status, seconds=seconds, error=None if ended_well else error, **self._said)
        self._pipeline._stage_ended(self.name)

    def log_param(self, name: str, value: Any) -> None:
        """Record a param."""
        self.log_params({name: value})

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Record several params, `model.get_params()` for instance.

        Raises:
            UsageError: a name is not a non-empty string.
        """
        owners = self._pipeline._params
        taken = {name for name in params if owners.get(name, self.name) != self.name}
        self._experiment.log_params(
            {f"{self.name}.{name}" if name in taken else name: value for name, value in params.items()}
        )
        owners.update(dict.fromkeys(params.keys() - taken, self.name))
        self._said["params"].update(params)

    def log_metric(self, name: str, value: Any, step: Any = None, *, n: int | None = None) -> None:
        """Record one point of a metric; see `TrackedExperiment.log_metric`."""
        self._experiment.log_metric(name, value, step, n=n)
        self._said["metrics"][name] = value

    def log_metrics(self, metrics: Mapping[str, Any], step: Any = None, *, n: Any = None) -> None:
        """Record several metrics of one step."""
        self._experiment.log_metrics(metrics, step, n=n)
        self._said["metrics"].update(metrics)

    def save_artifact(self, name: Any, *value: Any) -> str | None:
        """Save an object or an existing file; see `TrackedExperiment.save_artifact`."""
        return self._kept(self._experiment.save_artifact(name, *value))

    def save_model(self, model: Any, name: str | None = None) -> str | None:
        """Save a fitted model; see `TrackedExperiment.save_model`."""
        return self._kept(self._experiment.save_model(model, name))

    def log_note(self, text: str) -> None:
        """Record a sentence."""
        self._experiment.log_note(text)

    def _kept(self, path: str | None) -> str | None:
        if path is not None:
            self._said["artifacts"].append(path.removeprefix(f"{self._experiment.path}/"))
        return path


def _declared(stages: Iterable[str] | Mapping[str, After]) -> dict[str, tuple[str, ...]]:
    if isinstance(stages, Mapping):
        needs = {name: () if after is None else _names(after) for name, after in stages.items()}
    else:
        names = _names(stages)
        needs = {name: names[max(place - 1, 0) : place] for place, name in enumerate(names)}
        if len(needs) < len(names):
            raise UsageError("two stages have one name", received=stages, expected="a name of its own for every stage")
    for need in (need for several in needs.values() for need in several):
        if need not in needs:
            raise _unknown(need, needs)
    return needs


def _names(after: Any) -> tuple[str, ...]:
    names = (after,) if isinstance(after, str) else tuple(after) if isinstance(after, Iterable) else (after,)
    if not all(isinstance(name, str) and name.strip() for name in names):
        raise UsageError("stages are named", received=after, expected="a name, or a list of names")
    return names


def _refuse_circles(needs: Mapping[str, tuple[str, ...]]) -> None:
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as circle:
        raise UsageError(
            "stages need one another in a circle",
            received=" → ".join(reversed(circle.args[1])),
            expected="stages that can be put in an order",
        ) from None


def _unknown(need: str, known: Iterable[str]) -> UsageError:
    close = get_close_matches(need, list(known), n=1)
    return UsageError(
        "there is no such stage to come after",
        received=need,
        expected=f"did you mean {close[0]!r}?" if close else f"one of {', '.join(map(repr, known)) or 'none yet'}",
    )


def _was(status: str) -> str:
    return "was skipped too" if status == "skipped" else status
