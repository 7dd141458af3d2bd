"""An estimator in training: fitted, tested and saved as one experiment."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Self

from specweave_ml.errors import UsageError
from specweave_ml.tracking import track_experiment
from specweave_ml.training.comparing import log_test
from specweave_ml.training.estimators import short_name
from specweave_ml.training.fit import fitted
from specweave_ml.training.given import check_data
from specweave_ml.training.recorded import Recorded, attempt
from specweave_ml.training.scoring import scoring_of, usual_metrics

if TYPE_CHECKING:
    from specweave_ml.tracking import TrackedExperiment


class TrackedModel(Recorded):
    """A model with `fit` and its experiment. Made by `track_sklearn_model`; the model is saved at the end.

    Attributes:
        model: as it was given.
    """

    def __init__(self, model: Any, experiment: TrackedExperiment) -> None:
        super().__init__(experiment)
        self.model = model
        self._is_fitted = False

    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> Self:
        """Fit the model, and record its params, the data and the time.

        Raises:
            UsageError: X and y differ in length, or a target is missing.
        """
        check_data(X, y)
        get_params = getattr(self.model, "get_params", dict)
        self.experiment.log_params({"model": type(self.model).__name__, **get_params()})
        self.experiment.log_dataset("X_train", X)
        if y is not None:
            self.experiment.log_dataset("y_train", y)
        began = perf_counter()
        fitted(self.model, X, y, fit_params)
        self._is_fitted = True
        self.experiment.log_metric("training_seconds", perf_counter() - began)
        return self

    def evaluate(self, X: Any, y: Any, metrics: Any = None, direction: str | None = None) -> dict[str, float]:
        """Test the fitted model as `compare_models` does, and give what was measured.

        Args:
            X: the rows.
            y: their target.
            metrics: scorers or their names; by default those of `compare_models`.
            direction: `maximize` or `minimize`, for a scorer of your own whose name does not say.

        Raises:
            UsageError: X and y differ in length, a target is missing, or there is no such metric.
        """
        check_data(X, y)
        scoring = scoring_of(self.model, metrics or usual_metrics(self.model, y), None, direction)
        log_test(self.experiment, self.model, X, y, scoring)
        self._is_fitted = True
        return {name: value for name, value in self.experiment.metrics.items() if name in scoring.signs}

    def _complete(self) -> None:
        if self._is_fitted:
            attempt(self.experiment, "the model", lambda: self.experiment.save_model(self.model))


def track_sklearn_model(
    model: Any, increment: str | None = None, *, name: str | None = None, **options: Any
) -> TrackedModel:
    """Record the training and the test of an estimator.

        with track_sklearn_model(model, increment="0042") as tracked:
            tracked.fit(X_train, y_train)
            tracked.evaluate(X_test, y_test)

    Args:
        model: an estimator.
        increment: `0042`, `42`, the full name, or None for the active one.
        name: of the experiment; by default from the model's class.
        options: what else `track_experiment` takes.

    Raises:
        UsageError: it cannot be fitted.
    """
    if isinstance(model, type) or not hasattr(model, "fit"):
        raise UsageError("this cannot be fitted", received=model, expected="an estimator (not its class)")
    return TrackedModel(model, track_experiment(name or short_name(model), increment, **options))
