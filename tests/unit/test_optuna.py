"""Optuna: a study is an experiment, a trial of it a trial."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages.journal import JournalFileBackend
from sklearn.datasets import make_classification
from sklearn.model_selection import cross_val_score
from xgboost import XGBClassifier

from specweave import configure_optuna, load_experiment, load_experiments
from specweave_ml.errors import NotFound, SpecweaveWarning
from specweave_ml.training import optuna_study

pytestmark = pytest.mark.usefixtures("_tracked", "_as_before")

# The snippet of the neighbouring skill, with fewer and smaller trials.
SNIPPET = """
import optuna
from specweave import configure_optuna

# Auto-configures Optuna to log to increment
configure_optuna(increment="0042")

def objective(trial):
    params = {
        'n_estimators': trial.suggest_int('n_estimators', 2, 4),
        'max_depth': trial.suggest_int('max_depth', 1, 2),
    }
    
    model = XGBClassifier(**params)
    score = cross_val_score(model, X, y, cv=5).mean()
    return score

study = optuna.create_study(direction='maximize')
study.optimize(objective, n_trials=4)

# Automatically logged to increment folder
"""  # noqa: W293 - as it stands there


@pytest.fixture
def _as_before() -> Iterator[None]:
    """What a test configures does not reach the next one."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna_study._configured.clear()


def objective(trial: optuna.Trial) -> float:
    x = trial.suggest_float("x", 1e-3, 1.0, log=True)
    trial.suggest_categorical("kind", ["a", "b"])
    return x


def study_of(seed: int = 0, **options: Any) -> optuna.Study:
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed), **options)


def kept(path: Path) -> optuna.storages.BaseStorage:
    """A study's place on disk; with a database, Optuna takes a second longer to be imported."""
    return optuna.storages.JournalStorage(JournalFileBackend(str(path / "study.log")))


IN_A_PROCESS = """
import os, sys, time, optuna
from specweave import configure_optuna
storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend("study.log"))
study = optuna.create_study(study_name="kept", storage=storage, load_if_exists=True)
configure_optuna("0042")
"""


def in_processes(code: str, count: int = 1) -> list[int]:
    """Run the code in so many processes at once; their exit codes."""
    command = [sys.executable, "-c", IN_A_PROCESS + code]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(count)]
    ended = [(each.communicate(timeout=90)[1], each.returncode) for each in running]
    print(*ended)  # noqa: T201 - pytest shows it where a test fails
    return [code for _, code in ended]


def test_the_neighbours_snippet() -> None:
    features, target = make_classification(60, 4, random_state=0)
    names: dict[str, Any] = {"XGBClassifier": XGBClassifier, "cross_val_score": cross_val_score}
    exec(compile(SNIPPET, "snippet", "exec"), {**names, "X": features, "y": target})  # noqa: S102 - the neighbours' words are to be run
    (found,) = load_experiments("0042")
    assert (found.name, found.status, len(found.trials)) == ("optuna", "finished", 4)
    best = max(found.trials, key=lambda trial: trial["scores"]["score"])
    assert found.metrics == {"score": best["scores"]["score"]}
    assert found.params == best["params"]
    assert all(trial["fit_seconds"] > 0 for trial in found.trials)


def test_as_a_callback_and_by_the_studys_name() -> None:
    study = study_of(study_name="tune-xgboost", direction="minimize")
    study.optimize(objective, n_trials=5, callbacks=[configure_optuna("0042")])
    found = load_experiment("tune-xgboost")
    assert [trial["params"] for trial in found.trials] == [trial.params for trial in study.trials]
    assert [trial["scores"]["loss"] for trial in found.trials] == [trial.value for trial in study.trials]
    assert (found.metrics, found.params) == ({"loss": study.best_value}, study.best_params)
    plan = json.loads((found.path / "search.json").read_text())
    assert plan == {
        "sampler": "RandomSampler",
        "pruner": "MedianPruner",
        "log_params": {"x": True, "kind": False},
        "metric": "loss",
        "metrics": ["loss"],
        "directions": ["minimize"],
        "best_trial": study.best_trial.number,
    }
    assert (found.path / "trials.csv").read_text().count("\n") == 6
    assert "importance.md" in found.artifacts


def test_pruned_and_failed_trials() -> None:
    def odd(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", 0, 1)
        for step in range(3):
            trial.report(x / (step + 1), step)
            if trial.number == 1 and step == 1:
                raise optuna.TrialPruned
        if trial.number == 2:
            raise ValueError("bad x")
        return float("nan") if trial.number == 3 else x

    configure_optuna("0042")
    study = study_of(study_name="odd")
    study.optimize(odd, n_trials=5, catch=(ValueError,))
    trials = load_experiment("odd").trials
    assert [trial["status"] for trial in trials] == ["finished", "pruned", "failed", "failed", "finished"]
    assert trials[1]["values"] == [(0, study.trials[1].params["x"]), (1, study.trials[1].params["x"] / 2)]
    assert trials[1]["scores"] == {}
    assert trials[2]["error"] == {"type": "ValueError", "message": "bad x"}
    assert "NaN" in trials[3]["error"]["message"]
    assert load_experiment("odd").status == "finished"


def test_a_trial_that_ends_the_study_is_recorded_too() -> None:
    configure_optuna("0042")
    study = study_of(study_name="ends")

    def breaks(trial: optuna.Trial) -> float:
        if trial.number == 2:
            raise KeyError("gone")
        return objective(trial)

    with pytest.raises(KeyError, match="gone"):
        study.optimize(breaks, n_trials=5)
    found = load_experiment("ends")
    assert (found.status, found.error["type"]) == ("failed", "KeyError")
    assert [trial["status"] for trial in found.trials] == ["finished", "finished", "failed"]
    assert found.trials[2]["error"]["type"] == "KeyError"
    assert found.metrics == {"loss": study.best_value}
    study.optimize(objective, n_trials=1)
    assert (load_experiment("ends").status, len(load_experiment("ends").trials)) == ("finished", 4)


def test_several_objectives() -> None:
    configure_optuna("0042", name="front")
    study = study_of(directions=["minimize", "maximize"])
    study.optimize(lambda trial: (objective(trial), trial.params["x"] ** 2), n_trials=6)
    found = load_experiment("front")
    assert found.metrics == {}
    assert found.params == {}
    assert [list(trial["scores"]) for trial in found.trials] == [["objective_0", "objective_1"]] * 6
    assert found.notes[0].endswith(", ".join(str(trial.number) for trial in study.best_trials) + ".")


def test_names_of_the_objective() -> None:
    study = study_of(study_name="named", directions=["minimize", "maximize"])
    study.optimize(
        lambda trial: (objective(trial), 0.5),
        n_trials=1,
        callbacks=[configure_optuna("0042", metric=["rmse", "r2"])],
    )
    assert set(load_experiment("named").trials[0]["scores"]) == {"rmse", "r2"}
    study = study_of(study_name="one", direction="maximize")
    study.optimize(objective, n_trials=2, callbacks=[configure_optuna("0042", metric="auc", tags=["nightly"])])
    assert load_experiment("one").metrics == {"auc": study.best_value}
    assert load_experiment("one").tags == ("nightly",)
    with pytest.warns(SpecweaveWarning, match="a name for every value"):
        study_of(study_name="wrong").optimize(objective, 1, callbacks=[configure_optuna("0042", metric=["a", "b"])])
    assert load_experiment("wrong").status == "finished"


def test_threads() -> None:
    configure_optuna("0042")
    study = study_of(study_name="threads")
    study.optimize(objective, n_trials=24, n_jobs=4)
    found = load_experiment("threads")
    assert [trial["number"] for trial in found.trials] == list(range(24))
    assert [trial["scores"]["loss"] for trial in found.trials] == [trial.value for trial in study.trials]


def test_a_study_that_was_run_before_is_read_once(project: Path) -> None:
    study = study_of(study_name="kept", storage=kept(project))
    study.optimize(objective, n_trials=3)
    recorder = configure_optuna("0042")
    found = recorder.read(study)
    assert (found.name, len(found.trials), found.metrics) == ("kept", 3, {"loss": study.best_value})
    again = optuna.load_study(study_name="kept", storage=kept(project))
    again.optimize(objective, n_trials=2)
    found = recorder.read(again)
    assert (found.name, len(found.trials), found.value("sessions")) == ("kept", 5, 3)
    assert [each.name for each in load_experiments()] == ["kept"]


def test_a_study_that_lost_its_process_goes_on_in_the_next() -> None:
    code = """
def objective(trial):
    if trial.number == 3:
        os._exit(9)
    return trial.suggest_float("x", 0, 1)
study.optimize(objective, n_trials=6 - len(study.trials))
"""
    assert [in_processes(code), in_processes(code)] == [[9], [0]]
    found = load_experiment("kept")
    assert [trial["number"] for trial in found.trials] == [0, 1, 2, 4, 5]
    assert found.status == "finished"
    assert [each.name for each in load_experiments()] == ["kept"]


def test_two_processes_on_one_study(project: Path) -> None:
    code = """
def objective(trial):
    time.sleep(0.05)
    return trial.suggest_float("x", 1e-3, 1.0, log=True)
study.optimize(objective, n_trials=5)
"""
    study = study_of(study_name="kept", storage=kept(project))
    study.optimize(objective, n_trials=1, callbacks=[configure_optuna("0042")])
    assert in_processes(code, 2) == [0, 0]
    found = load_experiment("kept")
    assert [trial["number"] for trial in found.trials] == list(range(11))
    assert found.metrics["loss"] == min(trial["scores"]["loss"] for trial in found.trials)


def test_copies_and_other_studies_have_experiments_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    configure_optuna("0042")
    for seed in range(2):
        study_of(seed, study_name="same").optimize(objective, n_trials=2)
    assert [len(each.trials) for each in load_experiments()] == [2, 2]
    assert "recorded as 'same-2'" in capsys.readouterr().err


def test_a_recorder_that_arrives_in_another_process() -> None:
    recorder = configure_optuna("0042", name="sent", metric="rmse")
    optuna_study._configured.clear()
    arrived = pickle.loads(pickle.dumps(recorder))  # noqa: S301 - our own
    study_of().optimize(objective, n_trials=1, callbacks=[arrived])
    assert set(load_experiment("sent").metrics) == {"rmse"}


def test_told_by_hand_it_ends_with_the_process() -> None:
    code = """
trial = study.ask({"x": optuna.distributions.FloatDistribution(0, 1)})
study.tell(trial, 0.5)
configure_optuna("0042")(study, study.trials[0])
"""
    assert in_processes(code) == [0]
    found = load_experiment("kept")
    assert (found.status, len(found.trials), found.metrics) == ("finished", 1, {"loss": 0.5})


def test_what_optimize_takes_and_raises_is_untouched() -> None:
    study = study_of()
    study.optimize(objective, n_trials=1)
    configure_optuna("0042")
    assert optuna.study.Study.optimize.__doc__.startswith("Optimize an objective function")
    seen: list[int] = []
    study.optimize(objective, 2, None, 1, (), [lambda _, trial: seen.append(trial.number)])
    assert seen == [1, 2]
    with pytest.raises(TypeError):
        study.optimize()  # type: ignore[call-arg]
    optuna_study._configured.clear()
    study.optimize(objective, n_trials=1)
    assert [len(each.trials) for each in load_experiments()] == [
        3
    ]  # the one before it was asked for belongs to the study


def test_without_a_project_and_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    with pytest.raises(NotFound):
        configure_optuna("0042")
    monkeypatch.setenv("SPECWEAVE_MODE", "disabled")
    recorder = configure_optuna("0042")
    study = study_of()
    study.optimize(objective, n_trials=2)
    assert recorder.read(study).trials == ()
    assert study.user_attrs == {}
    assert list(elsewhere.iterdir()) == []
