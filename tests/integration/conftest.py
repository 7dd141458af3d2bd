from __future__ import annotations

from pathlib import Path

import pytest

from command_line import CommandLine, put_golden_store
from specweave_ml import track_experiment
from tracked import wait_for_the_capture


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@pytest.fixture
def golden(project: Path) -> Path:
    """The project with the golden experiments in it; returns their folder."""
    return put_golden_store(project)


@pytest.fixture
def seed(project: Path) -> Path:
    """The experiments of the seed's comparison, a series, and one that failed."""
    measured = {
        "exp-001-baseline": (0.65, 0.60, 0.55, 0.57),
        "exp-002-xgboost": (0.87, 0.85, 0.83, 0.84),
        "exp-003-lightgbm": (0.86, 0.84, 0.82, 0.83),
        "xgboost-tuned": (0.80, 0.80, 0.80, 0.80),
        "xgboost-tuned-v2": (0.82, 0.80, 0.80, 0.80),
        "xgboost-tuned-v10-final": (0.86, 0.80, 0.80, 0.80),
        "xgboost-tunedness": (0.10, 0.10, 0.10, 0.10),
    }
    for name, values in measured.items():
        with track_experiment(name, tags=["baseline"] if "baseline" in name else []) as exp:
            exp.log_params({"seed": 42, "max_depth": len(name)})
            exp.log_metrics(dict(zip(("accuracy", "precision", "recall", "f1"), values, strict=True)))
    _fail("neural-net-attempt")
    wait_for_the_capture()
    return project


def _fail(name: str) -> None:
    try:
        with track_experiment(name) as exp:
            exp.log_metric("loss", float("inf"))
            exp.log_note("FAILED: out of memory")
            raise MemoryError("needs a smaller batch")
    except MemoryError:
        return
