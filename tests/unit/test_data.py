"""What is recorded of the data: digests that are the same everywhere, and what DVC and git-lfs say."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from specweave_ml import load_experiment, track_experiment
from specweave_ml.provenance import data
from specweave_ml.tracking import digests

OID = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"
LFS_POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize 12345\n"
DVC_FILE = "outs:\n- md5: ec1d2935f811b77cc49b031b999cbf17\n  size: 12\n  path: train.csv\n"


def recorded(what: Any, **more: Any) -> dict[str, Any]:
    with track_experiment("x") as exp:
        exp.log_dataset("train", what, **more)
    return dict(load_experiment(exp.name).data[0])


def test_a_file(tmp_path):
    (tmp_path / "train.csv").write_text("a,b\n1,2\n")
    assert recorded("train.csv", version="v1") == {
        "name": "train",
        "version": "v1",
        "uri": "train.csv",
        "kind": "file",
        "algorithm": "sha256",
        "digest": hashlib.sha256(b"a,b\n1,2\n").hexdigest(),
        "bytes": 8,
    }


def test_a_folder_is_its_names_and_contents_in_any_order(tmp_path):
    for name, files in {"one": ("a", "b/c"), "other": ("b/c", "a")}.items():
        for file in files:
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file)
    one = recorded("one")
    assert (one["files"], one["bytes"]) == (2, 4)
    assert one["digest"] == recorded("other")["digest"]
    (tmp_path / "other" / "a").rename(tmp_path / "other" / "z")
    assert one["digest"] != recorded("other")["digest"]


def test_a_large_file_is_digested_by_a_thread(tmp_path, monkeypatch):
    monkeypatch.setattr(digests, "_AT_ONCE", 3)
    (tmp_path / "train.csv").write_text("a,b\n1,2\n")
    exp = track_experiment("x")
    exp.log_dataset("train", "train.csv")
    exp.finish()
    digests.wait()
    assert load_experiment("x").data[0]["digest"] == hashlib.sha256(b"a,b\n1,2\n").hexdigest()


def test_a_changed_file_is_digested_again(tmp_path):
    file = tmp_path / "train.csv"
    file.write_text("1\n")
    first = recorded("train.csv")
    file.write_text("2\n")
    os.utime(file, (1, 1))
    assert recorded("train.csv")["digest"] != first["digest"]


def test_an_lfs_pointer_says_what_its_file_would_say(tmp_path):
    (tmp_path / "model.bin").write_text(LFS_POINTER)
    found = recorded("model.bin")
    assert (found["algorithm"], found["digest"], found["bytes"]) == ("sha256", OID, 12345)


@pytest.mark.parametrize("there", [True, False])
def test_a_dvc_pointer_is_kept_beside_the_digest(tmp_path, there):
    (tmp_path / "train.csv.dvc").write_text(DVC_FILE)
    if there:
        (tmp_path / "train.csv").write_text("hello world\n")
    found = recorded("train.csv")
    assert found["pointer"] == {"tool": "dvc", "md5": "ec1d2935f811b77cc49b031b999cbf17"}
    assert ("digest" in found) == there


@pytest.mark.parametrize("text", ["", "outs: 1", "outs: [{md5: no}]", "a: &a [*a]", "{" * 10_000, "\0"])
def test_an_odd_dvc_file_is_none(tmp_path, text):
    (tmp_path / "train.csv.dvc").write_text(text)
    assert data.pointer_of(str(tmp_path / "train.csv")) == {}


def test_a_folder_that_cannot_be_read_is_said(tmp_path, monkeypatch):
    (tmp_path / "train").mkdir()
    monkeypatch.setattr(data, "describe_files", lambda _path: (_ for _ in ()).throw(OSError(13, "Permission denied")))
    with pytest.warns(Warning, match="train has no digest: Permission denied"):
        assert "digest" not in recorded("train")


ARRAY = np.arange(12, dtype="float32").reshape(3, 4)
FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (ARRAY, np.asfortranarray(ARRAY), True),
        (ARRAY, ARRAY.astype("float64"), False),
        (ARRAY, ARRAY.reshape(4, 3), False),
        (FRAME, FRAME.copy(), True),
        (FRAME, FRAME.rename(columns={"a": "c"}), False),
        (FRAME, FRAME.astype({"a": "int32"}), False),
        (FRAME, FRAME.iloc[::-1], False),
        (FRAME["a"], FRAME["a"].copy(), True),
        (np.zeros((0, 3)), np.zeros((0, 3)), True),
    ],
)
def test_digests_of_what_lies_in_memory(one, other, same):
    first, second = data.digest_of_object(one), data.digest_of_object(other)
    assert first["digest"]
    assert (first["digest"] == second["digest"]) == same


@pytest.mark.parametrize("what", [[1, 2], object(), np.array([{}]), pd.DataFrame({"a": [[1], [2]]})])
def test_what_has_no_digest(what):
    assert data.digest_of_object(what) == {}


@pytest.fixture(autouse=True)
def _in_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".specweave" / "increments" / "0042-model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
