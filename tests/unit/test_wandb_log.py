"""Logs of W&B, made of its own messages: what is read of them, also when they are cut, damaged or invented."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
import time
import tracemalloc
import zlib
from math import isnan
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specweave_ml.errors import NotFound
from specweave_ml.foreign import Unreadable
from specweave_ml.project import find_increment
from specweave_ml.store.pulling import pull
from specweave_ml.store.reader import read_experiments
from specweave_ml.wandb.reading import read_run
from specweave_ml.wandb.source import WandbSource, imported, live
from specweave_ml.wandb.transaction_log import BLOCK, read_records
from specweave_ml.wire import Malformed

messages = pytest.importorskip("wandb.proto.wandb_internal_pb2")

HEADER = b":W&B\xe1\xbe\x00"
NOW = 1_700_000_000


def log_of(*records: bytes) -> bytes:
    """A log as W&B writes it, records cut into pieces where a block ends."""
    data = bytearray(HEADER)
    for record in records:
        rest, began = record, False
        while True:
            room = BLOCK - len(data) % BLOCK
            if room < 7:
                data += bytes(room)
                room = BLOCK
            piece, rest = rest[: room - 7], rest[room - 7 :]
            kind = {(False, True): 1, (False, False): 2, (True, False): 3, (True, True): 4}[began, not rest]
            data += struct.pack("<IHB", zlib.crc32(piece, zlib.crc32(bytes([kind]))), len(piece), kind) + piece
            began = True
            if not rest:
                break
    return bytes(data)


def begun(**fields) -> bytes:
    record = messages.Record()
    record.run.run_id, record.run.project, record.run.display_name = "abcd1234", "0042-model", "xgboost v1"
    record.run.start_time.seconds = NOW
    config = fields.pop("config", {})
    record.run.tags.extend(fields.pop("tags", ()))
    for key, value in fields.items():
        setattr(record.run, key, value)
    for key, value in config.items():
        record.run.config.update.add(key=key, value_json=json.dumps(value))
    return bytes(record.SerializeToString())


def point(step: int, values: dict[str, object], *, typed: bool = False) -> bytes:
    record = messages.Record()
    record.history.step.num = step
    for name, value in {**values, "_step": step, "_timestamp": NOW + step + 0.5, "_runtime": step}.items():
        item = record.history.item.add(nested_key=name.split("/"))
        if typed and isinstance(value, bool):
            item.boolean = value
        elif typed and isinstance(value, int):
            item.integer = value
        elif typed and isinstance(value, float):
            item.number = value
        elif typed and isinstance(value, str):
            item.text = value
        else:
            item.value_json = json.dumps(value)
    return bytes(record.SerializeToString())


def summary(**values) -> bytes:
    record = messages.Record()
    for key, value in values.items():
        record.summary.update.add(key=key, value_json=json.dumps(value))
    return bytes(record.SerializeToString())


def ended(exit_code: int = 0) -> bytes:
    record = messages.Record()
    record.exit.exit_code = exit_code
    record.exit.runtime = 9
    return bytes(record.SerializeToString())


def artifact(name: str, path: str, local: Path, content: bytes, **fields) -> bytes:
    record = messages.Record()
    record.artifact.name, record.artifact.type = name, fields.pop("type", "model")
    digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    record.artifact.manifest.contents.add(path=path, local_path=str(local), digest=digest, size=len(content), **fields)
    return bytes(record.SerializeToString())


@pytest.fixture
def put(tmp_path):
    """Writes a log into a run's folder below `wandb`."""

    def write(
        *records: bytes, run: str = "abcd1234", at: str = "20260101_120000", root: Path = tmp_path, mode="offline-"
    ) -> Path:
        path = root / "wandb" / f"{mode}run-{at}-{run}" / f"run-{run}.wandb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(log_of(*records))
        os.utime(path, (NOW, NOW))
        return path

    return write


def read(*paths: Path, **options):
    return read_run("wandb:x", "1", [str(path) for path in paths], **options)


def test_a_run_is_read_whole(put):
    run = read(
        put(
            begun(config={"lr": 0.1, "model": {"depth": 6, "layers": [1, 2]}, "_wandb": {"x": 1}}, tags=["baseline"]),
            begun(run_group="ensemble", job_type="train", sweep_id="s1", notes="why", tags=["baseline", "second"]),
            point(0, {"auc": 0.8, "val/loss": float("nan"), "done": True, "name": "text"}),
            point(5, {"auc": 0.9, "val/loss": float("inf"), "img/_type": "image-file", "img/width": 3}),
            summary(auc=0.9, best=0.91, words="x", _runtime=3),
            ended(),
        )
    )
    assert (run.name, run.status, run.started, run.ended) == ("xgboost v1", "finished", NOW * 1000, NOW * 1000 + 5500)
    assert run.params == {"lr": 0.1, "model.depth": 6, "model.layers": [1, 2]}
    assert run.tags == ["baseline", "second", "group:ensemble", "job_type:train", "sweep:s1"]
    assert run.notes == ["why"]
    first, nan, done, second, infinite, best = run.points
    assert first == ("auc", 0, 0.8, NOW * 1000 + 500)
    assert (nan.metric, isnan(nan.value), done) == ("val.loss", True, ("done", 0, 1, NOW * 1000 + 500))
    assert (second, infinite[:3]) == (("auc", 5, 0.9, NOW * 1000 + 5500), ("val.loss", 5, float("inf")))
    assert best == ("best", None, 0.91, None)
    assert sorted(run.left_out) == ["1 × image-file of img", "1 × text of name", "1 × text of words"]


def test_typed_items_of_newer_versions_say_the_same(put):
    values = {"auc": 0.5, "epoch": -3, "flag": True, "text": "x"}
    plain, typed = (read(put(begun(), point(1, values, typed=typed))) for typed in (False, True))
    assert [*plain.points] == [*typed.points]
    assert plain.left_out == typed.left_out == ["1 × text of text"]


def test_a_summary_that_says_otherwise_is_the_last_value(put):
    run = read(put(begun(), point(0, {"auc": 0.9}), point(1, {"auc": 0.8}), summary(auc=0.9)))
    assert [each[:3] for each in run.points] == [("auc", 0, 0.9), ("auc", 1, 0.8), ("auc", None, 0.9)]


@pytest.mark.parametrize(
    ("records", "fresh", "status"),
    [
        ([ended()], True, "finished"),
        ([ended(1)], False, "failed"),
        ([ended(255)], False, "killed"),
        ([ended(143)], False, "killed"),
        ([], True, "running"),
        ([], False, "killed"),
    ],
)
def test_how_a_run_ended(put, records, fresh, status):
    path = put(begun(), point(3, {"auc": 1.0}), *records)
    if fresh:
        os.utime(path)
    (run,) = _runs(str(path))
    assert (run.status, run.ended is None) == (status, status == "running")


def _runs(*folders: str):
    source = WandbSource(folders)
    return [*source.runs([*source.versions()])]


def test_a_run_that_goes_silent_is_pulled_again_as_killed(put, tmp_path):
    path = put(begun(), point(0, {"auc": 0.5}))
    os.utime(path, (time.time() - 10, time.time() - 10))
    (before,) = WandbSource([str(tmp_path)]).versions().items()
    os.utime(path, (NOW, NOW))
    (after,) = WandbSource([str(tmp_path)]).versions().items()
    assert before[0] == after[0]
    assert before[1].endswith("-running")
    assert not after[1].endswith("-running")


def test_code_and_machine_are_in_the_log_or_in_a_file_of_older_versions(put):
    told = messages.Record()
    told.environment.python, told.environment.os, told.environment.code_path = "CPython 3.12.1", "Linux", "train.py"
    told.environment.git.commit, told.environment.git.remote_url = "c0ffee", "https://me:secret@example.com/a.git"
    newer = read(put(begun(), told.SerializeToString(), ended()))
    path = put(begun(), ended(), run="older000")
    (path.parent / "files").mkdir()
    git = {"commit": "c0ffee", "remote": "https://me:secret@example.com/a.git"}
    older = {"python": "CPython 3.12.1", "os": "Linux", "codePath": "train.py", "git": git}
    (path.parent / "files" / "wandb-metadata.json").write_text(json.dumps(older))
    assert newer.facts == read(path).facts
    assert newer.facts["code"] == {
        "entry": {"kind": "script", "path": "train.py"},
        "commit": "c0ffee",
        "remote": "https://example.com/a.git",
    }
    for text in ("[]", "{", '{"git": 3}'):
        (path.parent / "files" / "wandb-metadata.json").write_text(text)
        assert read(path).status == "finished"


def test_a_resumed_run_is_one(put, tmp_path):
    put(begun(), point(0, {"auc": 0.5}), ended(1))
    put(begun(), point(1, {"auc": 0.6}), ended(), at="20260102_120000", mode="")  # online
    (run,) = _runs(str(tmp_path))
    assert (run.status, [each.value for each in run.points]) == ("finished", [0.5, 0.6])


def test_equal_ids_of_two_projects_are_two_runs(put, tmp_path):
    put(begun(), ended())
    put(begun(project="other"), ended(), at="20260102_120000")
    assert sorted(run.id for run in _runs(str(tmp_path))) == ["wandb:0042-model/abcd1234", "wandb:other/abcd1234"]


def test_records_longer_than_a_block(put):
    text = "x" * 3 * BLOCK
    run = read(put(begun(config={"text": text}), point(0, {"auc": 0.5}), ended()))
    assert run.params == {"text": text}
    assert [each.value for each in run.points] == [0.5]


def test_a_damaged_block_costs_what_stands_in_it(put):
    path = put(begun(config={"a": 1}), *(point(step, {"auc": step / 1000}) for step in range(1000)), ended())
    data = bytearray(path.read_bytes())
    data[BLOCK + 100] ^= 1
    path.write_bytes(data)
    run = read(path)
    assert run.status == "finished"
    assert 300 < len([*run.points]) < 1000
    assert len(run.left_out) == 1
    assert 0 < int(run.left_out[0].partition("at byte ")[2].partition(" ")[0].rstrip(":")) - BLOCK <= 100


def test_cut_at_every_byte_it_is_read_up_to_there(put):
    path = put(begun(config={"a": 1}), summary(auc=0.5), point(0, {"auc": 0.5}), point(1, {"auc": 0.6}), ended())
    data = path.read_bytes()
    seen = set()
    for size in range(len(data)):
        path.write_bytes(data[:size])
        run = read(path)
        values = [each.value for each in run.points]
        assert values in ([], [0.5], [0.5, 0.6])
        assert run.status == "killed"
        assert len(run.left_out) <= 1
        seen.add((len(run.params), len(values)))
    assert seen == {(0, 0), (1, 0), (1, 1), (1, 2)}


def test_what_is_no_log_is_named_and_hides_nothing(put, tmp_path):
    put(begun(), point(0, {"auc": 0.5}), ended())
    broken = put(run="broken00", at="20260103_120000")
    broken.write_bytes(b"PK\x03\x04 something else")
    os.mkfifo(broken.parent / "run-pipe0000.wandb")
    good, *bad = sorted(_runs(str(tmp_path)), key=lambda each: isinstance(each, Unreadable))
    assert good.name == "xgboost v1"
    assert [(Path(each.path).name, each.why) for each in bad] == [
        ("run-broken00.wandb", "no W&B log: byte 0 does not begin with :W&B"),
        ("run-pipe0000.wandb", "no file"),
    ]


def test_lengths_that_a_file_claims_are_not_believed(put):
    nested = messages.Record()
    nested.history.item.add(key="deep", value_json="[" * 100_000)
    nested.history.item.add(key="many", value_json="[" + "[]," * 400_000 + "[]]")
    claims = b"\x12\xff\xff\xff\xff\x0f" + b"\x0a" * 20
    path = put(begun(), nested.SerializeToString(), claims, point(0, {"auc": 0.5}), ended())
    tracemalloc.start()
    try:
        run = read(path)
        assert [each.value for each in run.points] == [0.5]
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
    assert len(run.left_out) == 3


def test_names_that_cannot_be_kept_stop_nothing(put, tmp_path, project):
    long = "x" * 501
    path = put(begun(config={long: 1, "a": 1}), point(0, {"auc": 0.5, long: 1, "": 2, "big": 10**400}), ended())
    increment = find_increment("0042")
    pulled = pull(WandbSource([str(path)]), increment.experiments, increment.name)
    (found,) = read_experiments(increment.experiments, increment.name)
    assert pulled.problems == {}
    assert (found.params, found.metrics) == ({"a": 1}, {"auc": 0.5})
    assert len(pulled.left_out[found.name]) == 4


def test_files_of_artifacts_are_copied_when_they_are_what_the_log_says(put, tmp_path):
    staging = tmp_path / "data" / "artifacts" / "staging"
    staging.mkdir(parents=True)
    (staging / "tmp1").write_bytes(b"weights")
    (tmp_path / "mine.txt").write_bytes(b"mine")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    path = put(
        begun(),
        artifact("model", "model.pkl", staging / "tmp1", b"weights"),
        artifact("table", "a.json", tmp_path / "mine.txt", b"mine"),
        artifact("stolen", "key", tmp_path / "secret.txt", b"unknown"),
        artifact("gone", "gone.bin", tmp_path / "gone", b""),
        artifact("moved", "moved.pkl", Path("/elsewhere/tmp1"), b"weights"),
        artifact("history", "x", tmp_path / "mine.txt", b"mine", type="wandb-history"),
        artifact("remote", "data.csv", Path(), b"", ref="s3://bucket/data.csv"),
        ended(),
    )
    run = read(path, kept_in=[str(tmp_path / "data")])
    assert run.artifacts == {
        "model.pkl": str(staging / "tmp1"),
        "a.json": str(tmp_path / "mine.txt"),
        "moved.pkl": str(staging / "tmp1"),
    }
    assert run.left_out == [
        "the artifact key: its file is not here any more",
        "the artifact gone.bin: its file is not here any more",
        "the artifact data.csv: is a reference",
    ]


def test_an_artifact_that_is_logged_again_counts_once(put, tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"2")
    run = read(
        put(
            begun(),
            artifact("model", "m.pkl", tmp_path / "a", b"1"),
            artifact("model", "m.pkl", tmp_path / "b", b"2"),
            artifact("other", "m.pkl", tmp_path / "a", b"1"),
        )
    )
    assert run.artifacts == {"model/m.pkl": str(tmp_path / "b"), "other/m.pkl": str(tmp_path / "a")}
    assert run.left_out == ["the artifact model: 1 earlier versions"]


def test_a_live_source_takes_what_is_the_increments(put, project):
    home = project / ".specweave/increments/0042-recommendation-model/experiments/.wandb"
    put(begun(project="anything"), ended(), root=home, run="inside00")
    put(begun(project="0042-recommendation-model"), ended(), root=project, run="project0")
    put(begun(project="team", tags=["0042"]), ended(), root=project, run="tagged00")
    put(begun(project="0043-other"), ended(), root=project, run="other000")
    put(run="nothing0", root=project)
    assert sorted(live("", find_increment("0042")).versions()) == [
        "wandb:0042-recommendation-model/project0",
        "wandb:anything/inside00",
        "wandb:team/tagged00",
    ]


def test_an_import_of_nothing_says_what_was_expected(project):
    (project / "empty").mkdir()
    with pytest.raises(NotFound, match="there is no run of W&B here"):
        imported("empty", find_increment("0042"))


SMALL = log_of(begun(config={"a": {"b": 1}}), point(0, {"auc": 0.5, "x/_type": "image"}), summary(auc=0.5), ended())


@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), max_size=8), st.booleans())
def test_any_bytes_are_read_or_refused(tmp_path_factory, changes, mended):
    data = bytearray(SMALL)
    for at, byte in changes:
        data[at] = byte
    path = tmp_path_factory.getbasetemp() / "run-fuzz.wandb"
    path.write_bytes(_with_checksums(data) if mended else data)
    try:
        run = read(path)
    except Malformed:
        return
    assert all(isinstance(each.value, int | float) for each in run.points)


def _with_checksums(data: bytearray) -> bytes:
    """The same with checksums that fit, so that what lies behind them is reached."""
    at = len(HEADER)
    while at + 7 <= len(data):
        _, size, kind = struct.unpack_from("<IHB", data, at)
        struct.pack_into("<I", data, at, zlib.crc32(data[at + 7 : at + 7 + size], zlib.crc32(bytes([kind]))))
        at += 7 + size
    return bytes(data)


@given(st.binary(max_size=300))
def test_any_record_is_read_or_passed_over(tmp_path_factory, record):
    path = tmp_path_factory.getbasetemp() / "run-any.wandb"
    path.write_bytes(log_of(begun(), record, ended()))
    assert len([*read_records(str(path), [])]) in {2, 3}
    assert read(path).status in {"finished", "failed", "killed"}
