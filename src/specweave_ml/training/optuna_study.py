"""Every trial of an Optuna study recorded: a study is an experiment, a trial of it a trial of ours.

Optuna has no hook for all studies, tells a callback nothing of a trial whose exception ends the study, and never says
that a study ended. So `Study.optimize` is wrapped when this module is imported: nothing changes for a study that is not
to be recorded; for others the wrapper brings our callback in, remembers what an objective raised, and ends the
experiment. Its name stays with the study (a user attribute), by which a later process goes on with it; trials keep
their numbers, so none is there twice.
"""

from __future__ import annotations

import atexit
import functools
import inspect
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from specweave_ml.artifacts.formats import needed
from specweave_ml.errors import Refused, UsageError
from specweave_ml.project import find_increment
from specweave_ml.search_report import search_report
from specweave_ml.tracking import track_experiment
from specweave_ml.tracking.start import attach, is_disabled
from specweave_ml.training.recorded import attempt
from specweave_ml.training.trials import csv_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from specweave_ml.record import Experiment
    from specweave_ml.tracking import TrackedExperiment

    Objective = Callable[[Any], Any]

_ATTRIBUTE = "specweave_ml"
_STATES = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed"}
_BY_DIRECTION = {"MAXIMIZE": "score", "MINIMIZE": "loss"}
_UNNAMED = "no-name-"  # how the names begin that Optuna makes
_configured: list[StudyRecorder] = []


class StudyRecorder:
    """Records studies: a callback for `study.optimize`, and a reader of those that ran. Made by `configure_optuna`."""

    def __init__(self, increment: str | None, name: str | None, metric: Sequence[str], options: dict[str, Any]) -> None:
        self._asked = (increment, name, metric, options)
        self._open: dict[str, TrackedExperiment] = {}
        self._errors: dict[tuple[str, int], BaseException] = {}

    def __call__(self, study: Any, trial: Any) -> None:
        """Record one trial; Optuna calls it after each."""
        experiment = self._open.get(study.study_name)
        if experiment is None:  # a study that is told by hand: nobody says that it ended, before the process does
            experiment = self._open[study.study_name] = self._begun(study)
            atexit.register(lambda: study.study_name in self._open and self.read(study))
        attempt(experiment, f"trial {trial.number}", lambda: self._log(experiment, study, trial))

    def read(self, study: Any) -> Experiment:
        """Record a study that was run before, or elsewhere, by the trials that it holds.

        Returns:
            Its experiment. Of a study that is recorded already the same one, with the trials that it lacked.

        Raises:
            NotFound: no project, or no such increment.
            StoreError: the experiment cannot be written.
        """
        with self._begun(study) as experiment:
            self._conclude(experiment, study)
        found: Experiment = experiment.read()
        return found

    def optimize(self, study: Any, run: Callable[[Callable[[Objective], Objective]], None]) -> None:
        """Run a study and record it. `run` is told what to put around the objective."""
        with self._begun(study) as experiment:
            self._open[study.study_name] = experiment
            try:
                run(functools.partial(self._remembering, study.study_name))
            finally:
                self._open.pop(study.study_name, None)
                attempt(experiment, "the outcome of the study", lambda: self._conclude(experiment, study))

    def _remembering(self, study: str, objective: Objective) -> Objective:
        @functools.wraps(objective)
        def remembering(trial: Any) -> Any:
            try:
                return objective(trial)
            except BaseException as error:
                self._errors[study, trial.number] = error
                raise

        return remembering

    def _begun(self, study: Any) -> TrackedExperiment:
        """The study's experiment: the one that it names, if that is still there, else a new one."""
        if study.study_name in self._open:
            return self._open.pop(study.study_name)
        increment, name, _, options = self._asked
        name = name or ("optuna" if study.study_name.startswith(_UNNAMED) else study.study_name)
        known = study.user_attrs.get(_ATTRIBUTE)
        if is_disabled():
            return track_experiment(name)
        where = find_increment(increment)
        if isinstance(known, dict) and (known.get("study"), known.get("increment")) == (study.study_name, where.name):
            try:
                return track_experiment(str(known.get("experiment")), where.name, resume="allow")
            except Refused:  # another process that works on the study owns it: this one says its trials beside
                return attach(f"{where.experiments}/{known['experiment']}", where.name, where.root)
        experiment = track_experiment(name, where.name, **options)
        found = {"study": study.study_name, "increment": where.name, "experiment": experiment.name}
        attempt(experiment, "the experiment's name in the study", lambda: study.set_user_attr(_ATTRIBUTE, found))
        return experiment

    def _log(self, experiment: TrackedExperiment, study: Any, trial: Any) -> None:
        error: BaseException | str | None = self._errors.pop((study.study_name, trial.number), None)
        status = _STATES[trial.state.name]
        if status == "failed":
            error = error or "Optuna does not say why; an objective that gives NaN or None fails, too"
        experiment.log_trial(
            trial.params,
            scores=dict(zip(self._metrics(study), trial.values, strict=True)) if status == "finished" else None,
            fit_seconds=None if trial.duration is None else trial.duration.total_seconds(),
            status=status,
            error=error if status == "failed" else None,
            trial=trial.number,
            values=trial.intermediate_values,
        )

    def _metrics(self, study: Any) -> Sequence[str]:
        """What the objective's values are called: as the caller says, as the study says, else by their direction."""
        several = len(study.directions)
        names = self._asked[2] or study.metric_names
        if names and len(names) != several:
            raise UsageError("a name for every value of the objective", received=names, expected=f"{several} of them")
        if names:
            return [str(name) for name in names]
        if several == 1:
            return [_BY_DIRECTION[study.direction.name]]
        return [f"objective_{place}" for place in range(several)]

    def _conclude(self, experiment: TrackedExperiment, study: Any) -> None:
        """Record the trials that no callback saw, the best one as the experiment's own, and what the trials say."""
        trials = [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]
        recorded = {trial["number"] for trial in experiment.read().trials}
        for trial in trials:
            if trial.number not in recorded:
                self._log(experiment, study, trial)
        metrics = self._metrics(study)
        completed = any(trial.state.name == "COMPLETE" for trial in trials)
        best = self._log_best(experiment, study, metrics) if completed else None
        sampler = type(study.sampler).__name__
        scales = {name: bool(getattr(of, "log", False)) for trial in trials for name, of in trial.distributions.items()}
        plan = {"sampler": sampler, "pruner": type(study.pruner).__name__, "log_params": scales, "metric": metrics[0]}
        directions = [direction.name.lower() for direction in study.directions]
        experiment.save_artifact(
            "search.json", {**plan, "metrics": metrics, "directions": directions, "best_trial": best}
        )
        as_read = experiment.read()
        experiment.save_artifact("trials.csv", csv_text(as_read.trials))
        report = search_report(as_read, metrics[0], sampler=sampler, log_params=scales) if len(metrics) == 1 else None
        for name, content in report.artifacts.items() if report else ():
            experiment.save_artifact(name, content)

    def _log_best(self, experiment: TrackedExperiment, study: Any, metrics: Sequence[str]) -> int | None:
        """Make the best trial the experiment's own; its number, or None of several objectives, which have no best."""
        if len(metrics) > 1:
            front = ", ".join(str(trial.number) for trial in study.best_trials)
            experiment.log_note(f"No trial is the best in {', '.join(metrics)} at once; none beats these: {front}.")
            return None
        best = study.best_trial
        experiment.log_params(best.params)
        experiment.log_metric(metrics[0], best.value)
        return int(best.number)

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, self._asked


def configure_optuna(
    increment: str | None = None, *, name: str | None = None, metric: str | Sequence[str] = (), **options: Any
) -> StudyRecorder:
    """Record every study that this process runs from now on, each as an experiment.

        configure_optuna(increment="0042")
        study.optimize(objective, n_trials=100)

        study.optimize(objective, callbacks=[configure_optuna("0042")])     says the same beside the study
        configure_optuna("0042").read(study)                                a study that was run before

    Every trial is recorded when it ends, failed and pruned ones too, with the values that it reported. The best
    trial's params and value become the experiment's.

    Args:
        increment: `0042`, `42`, the full name, or None for the active one.
        name: of the experiments; by default the study's name, or `optuna` where it has none.
        metric: what the objective's value is called, or its values; by default the study's `metric_names`, else `score`
            where it is maximized, `loss` where it is minimized, and `objective_0`, `objective_1` for several.
        options: what else `track_experiment` takes.

    Raises:
        NotFound: no project, or no such increment.
        MissingDependency: Optuna is not installed.
    """
    needed("optuna", "optuna")
    if not is_disabled():
        find_increment(increment)
    recorder = StudyRecorder(increment, name, [metric] if isinstance(metric, str) else list(metric), options)
    _configured[:] = [recorder]
    return recorder


def _arrived(increment: str | None, name: str | None, metric: Sequence[str], options: dict[str, Any]) -> StudyRecorder:
    """A recorder again in another process, where a pickled one arrives."""
    return configure_optuna(increment, name=name, metric=metric, **options)


def _wrap(study_class: Any) -> None:
    original = study_class.optimize
    signature = inspect.signature(original)

    @functools.wraps(original)
    def optimize(*args: Any, **kwargs: Any) -> None:
        call = signature.bind(*args, **kwargs)
        given = list(call.arguments.get("callbacks") or ())
        recorder = next((each for each in (*given, *_configured) if isinstance(each, StudyRecorder)), None)
        if recorder is None:
            original(*args, **kwargs)
            return
        objective = call.arguments["func"]
        call.arguments["callbacks"] = given if recorder in given else [*given, recorder]

        def run(around: Callable[[Objective], Objective]) -> None:
            call.arguments["func"] = around(objective)
            original(*call.args, **call.kwargs)

        recorder.optimize(call.arguments["self"], run)

    study_class.optimize = optimize


if find_spec("optuna"):
    _wrap(import_module("optuna.study").Study)
