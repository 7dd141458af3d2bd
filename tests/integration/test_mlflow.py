"""MLflow itself, in processes of its own, with its runs in an increment: the seed's words, and what goes wrong."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from command_line import EXPERIMENTS, snapshot
from specweave_ml import load_experiment, load_experiments
from specweave_ml.store.verify import verify

Script = Callable[..., subprocess.CompletedProcess[str]]


def begin(script: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**clean, "MLFLOW_DISABLE_TELEMETRY": "true", **variables},
    )


def play(script: str, *arguments: str, code: int = 0, **variables: str) -> str:
    """Run a script in a process of its own; returns what it printed."""
    process = begin(script, *arguments, **variables)
    out, err = process.communicate(timeout=300)
    assert process.returncode == code, err
    return out


def names(**filters: Any) -> list[str]:
    return [experiment.name for experiment in load_experiments(increment="0042", **filters)]


MODEL = """
import numpy
from sklearn.linear_model import LogisticRegression
model = LogisticRegression().fit(numpy.eye(4), [0, 1, 0, 1])
"""

SEED_CONFIGURED = """
import mlflow
from specweave import configure_mlflow

# Auto-configures MLflow to log to increment
configure_mlflow(increment="0042")

with mlflow.start_run(run_name="xgboost-v1"):
    mlflow.log_param("n_estimators", 100)
    mlflow.log_metric("auc", 0.87)
    mlflow.sklearn.log_model(model, "model")

# Still logs to increment folder, just uses MLflow as backend
"""

SEED_PURE = """
# Option 1: Pure MLflow (auto-configured)
import mlflow
mlflow.set_tracking_uri(".specweave/increments/0042.../experiments")
"""

SEED_WRAPPER = """
# Option 2: SpecWeave wrapper (recommended)
from specweave import mlflow as sw_mlflow
with sw_mlflow.start_run("xgboost"):
    # Logs to both MLflow and increment docs
    pass
"""

USE = """
import sys
assert not [name for name in sys.modules if name.startswith("specweave.")]
with mlflow.start_run(run_name="pure") as run:
    mlflow.log_params({"depth": 6, "cols": ["a"], "lr": 1e-05, "none": None})
    for step in range(3):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_metric("precision@10", 0.4)
    mlflow.set_tags({"team": "vision", "reviewed": "true"})
    mlflow.log_dict({"a": 1}, "tables/a.json")
    mlflow.log_input(mlflow.data.meta_dataset.MetaDataset(
        mlflow.data.http_dataset_source.HTTPDatasetSource("https://data.org/train.csv"), name="train"
    ), context="training")
    for _ in range(2):
        made = mlflow.initialize_logged_model(name="model")
        mlflow.MlflowClient().log_model_artifact(made.model_id, "MLmodel")
    with mlflow.start_run(run_name="child", nested=True):
        mlflow.log_metric("auc", 0.5)
try:
    with mlflow.start_run(run_name="broken"):
        raise MemoryError
except MemoryError:
    pass
from mlflow import MlflowClient
MlflowClient().log_metric(run.info.run_id, "late", 3)
"""


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which MLflow was used in pure mode and through the wrapper; every test gets a copy."""
    root = tmp_path_factory.mktemp("mlflow") / "project"
    increment = root / ".specweave/increments/0042-recommendation-model"
    increment.mkdir(parents=True)
    (increment / "metadata.json").write_text('{"id": "0042-recommendation-model", "status": "active"}\n')
    here = Path.cwd()
    os.chdir(root)
    (root / "MLmodel").write_text("flavors: {}")
    try:
        play(SEED_PURE + USE + SEED_WRAPPER)
    finally:
        os.chdir(here)
    return root


@pytest.fixture
def copy(used: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = Path(shutil.copytree(used, tmp_path / "elsewhere"))
    monkeypatch.chdir(root)
    return root


def test_the_seeds_configured_mlflow(project):
    play(MODEL + SEED_CONFIGURED)
    experiment = load_experiment("xgboost-v1", increment="0042")
    assert (experiment.params, experiment.metrics) == ({"n_estimators": 100}, {"auc": 0.87})
    assert experiment.status == "finished"
    assert "models/model/MLmodel" in experiment.artifacts
    assert (experiment.path / "models/model/MLmodel").is_file()
    assert not verify(str(experiment.path)).problems


def test_the_seeds_pure_mode_and_the_wrapper(copy):
    assert sorted(names()) == ["broken", "child", "pure", "xgboost"]
    pure = load_experiment("pure", increment="0042")
    assert pure.params == {"depth": 6, "cols": ["a"], "lr": 1e-05, "none": None}
    assert [(point.step, point.value) for point in pure.history("loss")] == [(0, 1.0), (1, 0.5), (2, 1 / 3)]
    assert pure.metrics["precision@10"] == 0.4
    assert pure.tags == ("reviewed", "team=vision")
    (second,) = set(pure.metadata["mlflow"]["models"].values()) - {"model"}
    assert {*pure.artifacts} == {"artifacts/tables/a.json", "models/model/MLmodel", f"models/{second}/MLmodel"}
    assert pure.data[0]["uri"] == "https://data.org/train.csv"
    child = load_experiment("child", increment="0042")
    assert child.metadata["parent"] == pure.metadata["foreign"]["id"]
    assert load_experiment("broken", increment="0042").status == "failed"
    assert (copy / EXPERIMENTS / ".mlflow/mlflow.db").is_file()


def test_what_came_after_the_end_is_brought_by_a_pull(copy, run):
    assert "late" not in load_experiment("pure", increment="0042").metrics
    done = run("pull", "--json")
    (source,) = done.json["sources"]
    assert (source["tool"], source["created"], source["updated"], source["unchanged"]) == ("mlflow", [], ["pure"], 3)
    assert load_experiment("pure", increment="0042").metrics["late"] == 3
    assert run("pull").last_line.endswith("mlflow: 0 new experiments, 0 renewed, 4 unchanged")


def test_reading_commands_pull_first_unless_told_not_to(copy, run):
    before = (copy / EXPERIMENTS / "pure/journal.jsonl").read_bytes()
    run("list", "--no-pull")
    run("compare", "--no-pull")
    run("compare", "--dry-run")
    run("sync-docs", "update", "--check", code=1)
    assert (copy / EXPERIMENTS / "pure/journal.jsonl").read_bytes() == before
    assert "Late" in run("list").out


def test_a_comparison_and_documents_treat_them_like_any_other(copy, run):
    assert "child" in run("compare", "--metric", "auc").out
    run("sync-docs", "update")
    assert "precision@10" in run("show", "pure").out
    document = next(copy.rglob("ml-models.md"))
    assert "child" in document.read_text()


def test_a_damaged_database_does_not_stop_a_list(copy, run):
    database = copy / EXPERIMENTS / ".mlflow/mlflow.db"
    database.write_bytes(database.read_bytes()[:5000])
    done = run("list")
    assert "4 experiments" in done.last_line
    assert "warning: the runs of mlflow are not brought in" in done.err
    run("pull", code=7)


REBUILT = """
import json, sys
from mlflow import MlflowClient
client = MlflowClient(".specweave/increments/0042.../experiments")
(run,) = [run for run in client.search_runs(["0"]) if run.info.run_name == "pure"]
history = [(each.step, each.value) for each in client.get_metric_history(run.info.run_id, "loss")]
files = [each.path for each in client.list_artifacts(run.info.run_id)]
child = client.search_runs(["0"], f"tags.mlflow.parentRunId = '{run.info.run_id}'")
print(json.dumps([run.data.params, run.data.metrics, run.info.artifact_uri, history, files, len(child)]))
"""


def test_a_clone_elsewhere_has_the_runs_again(copy, run):
    run("pull")
    before = snapshot(copy / EXPERIMENTS / "pure")
    shutil.rmtree(copy / EXPERIMENTS / ".mlflow")
    params, metrics, place, history, files, children = json.loads(play(REBUILT))
    assert params == {"depth": "6", "cols": "['a']", "lr": "1e-05", "none": "None"}
    assert metrics == {"loss": 1 / 3, "precision_at_10": 0.4, "late": 3}
    assert Path(place) == copy / EXPERIMENTS / "pure/artifacts"
    assert (history, files, children) == ([[0, 1.0], [1, 0.5], [2, 1 / 3]], ["tables"], 1)
    assert "4 unchanged" in run("pull").last_line
    assert snapshot(copy / EXPERIMENTS / "pure") == before


LEFT = """
import os, mlflow
mlflow.set_tracking_uri(".specweave/increments/0042.../experiments")
mlflow.start_run(run_name="left")
mlflow.log_metric("auc", 0.5)
print("logged", flush=True)
import sys
sys.stdin.read() if len(sys.argv) > 1 else os.kill(os.getpid(), 9)
"""


def test_a_killed_run_is_stale_and_has_what_it_logged(copy, run):
    play(LEFT, code=-signal.SIGKILL)
    run("pull")
    left = load_experiment("left", increment="0042")
    assert (left.status, left.metrics) == ("stale", {"auc": 0.5})


TOGETHER = """
import sys, mlflow
mlflow.set_tracking_uri(".specweave/increments/0042.../experiments")
for number in range(int(sys.argv[2])):
    with mlflow.start_run(run_name="same name"):
        mlflow.log_param("process", int(sys.argv[1]))
        for step in range(3):
            mlflow.log_metric("loss", number + step, step=step)
"""


@pytest.mark.parametrize(("processes", "runs"), [(4, 5), pytest.param(8, 20, marks=pytest.mark.slow)])
def test_processes_that_start_at_once_on_nothing(project, run, processes, runs):
    started = [begin(TOGETHER, str(number), str(runs)) for number in range(processes)]
    for process in started:
        _, err = process.communicate(timeout=500)
        assert process.returncode == 0, err
    found = load_experiments(increment="0042", status="finished")
    assert len(found) == processes * runs
    assert sorted({experiment.params["process"] for experiment in found}) == [*range(processes)]
    assert {len(experiment.history("loss")) for experiment in found} == {3}
    assert f"{processes * runs} unchanged" in run("pull").last_line
    assert sorted(os.listdir(project / EXPERIMENTS / ".mlflow")) == [".gitignore", "mlflow.db"]


def test_our_part_fails_and_training_goes_on(copy):
    out = play(
        """
        import mlflow, os, shutil, warnings
        warnings.simplefilter("ignore")
        mlflow.set_tracking_uri(".specweave/increments/0042.../experiments")
        with mlflow.start_run(run_name="first") as run:
            mlflow.log_metric("auc", 0.5)
            shutil.rmtree(os.path.dirname(run.info.artifact_uri))
        import specweave_ml.mlflow.store as store
        def fail(*_, **__):
            raise OSError("no space")
        store.claim_for = fail
        with mlflow.start_run(run_name="second"):
            mlflow.log_metric("auc", 0.5)
        print([run.data.metrics["auc"] for run in mlflow.search_runs(output_format="list") if run.info.run_name in ("first", "second")])
        """
    )
    assert out.strip() == "[0.5, 0.5]"


def test_a_path_that_is_no_increment_is_mlflows_own(project):
    out = play(
        """
        import mlflow
        from mlflow.exceptions import MlflowException
        try:
            mlflow.MlflowClient("mlruns").search_experiments()
        except MlflowException as error:
            print("blocked" if "MLFLOW_ALLOW_FILE_STORE" in str(error) else error)
        """
    )
    assert out.strip() == "blocked"


def test_a_server_that_somebody_chose_is_not_replaced(project):
    out = play(
        """
        import mlflow
        from specweave import configure_mlflow
        configure_mlflow("0042")
        from mlflow.tracking.context.registry import resolve_tags
        print(mlflow.get_tracking_uri(), resolve_tags()["specweave.increment"])
        import atexit
        from specweave_ml.mlflow import server
        atexit.unregister(server.bring_home)
        """,
        MLFLOW_TRACKING_URI="http://localhost:1",
    )
    assert out.split() == ["http://localhost:1", "0042-recommendation-model"]


@pytest.mark.parametrize(
    ("gone", "said"), [("mlflow", "MLflow is not installed"), ("sqlalchemy", "mlflow-skinny alone")]
)
def test_what_is_missing_is_said_with_the_command_that_installs_it(project, gone, said):
    out = play(
        f"""
        import importlib.util
        real = importlib.util.find_spec
        importlib.util.find_spec = lambda name, *rest: None if name == {gone!r} else real(name, *rest)
        from specweave import MissingDependency, configure_mlflow
        try:
            configure_mlflow("0042")
        except MissingDependency as error:
            print(error.exit_code, error.what, error.next_step)
        """
    )
    assert said in out
    assert out.startswith("3 ")
    assert "pip install 'specweave-ml[mlflow]'" in out
