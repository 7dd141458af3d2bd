"""All points of a metric: order, sessions and what they hide, writers, and steps of every kind."""

from __future__ import annotations

import json
import math
from array import array
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specweave_ml.record import History
from specweave_ml.store.history import read_history
from specweave_ml.store.lines import Damage


def write(folder: Path, name: str, *points: tuple[Any, ...], metric: str = "auc", other: bool = False) -> None:
    """A journal of (step, value) or (step, value, time) points; `other`: with lines of other kinds between them."""
    rows = [{"open": {"schema": 1, "session": 1, "writer": "", "at": ""}}]
    for number, (step, value, *time) in enumerate(points):
        rows += [{"note": "between", "t": 0}, {"m": {"f1": 0.1}, "s": None, "t": 0}] if other else []
        rows.append({"m": {metric: value}, "s": step, "t": time[0] if time else number})
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def history(folder: Path, *, all_sessions: bool = False, metric: str = "auc") -> list[tuple[float | None, float]]:
    read = read_history(str(folder), metric, Damage(), all_sessions=all_sessions)
    assert isinstance(read.values, array)
    return [(point.step, point.value) for point in read]


@pytest.mark.parametrize("other", [False, True])
def test_points_are_ordered_by_step_and_equal_steps_by_arrival(tmp_path, other):
    write(tmp_path, "journal.jsonl", (3, 0.3), (1, 0.1), (2, 0.2), (1, 0.11), (2.5, 0.25), other=other)
    assert history(tmp_path) == [(1, 0.1), (1, 0.11), (2, 0.2), (2.5, 0.25), (3, 0.3)]


@pytest.mark.parametrize("other", [False, True])
def test_points_without_a_step_keep_their_arrival(tmp_path, other):
    write(tmp_path, "journal.jsonl", (None, 3.0), (None, 1.0), (None, 2.0), other=other)
    assert history(tmp_path) == [(None, 3.0), (None, 1.0), (None, 2.0)]


def test_a_point_without_a_step_stays_behind_the_one_it_arrived_after(tmp_path):
    write(tmp_path, "journal.jsonl", (None, 0.0), (5, 5.0), (None, 5.5), (1, 1.0), (None, 1.5))
    assert history(tmp_path) == [(None, 0.0), (1, 1.0), (None, 1.5), (5, 5.0), (None, 5.5)]


def test_values_that_are_no_numbers_are_points_too(tmp_path):
    write(tmp_path, "journal.jsonl", (0, "NaN"), (1, "Infinity"), (2, "-Infinity"), (3, 0.5))
    values = [value for _, value in history(tmp_path)]
    assert math.isnan(values[0])
    assert values[1:] == [math.inf, -math.inf, 0.5]


def test_an_unknown_metric_and_an_unknown_folder_are_empty(tmp_path):
    write(tmp_path, "journal.jsonl", (0, 0.5))
    assert history(tmp_path, metric="loss") == []
    assert history(tmp_path / "nowhere") == []


def test_a_resume_hides_from_its_first_step_on_and_loses_nothing(tmp_path):
    write(tmp_path, "journal.jsonl", *((step, float(step)) for step in range(6)))
    write(tmp_path, "journal.2.jsonl", (3, 33.0), (4, 44.0))
    assert history(tmp_path) == [(0, 0), (1, 1), (2, 2), (3, 33), (4, 44)]
    assert history(tmp_path, all_sessions=True) == [(0, 0), (1, 1), (2, 2), (3, 3), (3, 33), (4, 4), (4, 44), (5, 5)]


def test_every_session_hides_what_stood_before_it(tmp_path):
    write(tmp_path, "journal.jsonl", *((step, 1.0) for step in range(6)))
    write(tmp_path, "journal.2.jsonl", *((step, 2.0) for step in range(2, 8)))
    write(tmp_path, "journal.3.jsonl", (4, 3.0))
    assert history(tmp_path) == [(0, 1), (1, 1), (2, 2), (3, 2), (4, 3)]
    assert len(history(tmp_path, all_sessions=True)) == 13


def test_a_session_that_goes_on_behind_hides_nothing(tmp_path):
    write(tmp_path, "journal.jsonl", (0, 1.0), (1, 1.0))
    write(tmp_path, "journal.2.jsonl", (2, 2.0))
    assert history(tmp_path) == history(tmp_path, all_sessions=True) == [(0, 1), (1, 1), (2, 2)]


def test_a_session_without_steps_hides_nothing(tmp_path):
    write(tmp_path, "journal.jsonl", (0, 1.0), (1, 1.0))
    write(tmp_path, "journal.2.jsonl", (None, 2.0))
    assert history(tmp_path) == [(0, 1), (1, 1), (None, 2)]


def test_points_without_a_step_are_never_hidden(tmp_path):
    write(tmp_path, "journal.jsonl", (None, 1.0), (5, 1.0))
    write(tmp_path, "journal.2.jsonl", (0, 2.0))
    assert sorted(history(tmp_path), key=str) == [(0, 2), (None, 1)]


def test_another_metric_of_the_session_hides_nothing_of_this_one(tmp_path):
    write(tmp_path, "journal.jsonl", (0, 1.0), (1, 1.0))
    write(tmp_path, "journal.2.jsonl", (0, 2.0), metric="loss")
    assert history(tmp_path) == [(0, 1), (1, 1)]


def test_the_tenth_session_comes_after_the_ninth(tmp_path):
    for session in range(1, 12):
        write(tmp_path, "journal.jsonl" if session == 1 else f"journal.{session}.jsonl", (session, float(session)))
    assert history(tmp_path) == [(session, session) for session in range(1, 12)]


def test_writers_of_a_session_are_merged_by_arrival_and_keep_their_own_order(tmp_path):
    write(tmp_path, "journal.jsonl", (None, 0.0, 100), (None, 1.0, 300))
    write(
        tmp_path, "journal.1-17-ab.jsonl", (None, 10.0, 200), (None, 11.0, 150), (None, 12.0, 400)
    )  # its clock went back
    assert [value for _, value in history(tmp_path)] == [0, 10, 11, 1, 12]


def test_arrivals_at_one_moment_go_by_writer(tmp_path):
    write(tmp_path, "journal.1-17-ab.jsonl", (None, 1.0, 100))
    write(tmp_path, "journal.jsonl", (None, 0.0, 100))
    assert [value for _, value in history(tmp_path)] == [0, 1]


def test_a_writer_of_the_first_session_is_hidden_by_the_second(tmp_path):
    write(tmp_path, "journal.jsonl", (0, 0.0))
    write(tmp_path, "journal.1-17-ab.jsonl", (1, 1.0), (2, 1.0))
    write(tmp_path, "journal.2.jsonl", (2, 2.0))
    assert history(tmp_path) == [(0, 0), (1, 1), (2, 2)]


def test_a_fold_is_no_point(tmp_path):
    (tmp_path / "journal.jsonl").write_text('{"fold":{"i":0},"m":{"auc":0.5},"t":1}\n{"m":{"auc":0.6},"s":0,"t":2}\n')
    assert history(tmp_path) == [(0, 0.6)]


ODD_ROWS = [
    {"m": {"auc": "text"}, "s": 0, "t": 0},
    {"m": {"auc": None}, "s": 0, "t": 0},
    {"m": {"auc": [1]}, "s": 0, "t": 0},
    {"m": "text", "s": 0, "t": 0},
    {"m": None, "s": 0, "t": 0},
    {"m": ["auc"], "s": 0, "t": 0},
    {"m": {"auc": 0.1}, "s": "text", "t": 0},
    {"m": {"auc": 0.1}, "s": [1], "t": 0},
    {"m": {"auc": 0.1}, "s": {"a": 1}, "t": 0},
]


@pytest.mark.parametrize("odd", ODD_ROWS, ids=json.dumps)
def test_an_odd_line_hides_no_other_point(tmp_path, odd):
    rows = [odd, {"m": {"auc": 0.5}, "s": 1, "t": 1}, odd, {"m": {"auc": 0.6}, "s": 2, "t": "soon"}, odd]
    (tmp_path / "journal.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert history(tmp_path) == [(1, 0.5), (2, 0.6)]


@pytest.mark.parametrize("odd", ODD_ROWS, ids=json.dumps)
def test_only_odd_lines_are_an_empty_history(tmp_path, odd):
    (tmp_path / "journal.jsonl").write_text((json.dumps(odd) + "\n") * 3)
    assert history(tmp_path) == []


STEPS = st.none() | st.integers(-5, 20) | st.sampled_from([0.5, 1.5, 2.25])
JOURNALS = st.lists(
    st.lists(st.tuples(STEPS, st.floats(allow_nan=False), st.integers(0, 50)), max_size=12), min_size=1, max_size=4
)


@given(JOURNALS)
def test_all_sessions_show_every_point_once_and_in_order(tmp_path_factory, sessions):
    folder = tmp_path_factory.mktemp("history")
    for number, points in enumerate(sessions, 1):
        write(
            folder,
            "journal.jsonl" if number == 1 else f"journal.{number}.jsonl",
            *[(s, v if math.isfinite(v) else 0.0, t) for s, v, t in points],
        )
    shown = history(folder, all_sessions=True)
    expected = [(step, value if math.isfinite(value) else 0.0) for points in sessions for step, value, _ in points]
    assert sorted(shown, key=repr) == sorted(expected, key=repr)
    steps = [step for step, _ in shown if step is not None]
    assert steps == sorted(steps)
    visible = history(folder)
    assert [point for point in visible if point not in shown] == []


@given(JOURNALS)
def test_hiding_follows_its_rule(tmp_path_factory, sessions):
    """Beside the rule written once more, slowly: each session drops what stands at or behind its first step."""
    folder = tmp_path_factory.mktemp("hiding")
    kept: list[tuple[float | None, float]] = []
    for number, points in enumerate(sessions, 1):
        plain = [(step, float(number * 100 + place)) for place, (step, _, _) in enumerate(points)]
        write(folder, "journal.jsonl" if number == 1 else f"journal.{number}.jsonl", *plain)
        first = next((step for step, _ in plain if step is not None), None)
        if first is not None:
            kept = [(step, value) for step, value in kept if step is None or step < first]
        kept += plain
    assert sorted(history(folder), key=repr) == sorted(kept, key=repr)


def test_a_history_is_a_sequence_of_points_in_columns():
    read = History("auc", [0, 1, None], array("d", [0.1, 0.2, 0.3]), array("q", [10, 20, 30]))
    assert len(read) == 3
    assert (read[1].step, read[1].value, read[1].time) == (1, 0.2, 20)
    assert read[-1].step is None
    assert [point.value for point in read[1:]] == [0.2, 0.3]
    assert read == [(0, 0.1, 10), (1, 0.2, 20), (None, 0.3, 30)]
    with pytest.raises(IndexError):
        read[3]
    frame = read.to_dataframe()
    assert list(frame.columns) == ["step", "value", "time"]
    assert str(frame.time.dt.tz) == "UTC"
