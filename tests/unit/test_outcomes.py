from __future__ import annotations

import os

import pytest

from records import experiment
from specweave_ml import compare_experiments, load_experiments, track_experiment
from specweave_ml.store import outcomes
from specweave_ml.store.outcomes import read_outcomes


@pytest.fixture
def one(tmp_path):
    """An experiment in a folder of its own, whose outcomes a test writes."""
    made = experiment("one", outcomes={"accuracy": "outcomes-accuracy.csv"})
    made._path = str(tmp_path)
    return made


def read(made, text: str | bytes):
    data = text.encode() if isinstance(text, str) else text
    (made.path / "outcomes-accuracy.csv").write_bytes(data)
    return read_outcomes([made], ["Accuracy", "accuracy"])


def test_what_was_logged_comes_back(project):
    for name, right in (("a", [1, 1, 0, 1]), ("b", [True, False, False, True])):
        with track_experiment(name) as exp:
            exp.log_metric("accuracy", sum(right) / 4)
            exp.log_outcomes("accuracy", ["w", 'x"y', "z,1", 4], right)
    found, problems = read_outcomes(load_experiments(), ["accuracy"])
    assert found["a"] == {"w": 1, 'x"y': 1, "z,1": 0, "4": 1}
    assert found["b"] == {"w": 1, 'x"y': 0, "z,1": 0, "4": 1}
    assert problems == []
    comparison = compare_experiments(write=False)
    assert comparison.evidence.test == "exact McNemar"
    assert comparison.evidence.tested == ("a", "b")


def test_nothing_logged_is_nothing_read(one):
    assert read_outcomes([experiment("none"), one], ["f1"]) == ({}, [])
    assert read_outcomes([experiment("edited", outcomes=["x"])], ["accuracy"]) == ({}, [])


def test_values_as_they_are_written(one):
    assert read(one, "\ufeffid,value\r\na,1\r\nb,-2.5e-3\r\n") == ({"one": {"a": 1.0, "b": -0.0025}}, [])
    found, _ = read(one, "id,value\na,NaN\nb,Infinity\n")
    assert str(found["one"]["a"]) == "nan"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "its first line is not id,value"),
        ("a,1\n", "its first line is not id,value"),
        ("id,value\na,1,2\n", "line 2 has 3 cells"),
        ("id,value\na\n", "line 2 has 1 cells"),
        ("id,value\na,1\na,0\n", "line 3 has an id that stands above already"),
        ("id,value\na,high\n", "could not convert string to float"),
        ('id,value\n"a,1\n', "unexpected end of data"),
        (b"id,value\n\xff,1\n", "can't decode"),
    ],
)
def test_a_damaged_file_is_named_and_stops_nothing(one, text, why):
    found, (problem,) = read(one, text)
    assert found == {}
    assert problem.startswith("outcomes-accuracy.csv of one is no table of outcomes: ")
    assert why in problem


def test_a_file_that_is_gone_a_link_a_folder_or_elsewhere(one, tmp_path_factory):
    path = one.path / "outcomes-accuracy.csv"
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "secret.csv"
    elsewhere.write_text("id,value\na,1\n")
    assert "No such file" in read_outcomes([one], ["accuracy"])[1][0]
    path.symlink_to(elsewhere)
    assert "symbolic link" in read_outcomes([one], ["accuracy"])[1][0]
    path.unlink()
    path.mkdir()
    assert "directory" in read_outcomes([one], ["accuracy"])[1][0]
    one.metadata["outcomes"]["accuracy"] = f"../{elsewhere.parent.name}/secret.csv"
    assert "climb out" in read_outcomes([one], ["accuracy"])[1][0]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_holds_nobody_up(one):
    os.mkfifo(one.path / "outcomes-accuracy.csv")
    assert read_outcomes([one], ["accuracy"])[0] == {}


def test_too_large_and_too_many(one, monkeypatch):
    monkeypatch.setattr(outcomes, "SIZE_LIMIT", 10_000)
    _, (problem,) = read(one, "id,value\n" + "".join(f"{at},1\n" for at in range(3000)))
    assert "too large" in problem
    monkeypatch.setattr(outcomes, "MOST_ITEMS", 2)
    other = experiment("other", outcomes={"accuracy": "outcomes-accuracy.csv"})
    other._path = str(one.path)
    read(one, "id,value\na,1\nb,1\nc,1\n")
    found, problems = read_outcomes([one, other], ["accuracy"])
    assert list(found) == ["one"]
    assert problems == ["outcomes of over 2 items: from other on they were not read"]
