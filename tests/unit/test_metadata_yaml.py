"""metadata.yaml says the same to our parser, to PyYAML and to ruamel, whatever was put in."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from specweave_ml.errors import StoreError
from specweave_ml.store.metadata import cut, dump_metadata, parse_metadata

YAML_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}  # no key of ours is one of these
NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,12}", fullmatch=True).filter(lambda name: name not in YAML_WORDS)
ODD = st.sampled_from(
    [
        *"\x7f\x80\x85\x9f\xa0\u2028\u2029\ufeff\ufffe\uffff\ufffd\U0010ffff\U0001f680\x00\x1b\t\n\r\"\\':#-?{}[],&*!|>%@` ",
        "1e-05",
        "1e5",
        "yes",
        "null",
        "~",
        "0o7",
        "1:30",
        "2026-01-01",
        "<<",
        "=",
        "---",
        "...",
        "- a",
        "a: b",
        "\\u0041",
    ]
)
WHOLE = st.characters(exclude_categories=["Cs"])  # a lone surrogate is JSON's escape, which other YAML readers refuse
TEXT = st.lists(st.text(WHOLE, max_size=6) | ODD, max_size=4).map("".join)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | FINITE | TEXT
KEYS = TEXT.filter(lambda key: len(key) < 100)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=15
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=6)


def by_ruamel(data: bytes) -> Any:
    return YAML(typ="safe", pure=True).load(data.decode())


def same(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)


@given(DOCUMENTS)
@example({"a": 1e-05, "b": [1e16, -1e-300, 5e-324], "c": {"d": 1.7976931348623157e308}})
@example({"a": "\x85\u2028\ufeff", "b": {"\x7f": "\ufffe"}})
def test_what_is_written_is_what_our_parser_reads(values):
    assert same(parse_metadata(dump_metadata(values)), values)


@given(DOCUMENTS)
@example({"a": 1e-05, "b": [1e16, -1e-300, 5e-324], "c": {"d": 1.7976931348623157e308}})
@example({"a": "\x85\u2028\ufeff", "b": {"\x7f": "\ufffe"}})
def test_what_is_written_is_what_pyyaml_reads(values):
    data = dump_metadata(values)
    assert same(yaml.safe_load(data), values)
    assert same(yaml.load(data, Loader=yaml.CSafeLoader), values)


@given(DOCUMENTS)
@example({"a": 1e-05, "b": [1e16, -1e-300, 5e-324], "c": {"d": 1.7976931348623157e308}})
def test_what_is_written_is_what_ruamel_reads(values):
    assert same(by_ruamel(dump_metadata(values)), values)


@given(DOCUMENTS)
def test_one_key_can_be_cut_out_without_reading_the_rest(values):
    data = dump_metadata(values)
    for key, value in values.items():
        raw = cut(data, key.encode())
        assert raw is not None
        assert same(parse_metadata(b"x: " + raw + b"\n"), {"x": value})
    assert cut(data, b"no_such_key") is None


@given(st.text(max_size=30), st.text(st.characters(min_codepoint=0xD800, max_codepoint=0xDBFF), max_size=3))
def test_lone_surrogates_survive_our_own_way(text, surrogates):
    values = {"name": text + surrogates, "list": [surrogates + text, "\udc80"]}
    assert parse_metadata(dump_metadata(values)) == values


@given(DOCUMENTS)
def test_a_file_that_a_person_saved_with_another_editor_reads_the_same(values):
    data = dump_metadata(values)
    assert same(parse_metadata(data.replace(b"\n", b"\r\n")), values)
    assert same(parse_metadata(data + b"\n\n"), values)


@given(DOCUMENTS)
def test_a_file_in_block_style_reads_the_same(values):
    written = yaml.safe_dump(values, allow_unicode=True, sort_keys=False)
    assert parse_metadata(written.encode()) == yaml.safe_load(written)


def test_keys_keep_their_order():
    values = {"schema": 1, "name": "b", "a": None}
    assert list(parse_metadata(dump_metadata(values))) == ["schema", "name", "a"]


@pytest.mark.parametrize(
    "written",
    [
        "status: finished\nnotes:\n  - text: by hand\n",
        "# a comment\nstatus: finished   # another\n",
        "status: 'finished'\ntags: [a, b]\n",
        "---\nstatus: finished\n...\n",
        "status: >\n  finished\n",
        '"status": "finished"\n',
    ],
)
def test_what_people_write_is_read(written):
    assert str(parse_metadata(written.encode())["status"]).strip() == "finished"


def test_dates_stay_text():
    assert parse_metadata(b"started: 2026-01-01\nx:\n  - 2026-01-01 10:00:00\n") == {
        "started": "2026-01-01",
        "x": ["2026-01-01T10:00:00"],
    }


@pytest.mark.parametrize(
    "data",
    [
        b"- a\n",
        b"42\n",
        b"a: [\n",
        b"a: &x 1\nb: *x\n",
        b"a: !!python/name:os.system\n",
        b"\xff\xfe",
        b"a: b: c\n",
        b"\x00",
    ],
)
def test_what_is_no_mapping_is_our_error(data):
    with pytest.raises(StoreError):
        parse_metadata(data)
