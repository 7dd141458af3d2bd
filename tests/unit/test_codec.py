"""Python values to JSON and back: nothing that was logged changes on the way, and nothing odd stops training."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy
import orjson
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specweave_ml.errors import UsageError
from specweave_ml.store.codec import (
    check_name,
    encode,
    metric_number,
    number_from_json,
    number_to_json,
    param_from_json,
    param_to_json,
    step_number,
)

# A high surrogate before a low one is how JSON spells one character, so only lone ones can come back.
SURROGATES = st.text(st.characters(min_codepoint=0xD800, max_codepoint=0xDBFF) | st.sampled_from("aé🚀"), max_size=8)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | SURROGATES
KEYS = st.text(max_size=8) | st.sampled_from(["$float", "$int", "$repr", "$dict", "$"])
PARAMS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)


def same(one: Any, other: Any) -> bool:
    """Equal in value and type, NaN equal to NaN, -0.0 not equal to 0.0."""
    return repr(one) == repr(other)


@given(PARAMS)
def test_a_param_comes_back_as_it_was(value):
    assert same(param_from_json(json.loads(encode(param_to_json(value)))), value)


@given(PARAMS)
def test_a_param_with_whole_characters_is_read_by_orjson_too(value):
    data = encode(param_to_json(value))
    if b"\\ud" not in data:
        assert same(param_from_json(orjson.loads(data)), value)


@given(st.floats())
def test_a_metric_comes_back_as_it_was(value):
    assert same(number_from_json(orjson.loads(encode(number_to_json(value)))), value)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**63 - 1))
def test_encode_agrees_with_the_standard_library(value):
    assert json.loads(encode({"v": value})) == {"v": value}


def test_encode_refuses_what_json_has_no_number_for():
    for value in (math.nan, math.inf, -math.inf):
        with pytest.raises(ValueError):  # noqa: PT011 - the standard library's words
            encode({"v": value})


def test_a_line_a_key_is_the_same_json():
    value = {"a": 1, "b": [1, 2], "ü": "\ud800"}
    assert json.loads(encode(value, a_line_a_key=True)) == json.loads(encode(value)) == value


class Torch:
    """A scalar as torch has it: `.item()`, and an error for more than one element."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    def item(self) -> Any:
        if len(self.values) != 1:
            raise RuntimeError(f"a Tensor with {len(self.values)} elements cannot be converted to Scalar")
        return self.values[0]


class Jax(Torch):
    """A scalar as jax has it: another error for more than one element."""

    def item(self) -> Any:
        if len(self.values) != 1:
            raise TypeError("Only scalar arrays can be converted to Python scalars")
        return self.values[0]


class Level(IntEnum):
    HIGH = 3


class OnlyFloat:
    """A scalar as some libraries have it: `float()` and nothing else."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __float__(self) -> float:
        return float(self.value)


@pytest.mark.parametrize(
    ("scalar", "plain"),
    [
        (1, 1),
        (True, 1),
        (1.5, 1.5),
        (numpy.float64(0.1), 0.1),
        (numpy.float32(0.5), 0.5),
        (numpy.float16(0.5), 0.5),
        (numpy.longdouble(1.5), 1.5),
        (numpy.int64(7), 7),
        (numpy.uint8(7), 7),
        (numpy.bool_(True), 1),
        (numpy.array(0.5), 0.5),
        (numpy.array([0.5]), 0.5),
        (numpy.array([[3]]), 3),
        (pandas.Series([0.25]), 0.25),
        (Torch(0.5), 0.5),
        (Jax(2), 2),
        (OnlyFloat("0.5"), 0.5),
        (Decimal("0.5"), 0.5),
        (Fraction(1, 2), 0.5),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (2**70, float(2**70)),
        (math.inf, math.inf),
        (Level.HIGH, 3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_scalars_of_all_kinds_become_plain_numbers(scalar, plain):
    number = metric_number("auc", scalar)
    assert same(number, plain)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "0.5",
        b"0.5",
        [0.5],
        {"a": 1},
        1j,
        numpy.array([1.0, 2.0]),
        numpy.array([]),
        numpy.complex128(1j),
        numpy.str_("0.5"),
        numpy.datetime64("2026-01-01"),
        pandas.Series([1.0, 2.0]),
        pandas.DataFrame({"a": [1.0, 2.0]}),
        Torch(1.0, 2.0),
        Jax(1.0, 2.0),
        Torch("text"),
        OnlyFloat("text"),
        OnlyFloat(None),
        object(),
        10**400,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_number_is_an_error_that_names_metric_and_type(value):
    with pytest.raises(UsageError) as caught:
        metric_number("auc", value)
    assert "auc" in caught.value.what
    assert caught.value.received


@pytest.mark.parametrize("name", [None, 1, b"auc", "", "x" * 501, ["auc"], ("a",), True])
def test_a_name_is_a_short_string(name):
    with pytest.raises(UsageError):
        check_name("metric", name)


@pytest.mark.parametrize("step", [math.nan, math.inf, "1", [1], 10**400])
def test_a_step_is_a_finite_number(step):
    with pytest.raises(UsageError):
        step_number(step)


class Color(Enum):
    RED = "red"


class Bad:
    def __repr__(self) -> str:
        raise ValueError("no words")


def test_objects_are_kept_by_their_repr():
    assert param_to_json(Color.RED) == {"$repr": "<Color.RED: 'red'>"}
    assert param_to_json({1, 2}) == {"$repr": "{1, 2}"}
    assert param_from_json(param_to_json({1, 2})) == "{1, 2}"
    assert param_to_json(Path("a/b")) == "a/b"
    assert param_to_json(int) == {"$repr": "builtins.int"}
    assert param_to_json(Bad()) == {"$repr": "<Bad whose repr raised ValueError>"}
    assert param_to_json(numpy.array([1, 2])) == [1, 2]
    assert param_to_json(numpy.float32(0.5)) == 0.5
    assert param_to_json(numpy.array([math.nan])) == [{"$float": "NaN"}]
    assert set(param_to_json(numpy.zeros(1_000))) == {"$repr"}


def test_an_address_does_not_make_equal_params_different():
    assert param_to_json(object()) == param_to_json(object())
    assert param_to_json([lambda: 0]) == param_to_json([lambda: 0])


def test_a_param_that_contains_itself_ends():
    loop: dict[str, Any] = {}
    loop["loop"] = loop
    assert b"$repr" in encode(param_to_json(loop))


def test_dicts_with_other_keys_get_them_as_text():
    assert param_to_json({1: "a", None: "b", (1, 2): "c"}) == {"1": "a", "None": "b", "(1, 2)": "c"}


@pytest.mark.parametrize(
    "value",
    [
        {"$float": "x"},
        {"$float": [1]},
        {"$float": None},
        {"$int": "no number"},
        {"$int": 5},
        {"$int": "0x"},
        {"$repr": 5},
        {"$dict": [1]},
        {"$dict": {"$dict": {"$float": "NaN"}}},
        {"$other": 1},
    ],
    ids=str,
)
def test_tags_that_nobody_wrote_stop_no_reader(value):
    param_from_json(value)
