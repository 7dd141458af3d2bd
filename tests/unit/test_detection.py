"""Which tools a project is said to use: what it declares, what lies in it, what its environment names."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from specweave_ml.detection import Tool, detect


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.startswith(("MLFLOW_", "WANDB_")):
            monkeypatch.delenv(name)


def found(root: Path) -> dict[str, Tool]:
    return {tool.name: tool for tool in detect(str(root))}


def test_what_is_only_installed_is_not_in_the_project(tmp_path: Path) -> None:
    assert detect(str(tmp_path)) == ()
    assert detect(str(tmp_path / "nothing")) == ()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pyproject.toml", '[project]\nname = "x"\ndependencies = ["Scikit_Learn>=1.4 ; python_version > \'3\'"]\n'),
        ("pyproject.toml", '[project.optional-dependencies]\nml = ["scikit-learn[alldeps]"]\n'),
        ("pyproject.toml", '[dependency-groups]\ndev = [{include-group = "x"}, "scikit-learn"]\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.11"\nscikit-learn = "^1.4"\n'),
        ("pyproject.toml", '[tool.poetry.group.ml.dependencies]\nscikit-learn = {version = "1"}\n'),
        ("requirements.txt", "numpy\n# mlflow\n-r more.txt\nscikit-learn==1.5  # the models\n"),
        ("requirements-dev.txt", "scikit-learn @ https://example.org/x.whl\n"),
        ("requirements/base.txt", "git+https://example.org/x.git#egg=scikit-learn\n"),
        ("setup.cfg", "[options]\ninstall_requires =\n    numpy\n    scikit-learn>1\n"),
        ("setup.cfg", "[options.extras_require]\nml =\n    scikit-learn\n"),
        ("setup.py", "from setuptools import setup\nsetup(install_requires=['scikit-learn>=1'])\nraise SystemExit\n"),
        (
            "environment.yml",
            "channels:\n  - pytorch\ndependencies:\n  - python=3.11\n  - conda-forge::scikit-learn=1.5\n",
        ),
        ("environment.yaml", "name: x\ndependencies:\n- pip:\n    - 'scikit-learn'\n"),
        ("Pipfile", '[packages]\nscikit-learn = "*"\n'),
        ("Pipfile.lock", '{"default": {"scikit-learn": {"version": "==1.5"}}}'),
        ("uv.lock", 'version = 1\n[[package]]\nname = "scikit-learn"\nversion = "1.5"\n'),
        ("poetry.lock", '[[package]]\nname = "scikit-learn"\n'),
        ("conda-lock.yml", "package:\n- name: scikit-learn\n  version: 1.5\n"),
    ],
)
def test_a_declared_dependency(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    assert detect(str(tmp_path)) == (Tool("scikit-learn", "framework", (f"declared in {file}",), importable=True),)


def test_data_that_a_tracker_left(tmp_path: Path) -> None:
    for path in ("mlruns/0/meta.yaml", "wandb/offline-run-1/run.wandb", "logs/a/b/events.out.tfevents.17", "mlflow.db"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    tools = found(tmp_path)
    assert tools["mlflow"].evidence == ("data in mlruns/0", "data in mlflow.db")
    assert tools["wandb"].evidence == ("data in wandb/offline-run-1",)
    assert tools["tensorboard"].evidence == ("data in logs/a/b",)
    assert {tool.kind for tool in tools.values()} == {"tracker"}


def test_variables_are_named_and_their_values_never_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "local-0123456789")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://user:secret@example.org")
    tools = found(tmp_path)
    assert tools["wandb"].evidence == ("environment variable WANDB_API_KEY",)
    assert tools["mlflow"].evidence == ("environment variable MLFLOW_TRACKING_URI",)
    assert "secret" not in repr(tools)
    assert "0123" not in repr(tools)


def test_a_tool_that_is_declared_and_not_installed(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("clearml\nneptune-client\ncomet_ml\ndvclive\ncatboost\n")
    assert {name: tool.importable for name, tool in found(tmp_path).items()} == dict.fromkeys(
        ("catboost", "comet", "neptune", "clearml", "dvclive"), False
    )


def test_a_file_of_the_project_is_no_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = tmp_path / "ran"
    for name in ("comet_ml", "clearml", "json", "sklearn"):
        (tmp_path / f"{name}.py").write_text(f"open({str(canary)!r}, 'w')\n")
    (tmp_path / "neptune").mkdir()
    (tmp_path / "neptune" / "__init__.py").write_text(f"open({str(canary)!r}, 'w')\n")
    (tmp_path / "requirements.txt").write_text("comet_ml\nclearml\nneptune\nscikit-learn\n")
    monkeypatch.chdir(tmp_path)
    for entry in ("", str(tmp_path), "."):
        monkeypatch.setattr(sys, "path", [entry, *sys.path])
        assert {tool.name for tool in detect(str(tmp_path)) if tool.importable} == {"scikit-learn"}
    assert not canary.exists()


def test_an_environment_inside_the_project_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = tmp_path / ".venv/lib/python3.11/site-packages"
    (packages / "clearml").mkdir(parents=True)
    (packages / "clearml" / "__init__.py").touch()
    (packages / "neptune").mkdir()  # data, no code
    (tmp_path / "requirements.txt").write_text("clearml\nneptune\n")
    monkeypatch.setattr(sys, "path", [str(packages)])
    assert {name: tool.importable for name, tool in found(tmp_path).items()} == {"clearml": True, "neptune": False}


def test_hostile_files_say_nothing(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "requirements.txt").write_text("mlflow\n")
    root = tmp_path / "project"
    root.mkdir()
    (root / "requirements.txt").symlink_to(outside / "requirements.txt")
    (root / "requirements").symlink_to(outside)
    (root / "wandb").symlink_to(outside)
    os.mkfifo(root / "setup.cfg")
    (root / "requirements-binary.txt").write_bytes(b"\0mlflow\n")
    (root / "requirements-huge.txt").write_bytes(b"mlflow\n" * 1_000_000)
    (root / "pyproject.toml").write_text("a = " + "[" * 50_000)
    (root / "Pipfile.lock").write_text("[" * 50_000)
    (root / "setup.py").write_text("(" * 50_000)
    (root / "environment.yml").write_text("dependencies: &a [*a, *a]\n")
    began = time.monotonic()
    assert detect(str(root)) == ()
    assert time.monotonic() - began < 2


def test_evidence_is_a_handful(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"requirements-{number}.txt").write_text("mlflow\n")
    assert len(found(tmp_path)["mlflow"].evidence) == 8


def test_nothing_is_imported(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("lightgbm\nxgboost\nkeras\n")
    before = set(sys.modules)
    assert len(detect(str(tmp_path))) == 3
    assert not {name for name in set(sys.modules) - before if name.split(".")[0] in {"lightgbm", "xgboost", "keras"}}
