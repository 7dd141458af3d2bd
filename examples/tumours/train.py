"""Models that tell malignant breast tumours from benign ones, each tracked: `python train.py linear boosting …`.

30 measurements of the cells of 569 patients (scikit-learn's bundled data). All models go over the same five folds.
"""

from __future__ import annotations

import hashlib
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import sklearn
from sklearn.datasets import load_breast_cancer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score, f1_score, log_loss, precision_score, recall_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from specweave import track_experiment, track_grid_search

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEED = 42
EPOCHS = 30

BUNCH = load_breast_cancer(as_frame=True)
X, Y = BUNCH.data, 1 - BUNCH.target  # malignant is 1: the case that must not be missed
FOLDS = [*StratifiedKFold(5, shuffle=True, random_state=SEED).split(X, Y)]


def cross_validate(exp: Any, make: Callable[[], Any]) -> Any:
    """Train and judge a new model on each of the folds; what was measured becomes the record. Returns the last one."""
    exp.log_dataset("breast-cancer", X, version=f"scikit-learn-{sklearn.__version__}")
    predicted, curves, seconds = np.zeros(len(Y), dtype=int), [], 0.0
    for number, (train, test) in enumerate(FOLDS):
        scaler = StandardScaler().set_output(transform="pandas").fit(X.iloc[train])
        x_train, x_test = scaler.transform(X.iloc[train]), scaler.transform(X.iloc[test])
        model, start = make(), time.perf_counter()
        curves.append([*losses_while_training(model, x_train, Y.iloc[train], x_test, Y.iloc[test])])
        seconds += time.perf_counter() - start
        predicted[test] = model.predict(x_test)
        # Experiments that went over the same folds can be tested against each other; the hash says that they did.
        split = hashlib.sha256(test.tobytes()).hexdigest()[:16]
        exp.log_fold(
            number, scores(Y.iloc[test], predicted[test]), n_train=len(train), n_test=len(test), split_id=split
        )
    exp.log_metric("training_seconds", seconds)
    for step, loss in enumerate(np.mean(curves, axis=0)):
        exp.log_metric("val_loss", loss, step=step)
    matrix = ConfusionMatrixDisplay.from_predictions(Y, predicted, display_labels=["benign", "malignant"])
    exp.save_artifact("confusion_matrix.png", matrix)
    exp.save_model(model, "model.pkl")
    return model


def losses_while_training(model: Any, x: Any, y: Any, x_held_out: Any, y_held_out: Any) -> Iterator[float]:
    """Fit a model; where it learns step by step, its loss on the patients it does not learn from, after each step."""
    if isinstance(model, GradientBoostingClassifier):
        for probabilities in model.fit(x, y).staged_predict_proba(x_held_out):
            yield log_loss(y_held_out, probabilities)
    elif hasattr(model, "partial_fit"):
        for _ in range(EPOCHS):
            model.partial_fit(x, y, classes=[0, 1])
            yield log_loss(y_held_out, model.predict_proba(x_held_out))
    else:
        model.fit(x, y)


def scores(truth: Any, predicted: Any) -> dict[str, float]:
    """How good the predictions are."""
    return {
        "accuracy": accuracy_score(truth, predicted),
        "precision": precision_score(truth, predicted, zero_division=0),
        "recall": recall_score(truth, predicted),
        "f1": f1_score(truth, predicted),
    }


def train_baseline() -> None:
    """What there is to beat: always the commoner diagnosis."""
    with track_experiment("exp-001-baseline", tags=["baseline"], description="Always the commoner diagnosis") as exp:
        exp.log_param("strategy", "most_frequent")
        cross_validate(exp, partial(DummyClassifier, strategy="most_frequent"))


def train_linear() -> None:
    """A logistic regression, one pass over the data at a time."""
    with track_experiment("exp-002-logistic", tags=["linear"], description="Logistic regression") as exp:
        params = {"loss": "log_loss", "alpha": 0.01}
        exp.log_params({**params, "epochs": EPOCHS, "random_seed": SEED})
        model = cross_validate(exp, partial(SGDClassifier, **params, random_state=SEED))
        weights = pd.Series(np.abs(model.coef_[0]), index=X.columns, name="weight")
        exp.save_artifact("feature_importance.csv", weights.rename_axis("feature").sort_values(ascending=False))


def train_boosting() -> None:
    """Gradient boosting, tree by tree."""
    with track_experiment("exp-003-gradient-boosting", tags=["trees"], description="Gradient boosting") as exp:
        params = {"n_estimators": 80, "learning_rate": 0.1, "max_depth": 2}
        exp.log_params({**params, "random_seed": SEED})
        cross_validate(exp, partial(GradientBoostingClassifier, **params, random_state=SEED))


def train_neural_net() -> None:
    """A small neural net, three times: how much is the net, and how much is luck?"""
    for seed in (1, 2, 3):
        name = "exp-004-neural-net" + (f"-seed-{seed}" if seed > 1 else "")
        repeat_of = "exp-004-neural-net" if seed > 1 else None
        with track_experiment(name, repeat_of=repeat_of, tags=["neural"], description="Neural net") as exp:
            params = {"hidden_layer_sizes": (32, 16), "learning_rate_init": 0.005}
            exp.log_params({**params, "epochs": EPOCHS, "random_seed": seed})
            cross_validate(exp, partial(MLPClassifier, **params, random_state=seed))


def try_missing_values() -> None:
    """An attempt that fails, and is kept: the next person need not make it again."""
    try:
        with track_experiment("exp-005-svm-missing-values", tags=["kernel"]) as exp:
            exp.log_params({"kernel": "rbf", "share_missing": 0.05})
            not_measured = np.random.default_rng(SEED).random(X.shape) < 0.05
            SVC(kernel="rbf").fit(X.mask(not_measured), Y)
    except ValueError as error:
        exp.log_note(f"FAILED: {str(error).splitlines()[0]}")
        exp.log_note("With 5 % of the measurements missing, an SVM needs an imputer in front.")


def search_boosting() -> None:
    """Which learning rate, which depth? Every combination is a trial of one experiment."""
    track_grid_search(
        GradientBoostingClassifier(n_estimators=60, random_state=SEED),
        {"learning_rate": [0.03, 0.1, 0.3], "max_depth": [1, 2, 3]},
        X,
        Y,
        cv=FOLDS,
        scoring=["accuracy", "precision", "recall", "f1"],
        refit="accuracy",
        name="exp-007-boosting-search",
        tags=["trees", "search"],
    )


def train_forest() -> None:
    """A random forest, which somebody tries after the choice was made."""
    with track_experiment("exp-006-random-forest", tags=["trees"], description="Random forest") as exp:
        exp.log_params({"n_estimators": 50, "random_seed": SEED})
        cross_validate(exp, partial(RandomForestClassifier, n_estimators=50, random_state=SEED))


EXPERIMENTS: dict[str, Callable[[], None]] = {
    "baseline": train_baseline,
    "linear": train_linear,
    "boosting": train_boosting,
    "neural-net": train_neural_net,
    "missing-values": try_missing_values,
    "forest": train_forest,
    "search": search_boosting,
}

if __name__ == "__main__":
    mpl.use("Agg")
    for word in sys.argv[1:]:
        print(f"  {EXPERIMENTS[word].__doc__}", flush=True)
        EXPERIMENTS[word]()
