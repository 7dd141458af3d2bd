"""Scripts as people write them, made to record themselves and run: what they printed is what was recorded."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from instrumented import GOLDEN, NEEDS_MLFLOW, NEEDS_TORCH, run_all, runnable
from specweave_ml import Experiment, instrument, load_experiments

ELSEWHERE = {*NEEDS_TORCH, *NEEDS_MLFLOW}


@dataclass(frozen=True)
class Ran:
    """What scripts printed as they were, what they printed changed, and what that recorded."""

    before: dict[str, tuple[int, str]]
    after: dict[str, tuple[int, str]]
    experiments: dict[str, Experiment]

    def printed(self, script: str, words: str) -> list[float]:
        """The numbers that a script printed behind some words."""
        found = re.findall(rf"{words}\D*?(-?\d+\.\d+)", self.after[script][1])
        assert found, self.after[script][1]
        return [float(number) for number in found]


def run_both(folder: Path, names: list[str]) -> Ran:
    plain, changed = folder / "plain", folder / "project"
    (changed / ".specweave/increments/0042-recommendation-model").mkdir(parents=True)
    for kind in ("scripts", "odd"):
        for place in (plain, changed):
            shutil.copytree(GOLDEN / kind, place, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(changed)
        for name in names:
            instrument.apply(instrument.plan(name))
            assert not instrument.plan(name).is_changed
        with ThreadPoolExecutor(2) as pool:
            before, after = pool.map(
                run_all, ([runnable(place / name) for name in names] for place in (plain, changed))
            )
        experiments = {each.name: each for each in load_experiments("0042")}
    return Ran(before, after, experiments)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    names = [each.name for kind in ("scripts", "odd") for each in sorted((GOLDEN / kind).iterdir()) if each.is_file()]
    return run_both(tmp_path_factory.mktemp("instrumented"), [name for name in names if name not in ELSEWHERE])


def test_every_script_goes_on_as_it_did(ran: Ran) -> None:
    assert ran.after == ran.before
    assert len(ran.after) >= 25


def test_every_experiment_finished_with_params_and_metrics(ran: Ran) -> None:
    bare = {"random_predictions", "shadowed_builtins"}  # what they leave out is said
    assert {each.status for each in ran.experiments.values()} == {"finished"}
    assert not [name for name, each in ran.experiments.items() if not each.metrics]
    assert not [name for name, each in ran.experiments.items() if not each.params and name not in bare]


@pytest.mark.parametrize(
    ("script", "experiment", "words", "metric"),
    [
        ("sklearn_script.py", "sklearn_script", "Accuracy:", "accuracy"),
        ("sklearn_script.py", "sklearn_script", "AUC:", "auc"),
        ("argparse_main.py", "argparse_main", "RMSE:", "rmse"),
        ("argparse_main.py", "argparse_main", "R2:", "r2"),
        ("grid_search.py", "grid_search", "Best CV score:", "cv_accuracy"),
        ("grid_search.py", "grid_search", "Test score:", "test_score"),
        ("cross_validation.py", "cross_validation", "mean accuracy:", "acc"),
        ("cross_validation.py", "cross_validation", "f1:", "cv_f1_macro"),
        ("xgboost_train.py", "xgboost_train", "val auc", "val auc"),
        ("lightgbm_train.py", "lightgbm_train", "RMSE", "rmse"),
        ("keras_fit.py", "keras_fit", "Test accuracy:", "test_accuracy"),
        ("notebook.py", "notebook", "rmse", "rmse"),
        ("candidates_loop.py", "candidates_loop-knn", "knn        train", "train_score"),
        ("two_functions.py", "two_functions-train_rf", "rf", "acc"),
        ("called_for_train_and_test.py", "called_for_train_and_test", "train: acc=", "train_acc"),
        ("called_for_train_and_test.py", "called_for_train_and_test", "test: acc=", "test_acc"),
        ("class_trainer.py", "class_trainer", r"\[4\] loss=", "loss"),
        ("plain_loop.py", "plain_loop", "epoch 30 loss", "loss"),
    ],
)
def test_what_was_printed_was_recorded(ran: Ran, script: str, experiment: str, words: str, metric: str) -> None:
    recorded = ran.experiments[experiment].metrics[metric]
    assert ran.printed(script, words)[-1] == pytest.approx(recorded, abs=5e-4)


def test_params_are_those_that_the_script_used(ran: Ran) -> None:
    params = {name: each.params for name, each in ran.experiments.items()}
    assert params["sklearn_script"]["n_estimators"] == 40
    assert params["argparse_main"].items() >= {"learning_rate": 0.1, "max_depth": 3, "seed": 0}.items()
    assert params["grid_search"]["svc__C"] in (0.1, 1, 10)
    assert params["xgboost_train"].items() >= {"eta": 0.2, "num_rounds": 15}.items()
    assert params["lightgbm_train"].items() >= {"num_leaves": 15, "objective": "regression"}.items()
    assert params["keras_fit"].items() >= {"batch_size": 32, "epochs": 3, "name": "adam"}.items()
    assert params["candidates_loop-knn"]["n_neighbors"] == 5
    assert params["class_trainer"] == {"lr": 0.5, "epochs": 5, "l2": 0.0}


def test_curves_folds_and_models_are_kept(ran: Ran) -> None:
    kept = ran.experiments
    assert [point.step for point in kept["keras_fit"].history("val_loss")] == [0, 1, 2]
    assert len(kept["xgboost_train"].history("val logloss")) == 15
    assert len(kept["lightgbm_train"].history("valid l2")) == 20
    assert [point.step for point in kept["class_trainer"].history("loss")] == [0, 1, 2, 3, 4]
    folds = kept["cross_validation"].value("folds")
    assert [fold["n_train"] + fold["n_test"] for fold in folds] == [720] * 4
    assert {*kept["sklearn_script"].artifacts} == {"model.joblib"}
    assert {*kept["keras_fit"].artifacts} == {"model.keras"}
    assert {*kept["lightgbm_train"].artifacts} == {"lgbm.pkl"}


def test_a_package_with_an_entry_point(project: Path) -> None:
    shutil.copytree(GOLDEN / "scripts" / "churn", project / "churn")
    instrument.apply(instrument.plan("churn/train.py"))
    command = [sys.executable, "-m", "churn", "--C", "0.5", "--out", "model.joblib"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    (made,) = load_experiments("0042")
    assert made.name == "train"
    assert made.params["C"] == 0.5
    assert {*made.artifacts} == {"model.joblib"}
    assert f"test accuracy {made.metrics['test_acc']}" in done.stdout
    assert not done.stderr
    imported = subprocess.run([sys.executable, "-c", "import churn.train"], timeout=60, check=True, capture_output=True)
    assert not imported.stderr
    assert len(load_experiments("0042")) == 1, "an import starts no experiment"


def test_a_script_that_uses_mlflow_tells_both(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(GOLDEN / "scripts" / "already_mlflow.py", project)
    instrument.apply(instrument.plan("already_mlflow.py"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project}/mlflow.db")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    printed = subprocess.check_output([sys.executable, "already_mlflow.py"], text=True, timeout=240)
    with closing(sqlite3.connect("mlflow.db")) as database:
        told = dict(database.execute("select key, value from metrics"))
    (made,) = load_experiments("0042")
    assert made.params.items() >= {"alpha": 0.05, "l1_ratio": 0.5, "max_iter": 1000}.items()
    assert f"RMSE: {made.metrics['rmse']}" in printed
    assert told == {name: made.metrics[name] for name in ("rmse", "r2", "mae")}


@pytest.mark.torch
def test_pytorch_lightning_and_transformers(tmp_path: Path) -> None:
    ran = run_both(tmp_path, [*NEEDS_TORCH])
    assert ran.after == ran.before
    loop, lightning, trainer = (ran.experiments[Path(each).stem] for each in sorted(NEEDS_TORCH, reverse=True))
    assert loop.params.items() >= {"epochs": 3, "lr": 0.05, "momentum": 0.9}.items()
    assert [point.step for point in loop.history("train_loss")] == [1, 2, 3]
    assert f"test accuracy {loop.metrics['accuracy']:.4f}" in ran.after["pytorch_loop.py"][1]
    assert {*loop.artifacts} == {"net.pt"}
    assert lightning.params == {"max_epochs": 2, "lr": 0.05}
    assert f"val_loss {lightning.metrics['val_loss']}" in ran.after["lightning_module.py"][1]
    assert trainer.params.items() >= {"learning_rate": 1e-3, "num_train_epochs": 2}.items()
    assert [point.step for point in trainer.history("loss")] == [2, 4, 6, 8]
    assert f"{trainer.metrics['eval_accuracy']}" in ran.after["hf_trainer.py"][1]
