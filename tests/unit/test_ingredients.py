"""In which ingredients two experiments differ, and what cannot be told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records import experiment
from specweave_ml.analysis.arguments import arguments
from specweave_ml.analysis.ingredients import Differences, Recorded, differences

PACKAGES = {"numpy": "2.0.0", "scikit-learn": "1.5.0"}
CODE = {"commit": "a" * 40, "dirty": False}
COMMAND = {"argv": ["python", "train.py", "--lr", "0.1", "--name", "one"], "cwd": ".", "env": {}}
DATA = [{"name": "train", "kind": "file", "uri": "train.csv", "algorithm": "sha256", "digest": "d1"}]


def made(name: str = "one", packages: dict[str, str] | None = None, **changed: Any) -> Recorded:
    params = changed.pop("params", {"lr": 0.1, "seed": 1})
    facts = {"code": CODE, "command": COMMAND, "data": DATA, "environment": {"python": "3.11.7"}} | changed
    return Recorded(experiment(name, params=params, **facts), PACKAGES if packages is None else packages)


def told(other: Recorded, **more: Any) -> Differences:
    return differences(made(), other, **more)


def names(found: Differences) -> list[str]:
    return [each.ingredient for each in found.differences]


def argv(*words: str) -> dict[str, Any]:
    return {**COMMAND, "argv": ["python", *words]}


@pytest.mark.parametrize(
    ("changed", "ingredient"),
    [
        ({"code": {"commit": "b" * 40, "dirty": False}}, "code"),
        ({"code": {**CODE, "dirty": True, "patch": {"sha256": "1234"}}}, "code"),
        ({"data": [{**DATA[0], "digest": "d2"}]}, "data train"),
        ({"data": []}, "data train"),
        ({"data_version": "v2"}, "data version"),
        ({"packages": {**PACKAGES, "numpy": "2.1.0"}}, "package numpy"),
        ({"packages": {"numpy": "2.0.0"}}, "package scikit-learn"),
        ({"environment": {"python": "3.12.1"}}, "python"),
        ({"params": {"lr": 0.1, "seed": 2}}, "seed seed"),
        ({"params": {"lr": 0.1, "seed": 1, "depth": 6}}, "param depth"),
        ({"command": argv("other.py", "--lr", "0.1", "--name", "one")}, "script"),
        ({"command": argv("train.py", "--lr", "0.1", "--name", "one", "--fast")}, "argument --fast"),
        ({"command": {**COMMAND, "env": {"OMP_NUM_THREADS": "1"}}}, "variable OMP_NUM_THREADS"),
        ({"command": {**COMMAND, "env": {"PYTHONHASHSEED": "1"}}}, "variable PYTHONHASHSEED"),
        ({"command": {**COMMAND, "cwd": "src"}}, "working directory"),
    ],
)
def test_one_ingredient_at_a_time(changed, ingredient):
    found = told(made(**changed))
    assert names(found) == [ingredient]
    assert found.verdict == "one"


def test_nothing_differs():
    found = told(made())
    assert (found.differences, found.verdict, found.unknown) == ((), "none", {})


def test_several_are_confounded():
    found = told(made(params={"lr": 0.2, "seed": 2}))
    assert names(found) == ["param lr", "seed seed"]
    assert found.verdict == "confounded"


@pytest.mark.parametrize(
    "words", [("--lr", "0.2"), ("--lr=0.2",), ("lr=0.2",), ("model.lr=0.2",), ("--learning-rate", "2e-1")]
)
def test_a_param_and_the_argument_that_carries_it_are_one(words):
    here = made(command=argv("train.py", *(word.replace("0.2", "0.1").replace("2e-1", "1e-1") for word in words)))
    found = differences(here, made(command=argv("train.py", *words), params={"lr": 0.2, "seed": 1}))
    assert names(found) == ["param lr"]


def test_the_names_of_the_experiments_are_no_difference():
    other = made("two", command=argv("train.py", "--lr", "0.1", "--name", "two"))
    assert told(other).verdict == "none"


def test_the_name_of_a_third_experiment_is_one():
    assert names(told(made("two", command=argv("train.py", "--lr", "0.1", "--name", "three")))) == ["argument --name"]


def test_commits_of_the_same_code():
    other = made(code={"commit": "b" * 40, "dirty": False})
    assert told(other, same_commits=True).verdict == "none"
    assert told(other, same_commits=False).verdict == "one"


def test_what_was_not_recorded_is_said():
    dirty = {**CODE, "dirty": True}
    found = differences(made(code=dirty, packages={}, data=[]), made(code=dirty, data=[]))
    assert list(found.unknown) == ["code"]
    assert list(differences(Recorded(made().experiment, None), made()).unknown) == ["packages"]
    nameless = [{"name": "train", "kind": "remote", "uri": "s3://bucket/train"}]
    assert list(differences(made(data=nameless), made(data=nameless)).unknown) == ["data train"]
    assert list(differences(made(code={}), made(code={})).unknown) == ["code"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["python", "-u", "-X", "dev", "train.py"], {"-u": "", "-X": "dev", "script": "train.py"}),
        (["python", "-m", "pkg.train", "--deep", "64", "32"], {"-m": "pkg.train", "--deep": "64 32"}),
        (["python", "t.py", "in.csv", "out.csv"], {"script": "t.py", "#2": "in.csv", "#3": "out.csv"}),
        (["python", "t.py", "--low", "-1.5", "-v"], {"script": "t.py", "--low": "-1.5", "-v": ""}),
        (["python", "t.py", "+opt.lr=1e-3", "url=a=b"], {"script": "t.py", "opt.lr": "1e-3", "url": "a=b"}),
        (["python"], {}),
        (None, {}),
        ("python", {}),
    ],
)
def test_arguments_by_name(words, expected):
    assert arguments(words) == expected


@given(st.lists(st.text(max_size=8), max_size=8))
def test_any_command_line_has_arguments(words):
    assert all(isinstance(value, str) for value in arguments(["python", *words]).values())


@given(st.lists(st.sampled_from(["a", "b", "x y", "1"]), max_size=4))
def test_it_is_the_same_both_ways_round(words):
    other = made(command=argv("train.py", *words), params=dict.fromkeys(words, 1))
    forth, back = told(other), differences(other, made())
    assert sorted(names(forth)) == sorted(names(back))
    assert forth.verdict == back.verdict
