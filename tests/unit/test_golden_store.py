"""The format as it is agreed: a folder with every kind of line and every ending, and what reading it must give."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from specweave_ml.record import Experiment
from specweave_ml.store.fold import _FOLDS
from specweave_ml.store.projections import project
from specweave_ml.store.reader import read_experiments

GOLDEN = Path(__file__).parent.parent / "golden" / "store"
EXPERIMENTS = GOLDEN / "experiments"
ENDED = ["every-line", "failed", "killed", "resumed", "siblings", "_archive/archived"]


def read_all() -> dict[str, Experiment]:
    return {
        found.name: found for found in read_experiments(str(EXPERIMENTS), "0042-recommendation-model", archived=True)
    }


def as_plain(experiment: Experiment) -> dict[str, object]:
    history = {name: [[point.step, point.value] for point in experiment.history(name)] for name in experiment.metrics}
    return {
        "kind": experiment.kind,
        "status": experiment.status,
        "archived": experiment.archived,
        "params": experiment.params,
        "metrics": experiment.metrics,
        "history": history,
        "tags": list(experiment.tags),
        "notes": list(experiment.notes),
        "duration_seconds": experiment.duration_seconds,
        "error": (experiment.error or {}).get("message"),
        "problems": list(experiment.problems),
    }


def test_every_experiment_reads_as_agreed() -> None:
    expected = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))
    found = json.loads(json.dumps({name: as_plain(experiment) for name, experiment in read_all().items()}))
    assert found == expected


def test_the_golden_folder_holds_a_line_of_every_kind() -> None:
    lines = (EXPERIMENTS / "every-line" / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    kinds = {next(kind for kind in _FOLDS if kind in json.loads(line)) for line in lines}
    assert kinds == set(_FOLDS)


@pytest.mark.parametrize("name", ENDED)
def test_the_small_files_are_made_from_the_journals_byte_by_byte(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(EXPERIMENTS / name, copy)
    for small in ("metadata.yaml", "params.json", "metrics.json"):
        (copy / small).unlink()
    project(str(copy), None, sync=False, ended=True)
    for small in ("metadata.yaml", "params.json", "metrics.json"):
        assert (copy / small).read_bytes() == (EXPERIMENTS / name / small).read_bytes()


@pytest.mark.parametrize("name", ENDED)
def test_any_yaml_reader_opens_metadata(name: str) -> None:
    values = yaml.safe_load((EXPERIMENTS / name / "metadata.yaml").read_bytes())
    assert values["schema"] == 1
    assert values["status"] in {"finished", "failed", "killed"}


def test_reading_writes_nothing(tmp_path: Path) -> None:
    copy = tmp_path / "experiments"
    shutil.copytree(EXPERIMENTS, copy)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in copy.rglob("*") if path.is_file()}
    for experiment in read_experiments(str(copy), "0042", archived=True):
        as_plain(experiment)
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in copy.rglob("*") if path.is_file()} == before
