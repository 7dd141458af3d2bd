"""Ages, obstacles, and moves that nobody's writing is lost in."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from records import experiment
from specweave_ml import track_experiment
from specweave_ml.errors import NotFound, Refused, StoreError, UsageError
from specweave_ml.store.archive import archive_experiment, cutoff, ended_before, obstacle, restore_experiment
from specweave_ml.store.decision import Decision
from specweave_ml.store.writer import Sibling
from tracked import wait_for_the_capture

NOW = datetime(2026, 8, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        ("90d", "2026-06-02"),
        ("2w", "2026-08-17"),
        ("6m", "2026-02-28"),
        ("1M", "2026-07-31"),
        ("12m", "2025-08-31"),
        (" 1y ", "2025-08-31"),
        ("0d", "2026-08-31"),
        ("9999y", "0001-01-01"),
    ],
)
def test_an_age_is_a_moment(age: str, expected: str) -> None:
    assert cutoff(age, NOW).date().isoformat() == expected


@pytest.mark.parametrize("age", ["", "6", "m", "-6m", "6mo", "6 m", "1.5y", "٣d", "12345d", "soon"])
def test_what_is_no_age(age: str) -> None:
    with pytest.raises(UsageError, match="not an age"):
        cutoff(age, NOW)


def test_age_counts_from_the_end_else_from_the_start(project: Path) -> None:
    with track_experiment("x") as exp:
        pass
    record = exp.read()
    assert ended_before(record, datetime(9999, 1, 1, tzinfo=UTC))
    assert not ended_before(record, datetime(2000, 1, 1, tzinfo=UTC))
    assert not ended_before(experiment("never-started"), NOW)


def test_obstacles() -> None:
    assert obstacle(experiment("a"), Decision()) is None
    assert obstacle(experiment("a", status="stale"), Decision()) is None
    assert "selected" in str(obstacle(experiment("a"), Decision(selected="a")))
    assert "cannot be read" in str(obstacle(experiment("a"), Decision(problem="broken")))
    assert "running" in str(obstacle(experiment("a", status="running"), Decision()))


@pytest.fixture
def folder(project: Path) -> str:
    """The folder of experiments, with the ended experiment `x` in it."""
    with track_experiment("x") as exp:
        exp.log_metric("loss", 1.0)
    wait_for_the_capture()
    return os.path.dirname(str(exp.path))


def test_there_and_back(folder: str) -> None:
    assert archive_experiment(folder, "x") == f"{folder}/_archive/x"
    assert os.listdir(f"{folder}/_archive") == ["x"]
    assert restore_experiment(folder, "x") == f"{folder}/x"
    assert os.listdir(f"{folder}/_archive") == []


def test_while_any_writer_lives_nothing_moves(folder: str) -> None:
    sibling = Sibling(f"{folder}/x")
    with pytest.raises(Refused, match="running"):
        archive_experiment(folder, "x")
    sibling.leave()
    archive_experiment(folder, "x")


def test_a_name_that_is_taken_is_refused_and_nothing_moves(folder: str) -> None:
    os.makedirs(f"{folder}/_archive/x")
    with pytest.raises(Refused, match="there already"):
        archive_experiment(folder, "x")
    assert os.path.isfile(f"{folder}/x/journal.jsonl")


def test_what_is_not_there(folder: str) -> None:
    with pytest.raises(NotFound):
        archive_experiment(folder, "y")
    with pytest.raises(NotFound):
        restore_experiment(folder, "y")


def test_an_archive_that_is_a_link_is_refused(folder: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    os.symlink(outside, f"{folder}/_archive")
    with pytest.raises((Refused, StoreError)):
        archive_experiment(folder, "x")
    assert os.listdir(outside) == []
    assert os.path.isdir(f"{folder}/x")
