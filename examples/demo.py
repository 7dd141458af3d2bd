"""Train real models on real data, track them and compare them: `make demo`.

The question is whether a breast tumour is malignant, from 30 measurements of its cells (scikit-learn's bundled data,
569 patients). A baseline, three models and a failed attempt are tracked into the increment `0042-tumour-diagnosis`
of a SpecWeave project that this script makes in the folder `demo/`, anew each time it runs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
import sklearn
from sklearn.datasets import load_breast_cancer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score, f1_score, log_loss, precision_score, recall_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from specweave import track_experiment

DEMO = Path(__file__).resolve().parents[1] / "demo"
INCREMENT = "0042-tumour-diagnosis"
SEED = 42


class Data(NamedTuple):
    """Three parts of the patients: to train on, to watch while training, to judge by at the end."""

    x_train: pd.DataFrame
    x_watch: pd.DataFrame
    x_test: pd.DataFrame
    y_train: pd.Series
    y_watch: pd.Series
    y_test: pd.Series


def load_data() -> Data:
    """The bundled data, with malignant as 1: that is the case that must not be missed."""
    bunch = load_breast_cancer(as_frame=True)
    x, y = bunch.data, 1 - bunch.target
    x_rest, x_test, y_rest, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=SEED)
    x_train, x_watch, y_train, y_watch = train_test_split(
        x_rest, y_rest, test_size=0.25, stratify=y_rest, random_state=SEED
    )
    scaler = StandardScaler().set_output(transform="pandas").fit(x_train)
    x_train, x_watch, x_test = (scaler.transform(part) for part in (x_train, x_watch, x_test))
    return Data(x_train, x_watch, x_test, y_train, y_watch, y_test)


def record(exp: Any, model: Any, data: Data) -> None:
    """What every experiment has in common: where the data came from, how good the model is, and the model itself."""
    exp.log_dataset("breast-cancer", data.x_train, version=f"scikit-learn-{sklearn.__version__}")
    exp.log_params({"random_seed": SEED, "rows_train": len(data.y_train), "rows_test": len(data.y_test)})

    predicted = model.predict(data.x_test)
    exp.log_metric("accuracy", accuracy_score(data.y_test, predicted), n=len(data.y_test))
    exp.log_metric("precision", precision_score(data.y_test, predicted, zero_division=0))
    exp.log_metric("recall", recall_score(data.y_test, predicted))
    exp.log_metric("f1", f1_score(data.y_test, predicted))

    matrix = ConfusionMatrixDisplay.from_predictions(
        data.y_test, predicted, display_labels=["benign", "malignant"], colorbar=False
    )
    exp.save_artifact("confusion_matrix.png", matrix)
    exp.save_model(model, "model.pkl")


def train_baseline(data: Data) -> None:
    """What there is to beat: always answer with the commoner diagnosis."""
    with track_experiment("exp-001-baseline", tags=["baseline"]) as exp:
        exp.log_param("strategy", "most_frequent")
        model = DummyClassifier(strategy="most_frequent").fit(data.x_train, data.y_train)
        record(exp, model, data)
        exp.log_note("Calls every tumour benign: its accuracy is the share of benign ones.")


def train_linear(data: Data) -> None:
    """A logistic regression, one pass over the data at a time."""
    with track_experiment("exp-002-logistic-sgd", tags=["linear"]) as exp:
        params = {"loss": "log_loss", "alpha": 0.001}
        exp.log_params({**params, "epochs": 40})
        model = SGDClassifier(**params, random_state=SEED)
        for epoch in range(40):
            model.partial_fit(data.x_train, data.y_train, classes=[0, 1])
            exp.log_metric("watch_loss", log_loss(data.y_watch, model.predict_proba(data.x_watch)), step=epoch)
        record(exp, model, data)
        weights = pd.Series(np.abs(model.coef_[0]), index=data.x_train.columns, name="weight")
        exp.save_artifact("feature_importance.csv", weights.rename_axis("feature").sort_values(ascending=False))


def train_boosting(data: Data) -> None:
    """Gradient boosting, watched tree by tree."""
    with track_experiment("exp-003-gradient-boosting", tags=["trees"]) as exp:
        params = {"n_estimators": 200, "learning_rate": 0.1, "max_depth": 2}
        exp.log_params(params)
        model = GradientBoostingClassifier(**params, random_state=SEED).fit(data.x_train, data.y_train)
        for trees, probabilities in enumerate(model.staged_predict_proba(data.x_watch), start=1):
            exp.log_metric("watch_loss", log_loss(data.y_watch, probabilities), step=trees)
        record(exp, model, data)
        importance = pd.Series(model.feature_importances_, index=data.x_train.columns, name="importance")
        exp.save_artifact("feature_importance.csv", importance.rename_axis("feature").sort_values(ascending=False))


def train_neural_net(data: Data) -> None:
    """A small neural net, epoch by epoch."""
    with track_experiment("exp-004-neural-net", tags=["neural"]) as exp:
        params = {"hidden_layer_sizes": (32, 16), "learning_rate_init": 0.005}
        exp.log_params({**params, "epochs": 60})
        model = MLPClassifier(**params, random_state=SEED)
        for epoch in range(60):
            model.partial_fit(data.x_train, data.y_train, classes=[0, 1])
            exp.log_metric("train_loss", model.loss_, step=epoch)
            exp.log_metric("watch_loss", log_loss(data.y_watch, model.predict_proba(data.x_watch)), step=epoch)
        record(exp, model, data)


def try_missing_values(data: Data) -> None:
    """An attempt that fails, and is kept: the next person need not make it again."""
    try:
        with track_experiment("exp-005-svm-missing-values", tags=["kernel"]) as exp:
            exp.log_params({"kernel": "rbf", "share_missing": 0.05})
            not_measured = np.random.default_rng(SEED).random(data.x_train.shape) < 0.05
            SVC(kernel="rbf").fit(data.x_train.mask(not_measured), data.y_train)
    except ValueError as error:
        reason = str(error).splitlines()[0]
        exp.log_note(f"FAILED: {reason}")
        exp.log_note("With 5 % of the measurements missing, an SVM needs an imputer in front.")


def make_project() -> None:
    """Make an empty SpecWeave project of its own, even if this clone lies in another one."""
    if DEMO.exists():
        if not (DEMO / ".specweave" / "increments" / INCREMENT).is_dir():
            sys.exit(f"{DEMO} is not an earlier demo, so it stays as it is. Move it away and run this again.")
        shutil.rmtree(DEMO)
    (DEMO / ".specweave").mkdir(parents=True)


def run_command(*arguments: str) -> None:
    """Run specweave-ml and show what it was and what it says, as in a person's terminal."""
    print(f"\n$ specweave-ml {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", "specweave_ml", *arguments], cwd=DEMO, check=True)


def main() -> None:
    """Make the project, train, compare, show."""
    mpl.use("Agg")
    make_project()
    os.chdir(DEMO)
    run_command("init", INCREMENT)

    print("\ntraining", flush=True)
    data = load_data()
    for train in (train_baseline, train_linear, train_boosting, train_neural_net, try_missing_values):
        print(f"  {train.__doc__}", flush=True)
        train(data)

    run_command("list", "0042")
    run_command("compare", "0042")
    comparison = DEMO / ".specweave" / "increments" / INCREMENT / "experiments" / "comparison.md"
    print(f"\n{comparison.relative_to(DEMO.parent)}:\n\n{comparison.read_text()}")


if __name__ == "__main__":
    main()
