"""Searches: every combination of params is a trial of one experiment, which can be read while it runs and resumed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

from specweave_ml.errors import UsageError
from specweave_ml.search_report import search_report
from specweave_ml.tracking import track_experiment
from specweave_ml.training.estimators import chosen_params, short_name, unfitted, with_params
from specweave_ml.training.fit import fitted
from specweave_ml.training.folds import splits_of
from specweave_ml.training.given import candidates_of, check_data, extras_of, log_data, log_scales
from specweave_ml.training.progress import shown
from specweave_ml.training.recorded import attempt
from specweave_ml.training.resuming import PLAN, earlier_search, fingerprint, finished_trials, plan_in, to_go_on
from specweave_ml.training.scoring import scoring_of
from specweave_ml.training.trials import Trial, best_of, csv_text, rows, trials_of
from specweave_ml.training.workers import Task, Work, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from specweave_ml.record import Experiment
    from specweave_ml.tracking import TrackedExperiment


@dataclass(frozen=True, slots=True, eq=False)
class SearchResults:
    """What a search found.

    Attributes:
        experiment: the name of its experiment.
        metric: the metric that decides.
        direction: which way it is better, `maximize` or `minimize`.
        best_trial: the number of the best trial.
        best_params: its params.
        best_score: its value of the metric, the mean over the folds.
        best_model: the estimator with these params, fitted on all rows; None with `refit=False`.
        trials: all trials in the order of their numbers, each as `Experiment.trials` describes it.
    """

    experiment: str
    metric: str
    direction: str
    best_trial: int
    best_params: Mapping[str, Any]
    best_score: float
    best_model: Any = field(repr=False)
    trials: Sequence[Trial] = field(repr=False)

    def to_dataframe(self) -> Any:
        """A pandas DataFrame, a row a trial: status, `param.*`, `metric.*` with spread and folds, times, error."""
        import pandas

        return pandas.DataFrame(rows(self.trials))


def track_hyperparameters(
    model: Any,
    param_grid: Any,
    X_train: Any,
    y_train: Any = None,
    increment: str | None = None,
    *,
    name: str | None = None,
    n_iter: int | None = None,
    random_state: Any = None,
    scoring: Any = None,
    direction: str | None = None,
    cv: Any = None,
    groups: Any = None,
    sample_weight: Any = None,
    fit_params: Mapping[str, Any] | None = None,
    refit: bool | str = True,
    n_jobs: int | None = None,
    resume: bool | None = None,
    **about: Any,
) -> SearchResults:
    """Search params by cross-validation, with every combination recorded as a trial of one experiment.

    Scores and winner are those of scikit-learn's `GridSearchCV` and `RandomizedSearchCV`. The fits run where joblib's
    `parallel_config` says; only this process writes, each trial the moment its last fold is there.

    Args:
        model: an estimator, or its class.
        param_grid: param → values, or a list of such mappings; with `n_iter` the values may be distributions.
        X_train: the rows.
        y_train: the target.
        increment: as `track_experiment` takes it.
        name: of the experiment; by default from the model's class.
        n_iter: draw so many points instead of trying all.
        random_state: a seed for the drawing.
        scoring: a scorer, its name, a list, or a mapping name → scorer; None: the model's own score.
        direction: `maximize` or `minimize`, for a scorer of your own whose name does not say.
        cv: a number of folds (5), a splitter, or splits.
        groups: of each row, for splitters that keep groups together.
        sample_weight: of each row, for the fits, and for the scorers that take it.
        fit_params: further arguments of `fit`; what has a value a row is cut to the fold's rows.
        refit: fit the best on all rows and save it; of several metrics the name of the one that decides.
        n_jobs: fits at the same time; None: as `parallel_config` says, else 1.
        resume: go on with this search where it was cut short. True: it must be there; False: start anew.
        about: `description`, `tags` and `repeat_of`, as `track_experiment` takes them.

    Raises:
        UsageError: something given cannot be meant (said before anything is fitted), or every trial failed.
    """
    estimator = unfitted(model)
    check_data(X_train, y_train, groups=groups, sample_weight=sample_weight)
    measured = scoring_of(estimator, scoring, refit if isinstance(refit, str) else None, direction)
    splits, splitter = splits_of(cv, estimator, X_train, y_train, groups)
    extras = extras_of(X_train, fit_params, sample_weight, measured)
    work = Work(estimator, X_train, y_train, splits, measured, extras)
    name = name or f"{short_name(estimator)}-{'grid' if n_iter is None else 'random'}-search"
    earlier = earlier_search(name, increment, resume=resume)
    search = _planned(work, splitter, param_grid, n_iter, _seed(random_state, earlier), n_jobs, refit=bool(refit))
    earlier = to_go_on(earlier, search.plan, must=bool(resume))
    with track_experiment(earlier.name if earlier else name, increment, resume=bool(earlier), **about) as experiment:
        return search.conduct(experiment, earlier)


def track_grid_search(
    estimator: Any, param_grid: Any, X: Any, y: Any = None, increment: str | None = None, **options: Any
) -> tuple[Any, SearchResults]:
    """As `track_hyperparameters`, but gives two things: the best model, fitted on all rows, and the results.

    Raises:
        UsageError: as `track_hyperparameters`.
    """
    results = track_hyperparameters(estimator, param_grid, X, y, increment, **options)
    return results.best_model, results


def _seed(random_state: Any, earlier: Experiment | None) -> Any:
    """The caller's seed; else that of the search to go on with, else a new one, which the plan keeps."""
    if random_state is not None:
        return random_state
    kept = plan_in(earlier).get("random_state")
    return kept if isinstance(kept, int) else int.from_bytes(os.urandom(4))


def _planned(
    work: Work, splitter: str, grid: Any, n_iter: int | None, seed: Any, n_jobs: int | None, *, refit: bool
) -> _Search:
    points = candidates_of(work.estimator, grid, n_iter, seed)
    plan = {
        "sampler": "grid" if n_iter is None else "random",
        "random_state": seed if n_iter is not None and isinstance(seed, int) else None,
        "log_params": log_scales(grid),
        "points": len(points),
        "metric": work.scoring.primary,
        "direction": work.scoring.direction,
        "metrics": list(work.scoring.signs),
        "cv": splitter,
        "folds": len(work.splits),
        "fingerprint": fingerprint(work, points),
    }
    return _Search(work, points, plan, n_jobs, refit)


@dataclass(frozen=True, slots=True)
class _Search:
    work: Work
    points: Sequence[Mapping[str, Any]]
    plan: Mapping[str, Any]
    n_jobs: int | None
    refit: bool

    def conduct(self, experiment: TrackedExperiment, earlier: Experiment | None) -> SearchResults:
        scoring = self.work.scoring
        if earlier is None:
            experiment.save_artifact(PLAN, dict(self.plan))
            log_data(experiment, X_train=self.work.X, y_train=self.work.y)
        done = [] if earlier is None else finished_trials(earlier, self.points, len(self.work.splits), scoring)
        trials = [*done, *self._tried(experiment, {trial["number"] for trial in done})]
        trials.sort(key=lambda trial: trial["number"])
        experiment.save_artifact("trials.csv", csv_text(experiment.read().trials))
        failed = [trial for trial in trials if trial["status"] == "failed"]
        best = best_of(trials, scoring)
        if best is None:
            raise _nothing_found(failed, scoring.primary, len(trials))
        if failed:
            experiment.log_note(f"{len(failed)} of {len(trials)} trials failed; the first: {_why(failed[0])}")
        for place, split in enumerate(self.work.splits):
            scores = {name: column[place] for name, column in best["folds"].items()}
            experiment.log_fold(split.fold, scores, **split.sizes)
        model = with_params(self.work.estimator, best["params"])
        experiment.log_params(chosen_params(model) | best["params"])
        if self.refit:
            self._fit(experiment, model)
        attempt(experiment, "which params matter", lambda: self._weigh(experiment))
        return SearchResults(
            experiment=experiment.name,
            metric=scoring.primary,
            direction=scoring.direction,
            best_trial=best["number"],
            best_params=best["params"],
            best_score=best["scores"][scoring.primary],
            best_model=model if self.refit else None,
            trials=tuple(trials),
        )

    def _tried(self, experiment: TrackedExperiment, done: set[int]) -> Iterator[Trial]:
        """Every trial that is not done yet, recorded as it comes."""
        folds = range(len(self.work.splits))
        waiting = [number for number in range(len(self.points)) if number not in done]
        tasks = [Task(number, fold, self.points[number]) for number in waiting for fold in folds]
        came = trials_of(run(self.work, tasks, self.n_jobs), self.points, len(folds), self.work.scoring)
        for trial in shown(came, len(waiting), self.work.scoring):
            experiment.log_trial(
                trial["params"],
                scores=trial["scores"],
                folds=trial["folds"],
                fit_seconds=trial["fit_seconds"],
                score_seconds=trial["score_seconds"],
                status=trial["status"],
                error=trial["error"],
                trial=trial["number"],
            )
            yield trial

    def _weigh(self, experiment: TrackedExperiment) -> None:
        """Keep which params matter, as far as the trials can say: importance.md with its picture."""
        sampler, log_params = self.plan["sampler"], self.plan["log_params"]
        report = search_report(experiment.read(), self.work.scoring.primary, sampler=sampler, log_params=log_params)
        for name, content in report.artifacts.items() if report else ():
            experiment.save_artifact(name, content)

    def _fit(self, experiment: TrackedExperiment, model: Any) -> None:
        extras = self.work.extras
        began = perf_counter()
        fitted(model, self.work.X, self.work.y, {**extras.fit_params, **extras.by_row})
        experiment.log_metric("training_seconds", perf_counter() - began)
        attempt(experiment, f"the model ({type(model).__name__})", lambda: experiment.save_model(model))


def _nothing_found(failed: Sequence[Trial], metric: str, total: int) -> UsageError:
    why = _why(failed[0]) if failed else f"every {metric} is NaN"
    return UsageError(
        f"none of {total} trials gave a value of {metric}; the first: {why}",
        expected="params and data that the model can be fitted and scored with",
        next_step="fit the model once without a search; the trials are recorded",
    )


def _why(trial: Trial) -> str:
    return ": ".join(trial["error"].values())
