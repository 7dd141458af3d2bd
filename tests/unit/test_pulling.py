"""Runs of another tool as experiments: pulled once, pulled again, pulled later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from specweave_ml.foreign import ForeignPoint, ForeignRun, Unreadable
from specweave_ml.store.afterwards import add_lines
from specweave_ml.store.layout import METADATA
from specweave_ml.store.pulling import pull
from specweave_ml.store.reader import read_experiments
from specweave_ml.store.verify import verify

INCREMENT = "0042-model"


class Runs:
    """A source with everything at hand."""

    tool = "other"

    def __init__(self, *runs: ForeignRun | Unreadable) -> None:
        self.all = {getattr(run, "id", "broken"): run for run in runs}

    def versions(self) -> Mapping[str, str]:
        return {key: getattr(run, "version", "") or "1" for key, run in self.all.items()}

    def runs(self, ids: Sequence[str]) -> Iterator[ForeignRun | Unreadable]:
        return (self.all[key] for key in ids)


@pytest.fixture
def experiments(tmp_path: Path) -> Path:
    return tmp_path / "experiments"


@pytest.fixture
def run(tmp_path: Path) -> ForeignRun:
    (tmp_path / "model.bin").write_bytes(b"weights")
    return ForeignRun(
        id="other:1",
        version="a",
        name="xgboost v1",
        status="finished",
        started=1_700_000_000_000,
        ended=1_700_000_010_500,
        params={"depth": 6, "api_key": "hush"},
        points=[ForeignPoint("auc", 0, 0.8, 1_700_000_001_000), ForeignPoint("auc", 1, float("nan"), None)],
        tags=["imported"],
        notes=["seen"],
        data=[{"name": "train", "uri": "s3://bucket/train", "kind": "remote"}],
        artifacts={"model.bin": str(tmp_path / "model.bin"), "../out": "x", "gone.txt": str(tmp_path / "gone")},
        facts={"description": "words"},
        left_out=["2 images"],
    )


def test_a_run_becomes_an_experiment(experiments, run):
    pulled = pull(Runs(run), str(experiments), INCREMENT)
    (found,) = read_experiments(str(experiments), INCREMENT)
    assert pulled.created == [found.name]
    assert (found.status, found.duration_seconds, found.metadata["original_name"]) == ("finished", 10.5, "xgboost v1")
    assert found.params == {"depth": 6, "api_key": "[redacted]"}
    assert found.history("auc").steps == [0, 1]
    assert (found.path / "model.bin").read_bytes() == b"weights"
    assert (found.tags, found.notes, found.description) == (("imported",), ("seen",), "words")
    foreign = found.metadata["foreign"]
    assert (foreign["tool"], foreign["id"], foreign["version"]) == ("other", "other:1", "a")
    assert [reason.partition(":")[0] for reason in foreign["left_out"]] == [
        "2 images",
        "the artifact ../out",
        "the artifact gone.txt",
    ]
    integrity = verify(str(found.path))
    assert [integrity.changed, integrity.behind, integrity.differing, integrity.problems] == [[], [], [], []]


def test_again_changes_nothing(experiments, run):
    pull(Runs(run), str(experiments), INCREMENT)
    before = {path: path.stat().st_mtime_ns for path in experiments.rglob("*")}
    pulled = pull(Runs(run), str(experiments), INCREMENT)
    assert (pulled.created, pulled.updated, pulled.unchanged) == ([], [], 1)
    assert before == {path: path.stat().st_mtime_ns for path in experiments.rglob("*")}


def test_later_brings_what_is_new_and_keeps_a_persons_words(experiments, run):
    pull(Runs(replace(run, ended=None, status="running")), str(experiments), INCREMENT)
    (found,) = read_experiments(str(experiments), INCREMENT)
    add_lines(str(found.path), [{"note": "mine", "t": 1_700_000_020_000}, {"tag": "production"}])
    later = replace(run, version="b", params={"depth": 7})
    assert pull(Runs(later), str(experiments), INCREMENT).updated == [found.name]
    (now,) = read_experiments(str(experiments), INCREMENT)
    assert (now.status, now.params["depth"]) == ("finished", 7)
    assert (now.notes, now.tags) == (("seen", "mine"), ("imported", "production"))


def test_what_was_cut_off_is_done_again(experiments, run):
    pull(Runs(run), str(experiments), INCREMENT)
    (found,) = read_experiments(str(experiments), INCREMENT)
    journal = found.path / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-3]))
    (found.path / METADATA).unlink()
    assert pull(Runs(run), str(experiments), INCREMENT).updated == [found.name]
    assert len(read_experiments(str(experiments), INCREMENT)) == 1


def test_what_cannot_be_read_hides_nothing(experiments, run):
    pulled = pull(Runs(Unreadable("runs/2.log", "cut at byte 40"), run), str(experiments), INCREMENT)
    assert pulled.problems == {"runs/2.log": "cut at byte 40"}
    assert len(pulled.created) == 1
