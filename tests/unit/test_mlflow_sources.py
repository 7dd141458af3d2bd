"""MLflow's files and databases, read without MLflow: what a run becomes, and what a stranger's file cannot do."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specweave_ml import StoreError
from specweave_ml.foreign import ForeignRun, Unreadable
from specweave_ml.mlflow.filestore import FileStore
from specweave_ml.mlflow.runs import metric_here, metric_there, value_of
from specweave_ml.mlflow.source import Database
from specweave_ml.store.pulling import pull
from specweave_ml.store.reader import read_experiments
from specweave_ml.store.verify import verify

GOLDEN = Path(__file__).parent.parent / "golden" / "mlflow" / "mlruns"
RUN, CRASHED = "4565f94ac31e4cd0bf599ddc8eba8d07", "a091443b6c4747ecb1384773df3fe5c5"
SCHEMA = """
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, name TEXT, status TEXT, start_time BIGINT, end_time BIGINT,
                   lifecycle_stage TEXT, artifact_uri TEXT, experiment_id INTEGER);
CREATE TABLE metrics (key TEXT, value FLOAT, timestamp BIGINT, run_uuid TEXT, step BIGINT, is_nan BOOLEAN);
CREATE TABLE latest_metrics (key TEXT, value FLOAT, timestamp BIGINT, step BIGINT, is_nan BOOLEAN, run_uuid TEXT);
CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);
CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT);
INSERT INTO experiments VALUES (0, 'Default');
"""


@pytest.fixture
def mlruns(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN, tmp_path / "mlruns"))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "mlflow.db", isolation_level=None)
    connection.executescript(SCHEMA)
    yield connection
    connection.close()


def all_of(source: FileStore | Database) -> dict[str, ForeignRun | Unreadable]:
    return {getattr(run, "name", getattr(run, "path", "")): run for run in source.runs([*source.versions()])}


def add_run(database: sqlite3.Connection, run: str = "r1", artifacts: str = "", **values: object) -> None:
    row = {"status": "FINISHED", "started": 1_700_000_000_000, "ended": 1_700_000_001_000} | values
    database.execute(
        "INSERT INTO runs VALUES (?, ?, ?, ?, ?, 'active', ?, 0)",
        (run, f"name of {run}", row["status"], row["started"], row["ended"], artifacts),
    )


class TestFileStore:
    def test_a_run_is_carried_over_whole(self, mlruns, tmp_path):
        pulled = pull(FileStore(str(mlruns)), str(tmp_path / "experiments"), "0042-model")
        assert (sorted(pulled.created), pulled.problems) == (["crashed", "xgboost-v1-66c97efa"], {})
        crashed, run = sorted(read_experiments(str(tmp_path / "experiments"), "0042-model"), key=lambda each: each.name)
        assert run.params == {
            "max_depth": 6, "lr": 1e-05, "cols": ["a", "b"], "zip": "007", "subsample": None, "verbose": True,
        }  # fmt: skip
        assert [(point.step, point.value) for point in run.history("val/loss")] == [
            (0, 1.0), (1, 0.5), (2, 1 / 3), (3, 0.25),
        ]  # fmt: skip
        assert run.metrics["precision@10"] == 0.4
        assert (run.status, run.duration_seconds, run.description) == ("finished", 60.5, "trees on the cleaned set")
        assert run.tags == ("reviewed", "team=vision")
        assert run.data == (
            {"name": "train", "version": "c19c5cb3", "uri": "s3://bucket/train", "context": "training",
             "kind": "mlflow"},
        )  # fmt: skip
        assert sorted(run.artifacts) == ["artifacts/tables/confusion.json", "models/model/MLmodel"]
        assert (run.path / "artifacts/tables/confusion.json").is_file()
        assert run.metadata["code"]["commit"].startswith("0123456789")
        assert run.metadata["mlflow"]["experiment"] == "churn"
        assert (crashed.status, crashed.metrics) == ("failed", {"auc": 0.5})
        assert not verify(str(run.path)).problems

    def test_a_second_time_brings_nothing_and_the_source_stays_as_it_is(self, mlruns, tmp_path):
        before = {path: (path.stat().st_mtime_ns, path.is_file()) for path in sorted(mlruns.rglob("*"))}
        pull(FileStore(str(mlruns)), str(tmp_path / "experiments"), "0042-model")
        again = pull(FileStore(str(mlruns)), str(tmp_path / "experiments"), "0042-model")
        assert (again.created, again.updated) == ([], [])
        assert before == {path: (path.stat().st_mtime_ns, path.is_file()) for path in sorted(mlruns.rglob("*"))}

    def test_a_point_that_comes_later_is_brought_later(self, mlruns, tmp_path):
        pull(FileStore(str(mlruns)), str(tmp_path / "experiments"), "0042-model")
        (metric,) = mlruns.glob(f"*/{CRASHED}/metrics/auc")
        metric.write_text(metric.read_text() + "1700000100600 0.6 1\n")
        assert pull(FileStore(str(mlruns)), str(tmp_path / "experiments"), "0042-model").updated == ["crashed"]

    @pytest.mark.parametrize("name", ["meta.yaml", "metrics/val/loss", "params/lr", "inputs"])
    def test_cut_at_every_byte_it_is_read_or_named_and_the_other_run_is_there(self, mlruns, name):
        (run,) = mlruns.glob(f"*/{RUN}")
        path = run / name
        path = path if path.is_file() else next(path.rglob("meta.yaml"))
        whole = path.read_bytes()
        for length in range(len(whole)):
            path.write_bytes(whole[:length])
            found = all_of(FileStore(str(mlruns)))
            assert "crashed" in found
            assert len(found) == 2

    def test_a_bad_line_is_named_with_its_byte(self, mlruns):
        (metric,) = mlruns.glob(f"*/{RUN}/metrics/val/loss")
        metric.write_text("1700000001000 1.0 0\nnonsense here\n1700000001002 0.3 2\n")
        broken = next(run for run in all_of(FileStore(str(mlruns))).values() if isinstance(run, Unreadable))
        assert broken.path.endswith(f"{RUN}/metrics/val/loss")
        assert broken.why.startswith("byte 20: ")

    def test_links_and_bombs_bring_nothing_in(self, mlruns, tmp_path):
        (tmp_path / "secret").write_text("hush")
        (run,) = mlruns.glob(f"*/{RUN}")
        (run / "artifacts/link.txt").symlink_to(tmp_path / "secret")
        (run / "params/linked").symlink_to(tmp_path / "secret")
        found = all_of(FileStore(str(mlruns)))
        assert any(isinstance(each, Unreadable) and each.path.endswith("params/linked") for each in found.values())
        (run / "params/linked").unlink()
        whole = all_of(FileStore(str(mlruns)))["xgboost v1"]
        assert isinstance(whole, ForeignRun)
        assert "the link link.txt" in whole.left_out
        (run / "meta.yaml").write_text("a: &a [x, x]\nb: [*a, *a]\n")
        assert any(isinstance(each, Unreadable) for each in all_of(FileStore(str(mlruns))).values())

    def test_nothing_is_unpickled_or_run(self, mlruns, tmp_path):
        (run,) = mlruns.glob(f"*/{RUN}")
        (run / "artifacts/model.pkl").write_bytes(b"cos\nsystem\n(S'touch %s'\ntR." % str(tmp_path / "ran").encode())
        seen = []
        watching = [True]
        sys.addaudithook(
            lambda event, _: seen.append(event) if watching and event in {"pickle.find_class", "exec"} else None
        )
        pull(FileStore(str(mlruns)), str(tmp_path / "experiments"), "0042-model")
        watching.clear()
        assert "pickle.find_class" not in seen
        assert not (tmp_path / "ran").exists()

    def test_a_folder_that_is_none_says_so(self, tmp_path):
        with pytest.raises(StoreError, match=r"no folder in it has a meta\.yaml"):
            FileStore(str(tmp_path)).versions()


class TestDatabase:
    def test_a_run_with_its_points_in_the_order_they_came(self, database, tmp_path):
        add_run(database)
        rows = [("auc", 0.9, 5, "r1", 3, 0), ("auc", 0.5, 6, "r1", 1, 0), ("auc", 0, 7, "r1", 4, 1)]
        database.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
        database.execute("INSERT INTO metrics VALUES ('big', 1.7976931348623157e308, 7, 'r1', 0, 0)")
        database.execute("INSERT INTO params VALUES ('lr', '0.1', 'r1')")
        run = all_of(Database(str(tmp_path / "mlflow.db")))["name of r1"]
        assert isinstance(run, ForeignRun)
        assert [(point.step, str(point.value)) for point in run.points] == [
            (3, "0.9"), (1, "0.5"), (4, "nan"), (0, "inf"),
        ]  # fmt: skip
        assert run.params == {"lr": 0.1}

    @pytest.mark.parametrize(
        "change",
        [
            "INSERT INTO metrics VALUES ('auc', 1, 1, 'r1', 0, 0)",
            "INSERT INTO params VALUES ('a', '1', 'r1')",
            "INSERT INTO tags VALUES ('a', '1', 'r1')",
            "UPDATE tags SET value = 'other'",
            "UPDATE runs SET status = 'KILLED'",
            "UPDATE latest_metrics SET value = 2",
        ],
    )
    def test_whatever_changes_is_another_version(self, database, tmp_path, change):
        add_run(database)
        database.execute("INSERT INTO tags VALUES ('b', 'one', 'r1')")
        database.execute("INSERT INTO latest_metrics VALUES ('auc', 1, 1, 0, 0, 'r1')")
        before = Database(str(tmp_path / "mlflow.db")).versions()
        assert before == Database(str(tmp_path / "mlflow.db")).versions()
        database.execute(change)
        assert before != Database(str(tmp_path / "mlflow.db")).versions()

    def test_files_outside_of_its_folder_stay_there(self, database, tmp_path):
        outside = tmp_path.parent / f"{tmp_path.name}-outside"
        outside.mkdir()
        (outside / "id_rsa").write_text("hush")
        (tmp_path / "mlruns/0/r2/artifacts").mkdir(parents=True)
        (tmp_path / "mlruns/0/r2/artifacts/a.txt").write_text("a")
        add_run(database, "r1", str(outside))
        add_run(database, "r2", "file:///home/ada/mlruns/0/r2/artifacts")
        add_run(database, "r3", "s3://bucket/r3")
        runs: Any = all_of(Database(str(tmp_path / "mlflow.db")))
        assert runs["name of r1"].artifacts == {}
        assert "outside of what is imported" in runs["name of r1"].left_out[0]
        assert [*runs["name of r2"].artifacts] == ["artifacts/a.txt"]
        assert runs["name of r3"].left_out == ["the artifacts at s3://bucket/r3"]

    def test_one_impossible_run_does_not_hide_the_others(self, database, tmp_path):
        add_run(database, "r1", started="yesterday")
        add_run(database, "r2", started=10**17, ended=10**17)
        add_run(database, "r3")
        pulled = pull(Database(str(tmp_path / "mlflow.db")), str(tmp_path / "experiments"), "0042-model")
        assert len(pulled.created) == 1
        assert len(pulled.problems) == 2
        assert len(os.listdir(tmp_path / "experiments")) == 1

    def test_cut_anywhere_it_is_read_or_refused(self, database, tmp_path):
        add_run(database)
        database.close()
        whole = (tmp_path / "mlflow.db").read_bytes()
        cut = tmp_path / "cut.db"
        for length in range(0, len(whole), 97):
            cut.write_bytes(whole[:length])
            with suppress(StoreError):
                all_of(Database(str(cut)))

    def test_a_view_in_the_place_of_a_table_is_not_asked(self, tmp_path):
        with sqlite3.connect(tmp_path / "mlflow.db") as connection:
            connection.executescript(SCHEMA.replace("CREATE TABLE tags", "CREATE TABLE other"))
            connection.execute("CREATE VIEW tags AS SELECT * FROM other")
        connection.close()
        with pytest.raises(StoreError, match="no table tags"):
            Database(str(tmp_path / "mlflow.db")).versions()

    def test_it_is_not_written_to(self, database, tmp_path):
        add_run(database)
        before = (tmp_path / "mlflow.db").read_bytes()
        os.chmod(tmp_path / "mlflow.db", 0o444)
        pull(Database(str(tmp_path / "mlflow.db")), str(tmp_path / "experiments"), "0042-model")
        assert (tmp_path / "mlflow.db").read_bytes() == before


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
LISTS = st.lists(SCALARS, max_size=3)
VALUES = SCALARS | LISTS | st.dictionaries(st.text(max_size=3), SCALARS | LISTS, max_size=3)


@given(VALUES)
def test_the_text_of_a_value_gives_that_value(value):
    found = value_of(str(value))
    assert found == value or isinstance(value, str) or "inf" in str(value)


@given(st.text())
def test_every_text_is_kept_by_what_becomes_of_it(text):
    assert str(value_of(text)) == text


@pytest.mark.parametrize("name", ["precision@10", "val/recall@5", "mAP@0.5", "auc", "hit@1/test"])
def test_names_of_metrics_go_there_and_back(name):
    assert "@" not in metric_there(name)
    assert metric_here(metric_there(name)) == name


def test_a_name_that_only_looks_like_one_stays():
    assert metric_here("look_at_me") == "look_at_me"
    assert metric_there("f1@best") == "f1@best"
