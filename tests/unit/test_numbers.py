from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specweave_ml.analysis.numbers import (
    NumberFormat,
    data_size,
    duration,
    number_format,
    p_value,
    percent,
    rounded_down,
    significant,
    with_spread,
)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.87, 0.6], ["0.87", "0.60"]),
        ([1.0, 0.0], ["1.00", "0.00"]),
        ([0.8701, 0.87], ["0.8701", "0.8700"]),
        ([0.8651, 0.8649], ["0.8651", "0.8649"]),  # at two decimals 0.87 and 0.86, for a difference of 0.0002
        ([0.5], ["0.50"]),
        ([0.5, 0.5], ["0.50", "0.50"]),
        ([87.0, 85.5], ["87.00", "85.50"]),
        ([1_200_000.0, 35_000.0], ["1200000", "35000"]),
        ([-0.001, 0.5], ["0.00", "0.50"]),
        ([0.00012, 0.00034], ["1.20e-04", "3.40e-04"]),
        ([1.5e20, 1.0], ["1.50e+20", "1.00e+00"]),
        ([0.7, nan, inf, -inf], ["0.70", "NaN", "Infinity", "-Infinity"]),
        ([0.3, 0.1 + 0.2], ["0.30", "0.30"]),
        ([], []),
    ],
)
def test_a_column_of_numbers(values, texts):
    written = number_format(values)
    assert [written(value) for value in values] == texts


def test_the_best_decides_the_decimals_not_the_worst():
    assert number_format([0.9, 0.8, 0.1001, 0.1002]).spec == ".2f"
    assert number_format([0.9, 0.8, 0.1001, 0.1002], higher_first=False).spec == ".4f"


def test_a_precision_asked_for():
    assert number_format([0.87654], precision=1)(0.87654) == "0.9"


def test_missing():
    assert NumberFormat()(None) == "–"


@given(st.lists(st.floats(0, 1), min_size=2, max_size=5))
def test_best_and_second_read_differently_when_they_differ_by_ten_decimals(values):
    written = number_format(values)
    best, second = sorted(values, reverse=True)[:2]
    if best - second > 1e-9:
        assert written(best) != written(second)


@pytest.mark.parametrize(
    ("change", "text"),
    [(0.338, "+34%"), (-0.2, "-20%"), (0.0116, "+1.2%"), (0.00036, "+0.036%"), (1.5, "+150%"), (0.0996, "+10%")],
)
def test_percent(change, text):
    assert percent(change) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.0001, "<1ms"),
        (0.04, "40ms"),
        (0.4, "0.4s"),
        (2, "2s"),
        (2.34, "2.3s"),
        (9.96, "10s"),
        (45, "45s"),
        (320, "320s"),
        (599.4, "599s"),
        (599.6, "10min"),
        (1500, "25min"),
        (7199, "2h"),
        (10_800, "3h"),
        (12_000, "3h 20min"),
        (187_200, "2d 4h"),
        (172_799, "2d"),
        (None, "–"),
        (nan, "–"),
        (-1, "–"),
    ],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0402, "0.0402"),
        (-0.02, "-0.0200"),
        (12, "12.0"),
        (1250.4, "1250"),
        (0.9999, "1.00"),
        (0, "0.00"),
        (1e-9, "1.00e-09"),
        (1e20, "1.00e+20"),
    ],
)
def test_three_significant_digits(value, text):
    assert significant(value) == text
    assert significant(abs(value), sign=True) == f"+{text.removeprefix('-')}"


@given(st.floats(1e-12, 1e12))
def test_rounded_down_is_never_above(value):
    assert float(rounded_down(value)) <= value
    assert float(rounded_down(value)) >= value * 0.9


def test_rounded_down():
    assert [rounded_down(value) for value in (0.0219, 0.021, 3.99, 0.3)] == ["0.021", "0.021", "3.9", "0.30"]


@pytest.mark.parametrize(
    ("p", "text"), [(0.0004, "<0.001"), (0.0226, "0.023"), (0.05, "0.050"), (1, "1"), (0.9, "0.90")]
)
def test_p_value(p, text):
    assert p_value(p) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.00 kB"),
        (2_500_000, "2.50 MB"),
        (999_600, "1.00 MB"),
        (3e9, "3.00 GB"),
    ],
)
def test_data_size(size, text):
    assert data_size(size) == text


def test_with_spread():
    assert with_spread("0.87", None) == "0.87"
    assert with_spread("0.87", 0.0) == "0.87 ± 0"
    assert with_spread("0.87", 0.00416) == "0.87 ± 0.0042"
