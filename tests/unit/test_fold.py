"""Journal lines folded into a state: what each line means, and that an odd one changes nothing."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specweave_ml.store.fold import State, iso
from specweave_ml.store.small_files import small_files

OPEN = {"open": {"schema": 1, "session": 1, "writer": "", "pid": 1, "host": "h", "at": "2026-03-01T09:30:00.000Z"}}
KINDS = "open fold m p note tag data artifact outcomes trial stage dropped status set".split()


def folded(*lines: dict[str, Any]) -> State:
    state = State()
    for line in lines:
        state.apply(line)
    return state


def reopened(session: int) -> dict[str, Any]:
    return {"open": {**OPEN["open"], "session": session, "at": "2026-03-02T09:30:00.000Z"}}


def test_the_last_value_stands_never_the_highest_step():
    state = folded(OPEN, {"m": {"auc": 0.9}, "s": 10}, {"m": {"auc": 0.5}, "s": 2})
    assert state.metrics == {"auc": 0.5}


def test_a_count_stands_only_with_the_value_it_came_with():
    first = folded({"m": {"acc": 0.9, "f1": 0.5}, "n": {"acc": 100}})
    assert first.counts == {"acc": 100}
    first.apply({"m": {"f1": 0.6}})
    assert first.counts == {"acc": 100}
    first.apply({"m": {"acc": 0.8}})
    assert first.counts == {}


def test_a_fold_gives_the_mean_of_its_metric():
    state = folded(
        {"fold": {"i": 0, "repeat": 0}, "m": {"auc": 0.8}},
        {"fold": {"i": 1, "repeat": 0}, "m": {"auc": 0.9, "f1": 0.1}},
        {"fold": {"i": 0, "repeat": 1}, "m": {"auc": 0.4}},
        {"fold": {"i": 1, "repeat": 0}, "m": {"auc": 0.6}},  # said again: the later one stands
    )
    assert state.metrics == {"auc": pytest.approx(0.6), "f1": 0.1}
    assert [(fold["repeat"], fold["i"], fold["m"]) for fold in state.metadata()["folds"]] == [
        (0, 0, {"auc": 0.8}),
        (0, 1, {"auc": 0.6, "f1": 0.1}),
        (1, 0, {"auc": 0.4}),
    ]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_a_fold_without_a_number_makes_a_mean_without_one(value):
    state = folded({"fold": {"i": 0}, "m": {"auc": value}}, {"fold": {"i": 1}, "m": {"auc": 0.5}})
    assert not math.isfinite(state.metrics["auc"])
    both = folded({"fold": {"i": 0}, "m": {"auc": "Infinity"}}, {"fold": {"i": 1}, "m": {"auc": "-Infinity"}})
    assert math.isnan(both.metrics["auc"])


def test_tags_are_a_set_in_their_order_and_data_by_name():
    state = folded(
        {"tag": "b"},
        {"tag": "a"},
        {"tag": "b"},
        {"data": {"name": "x", "version": 1}},
        {"data": {"name": "x", "version": 2}},
    )
    assert state.metadata()["tags"] == ["b", "a"]
    assert state.metadata()["data"] == [{"name": "x", "version": 2}]


def test_a_status_in_words_survives_a_clean_end_and_no_other():
    said = {"status": "failed", "t": 1}
    clean, dirty = {"status": "finished", "t": 2, "seconds": 1.0}, {"status": "killed", "t": 2, "seconds": 1.0}
    assert folded(OPEN, said).status == "failed"
    assert folded(OPEN, said, clean).status == "failed"
    assert folded(OPEN, said, dirty).status == "killed"
    assert folded(OPEN, clean, said).status == "failed"
    assert folded(OPEN, said, {"status": "running"}, clean).status == "finished"


def test_only_the_closing_line_ends():
    assert folded(OPEN, {"status": "failed", "t": 1}).ended is None
    assert (
        folded(OPEN, {"status": "finished", "t": 0, "seconds": 2.5}).metadata()["ended"] == "1970-01-01T00:00:00.000Z"
    )


def test_a_resume_runs_again_and_its_seconds_are_added():
    error = {"set": {"error": {"type": "E"}}}
    first = folded(OPEN, error, {"status": "failed", "t": 1000, "seconds": 2.5})
    first.apply(reopened(2))
    assert (first.status, first.ended, first.error, first.metadata()["sessions"]) == ("running", None, None, 2)
    assert first.started == "2026-03-01T09:30:00.000Z"
    first.apply({"status": "finished", "t": 2000, "seconds": 1.0})
    assert first.duration_seconds == 3.5
    first.apply({"status": "finished", "t": 2000, "seconds": 1.2})  # closed twice by a signal: counted once
    assert first.duration_seconds == 3.7


def test_a_sibling_opens_nothing():
    state = folded(OPEN, {"status": "finished", "t": 1, "seconds": 1.0})
    state.apply({"open": {**OPEN["open"], "writer": "17-abcd"}})
    assert state.status == "finished"


def test_dropped_lines_mark_the_record_incomplete():
    metadata = folded({"dropped": 2}, {"dropped": 3}).metadata()
    assert (metadata["dropped"], metadata["incomplete"]) == (5, True)
    assert "incomplete" not in folded(OPEN).metadata()


def test_an_unknown_line_is_named_and_changes_nothing():
    state = folded(OPEN, {"later": 1})
    assert state.problems == ["a line of an unknown kind was skipped: 'later'"]
    assert state.metadata() == folded(OPEN).metadata()


def test_iso_holds_before_1970_and_after_2038():
    assert iso(-1) == "1969-12-31T23:59:59.999Z"
    assert iso(4_102_444_800_000) == "2100-01-01T00:00:00.000Z"


FINITE = st.floats(allow_nan=False, allow_infinity=False)  # JSON has no others
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | FINITE
    | st.text(max_size=5)
    | st.sampled_from(["NaN", "finished", "i", "m"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["i", "m", "name", "text", "at", "session", "metric", "file", "error", "tags"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
LINES = st.dictionaries(st.sampled_from([*KINDS, "s", "t", "n", "seconds"]), JSON, min_size=1, max_size=4)


@given(st.lists(LINES, max_size=6))
def test_no_line_of_any_shape_stops_a_fold(lines):
    """Whatever JSON stands in a line: no exception, and the small files can be made of what was understood."""
    state = folded(OPEN, *json.loads(json.dumps(lines)))
    state.readable_params()
    small_files(state, {}, unsettled=False)
