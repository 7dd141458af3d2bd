"""Weights & Biases itself, offline: what it writes with our settings, and what becomes of it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import types
import warnings
from importlib import import_module
from pathlib import Path

import pytest

import specweave_ml.wandb
from command_line import INCREMENT
from specweave_ml import configure_wandb, load_experiments
from specweave_ml.errors import MissingDependency, SpecweaveWarning
from specweave_ml.project import find_increment
from specweave_ml.store.pulling import pull
from specweave_ml.store.verify import verify
from specweave_ml.wandb import configure
from specweave_ml.wandb.source import live

pytest.importorskip("wandb.proto")

NAME = "0042-recommendation-model"


@pytest.fixture(autouse=True)
def _no_account(monkeypatch, tmp_path):
    for name in [*os.environ]:
        if name.startswith("WANDB_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))  # where W&B leaves folders when it is killed


@pytest.fixture(autouse=True)
def _environment_afterwards():
    before = dict(os.environ)
    configure.check_installation.cache_clear()
    yield
    os.environ.clear()
    os.environ.update(before)


def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a training script in the project."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def pulled():
    increment = find_increment("0042")
    result = pull(live("", increment), increment.experiments, increment.name)
    assert result.problems == {}
    return {found.name: found for found in load_experiments("0042")}


def test_the_seeds_option_three(project):
    Path("model.pkl").write_bytes(b"weights")
    done = run("""
        import wandb
        from specweave import configure_wandb

        # Auto-configures W&B project = increment ID
        configure_wandb(increment="0042")

        run = wandb.init(name="xgboost-v1")
        run.log({"auc": 0.87})
        run.log_model("model.pkl")
        """)
    assert done.returncode == 0, done.stderr
    found = pulled()["xgboost-v1"]
    assert (found.status, found.metrics) == ("finished", {"auc": 0.87})
    assert (found.path / "model.pkl").read_bytes() == b"weights"
    assert found.metadata["wandb"] == {"project": NAME}
    assert found.metadata["foreign"]["left_out"] == []
    assert [*verify(str(found.path)).problems] == []
    assert not Path("wandb").exists()
    assert not (Path(os.environ["HOME"]) / ".local").exists()
    assert (INCREMENT / "experiments/.wandb/.gitignore").read_text() == "*\n"


def test_the_seeds_wrapper(project):
    done = run("""
        from specweave import wandb as sw_wandb
        run = sw_wandb.init(increment="0042", name="xgboost")
        # Syncs to increment folder + W&B dashboard
        """)
    assert done.returncode == 0, done.stderr
    assert [found.name for found in load_experiments("0042")] == ["xgboost"]


def test_the_seeds_pure_wandb(project):
    done = run(
        """
        import wandb
        wandb.init(project="0042-recommendation-model")
        """,
        WANDB_MODE="offline",
    )
    assert done.returncode == 0, done.stderr
    (found,) = pulled().values()
    assert (found.status, found.params, found.metrics) == ("finished", {}, {})


def test_runs_become_experiments_when_they_end(project):
    done = run("""
        import os
        from specweave import load_experiments, wandb

        def known():
            return sorted((found.name, found.status) for found in load_experiments("0042"))

        run = wandb.init(increment="0042", name="a", config={"lr": 0.1, "model": {"depth": 3}}, group="one", tags=["t"])
        for step in range(100):
            run.log({"loss": 1 / (step + 1)})
        run.summary["best"] = 0.5
        run.finish()
        assert known() == [("a", "finished")], known()
        with wandb.init(increment="0042", name="b", group="two", job_type="train") as run:
            assert wandb.run is run
            run.log({"loss": float("nan")})
        assert known() == [("a", "finished"), ("b", "finished")], known()
        wandb.init(increment="0042", name="c").log({"loss": float("-inf")})
        wandb.finish()
        assert len(known()) == 3, known()
        wandb.init(increment="0042", name="d", notes="why")
        wandb.log({"picture": wandb.Image(__import__("numpy").zeros((2, 2, 3), "uint8")), "loss": 1})
        raise RuntimeError("out of memory")
        """)
    assert "out of memory" in done.stderr
    found = {each.name: each for each in load_experiments("0042")}
    assert {name: each.status for name, each in found.items()} == {
        "a": "finished",
        "b": "finished",
        "c": "finished",
        "d": "failed",
    }
    assert found["a"].params == {"lr": 0.1, "model.depth": 3}
    assert found["a"].history("loss").values.tolist() == [1 / (step + 1) for step in range(100)]
    assert found["a"].metrics == {"loss": 0.01, "best": 0.5}
    assert [found[name].tags for name in "abd"] == [("t", "group:one"), ("group:two", "job_type:train"), ()]
    assert (found["d"].notes, found["d"].metadata["foreign"]["left_out"]) == (("why",), ["1 × image-file of picture"])
    assert pulled().keys() == found.keys()


def test_a_run_that_was_killed_is_read_as_far_as_it_came(project):
    done = run("""
        import os, signal, time
        from specweave import wandb
        settings = wandb.Settings(x_transaction_log_flush_interval=0.05)
        run = wandb.init(increment="0042", name="killed", settings=settings)
        for step in range(5):
            run.log({"loss": step}, commit=True)
        time.sleep(1)
        os.kill(os.getpid(), signal.SIGKILL)
        """)
    assert done.returncode == -9, done.stderr
    (log,) = INCREMENT.glob("experiments/.wandb/wandb/*run-*/*.wandb")
    os.utime(log, (log.stat().st_mtime - 3600,) * 2)  # an hour of silence
    (found,) = pulled().values()
    assert (found.name, found.status) == ("killed", "killed")
    assert found.history("loss").values[:4].tolist() == [0, 1, 2, 3]


def test_only_documented_variables_are_set(project):
    before = dict(os.environ)
    configure_wandb(increment="0042")
    home = str(project / INCREMENT / "experiments/.wandb")
    assert {name: value for name, value in os.environ.items() if before.get(name) != value} == {
        "WANDB_PROJECT": NAME,
        "WANDB_DIR": home,
        "WANDB_DATA_DIR": f"{home}/data",
        "WANDB_CACHE_DIR": f"{home}/cache",
        "WANDB_MODE": "offline",
    }


@pytest.mark.parametrize(
    ("variables", "files", "mode"),
    [
        ({"WANDB_MODE": "online"}, {}, "online"),
        ({"WANDB_API_KEY": "0" * 40}, {}, None),
        ({}, {".netrc": "machine api.wandb.ai login user password {key}\n"}, None),
        ({}, {".netrc": "machine example.com login user password {key}\n"}, "offline"),
        (
            {"WANDB_BASE_URL": "https://w.example.com"},
            {".netrc": "machine w.example.com login u password {key}\n"},
            None,
        ),
        ({}, {".config/wandb/settings": "[default]\nmode = disabled\n"}, None),
        ({}, {".netrc": "machine {"}, "offline"),
    ],
)
def test_offline_only_where_neither_a_mode_nor_a_key_is_set(project, tmp_path, monkeypatch, variables, files, mode):
    key = "5e5e" * 10
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text.replace("{key}", key))
        (tmp_path / name).chmod(0o600)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    configure_wandb(increment="0042")
    assert os.environ.get("WANDB_MODE") == mode
    assert all((tmp_path / name).read_text() == text.replace("{key}", key) for name, text in files.items())
    assert not any(key.encode() in path.read_bytes() for path in project.rglob("*") if path.is_file())


def test_without_wandb_one_line_says_how_to_install_it(project, monkeypatch):
    monkeypatch.setattr(configure, "find_spec", lambda name: None)
    for use in (lambda: configure_wandb("0042"), specweave_ml.wandb.init, lambda: specweave_ml.wandb.Image):
        with pytest.raises(MissingDependency) as raised:
            use()
        assert str(raised.value).splitlines() == [
            "wandb is not installed",
            '  next: pip install "specweave-ml[wandb]"',
        ]
        assert raised.value.exit_code == 3
    assert not (project / INCREMENT / "experiments").exists()


def test_a_version_that_no_test_has_seen_is_said(project, monkeypatch):
    monkeypatch.setattr(configure, "version", lambda name: "1.2.3")
    with pytest.warns(SpecweaveWarning, match=r"wandb 1\.2\.3 is outside the tested versions, 0\.18 to 0\.31"):
        configure_wandb("0042")


def test_switched_off_it_touches_nothing(project, monkeypatch):
    monkeypatch.setenv("SPECWEAVE_MODE", "disabled")
    before = dict(os.environ)
    configure_wandb("0042")
    assert dict(os.environ) == before
    assert not (project / INCREMENT / "experiments").exists()


def test_no_module_of_ours_hides_a_name_of_wandb(project):
    real = import_module("wandb")
    modules = {name.removesuffix(".py") for name in os.listdir(os.path.dirname(specweave_ml.wandb.__file__))}
    names = {name for name in modules | {*vars(specweave_ml.wandb)} if name[0] != "_" and hasattr(real, name)}
    assert {name for name in names if vars(specweave_ml.wandb).get(name) is not getattr(real, name)} == {"init"}


def test_training_goes_on_when_a_run_cannot_be_pulled(project, monkeypatch):
    folder = project / "run"
    (folder / "files").mkdir(parents=True)
    (folder / "run-x.wandb").write_bytes(b"no log")

    class Run:
        dir = str(folder / "files")

        def finish(self) -> str:
            return "finished"

    monkeypatch.setitem(sys.modules, "wandb", types.SimpleNamespace(init=lambda **settings: Run(), __spec__=object()))
    monkeypatch.setattr(specweave_ml.wandb, "check_installation", lambda: None)
    monkeypatch.setattr(specweave_ml.wandb, "_PATIENCE", 0.0)
    monkeypatch.setattr(specweave_ml.wandb, "has_ended", lambda folder: True)
    run = specweave_ml.wandb.init(increment="0042")
    monkeypatch.setattr(specweave_ml.wandb, "of_run", lambda *_: import_module("nowhere"))
    with pytest.warns(SpecweaveWarning, match="is no experiment yet"):
        assert run.finish() == "finished"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run.finish() == "finished"
