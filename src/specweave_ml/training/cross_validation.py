"""Cross-validation: every fold of one model recorded, with what a corrected comparison needs."""

from __future__ import annotations

from math import isfinite, isnan
from typing import TYPE_CHECKING, Any

import numpy

from specweave_ml.errors import UsageError
from specweave_ml.tracking import track_experiment
from specweave_ml.training.estimators import chosen_params, short_name, unfitted
from specweave_ml.training.folds import splits_of
from specweave_ml.training.given import check_data, extras_of, log_data
from specweave_ml.training.scoring import scoring_of
from specweave_ml.training.workers import Task, Work, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from specweave_ml.tracking import TrackedExperiment
    from specweave_ml.training.fit import Fit
    from specweave_ml.training.folds import Split

DISTRIBUTION = "cross_validation.json"


class CrossValidation:
    """The folds of a cross-validation, in the order of the splits.

    `found["test_score"]`, `found["test_<metric>"]`, `found["fit_time"]` and `found["score_time"]` are what
    scikit-learn's `cross_validate` calls so.

    Attributes:
        experiment: the name of its experiment.
        metric: the metric that decides.
    """

    def __init__(self, experiment: str, metric: str, fits: Sequence[Fit], splits: Sequence[Split]) -> None:
        self.experiment = experiment
        self.metric = metric
        self._splits = splits
        self._columns = {f"test_{name}": numpy.array([fit.scores[name] for fit in fits]) for name in fits[0].scores}
        self._columns["test_score"] = self._columns[f"test_{metric}"]
        self._columns["fit_time"] = numpy.array([fit.fit_seconds for fit in fits])
        self._columns["score_time"] = numpy.array([fit.score_seconds for fit in fits])

    @property
    def scores(self) -> Any:
        """The scores of the metric that decides, an array with one a fold."""
        return self._columns["test_score"]

    @property
    def mean(self) -> float:
        """Their mean."""
        return float(numpy.average(self.scores))

    @property
    def std(self) -> float:
        """Their sample standard deviation (n - 1 below the line); NaN for one fold."""
        return float(numpy.std(self.scores, ddof=1)) if len(self.scores) > 1 else float("nan")

    def __getitem__(self, name: str) -> Any:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def keys(self) -> Any:
        """The names of the columns, so that `dict(found)` works."""
        return self._columns.keys()

    def to_dataframe(self) -> Any:
        """A pandas DataFrame, a row a fold: repeat, fold, sizes, split_id, scores and times."""
        import pandas

        places = [{"fold": split.fold, **split.sizes} for split in self._splits]
        measured = {name: column for name, column in self._columns.items() if name != "test_score"}
        return pandas.DataFrame(places).assign(**measured)

    def __repr__(self) -> str:
        found = f"{self.metric} {self.mean:.4g} ± {self.std:.2g} over {len(self.scores)} folds"
        return f"<CrossValidation {self.experiment}: {found}>"


def track_cross_validation(
    model: Any,
    X: Any,
    y: Any = None,
    cv: Any = 5,
    increment: str | None = None,
    *,
    name: str | None = None,
    scoring: Any = None,
    direction: str | None = None,
    groups: Any = None,
    sample_weight: Any = None,
    fit_params: Mapping[str, Any] | None = None,
    n_jobs: int | None = None,
    outcomes: bool = False,
    **about: Any,
) -> CrossValidation:
    """Cross-validate a model and record every fold: scores, sizes, times, and which rows it was.

    The scores are those of scikit-learn's `cross_validate`. The metric's value is the mean over the folds; their
    spread, quartiles and extremes stand in `cross_validation.json`.

    Args:
        model: an estimator, or its class.
        X: the rows.
        y: the target.
        cv: a number of folds, a splitter (repeated ones are told apart by their repeats), or splits.
        increment: as `track_experiment` takes it.
        name: of the experiment; by default from the model's class.
        scoring: None for the model's own score, a scorer, its name, a list of these, or a mapping name → scorer.
        direction: `maximize` or `minimize`, for a scorer of your own whose name does not say.
        groups: of each row, for splitters that keep groups together.
        sample_weight: of each row, for the fits.
        fit_params: further arguments of `fit`; what has a value a row is cut to the fold's rows.
        n_jobs: fits at the same time; None: as joblib's `parallel_config` says, else 1.
        outcomes: also record what each row adds to the metric, which compares models row by row.
        about: `description`, `tags` and `repeat_of`, as `track_experiment` takes them.

    Raises:
        UsageError: something given cannot be meant (said before anything is fitted), or a fold failed.
        MissingDependency: scikit-learn is not installed.
    """
    estimator = unfitted(model)
    check_data(X, y, groups=groups, sample_weight=sample_weight)
    measured = scoring_of(estimator, scoring, None, direction)
    if outcomes and not measured.of_rows:
        raise UsageError(
            f"{measured.primary} is no mean over rows, so no row has an outcome of its own",
            received=list(measured.signs),
            expected="a metric such as accuracy, mae or mse among them",
        )
    splits, splitter = splits_of(cv, estimator, X, y, groups)
    extras = extras_of(X, fit_params, sample_weight)._replace(outcomes=outcomes)
    work = Work(estimator, X, y, splits, measured, extras)
    with track_experiment(name or f"{short_name(estimator)}-cross-validation", increment, **about) as experiment:
        experiment.log_params(chosen_params(estimator))
        log_data(experiment, X=X, y=y)
        fits = log_folds(experiment, work, splitter, n_jobs)
        return CrossValidation(experiment.name, measured.primary, fits, splits)


def log_folds(experiment: TrackedExperiment, work: Work, splitter: str, n_jobs: int | None) -> list[Fit]:
    """Fit and score a model on every split, and record each fold the moment it is there.

    Returns:
        The fits in the order of the splits.

    Raises:
        UsageError: a fold failed; the others are recorded.
    """
    fits: dict[int, Fit] = {}
    for fit in run(work, [Task(0, fold, {}) for fold in range(len(work.splits))], n_jobs):
        fits[fit.fold] = fit
        split = work.splits[fit.fold]
        if not (fit.error and isnan(fit.scores[work.scoring.primary])):
            experiment.log_fold(
                split.fold,
                fit.scores,
                fit_seconds=fit.fit_seconds,
                score_seconds=fit.score_seconds,
                **split.sizes,
            )
    in_order = [fits[fold] for fold in sorted(fits)]
    errors = [": ".join(fit.error.values()) for fit in in_order if fit.error]
    if errors and any(isnan(fit.scores[work.scoring.primary]) for fit in in_order):
        raise UsageError(
            f"{len(errors)} of {len(fits)} folds failed; the first: {errors[0]}",
            expected="a model and data that can be fitted and scored on every fold",
        )
    if errors:
        experiment.log_note(f"A metric was not measured on {len(errors)} of {len(fits)} folds; the first: {errors[0]}")
    experiment.log_metric("training_seconds", float(numpy.mean([fit.fit_seconds for fit in in_order])))
    columns = {name: [fit.scores[name] for fit in in_order] for name in work.scoring.signs}
    spread = {name: distribution(column) for name, column in columns.items()}
    experiment.save_artifact(DISTRIBUTION, {"cv": splitter, "metrics": spread})
    if work.extras.outcomes:
        _log_outcomes(experiment, in_order, work.splits)
    return in_order


def distribution(scores: Sequence[float]) -> dict[str, float | int | None]:
    """Mean, sample standard deviation (n - 1), quartiles and extremes of a metric's scores; None for no number."""
    column = numpy.asarray(scores, dtype=float)
    quartiles = numpy.quantile(column, [0, 0.25, 0.5, 0.75, 1])
    named = dict(zip(("min", "q1", "median", "q3", "max"), quartiles.tolist(), strict=True))
    spread = float(numpy.std(column, ddof=1)) if len(column) > 1 else float("nan")
    found = {"folds": len(column), "mean": float(numpy.average(column)), "std": spread, **named}
    return {name: value if isfinite(value) else None for name, value in found.items()}


def _log_outcomes(experiment: TrackedExperiment, fits: Sequence[Fit], splits: Sequence[Split]) -> None:
    """Each row once: of a repeated cross-validation the first repeat, of overlapping splits the first that has it."""
    for name in fits[0].outcomes or ():
        by_row: dict[int, float] = {}
        for fit, split in zip(fits, splits, strict=True):
            if fit.outcomes is not None and split.repeat == 0:
                for row, value in zip(split.test.tolist(), fit.outcomes[name], strict=True):
                    by_row.setdefault(row, value)
        rows = sorted(by_row)
        experiment.log_outcomes(name, rows, [by_row[row] for row in rows])
