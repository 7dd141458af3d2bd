"""Every round of a boosting library recorded, by a callback that its training takes.

    <set>/<metric>     the history of an evaluation set, a point a round: `train/logloss`, `validation_0/auc`
    <metric>           the model's own value: of the last set that is no training set, at the best round where early
                       stopping found one, else at the last
    best_iteration     that round, counted from 0
    training_seconds   from before the first round to the end of the last

Names that libraries spell differently are one: `binary_logloss`, `multi_logloss` and `mlogloss` are `logloss`.
"""

from __future__ import annotations

import json
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from specweave_ml.artifacts.formats import needed
from specweave_ml.errors import UsageError
from specweave_ml.tracking import track_experiment
from specweave_ml.training.recorded import Recorded, attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from specweave_ml.tracking import TrackedExperiment

    Score = tuple[str, str, float, float | None]  # set, metric, value, its spread in a cross-validation

_ONE_NAME = {
    **dict.fromkeys(("mlogloss", "binary_logloss", "multi_logloss"), "logloss"),
    **dict.fromkeys(("merror", "binary_error", "multi_error"), "error"),
    "l1": "mae",
    "l2": "mse",
    "pre": "precision",
}
# XGBoost's own second names of params, and what is none of the caller's business.
_NO_PARAMS = frozenset("eta alpha lambda min_split_loss updater updater_seq process_type refresh_leaf".split())
_NO_PARAMS |= {"sparse_threshold", "debug_synchronize", "max_cached_hist_node"}


class TrackedBoosting(Recorded):
    """One training of a boosting library. Made by `track_boosting_model`.

    Attributes:
        callback: goes into `callbacks=[…]` of `train`, `cv`, or the scikit-learn estimator.
    """

    def __init__(self, experiment: TrackedExperiment, callback: Callable[[TrackedBoosting], Any]) -> None:
        super().__init__(experiment)
        self.callback = callback(self)
        self._model: Any = None
        self._first = 0
        self._history: dict[str, list[float]] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._works = True

    def _begin(self, model: Any, first: int, params: Callable[[], Mapping[str, Any]]) -> None:
        if self._model is not None and first == 0:
            raise UsageError(
                "this callback has recorded a training already",
                received=self.experiment.name,
                expected="a callback of its own for every training",
                next_step="call track_boosting_model again",
            )
        self._first = first if self._model is None else self._first
        self._began = self._now = monotonic()
        self._model = model
        attempt(self.experiment, "the params of the training", lambda: self.experiment.log_params(params()))

    def _round(self, step: int, scores: Iterable[Score]) -> None:
        self._now = monotonic()
        if self._works:
            self._works = attempt(self.experiment, "the rounds from here on", partial(self._log, step, scores)) or False

    def _log(self, step: int, scores: Iterable[Score]) -> bool:
        points = {}
        for of, metric, value, spread in scores:
            name = self._names.get((of, metric)) or self._name(of, metric)
            points[name] = number = float(value)
            self._history.setdefault(name, []).append(number)
            if spread is not None:
                points[f"{name}_std"] = float(spread)
        self.experiment.log_metrics(points, step=step)
        return True

    def _name(self, of: str, metric: str) -> str:
        name = self._names[of, metric] = f"{of}/{_ONE_NAME.get(metric, metric)}"
        return name

    def _complete(self) -> None:
        if self._model is not None:
            attempt(self.experiment, "the best round", self._log_best)
        if hasattr(self._model, "save_model") and not hasattr(self._model, "boosters"):
            attempt(self.experiment, "the model", lambda: self.experiment.save_model(self._model))

    def _log_best(self) -> None:
        best = self._best()
        self.experiment.log_metric("training_seconds", self._now - self._began)
        if best is not None:
            self.experiment.log_metric("best_iteration", best)
        sets = dict.fromkeys(of for of, _ in self._names)
        held_out = [of for of in sets if "train" not in of.lower()]
        if not held_out:
            which = "no evaluation set" if not sets else "only the training set"
            self.experiment.log_note(f"There was {which} to evaluate on, so the model has no metric of its own.")
            return
        for (of, metric), name in self._names.items():
            values = self._history[name]
            place = -1 if best is None or not 0 <= best - self._first < len(values) else best - self._first
            if of == held_out[-1]:
                self.experiment.log_metric(_ONE_NAME.get(metric, metric), values[place])

    def _best(self) -> int | None:
        """The round that early stopping found the best, from 0; LightGBM counts from 1, and there 0 is none."""
        try:
            best = int(self._model.best_iteration) - isinstance(self.callback, _LightGBMRounds)
        except (AttributeError, TypeError):  # XGBoost has none without early stopping, and None in a cross-validation
            return None
        return best if best >= 0 else None


class _XGBoostRounds:
    """What XGBoost calls a TrainingCallback, which it is made by registering: no import of XGBoost is needed here."""

    def __init__(self, tracked: TrackedBoosting) -> None:
        needed("xgboost.callback", "xgboost").TrainingCallback.register(_XGBoostRounds)
        self._tracked = tracked
        self._first = 0

    def before_training(self, model: Any) -> Any:
        self._first = model.num_boosted_rounds()
        self._tracked._begin(model, self._first, lambda: _xgboost_params(model))
        return model

    def before_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        return False

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        self._tracked._round(self._first + epoch, _xgboost_scores(evals_log))
        return False

    def after_training(self, model: Any) -> Any:
        self._tracked._model = model
        return model

    def __deepcopy__(self, memo: Any) -> _XGBoostRounds:
        return self  # scikit-learn copies an estimator with its callbacks, and this one has one experiment


def _xgboost_scores(evals_log: Any) -> Iterator[Score]:
    for of, metrics in evals_log.items():
        for metric, values in metrics.items():
            latest = values[-1]
            yield (of, metric, *(latest if isinstance(latest, tuple) else (latest, None)))


def _xgboost_params(model: Any) -> dict[str, Any]:
    """What the training works with, defaults included; of a cross-validation nothing is told."""
    if not hasattr(model, "save_config"):
        return {}
    learner = json.loads(model.save_config())["learner"]
    params = {"booster": learner["gradient_booster"]["name"], "objective": learner["objective"]["name"]}
    found = dict(_leaves({key: learner[key] for key in ("objective", "gradient_booster")}, ""))
    return params | {key: _plain(text) for key, text in found.items() if key not in _NO_PARAMS}


def _leaves(config: Any, inside: str) -> Iterator[tuple[str, str]]:
    for key, value in config.items():
        if isinstance(value, dict):
            yield from _leaves(value, key)
        elif inside.endswith("_param") and not inside.endswith("_model_param") and isinstance(value, str):
            yield key, value


def _plain(text: str) -> Any:
    """The number that XGBoost writes as a float of 32 bits: `0.100000001` is 0.1."""
    try:
        return int(text) if text.lstrip("-").isdigit() else float(f"{float(text):.7g}")
    except ValueError:
        return text


class _LightGBMRounds:
    """What LightGBM calls with its environment after every round; before early stopping, which ends the round (30)."""

    order = 25
    before_iteration = False

    def __init__(self, tracked: TrackedBoosting) -> None:
        self._tracked = tracked

    def __call__(self, environment: Any) -> None:
        if environment.iteration == environment.begin_iteration:
            self._tracked._begin(environment.model, environment.begin_iteration, lambda: environment.params)
        self._tracked._round(environment.iteration, map(_lightgbm_score, environment.evaluation_result_list or ()))


def _lightgbm_score(result: Any) -> Score:
    if hasattr(result, "metric_value"):  # since 4.7, where taking it apart as a tuple is slow
        return result.dataset_name, result.metric_name, result.metric_value, result.metric_std_dev
    of, metric, value, _, *spread = result
    if of == "cv_agg":  # before 4.6 a cross-validation told set and metric in one
        of, _, metric = metric.partition(" ")
    return of, metric, value, spread[0] if spread else None


_LIBRARIES: dict[str, Callable[[TrackedBoosting], Any]] = {"xgboost": _XGBoostRounds, "lightgbm": _LightGBMRounds}


def track_boosting_model(
    library: str, increment: str | None = None, *, name: str | None = None, **options: Any
) -> TrackedBoosting:
    """Record a training of XGBoost or LightGBM, a point of every metric a round.

        with track_boosting_model("xgboost", increment="0042") as tracked:
            model = xgb.train(params, dtrain, evals=[(dtest, "test")], callbacks=[tracked.callback])

    `XGBClassifier(callbacks=[…])`, `LGBMClassifier().fit(…, callbacks=[…])` and both `cv` functions take it too. The
    model is saved at the end of the block, or by `finish()`.

    Args:
        library: `xgboost` or `lightgbm`.
        increment: `0042`, `42`, the full name, or None for the active one.
        name: of the experiment; by default the library's.
        options: what else `track_experiment` takes.

    Raises:
        UsageError: another library. At the begin of a training: the callback has recorded one already.
        MissingDependency: the library is not installed.
    """
    callback = _LIBRARIES.get(library.lower() if isinstance(library, str) else "")
    if callback is None:
        raise UsageError(
            "there is no callback for this library",
            received=library,
            expected="xgboost or lightgbm",
            next_step="log the rounds yourself: exp.log_metrics({...}, step=round)",
        )
    needed(library.lower(), library.lower())
    experiment = track_experiment(name or library.lower(), increment, **options)
    experiment.log_param("model", library.lower())
    return TrackedBoosting(experiment, callback)
