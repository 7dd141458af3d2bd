"""A thousand rounds of boosting, plain and with our callback in turns in one process, so that one noise hits both."""

from collections.abc import Callable
from functools import cache, partial
from time import perf_counter
from typing import Any

from benchmarks.work.timed import Timed

ROUNDS = 1_000
ROWS = 5_000
PAIRS = 2
PARAMS = {"max_depth": 6, "learning_rate": 0.02, "seed": 0}


@cache
def problem() -> tuple[Any, Any, Any, Any]:
    """Rows to train on and rows to evaluate on after every round."""
    from sklearn.datasets import make_classification
    from sklearn.model_selection import train_test_split

    features, target = make_classification(ROWS, 20, n_informative=10, flip_y=0.2, random_state=0)
    train, test, y_train, y_test = train_test_split(features, target, random_state=0)
    return train, test, y_train, y_test


def train_xgboost(callbacks: list[Any]) -> None:
    """On one thread: two would measure what else the machine does."""
    import xgboost

    train, test, y_train, y_test = problem()
    data = xgboost.DMatrix(train, label=y_train)
    xgboost.train(
        {**PARAMS, "objective": "binary:logistic", "eval_metric": ["logloss", "auc"], "nthread": 1},
        data,
        num_boost_round=ROUNDS,
        evals=[(data, "train"), (xgboost.DMatrix(test, label=y_test), "test")],
        callbacks=callbacks,
        verbose_eval=False,
    )


def train_lightgbm(callbacks: list[Any]) -> None:
    """The same of LightGBM."""
    import lightgbm

    train, test, y_train, y_test = problem()
    data = lightgbm.Dataset(train, y_train)
    lightgbm.train(
        {**PARAMS, "objective": "binary", "metric": ["binary_logloss", "auc"], "num_threads": 1, "verbose": -1},
        data,
        num_boost_round=ROUNDS,
        valid_sets=[data, lightgbm.Dataset(test, y_test, reference=data)],
        valid_names=["train", "test"],
        callbacks=callbacks,
    )


def tracked(library: str, training: Callable[[list[Any]], None]) -> None:
    """A training with our callback: from the start of the experiment to its end, the saved model included."""
    from specweave import track_boosting_model

    with track_boosting_model(library, increment="0001") as model:
        training([model.callback])


def in_turns(timed: Timed, library: str, training: Callable[[list[Any]], None]) -> float:
    """Laps of both trainings, the plain one first; the seconds that the experiment takes before and after its rounds.

    What only the first call of a process pays is not in them.
    """
    training([])
    tracked(library, training)
    around = []
    for _ in range(PAIRS):
        with timed:
            training([])
        began = perf_counter()
        tracked(library, partial(in_a_lap, timed, training))
        around.append(perf_counter() - began - timed.laps[-1])
    return min(around)


def in_a_lap(timed: Timed, training: Callable[[list[Any]], None], callbacks: list[Any]) -> None:
    """A training as one lap."""
    with timed:
        training(callbacks)


def xgboost_rounds(timed: Timed) -> float:
    """XGBoost."""
    return in_turns(timed, "xgboost", train_xgboost)


def lightgbm_rounds(timed: Timed) -> float:
    """LightGBM."""
    return in_turns(timed, "lightgbm", train_lightgbm)
