"""MLflow's public client on its own SQLite database and on an increment: the same calls, the same answers.

Every test is one story told to both. Ids, times and places differ; nothing else may.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

Story = Callable[[Any], Any]


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    """One on plain SQLite, one on an increment."""
    import mlflow

    root = tmp_path_factory.mktemp("contract")
    experiments = root / ".specweave/increments/0042-model/experiments"
    experiments.mkdir(parents=True)
    here = Path.cwd()
    os.chdir(root)
    yield mlflow.MlflowClient(f"sqlite:///{root}/plain.db"), mlflow.MlflowClient(str(experiments))
    os.chdir(here)


@pytest.fixture
def same(clients: tuple[Any, Any]) -> Callable[[Story], Any]:
    """Tell a story to both and hold the answers side by side; returns what they agree on."""

    def tell(story: Story) -> Any:
        plain, ours = (_neutral(story(client)) for client in clients)
        assert ours == plain
        return ours

    return tell


def _neutral(value: Any) -> Any:
    """The value without what must differ: ids, times, places."""
    if isinstance(value, dict):
        return {key: _neutral(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_neutral(item) for item in value]
    if isinstance(value, str):
        return re.sub(r"(m-)?[0-9a-f]{32}", "<id>", value)
    return value


def _run(client: Any, run: Any) -> dict[str, Any]:
    run = client.get_run(run.info.run_id)
    return {
        "name": run.info.run_name,
        "status": run.info.status,
        "stage": run.info.lifecycle_stage,
        "params": run.data.params,
        "metrics": {key: str(value) for key, value in run.data.metrics.items()},
        "tags": run.data.tags,
        "inputs": [(each.dataset.name, each.dataset.digest) for each in run.inputs.dataset_inputs],
    }


def _error(call: Callable[..., Any], *arguments: Any, **named: Any) -> tuple[str, str]:
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException) as caught:
        call(*arguments, **named)
    return caught.value.error_code, str(caught.value)


class TestClient:
    def test_a_run_from_start_to_end(self, same):
        def story(client):
            run = client.create_run("0", run_name="whole", tags={"team": "vision"}, start_time=1_000)
            key = run.info.run_id
            client.log_param(key, "depth", 6)
            client.log_metric(key, "loss", 0.5, timestamp=5, step=0)
            client.log_metric(key, "loss", 0.25, timestamp=6, step=1)
            client.log_metric(key, "odd", float("nan"), timestamp=7)
            client.log_metric(key, "big", float("inf"), timestamp=7)
            client.set_tag(key, "stage", "one")
            client.delete_tag(key, "team")
            client.set_terminated(key, end_time=9_000)
            history = [(each.step, each.value, each.timestamp) for each in client.get_metric_history(key, "loss")]
            return _run(client, run), history, client.get_run(key).info.end_time

        whole, history, _ = same(story)
        assert (whole["status"], whole["params"], len(history)) == ("FINISHED", {"depth": "6"}, 2)

    def test_a_batch(self, same):
        from mlflow.entities import Metric, Param, RunTag

        def story(client):
            run = client.create_run("0", run_name="batch")
            metrics = [Metric("loss", 1 / (step + 1), 10 + step, step) for step in range(50)]
            params = [Param(f"p{number}", str(number)) for number in range(20)]
            client.log_batch(run.info.run_id, metrics, params, [RunTag("a", "b")])
            return _run(client, run), len(client.get_metric_history(run.info.run_id, "loss"))

        assert same(story)[1] == 50

    def test_what_is_refused_is_refused_in_the_same_words(self, same):
        def story(client):
            key = client.create_run("0", run_name="refused").info.run_id
            client.log_param(key, "a", 1)
            errors = [
                _error(client.log_param, key, "a", 2),
                _error(client.log_metric, key, "f1[macro]", 1.0),
                _error(client.log_metric, key, "auc", "high", timestamp=1),
                _error(client.get_run, "0" * 32),
                _error(client.create_run, "77"),
            ]
            client.delete_run(key)
            return [*errors, _error(client.log_metric, key, "auc", 1.0)]

        assert same(story)[0][0] == "INVALID_PARAMETER_VALUE"

    def test_children_and_searching(self, same):
        def story(client):
            number = client.create_experiment("search", tags={"kind": "grid"})
            parent = client.create_run(number, run_name="parent")
            for depth in range(4):
                tags = {"mlflow.parentRunId": parent.info.run_id}
                key = client.create_run(number, run_name=f"depth-{depth}", tags=tags).info.run_id
                client.log_param(key, "depth", depth)
                client.log_metric(key, "auc", depth / 10)
                client.set_terminated(key, "FAILED" if depth == 3 else "FINISHED")
            asked = {
                "best": ("metrics.auc > 0.05", ["metrics.auc DESC"]),
                "failed": ("attributes.status = 'FAILED'", None),
                "children": (f"tags.mlflow.parentRunId = '{parent.info.run_id}'", ["params.depth"]),
            }
            return {
                name: [run.info.run_name for run in client.search_runs([number], where, order_by=order)]
                for name, (where, order) in asked.items()
            }

        found = same(story)
        assert found["best"] == ["depth-3", "depth-2", "depth-1"]
        assert len(found["children"]) == 4

    def test_experiments(self, same):
        def story(client):
            number = client.create_experiment("named")
            client.set_experiment_tag(number, "owner", "ada")
            client.rename_experiment(number, "renamed")
            found = client.get_experiment_by_name("renamed")
            client.delete_experiment(number)
            deleted = client.get_experiment(number).lifecycle_stage
            client.restore_experiment(number)
            return found.tags["owner"], deleted, client.get_experiment(number).lifecycle_stage

        assert same(story) == ["ada", "deleted", "active"]

    def test_artifacts(self, same, tmp_path):
        def story(client):
            key = client.create_run("0", run_name="files").info.run_id
            client.log_text(key, "words", "notes/a.txt")
            client.log_dict(key, {"a": 1}, "params.json")
            client.set_terminated(key)
            listed = sorted((each.path, each.is_dir) for each in client.list_artifacts(key))
            path = Path(client.download_artifacts(key, "notes/a.txt"))
            return listed, [each.path for each in client.list_artifacts(key, "notes")], path.read_text()

        assert same(story)[2] == "words"

    def test_data_sets(self, same):
        from mlflow.entities import Dataset, DatasetInput, InputTag

        def story(client):
            run = client.create_run("0", run_name="data")
            given = DatasetInput(Dataset("train", "c19c", "s3", '{"uri": "s3://b/t"}'), [InputTag("a", "b")])
            client.log_inputs(run.info.run_id, [given])
            return _run(client, run)

        assert same(story)["inputs"] == [["train", "c19c"]]

    def test_deleting_and_bringing_back(self, same):
        def story(client):
            run = client.create_run("0", run_name="gone")
            client.delete_run(run.info.run_id)
            deleted = _run(client, run)["stage"]
            client.restore_run(run.info.run_id)
            client.update_run(run.info.run_id, status="KILLED", name="renamed")
            return deleted, _run(client, run)

        assert same(story)[1]["status"] == "KILLED"

    def test_the_model_registry(self, same):
        def story(client):
            client.create_registered_model("churn", tags={"a": "b"}, description="trees")
            run = client.create_run("0", run_name="registered")
            version = client.create_model_version("churn", f"{run.info.artifact_uri}/model", run.info.run_id)
            client.set_registered_model_alias("churn", "champion", version.version)
            client.set_model_version_tag("churn", version.version, "checked", "yes")
            found = client.get_model_version_by_alias("churn", "champion")
            names = [each.name for each in client.search_registered_models()]
            return names, found.version, found.tags, _error(client.create_registered_model, "churn")[0]

        assert same(story)[0] == ["churn"]

    def test_logged_models(self, same):
        def story(client):
            run = client.create_run("0", run_name="models")
            made = [client.create_logged_model("0", name="model", source_run_id=run.info.run_id) for _ in range(2)]
            places = {client.get_logged_model(each.model_id).artifact_location for each in made}
            return len(places), [each.name for each in client.search_logged_models(["0"])]

        assert same(story)[0] == 2


def test_a_version_that_nobody_tried_is_said_and_tried(monkeypatch):
    import mlflow.version

    from specweave_ml import SpecweaveWarning
    from specweave_ml.mlflow.routing import check_installation

    monkeypatch.setattr(mlflow.version, "VERSION", "4.1.0")
    with pytest.warns(SpecweaveWarning, match=r"MLflow 4\.1\.0 was never tried"):
        check_installation()
