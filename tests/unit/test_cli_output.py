"""What is printed: pages, cuts, and text that only shows itself."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specweave_ml.cli.output import encode, one_line, page, shortened
from specweave_ml.cli.tables import plain_table
from specweave_ml.escape import visible

PRINTABLE = st.text(st.characters(codec="utf-8"), max_size=60)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | PRINTABLE,
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(PRINTABLE, inner, max_size=20),
    max_leaves=60,
)


def joined(rows):
    return "\n".join(rows)


@pytest.mark.parametrize(("limit", "expected"), [(0, 100), (1, 1), (7, 7), (500, 100)])
def test_a_limit_is_followed(limit: int, expected: int) -> None:
    assert len(page(["x" * 400] * 100, joined, limit=limit)) == expected


@given(st.lists(st.integers(1, 900), max_size=120))
def test_a_page_fits_and_is_as_long_as_it_can_be(widths: list[int]) -> None:
    rows = ["é" * width for width in widths]
    shown = page(rows, joined, limit=None, most=2_000)
    assert rows[: len(shown)] == shown
    assert len(shown) <= 1 or len(joined(shown).encode()) <= 2_000
    if len(shown) < len(rows):
        assert len(joined(rows[: len(shown) + 1]).encode()) > 2_000 or not shown
    else:
        assert len(shown) == len(rows)


@given(st.dictionaries(st.sampled_from(["name", "params", "metrics", "notes", "description"]), VALUES, max_size=5))
def test_a_shortened_document_keeps_its_keys_and_counts_what_it_cut(document: dict[str, object]) -> None:
    short, left_out = shortened(document, 700)
    assert [*short] == [*document]
    if len(encode(document)) <= 700:
        assert (short, left_out) == (document, {})
    else:
        assert left_out
        assert all(count > 0 for count in left_out.values())
    for key, value in document.items():
        if isinstance(value, dict | list):
            assert len(value) == len(short[key]) + left_out.get(key, 0)


def test_names_stay_whole_in_a_shortened_document() -> None:
    document = {"name": "n" * 100, "params": {f"p{number}": "v" * 90 for number in range(400)}}
    short, left_out = shortened(document, 1_000)
    assert short["name"] == document["name"]
    assert left_out["params"] == 400 - len(short["params"])
    assert len(json.dumps(short)) <= 1_200


@given(VALUES)
def test_json_says_the_same_and_hides_nothing(value: object) -> None:
    printed = encode(value)
    assert json.loads(printed) == value
    assert visible(printed.decode()) == printed.decode()


@given(st.text())
def test_no_control_character_reaches_a_terminal(text: str) -> None:
    for shown in (visible(text), one_line(text)):
        assert not [char for char in shown if (ord(char) < 32 and char not in "\n\t") or 127 <= ord(char) < 160]
    assert not set(one_line(text)) & set("\n\t\x1b")


def test_columns_stand_under_each_other() -> None:
    text = plain_table(("Name", "Loss"), [("a", "0.5"), ("longer", "12.25")], numbers=("Loss",))
    assert text == "Name     Loss\na         0.5\nlonger  12.25"
    assert plain_table(("Name", "Tags"), [("a", "")]) == "Name  Tags\na"
