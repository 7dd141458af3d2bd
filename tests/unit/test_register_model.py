"""`exp.register_model`: numbered versions in the increment's `models/` folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from sklearn.dummy import DummyClassifier
from xgboost import XGBClassifier

from specweave import load_experiment, track_experiment
from specweave_ml.artifacts import read_object
from specweave_ml.errors import Refused, SpecweaveWarning, UsageError

pytestmark = pytest.mark.usefixtures("_tracked")

MODELS = Path(".specweave/increments/0042-recommendation-model/models")


def record(folder: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((MODELS / folder / "model.yaml").read_text())
    return found


def versions() -> list[str]:
    return sorted(name for name in os.listdir(MODELS) if not name.startswith("."))


def fitted() -> Any:
    return DummyClassifier().fit([[1], [2]], [0, 1])


def test_the_neighbours_snippet_and_what_a_version_says() -> None:
    with track_experiment("xgboost-v1", increment="0042") as exp:
        exp.log_param("data_version", "v2024-01")
        exp.log_metric("accuracy", 0.87)
        exp.log_dataset("train", "s3://bucket/train.csv", version="v7")
        model = XGBClassifier(n_estimators=2).fit([[1], [2], [3]], [0, 1, 0])
        folder = exp.register_model(
            model=model,
            name="fraud-detection-model",
            auto_version=True,  # Auto-increment version
        )
    assert Path(folder).resolve() == (MODELS / "fraud-detection-model-v1").resolve()
    said = record("fraud-detection-model-v1")
    data = (MODELS / "fraud-detection-model-v1" / said["file"]).read_bytes()
    assert said["file"] == "model.ubj"
    assert (said["sha256"], said["bytes"]) == (hashlib.sha256(data).hexdigest(), len(data))
    expected = {
        "name": "fraud-detection-model",
        "version": 1,
        "increment": "0042-recommendation-model",
        "experiment": "xgboost-v1",
        "data_version": "v2024-01",
        "metrics": {"accuracy": 0.87},
        "params": {"data_version": "v2024-01"},
    }
    assert said.items() >= expected.items()
    assert said["data"][0]["uri"] == "s3://bucket/train.csv"
    assert said["experiment_id"] == load_experiment("xgboost-v1").metadata["id"]
    assert "parent" not in said
    assert load_experiment("xgboost-v1").metadata["registered"] == ["fraud-detection-model-v1"]


def test_versions_follow_one_another_and_name_their_parent() -> None:
    for number in (1, 2, 3):
        with track_experiment(f"run-{number}") as exp:
            exp.register_model(fitted(), "fraud")
            exp.register_model(fitted(), "other")
    assert versions() == ["fraud-v1", "fraud-v2", "fraud-v3", "other-v1", "other-v2", "other-v3"]
    first, third = record("fraud-v2"), record("fraud-v3")
    assert third["parent"] == {"name": "fraud-v2", "experiment": "run-2", "sha256": first["sha256"]}
    assert load_experiment("run-2").metadata["registered"] == ["fraud-v2", "other-v2"]
    assert isinstance(read_object(MODELS / "fraud-v3" / "model.pkl", trusted=True), DummyClassifier)


def test_a_number_is_never_given_twice() -> None:
    with track_experiment("run") as exp:
        for _ in range(3):
            exp.register_model(fitted(), "fraud")
        shutil.rmtree(MODELS / "fraud-v3")
        shutil.rmtree(MODELS / "fraud-v2")
        exp.register_model(fitted(), "fraud")
    assert versions() == ["fraud-v1", "fraud-v4"]
    assert record("fraud-v4")["parent"]["name"] == "fraud-v1"


def test_folders_of_others_count_and_stay() -> None:
    for name in ("fraud-v7", "fraud-v3.0.0", "fraud-v9x", "frau-v20"):
        (MODELS / name).mkdir(parents=True)
    with track_experiment("run") as exp:
        exp.register_model(fitted(), "fraud")
    assert "fraud-v8" in versions()
    assert "parent" not in record("fraud-v8")


def test_many_processes_at_once_get_different_numbers() -> None:
    code = (
        "import sys\nfrom specweave import track_experiment\nwith track_experiment('run') as exp:\n"
        "    for _ in range(5): print(exp.register_model({'a': 1}, 'm'))"
    )
    running = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = [line for each in running for line in each.communicate(timeout=60)[0].splitlines()]
    assert len(set(said)) == 20
    assert sorted(int(Path(line).name.removeprefix("m-v")) for line in said) == list(range(1, 21))
    assert {record(name)["version"] for name in versions()} == set(range(1, 21))


def test_a_version_under_its_own_name() -> None:
    with track_experiment("run") as exp:
        exp.register_model(fitted(), "fraud-v3.1.0", auto_version=False)
        with pytest.raises(Refused, match="a model of that name is registered"):
            exp.register_model(fitted(), "fraud-v3.1.0", auto_version=False)
    assert versions() == ["fraud-v3.1.0"]
    assert "version" not in record("fraud-v3.1.0")


def test_names_that_no_folder_can_have() -> None:
    with track_experiment("run") as exp:
        for name in ("../../evil", "Modèle de fraude", "x" * 150):
            assert Path(exp.register_model(fitted(), name)).parent.resolve() == MODELS.resolve()
            assert Path(exp.register_model(fitted(), name)).is_dir()
    assert len(versions()) == 6
    assert {record(name)["name"] for name in versions()} == {"../../evil", "Modèle de fraude", "x" * 150}


def test_a_model_that_cannot_be_saved_takes_no_number() -> None:
    with track_experiment("run") as exp:
        broken = fitted()
        broken.hook = lambda: None
        with pytest.raises(UsageError, match="cannot be pickled"):
            exp.register_model(broken, "fraud")
        for nothing in (None, "model.pkl"):
            with pytest.raises(UsageError, match="no model to register"):
                exp.register_model(nothing, "fraud")
        with pytest.raises(UsageError):
            exp.register_model(fitted(), "")
        exp.register_model(fitted(), "fraud")
    assert versions() == ["fraud-v1"]
    assert not [name for name in os.listdir(MODELS) if name.startswith(".tmp")]


def test_after_the_block_and_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    with track_experiment("run") as exp:
        pass
    exp.register_model(fitted(), "fraud")
    assert load_experiment("run").metadata["registered"] == ["fraud-v1"]
    monkeypatch.setenv("SPECWEAVE_MODE", "disabled")
    with track_experiment("off") as exp:
        assert exp.register_model(fitted(), "fraud") is None
    assert versions() == ["fraud-v1"]


def test_what_the_disk_refuses_is_said_and_training_goes_on() -> None:
    MODELS.parent.mkdir(parents=True, exist_ok=True)
    MODELS.write_text("a file in its place")
    with track_experiment("run") as exp:
        with pytest.warns(SpecweaveWarning, match="dropped"):
            folder = exp.register_model(fitted(), "fraud")
        exp.log_metric("auc", 0.5)
    assert folder is None
    found = load_experiment("run")
    assert (found.metrics, found.metadata["dropped"]) == ({"auc": 0.5}, 1)


def test_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    MODELS.symlink_to(tmp_path)
    with track_experiment("run") as exp, pytest.raises(Refused, match="symbolic link"):
        exp.register_model(fitted(), "fraud")


def test_a_parent_that_cannot_be_read_is_named() -> None:
    with track_experiment("run") as exp:
        exp.register_model(fitted(), "fraud")
        (MODELS / "fraud-v1" / "model.yaml").write_text("{[broken")
        exp.register_model(fitted(), "fraud")
    assert record("fraud-v2")["parent"]["name"] == "fraud-v1"
    assert record("fraud-v2")["parent"]["unreadable"]
