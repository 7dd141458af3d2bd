"""Folders to experiments: what is whole is read, what is broken is said, and nothing is ever written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faults.looking import everything
from specweave_ml.errors import NotFound, StoreError, UsageError
from specweave_ml.store.lines import Damage, read_lines
from specweave_ml.store.load import load_experiment, load_experiments
from specweave_ml.store.reader import read_experiment

INCREMENT = "0042-recommendation-model"
OPEN = '{"open":{"schema":1,"session":1,"writer":"","pid":1,"host":"h","at":"2026-03-01T09:30:00.000Z"}}'
END = '{"status":"finished","t":1772357400000,"seconds":1.5}'
METADATA = 'schema: 1\nname: "x"\nstatus: "finished"\nstarted: "2026-03-01T09:30:00.000Z"\ntags: ["a"]\n'


@pytest.fixture
def experiments(project: Path) -> Path:
    folder = project / ".specweave" / "increments" / INCREMENT / "experiments"
    folder.mkdir()
    return folder


def make(experiments: Path, name: str, **files: str | bytes) -> Path:
    """An experiment's folder; a name of a file is given with `_` for its dot."""
    folder = experiments / name
    folder.mkdir(parents=True)
    for file, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / file.replace("_", ".")).write_bytes(data)
    return folder


def journal(*lines: str) -> str:
    return "".join(line + "\n" for line in lines)


def healthy(experiments: Path, name: str = "healthy", tags: str = '"a"') -> None:
    make(
        experiments,
        name,
        metadata_yaml=METADATA.replace('"a"', tags),
        metrics_json='{"auc": 0.5}',
        params_json='{"lr": 1}',
    )


def test_an_ended_experiment_is_its_small_files(experiments):
    healthy(experiments)
    found = load_experiment("healthy")
    assert (found.kind, found.status, found.metrics, found.params, found.tags) == (
        "experiment",
        "finished",
        {"auc": 0.5},
        {"lr": 1},
        ("a",),
    )
    assert found.started is not None
    assert found.started.isoformat() == "2026-03-01T09:30:00+00:00"
    assert (found.ended, found.notes, found.error, found.description) == (None, (), None, "")


def test_one_that_has_not_ended_is_its_journals(experiments):
    lines = journal(OPEN, '{"p":{"lr":0.1}}', '{"m":{"auc":0.7},"s":0,"t":1}', '{"note":"hi","t":1}', '{"tag":"b"}')
    behind = METADATA.replace("finished", "running")
    make(experiments, "dead", journal_jsonl=lines, metadata_yaml=behind, metrics_json='{"auc": 0.1}')
    found = load_experiment("dead")
    assert (found.status, found.metrics, found.params) == ("stale", {"auc": 0.7}, {"lr": 0.1})
    assert (found.notes, found.tags) == (("hi",), ("b",))


def test_an_unsettled_one_is_its_journals_though_it_has_ended(experiments):
    lines = journal(OPEN, '{"m":{"auc":0.7},"s":0,"t":1}', END)
    make(
        experiments,
        "open",
        journal_jsonl=lines,
        metadata_yaml=METADATA + "unsettled: true\n",
        metrics_json='{"auc": 0.1}',
    )
    assert load_experiment("open").metrics == {"auc": 0.7}


def test_a_journal_alone_is_enough(experiments):
    make(experiments, "alone", journal_jsonl=journal(OPEN, '{"m":{"auc":0.7},"s":0,"t":1}', END))
    found = load_experiment("alone")
    assert (found.kind, found.status, found.metrics, found.duration_seconds) == (
        "experiment",
        "finished",
        {"auc": 0.7},
        1.5,
    )


@pytest.mark.parametrize("broken", ["", "{", "[1]", "null", '{"auc": }', "\x00\x00"])
def test_a_broken_small_file_is_made_up_for_by_the_journals(experiments, broken):
    lines = journal(OPEN, '{"p":{"lr":0.1}}', '{"m":{"auc":0.7},"s":0,"t":1}', END)
    make(experiments, "x", journal_jsonl=lines, metadata_yaml=METADATA, metrics_json=broken, params_json=broken)
    found = load_experiment("x")
    assert (found.metrics, found.params) == ({"auc": 0.7}, {"lr": 0.1})


def test_a_missing_small_file_too(experiments):
    make(experiments, "x", journal_jsonl=journal(OPEN, '{"p":{"lr":0.1}}', END), metadata_yaml=METADATA)
    assert load_experiment("x").params == {"lr": 0.1}


def test_a_metadata_that_a_person_rewrote_counts(experiments):
    edited = "# mine now\nstatus: finished\ntags:\n  - by-hand\nnotes:\n  - text: hello\n"
    make(experiments, "x", journal_jsonl=journal(OPEN, END), metadata_yaml=edited, metrics_json='{"auc": 0.5}')
    found = load_experiment("x")
    assert (found.status, found.tags, found.notes, found.metrics) == (
        "finished",
        ("by-hand",),
        ("hello",),
        {"auc": 0.5},
    )


def test_numbers_that_json_has_no_number_for(experiments):
    make(
        experiments,
        "x",
        metadata_yaml=METADATA,
        metrics_json='{"a": "NaN", "b": "Infinity", "c": "-Infinity", "d": 1e-05}',
        params_json='{"a": {"$float": "NaN"}, "b": "NaN", "c": {"$int": "0x400000000000000000"}, "d": "\\ud800"}',
    )
    found = load_experiment("x")
    assert repr(found.metrics) == "{'a': nan, 'b': inf, 'c': -inf, 'd': 1e-05}"
    assert repr(found.params) == repr({"a": float("nan"), "b": "NaN", "c": 2**70, "d": "\ud800"})


def test_folders_that_are_not_ours_are_listed_with_what_they_have(experiments):
    make(experiments, "optuna-study", study_db="x", params_json='{"lr": 1}', metrics_json='{"auc": 0.5, "text": "x"}')
    (found,) = load_experiments()
    assert (found.kind, found.params, found.metrics) == ("foreign", {"lr": 1}, {"auc": 0.5})
    assert found.metadata["files"] == ["metrics.json", "params.json", "study.db"]
    assert everything(found)["problems"] == ()


@pytest.mark.parametrize(
    "metadata", ["{", "status: [", "a: &a 1\nb: *a\n", "\x00", "status: running\n", "", "- a\n", "status: [finished]\n"]
)
def test_one_that_is_broken_is_unreadable_and_hides_nothing(experiments, metadata):
    healthy(experiments)
    make(experiments, "broken", metadata_yaml=metadata)
    found = {each.name: each for each in load_experiments()}
    assert found["broken"].kind == "unreadable"
    assert found["broken"].error
    assert found["healthy"].metrics == {"auc": 0.5}
    everything(found["broken"], "auc")


def a_folder(place: Path) -> None:
    place.mkdir()


def a_link(place: Path) -> None:
    place.symlink_to("/etc/hostname")


def a_dangling_link(place: Path) -> None:
    place.symlink_to("nowhere")


def a_link_to_itself(place: Path) -> None:
    place.symlink_to(place.name)


def a_pipe(place: Path) -> None:
    os.mkfifo(place)


@pytest.mark.parametrize("thing", [a_folder, a_link, a_dangling_link, a_link_to_itself, a_pipe])
@pytest.mark.parametrize("file", ["journal.jsonl", "metadata.yaml", "params.json", "metrics.json", "journal.2.jsonl"])
def test_something_else_under_the_name_of_a_file_hides_nothing_and_hangs_nowhere(experiments, file, thing):
    healthy(experiments)
    folder = make(
        experiments,
        "odd",
        journal_jsonl=journal(OPEN, END),
        metadata_yaml=METADATA,
        params_json="{}",
        metrics_json="{}",
    )
    (folder / file).unlink(missing_ok=True)
    thing(folder / file)
    for _ in range(2):
        found = {each.name: each for each in load_experiments()}
        assert found["healthy"].metrics == {"auc": 0.5}
        everything(found["odd"], "auc")
        (folder / "metadata.yaml").unlink(missing_ok=True) if file != "metadata.yaml" else None


def test_a_journal_that_cannot_be_opened_is_a_problem_that_is_said(experiments):
    folder = make(experiments, "odd", journal_jsonl=journal(OPEN, '{"m":{"auc":0.5},"s":0,"t":1}'))
    (folder / "journal.2.jsonl").symlink_to("nowhere")
    found = load_experiment("odd")
    assert found.metrics == {"auc": 0.5}
    assert [problem.split(":")[0] for problem in found.problems] == ["journal.2.jsonl"]


def test_links_in_place_of_experiments_are_not_followed(experiments, tmp_path):
    make(tmp_path, "outside", metadata_yaml=METADATA)
    (experiments / "linked").symlink_to(tmp_path / "outside")
    assert list(load_experiments()) == []
    with pytest.raises(NotFound):
        load_experiment("linked")


@pytest.mark.parametrize(
    "line", ["{", "}", "null", "[1]", '"text"', "5", '{"m":', "\x00", "{'a': 1}", '{"m":{"auc":1},}', "NaN"]
)
def test_a_bad_line_is_skipped_and_said_with_its_number(experiments, line):
    lines = journal(OPEN, '{"m":{"auc":0.5},"s":0,"t":1}', line, '{"m":{"auc":0.6},"s":1,"t":2}')
    make(experiments, "x", journal_jsonl=lines)
    found = load_experiment("x")
    assert found.metrics == {"auc": 0.6}
    assert [point.value for point in found.history("auc")] == [0.5, 0.6]
    assert [problem.rpartition(": ")[0] for problem in found.problems] == ["journal.jsonl:3"]


def test_bad_lines_that_look_good_together_are_still_bad(experiments):
    lines = journal(
        OPEN, '{"m":{"auc":0.5},"s":0', '"t":1}', '{"note":"a"},{"note":"b"}', '{"m":{"auc":0.6},"s":1,"t":2}'
    )
    make(experiments, "x", journal_jsonl=lines)
    found = load_experiment("x")
    assert found.metrics == {"auc": 0.6}
    assert [problem.rpartition(": ")[0] for problem in found.problems] == [
        "journal.jsonl:2",
        "journal.jsonl:3",
        "journal.jsonl:4",
    ]


@pytest.mark.parametrize("tail", ["{", '{"m":{"auc":1},"s":9,"t":9}', "\x00\x00\x00", " ", "\xff"])
def test_a_line_without_its_end_is_torn_and_no_problem(experiments, tail):
    make(
        experiments, "x", journal_jsonl=journal(OPEN, '{"m":{"auc":0.5},"s":0,"t":1}').encode() + tail.encode("latin-1")
    )
    found = load_experiment("x")
    assert (found.metrics, found.problems) == ({"auc": 0.5}, ())


def test_torn_bytes_are_counted(tmp_path):
    (tmp_path / "journal.jsonl").write_text(journal(OPEN) + '{"note"')
    damage = Damage()
    assert len(list(read_lines(str(tmp_path / "journal.jsonl"), damage))) == 1
    assert damage.torn_bytes == 7


@pytest.mark.parametrize("size", [1, 100, 16_000, 16_383, 16_384, 16_385, 50_000, 300_000])
def test_lines_of_any_length_are_read_whole(experiments, size):
    notes = [json.dumps({"note": "x" * size + str(number), "t": number}) for number in range(5)]
    make(experiments, "x", journal_jsonl=journal(OPEN, *notes))
    assert load_experiment("x").notes == tuple("x" * size + str(number) for number in range(5))


def test_empty_lines_and_windows_line_ends_are_read_over(experiments):
    lines = journal(OPEN, "", '{"m":{"auc":0.5},"s":0,"t":1}', "   ").replace("\n", "\r\n")
    make(experiments, "x", journal_jsonl=lines)
    assert (load_experiment("x").metrics, load_experiment("x").problems) == ({"auc": 0.5}, ())


def test_what_starts_with_a_dot_or_a_line_below_is_not_listed(experiments):
    healthy(experiments)
    for name in (".env", ".git", "_archive", "_other"):
        (experiments / name).mkdir()
    (experiments / "comparison.md").write_text("x")
    assert [each.name for each in load_experiments()] == ["healthy"]


def test_archived_ones_come_when_asked_for(experiments):
    healthy(experiments)
    healthy(experiments / "_archive", "old")
    assert [each.name for each in load_experiments()] == ["healthy"]
    assert [(each.name, each.archived) for each in load_experiments(archived=True)] == [
        ("healthy", False),
        ("old", True),
    ]
    assert load_experiment("old").archived


def test_experiments_come_in_the_order_they_started(experiments):
    for name, day in (("c", 1), ("a", 3), ("b", 2)):
        make(experiments, name, metadata_yaml=METADATA.replace("03-01", f"03-0{day}"))
    make(experiments, "nobodys", x_txt="x")
    assert [each.name for each in load_experiments()] == ["c", "b", "a", "nobodys"]


def test_filters(experiments):
    healthy(experiments, "one", '"a"')
    healthy(experiments, "two", '"a", "b"')
    make(experiments, "failed", metadata_yaml=METADATA.replace("finished", "failed").replace('"a"', ""))
    make(experiments, "dead", journal_jsonl=journal(OPEN, '{"tag":"a"}'))
    make(experiments, "foreign", x_txt="x")

    def names(**filters: Any) -> list[str]:
        return sorted(each.name for each in load_experiments("0042", **filters))

    assert names(status="finished") == ["one", "two"]
    assert names(status=["failed", "stale"]) == ["dead", "failed"]
    assert names(tags="a") == ["dead", "one", "two"]
    assert names(tags=["a", "b"]) == ["two"]
    assert names(status="finished", tags="b") == ["two"]
    assert names() == ["dead", "failed", "foreign", "one", "two"]


def test_no_experiments_folder_is_an_empty_list(project):
    assert list(load_experiments()) == []


def test_an_experiments_folder_that_is_a_file_is_our_error(project):
    (project / ".specweave" / "increments" / INCREMENT / "experiments").write_text("x")
    with pytest.raises(StoreError):
        load_experiments()


def test_an_unknown_name_names_the_close_ones(experiments):
    healthy(experiments, "xgboost-v1")
    with pytest.raises(NotFound) as caught:
        load_experiment("xgbost-v1")
    assert "xgboost-v1" in str(caught.value.expected)
    assert caught.value.next_step == "specweave-ml list 0042"
    for name in ("", "..", "../x", "a/b", "\0", "x" * 5_000, "_archive", ".env", "\ud800"):
        with pytest.raises((NotFound, UsageError)):
            load_experiment(name)


def test_an_experiment_is_found_by_the_name_it_was_given(experiments):
    from specweave_ml.project import folder_name

    healthy(experiments, folder_name("My model: v1"))
    assert load_experiment("My model: v1").metrics == {"auc": 0.5}


def test_a_table_of_experiments(experiments):
    healthy(experiments, "one")
    healthy(experiments, "two")
    frame = load_experiments().to_dataframe()
    assert list(frame.columns) == ["name", "status", "started", "duration_seconds", "param.lr", "metric.auc"]
    assert list(frame["metric.auc"]) == [0.5, 0.5]


def test_reading_writes_nothing(experiments):
    healthy(experiments)
    make(experiments, "dead", journal_jsonl=journal(OPEN) + "{torn")
    make(experiments, "broken", metadata_yaml="{")
    make(experiments, "foreign", x_txt="x")

    def all_there_is() -> list[tuple[str, int, bytes]]:
        paths = sorted(experiments.rglob("*"))
        return [(str(path), path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"") for path in paths]

    before = all_there_is()
    for found in load_experiments(archived=True):
        everything(found, "auc")
    assert all_there_is() == before


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["NaN", "Infinity", "finished", "2026-03-01T09:30:00.000Z", "2026-99-99", "auc"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from("i m name text at session metric file error tags auc $float $int $dict".split()),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
KINDS = "open fold m p note tag data artifact outcomes trial stage dropped status set s t n seconds".split()
METADATA_KEYS = (
    "schema id name status started ended duration_seconds description tags author repeat_of notes error artifacts counts "
    "folds outcomes stages trials data sessions dropped incomplete code capture journals unsettled"
).split()
LINES = st.lists(st.dictionaries(st.sampled_from(KINDS), JSON, min_size=1, max_size=4), max_size=6)


@given(LINES, LINES)
def test_no_journal_of_any_shape_stops_a_reader(tmp_path_factory, first, second):
    """Whatever JSON stands in the lines: every property of the experiment answers."""
    folder = tmp_path_factory.mktemp("any")
    (folder / "journal.jsonl").write_text(journal(OPEN, *map(json.dumps, first)))
    (folder / "journal.1-17-ab.jsonl").write_text(journal(*map(json.dumps, second)))
    everything(read_experiment(str(folder), INCREMENT), "auc")


@given(st.dictionaries(st.sampled_from(METADATA_KEYS), JSON, max_size=8), JSON, JSON)
def test_no_small_file_of_any_shape_stops_a_reader(tmp_path_factory, metadata, params, metrics):
    """Whatever JSON stands in the small files: every property answers, and a metric is a number."""
    folder = tmp_path_factory.mktemp("any")
    metadata = {"status": "finished"} | metadata
    (folder / "metadata.yaml").write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in metadata.items()))
    (folder / "params.json").write_text(json.dumps(params))
    (folder / "metrics.json").write_text(json.dumps(metrics))
    said = everything(read_experiment(str(folder), INCREMENT), "auc")
    assert all(isinstance(value, int | float) for value in said["metrics"].values())


def test_a_line_that_a_newline_cut_in_two_is_reported_and_not_joined(tmp_path):
    from specweave_ml.store.lines import Damage, read_lines

    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(b'{"m":{"a":0.5}\n"s":0,"t":1}\n{"m":{"a":1.0},"s":1,"t":2}\n')
    damage = Damage()
    assert list(read_lines(str(journal), damage)) == [{"m": {"a": 1.0}, "s": 1, "t": 2}]
    assert [problem.rpartition(": ")[0] for problem in damage.problems] == ["journal.jsonl:1", "journal.jsonl:2"]
