"""Several models on the same rows: each an experiment, all in one comparison."""

from __future__ import annotations

import os
from math import isnan
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from specweave_ml.errors import Refused, UsageError, complain
from specweave_ml.reports import compare_experiments
from specweave_ml.tracking import track_experiment
from specweave_ml.training.cross_validation import log_folds
from specweave_ml.training.estimators import chosen_params, short_name, unfitted
from specweave_ml.training.fit import fitted
from specweave_ml.training.folds import splits_of
from specweave_ml.training.given import check_data, extras_of, log_data
from specweave_ml.training.recorded import attempt
from specweave_ml.training.scoring import is_binary, outcomes, scoring_of, usual_metrics
from specweave_ml.training.workers import Work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from specweave_ml.reports import Comparison
    from specweave_ml.tracking import TrackedExperiment
    from specweave_ml.training.scoring import Scoring

_LEAST_REPEATS, _MOST_REPEATS, _ENOUGH_SECONDS = 3, 25, 0.5


def compare_models(
    models: Any,
    X_train: Any = None,
    y_train: Any = None,
    X_test: Any = None,
    y_test: Any = None,
    *,
    increment: str | None = None,
    metrics: Any = None,
    direction: str | None = None,
    cv: Any = None,
    groups: Any = None,
    sample_weight: Any = None,
    fit_params: Mapping[str, Any] | None = None,
    n_jobs: int | None = None,
    params: Mapping[str, Mapping[str, Any]] | None = None,
    **about: Any,
) -> Comparison:
    """Record each model as an experiment and compare them.

        compare_models(models, X_train, y_train, X_test, y_test)           trained, then tested on the same rows
        compare_models(models, X_train, y_train, X_test, y_test, cv=5)     on the same folds of the training rows too
        compare_models(models, X, y, cv=5)                                 on the same folds only
        compare_models(fitted_models, X_test, y_test)                      tested as they are

    Beside its metrics each has `training_seconds`, `inference_microseconds_per_row` (the median of repeats, warm) and
    `model_size_bytes`. A model that fails is a failed experiment, and the others go on.

    Args:
        models: name → estimator (or its class), or a list of them.
        X_train: the rows to train on; of fitted models, those to test on.
        y_train: their target.
        X_test: the rows to test on.
        y_test: their target.
        increment: as `track_experiment` takes it.
        metrics: scorers or their names, as `track_hyperparameters` takes them; by default accuracy, precision, recall,
            F1 and ROC AUC, or mae and r2. Beside folds, those of the test rows are called `test_…`.
        direction: `maximize` or `minimize`, for a scorer of your own whose name does not say.
        cv: a number of folds, a splitter, or splits.
        groups: of each training row, for splitters that keep groups together.
        sample_weight: of each training row, for the fits.
        fit_params: further arguments of `fit`.
        n_jobs: folds at the same time; None: as joblib's `parallel_config` says, else 1.
        params: name → params to record beside those that are not at their defaults.
        about: `description`, `tags` and `repeat_of`, as `track_experiment` takes them.

    Raises:
        UsageError: something given cannot be meant (said before anything is fitted), or every model failed.
    """
    data = (X_train, y_train, X_test, y_test)
    if X_test is None and cv is None:
        data = (None, None, X_train, y_train)
    contests, splitter = _contests(models, data, metrics, direction, cv, groups, sample_weight, fit_params)
    failures = [contest.record(increment, splitter, n_jobs, params or {}, about) for contest in contests]
    if all(failures):
        raise UsageError(f"every model failed; the first: {failures[0]}", expected="models that fit the data")
    return _compared(increment)


def _contests(
    models: Any,
    data: tuple[Any, Any, Any, Any],
    metrics: Any,
    direction: str | None,
    cv: Any,
    groups: Any,
    sample_weight: Any,
    fit_params: Mapping[str, Any] | None,
) -> tuple[list[_Contest], str]:
    """What is to be done with each model, and the splitter in words; all that was given is looked at here."""
    X_train, y_train, X_test, y_test = data
    named = _named(models, fresh=X_train is not None)
    rows, target = (X_test, y_test) if X_train is None else (X_train, y_train)
    check_data(rows, [] if target is None else target, groups=groups, sample_weight=sample_weight)
    if X_test is not None:
        check_data(X_test, [] if y_test is None else y_test)
    splits, splitter = ([], "") if cv is None else splits_of(cv, named[0][1], X_train, y_train, groups)
    extras = extras_of(rows, fit_params, sample_weight)
    scorings = [scoring_of(model, metrics or usual_metrics(model, target), None, direction) for _, model in named]
    contests = [
        _Contest(name, Work(model, X_train, y_train, splits, scoring, extras), X_test, y_test)
        for (name, model), scoring in zip(named, scorings, strict=True)
    ]
    return contests, splitter


def _named(models: Any, *, fresh: bool) -> list[tuple[str, Any]]:
    given = list(models.items()) if hasattr(models, "items") else [(None, model) for model in models]
    if not given:
        raise UsageError("there are no models to compare", received=models, expected="name → estimator")
    if fresh:
        given = [(name, unfitted(model)) for name, model in given]
    for name, model in given:
        if isinstance(model, type) or not all(hasattr(model, method) for method in ("predict", "get_params")):
            raise UsageError(
                f"{name or 'this'} is no model as scikit-learn means it", received=model, expected="a fitted estimator"
            )
    return [(short_name(model) if name is None else str(name), model) for name, model in given]


class _Contest(NamedTuple):
    """One model, and what it is tried on; without training rows it is fitted already."""

    name: str
    work: Work
    X_test: Any
    y_test: Any

    def record(
        self,
        increment: str | None,
        splitter: str,
        n_jobs: int | None,
        params: Mapping[str, Mapping[str, Any]],
        about: Mapping[str, Any],
    ) -> str | None:
        """Record the model; what made it fail, or None."""
        experiment = track_experiment(self.name, increment, **about)
        try:
            with experiment:
                experiment.log_params({**params.get(self.name, {}), **chosen_params(self.work.estimator)})
                self._run(experiment, splitter, n_jobs)
        except Exception as error:  # noqa: BLE001 - a model that fails is recorded so, and the others go on
            why = f"{experiment.name}: {type(error).__name__}: {error}"
            complain(f"a model failed, which its experiment says: {why}")
            return why
        return None

    def _run(self, experiment: TrackedExperiment, splitter: str, n_jobs: int | None) -> None:
        model, work = self.work.estimator, self.work
        log_data(experiment, X_train=work.X, y_train=work.y, X_test=self.X_test, y_test=self.y_test)
        if type(model).__module__.startswith("sklearn.dummy"):
            experiment.add_tag("baseline")
        if work.splits:
            log_folds(experiment, work, splitter, n_jobs)
        if self.X_test is None:
            return
        if work.X is not None:
            began = perf_counter()
            fitted(model, work.X, work.y, {**work.extras.fit_params, **work.extras.by_row})
            experiment.log_metric("training_seconds", perf_counter() - began)
        prefix = "test_" if work.splits else ""
        log_test(experiment, model, self.X_test, self.y_test, work.scoring, prefix=prefix)
        path = attempt(experiment, f"the model ({type(model).__name__})", lambda: experiment.save_model(model))
        if path is not None:
            experiment.log_metric("model_size_bytes", os.path.getsize(path))


def log_test(experiment: TrackedExperiment, model: Any, X: Any, y: Any, scoring: Scoring, *, prefix: str = "") -> None:
    """Record how a fitted model does on test rows: its metrics, what is behind them, and how long a prediction takes.

    Args:
        experiment: where it is recorded.
        model: fitted.
        X: the rows.
        y: their target.
        scoring: what is measured.
        prefix: of the metrics' names.
    """
    scores, error = scoring.scores(model, X, y)
    said = numpy.asarray(model.predict(X))
    measured = {prefix + name: score for name, score in scores.items() if not isnan(score)}
    counts = {prefix + name: n for name, n in _counts(y, said).items() if prefix + name in measured}
    experiment.log_metrics(measured, n=counts)
    if error is not None:
        experiment.log_note(f"Not measured: {error['message']}")
    for name in scoring.of_rows:
        added = outcomes(name, y, said)
        experiment.log_outcomes(prefix + name, range(len(added)), added)
    experiment.log_metric("inference_microseconds_per_row", 1e6 * _seconds(model, X) / len(said))


def _counts(true: Any, said: Any) -> dict[str, int]:
    """The count behind each metric that is a proportion: of all rows, or of those that are, or are called, positive."""
    counts = {"accuracy": len(said)}
    if is_binary(true):
        counts |= {"precision": int((said == 1).sum()), "recall": int((numpy.asarray(true) == 1).sum())}
    return {name: count for name, count in counts.items() if count}


def _seconds(model: Any, rows: Any) -> float:
    """The median time of a prediction for these rows, after others that warmed it up."""
    spent: list[float] = []
    while len(spent) < _LEAST_REPEATS or (len(spent) < _MOST_REPEATS and sum(spent) < _ENOUGH_SECONDS):
        began = perf_counter()
        model.predict(rows)
        spent.append(perf_counter() - began)
    return median(spent)


def _compared(increment: str | None) -> Comparison:
    try:
        return compare_experiments(increment)
    except Refused as refused:
        complain(f"{refused.what}; next: {refused.next_step}")
        return compare_experiments(increment, write=False)
