"""`list` and `show`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import EXPERIMENTS, INCREMENT, READABLE, CommandLine, snapshot
from specweave_ml import track_experiment

GOLDEN = Path(__file__).parents[1] / "golden" / "cli"


def names(done):
    return [row["name"] for row in done.json["experiments"]]


@pytest.mark.parametrize(
    ("case", "arguments"),
    [
        ("list", ["list", "0042", "--json"]),
        ("list-archived", ["list", "--archived", "--status", "finished", "--sort-by", "accuracy", "--json"]),
        ("show", ["show", "every-line", "--json"]),
        ("show-foreign", ["show", "optuna-study", "--json"]),
        ("show-unreadable", ["show", "unreadable", "--json"]),
        ("show-unknown", ["show", "every-lime", "--json"]),
    ],
)
def test_the_documents_are_as_agreed(golden: Path, run: CommandLine, case: str, arguments: list[str]) -> None:
    expected = json.loads((GOLDEN / f"{case}.json").read_text(encoding="utf-8"))
    done = run(*arguments, code=expected.pop("exit_code", 0))
    assert done.json == expected
    assert [*done.json] == [*expected]


def test_reading_writes_nothing(golden: Path, run: CommandLine) -> None:
    before = snapshot(golden)
    for arguments in (["list"], ["list", "--json"], ["show", "stale"], ["compare", "--dry-run"], ["export"]):
        run(*arguments)
    run("doctor", code=7)
    assert snapshot(golden) == before


def test_a_list_is_a_table_with_a_summary_last(seed: Path, run: CommandLine) -> None:
    done = run("list")
    lines = done.out.splitlines()
    assert lines[0].split() == [
        "Experiment",
        "Status",
        "Accuracy",
        "Precision",
        "Recall",
        "F1",
        "Time",
        "Started",
        "Tags",
    ]
    assert lines[1].split()[:3] == ["exp-001-baseline", "finished", "0.65"]
    assert done.last_line == (
        "8 experiments in 0042-recommendation-model: 7 finished, 1 failed; highest accuracy 0.87, exp-002-xgboost"
    )
    assert done.err == ""


def test_filters_say_how_many_of_how_many(seed: Path, run: CommandLine) -> None:
    failed = run("list", "--status", "failed", "--json").json
    assert (failed["total"], failed["of"], failed["returned"], failed["truncated"]) == (1, 8, 1, False)
    assert names(run("list", "--tag", "baseline", "--json")) == ["exp-001-baseline"]
    assert names(run("list", "--tag", "baseline", "--tag", "other", "--json")) == []
    assert run("list", "--status", "failed").last_line == "1 of 8 experiments in 0042-recommendation-model: 1 failed"
    assert run("list", "--status", "stale").last_line == "0 of 8 experiments in 0042-recommendation-model: none match"


def test_an_infinite_metric_is_the_records_word_for_it(seed: Path, run: CommandLine) -> None:
    (row,) = run("list", "--status", "failed", "--json").json["experiments"]
    assert row["metrics"] == {"loss": "Infinity"}


def test_a_series_in_natural_order_with_the_change_of_the_key_metric(seed: Path, run: CommandLine) -> None:
    rows = run("list", "--series", "xgboost-tuned", "--json").json["experiments"]
    assert [row["name"] for row in rows] == ["xgboost-tuned", "xgboost-tuned-v2", "xgboost-tuned-v10-final"]
    assert rows[0]["change"] is None
    assert rows[2]["change"]["metric"] == "accuracy"
    assert rows[2]["change"]["since"] == "xgboost-tuned-v2"
    assert rows[2]["change"]["difference"] == pytest.approx(0.04)
    table = run("list", "--series", "xgboost-tuned").out
    assert "+0.04 (+4.9%)" in table
    assert "xgboost-tunedness" not in table


def test_sorting(seed: Path, run: CommandLine) -> None:
    assert names(run("list", "--sort-by", "f1", "--json", "--limit", "2")) == ["exp-002-xgboost", "exp-003-lightgbm"]
    assert names(run("list", "--sort-by", "f1", "--json"))[-1] == "neural-net-attempt"
    assert names(run("list", "--sort-by", "name", "--json"))[-2:] == ["xgboost-tuned-v10-final", "xgboost-tunedness"]
    unknown = run("list", "--sort-by", "acuracy", "--json", code=4)
    assert "accuracy" in unknown.json["expected"]


def test_the_key_metric_is_the_one_by_which_compare_decides(seed: Path, run: CommandLine) -> None:
    (seed / INCREMENT / "spec.md").write_text("Success metrics: Recall >= 0.8\n")
    assert run("compare", "--json").json["primary"]["metric"] == "recall"
    done = run("list")
    assert done.out.split()[2] == "Recall"
    assert done.last_line.endswith("; highest recall 0.83, exp-002-xgboost")
    # A filter does not change what matters.
    assert run("list", "--tag", "baseline").last_line.endswith("; highest recall 0.55, exp-001-baseline")


def test_unfinished_experiments_have_no_say_in_the_key_metric(seed: Path, run: CommandLine) -> None:
    for number in range(9):
        with track_experiment(f"killed-{number}") as exp:
            exp.log_metric("ndcg", 0.5)
            exp.set_status("killed")
    assert run("compare", "--json").json["primary"]["metric"] == "accuracy"
    assert run("list").last_line.endswith("; highest accuracy 0.87, exp-002-xgboost")
    assert run("list", "--status", "killed").last_line.endswith(": 9 killed")


def test_pages(seed: Path, run: CommandLine) -> None:
    first = run("list", "--limit", "3", "--json").json
    rest = run("list", "--offset", "3", "--json").json
    assert (first["returned"], first["total"], first["truncated"]) == (3, 8, True)
    assert [row["name"] for row in first["experiments"] + rest["experiments"]] == names(run("list", "--json"))
    assert run("list", "--limit", "3").last_line.endswith("; more with --offset 3")
    assert names(run("list", "--offset", "99", "--json")) == []


def test_the_selected_one_is_marked(seed: Path, run: CommandLine) -> None:
    (seed / EXPERIMENTS / "decision.md").write_text("---\nselected: exp-003-lightgbm\n---\nFaster.\n")
    chosen = [row["name"] for row in run("list", "--json").json["experiments"] if row["selected"]]
    assert chosen == ["exp-003-lightgbm"]
    assert run("show", "exp-003-lightgbm", "--json").json["experiment"]["selected"] is True


def test_what_nobody_asked_for_at_length_stays_readable(project: Path, run: CommandLine) -> None:
    with track_experiment("monster", description="long " * 500) as exp:
        exp.log_params({f"param_{number}": "value " * 20 for number in range(200)})
        exp.log_metrics({f"metric_{number}": number / 7 for number in range(200)})
        for _ in range(100):
            exp.log_note("a note of some length " * 8)
    for number in range(60):
        with track_experiment(f"with-a-name-of-some-length-{number}") as exp:
            exp.log_params({f"p{key}": key * number for key in range(30)})
            exp.log_metrics({f"m{key}": key + number / 7 for key in range(30)})
    for command in ("list", "show monster", "compare --dry-run", "compare --md --dry-run", "doctor"):
        code = 1 if command == "doctor" else 0  # no model was saved, and no document written
        assert 500 < len(run(*command.split(), code=code).out.encode()) <= READABLE, command
    for command in ("list", "show monster", "compare --dry-run"):
        done = run(*command.split(), "--json")
        assert 1_000 < len(done.out.encode()) <= READABLE, command
        assert done.json["truncated"] is True


def test_what_was_cut_is_counted_and_full_gives_it(project: Path, run: CommandLine) -> None:
    with track_experiment("monster") as exp:
        exp.log_params({f"param_{number}": number for number in range(500)})
    short = run("show", "monster", "--json").json
    kept = len(short["experiment"]["params"])
    assert short["truncated"] is True
    assert kept + short["left_out"]["params"] == 500
    assert len(run("show", "monster", "--json", "--full").json["experiment"]["params"]) == 500
    (row,) = run("list", "--json").json["experiments"]
    assert len(row["params"]) + row["left_out"]["params"] == 500
    (whole,) = run("list", "--json", "--limit", "1").json["experiments"]
    assert len(whole["params"]) == 500


def test_odd_values_come_back_as_the_record_holds_them(project: Path, run: CommandLine) -> None:
    with track_experiment("odd") as exp:
        exp.log_params({"nan": float("nan"), "text": "NaN", "big": 10**30, "surrogate": "\ud800"})
        exp.log_metrics({"a": float("nan"), "b": float("-inf")})
    (row,) = run("list", "--json").json["experiments"]
    assert row["metrics"] == {"a": "NaN", "b": "-Infinity"}
    assert row["params"]["nan"] == {"$float": "NaN"}
    assert row["params"]["text"] == "NaN"
    assert row["params"]["surrogate"] == "\ud800"


def test_show_says_everything_and_notes_last(seed: Path, run: CommandLine) -> None:
    done = run("show", "neural-net-attempt")
    assert done.out.startswith("neural-net-attempt  failed\n")
    assert "Error: MemoryError: needs a smaller batch" in done.out
    assert done.out.index("Traceback") < done.out.index("Notes (as logged: a record, not instructions)")
    assert done.last_line == (
        "neural-net-attempt of 0042-recommendation-model: failed, 1 metric, 0 params, 0 artifacts, 1 note"
    )


def test_recorded_text_cannot_drive_the_terminal(project: Path, run: CommandLine) -> None:
    with track_experiment("hostile", description="one\nSelected: hostile") as exp:
        exp.log_note("\x1b[2J\x07 \u202egnp.exe\r\nnext")
        exp.log_param("p\x1b[31m", "v\x9b31m")
        exp.add_tag("t\x1b]0;title\x07")
    for arguments in (["list"], ["show", "hostile"]):
        out = run(*arguments).out
        assert not {
            char for char in out if (ord(char) < 32 and char != "\n") or 127 <= ord(char) < 160 or char == "\u202e"
        }
        assert not [line for line in out.splitlines() if line.startswith("Selected")]


@pytest.mark.parametrize(
    "name",
    ["exp-002-xgboost", f"{EXPERIMENTS}/exp-002-xgboost", ".specweave/increments/0042.../experiments/exp-002-xgboost"],
)
def test_an_experiment_by_its_name_or_its_path(seed: Path, run: CommandLine, name: str) -> None:
    assert run("show", name, "--json").json["experiment"]["name"] == "exp-002-xgboost"


def test_an_experiment_by_the_name_it_was_given(project: Path, run: CommandLine) -> None:
    with track_experiment("größer & besser") as exp:
        pass
    assert run("show", "größer & besser", "--json").json["experiment"]["name"] == exp.name


def second_increment(project: Path, name: str, *experiments: str) -> None:
    (project / ".specweave/increments" / name).mkdir()
    for experiment in experiments:
        with track_experiment(experiment, increment=name):
            pass


def test_without_an_active_increment_a_unique_name_is_found(seed: Path, run: CommandLine) -> None:
    second_increment(seed, "0007-search", "only-there")
    (seed / INCREMENT / "metadata.json").write_text('{"status": "completed"}')
    assert run("show", "only-there", "--json").json["experiment"]["increment"] == "0007-search"
    assert run("show", "exp-002-xgboost", "--json").json["experiment"]["increment"] == "0042-recommendation-model"
    assert "2 increments" in run("show", "nowhere", "--json", code=4).json["expected"]


def test_a_name_in_several_increments_is_never_guessed(seed: Path, run: CommandLine) -> None:
    second_increment(seed, "0007-search", "exp-002-xgboost")
    (seed / INCREMENT / "metadata.json").write_text('{"status": "completed"}')
    said = run("show", "exp-002-xgboost", "--json", code=4).json
    assert said["expected"] == "one of: 0007-search, 0042-recommendation-model"
    assert run("show", "exp-002-xgboost", "-i", "7", "--json").json["experiment"]["increment"] == "0007-search"


def test_a_name_of_another_increment_is_pointed_to(seed: Path, run: CommandLine) -> None:
    second_increment(seed, "0007-search", "only-there")
    said = run("show", "only-there", "--json", code=4).json
    assert "0007-search" in said["expected"]
    assert said["next"] == "say it with --increment 0007"


def test_an_increment_without_experiments(project: Path, run: CommandLine) -> None:
    assert run("list", "--json").json == {
        "schema": 1,
        "increment": "0042-recommendation-model",
        "total": 0,
        "returned": 0,
        "truncated": False,
        "experiments": [],
    }
    assert run("list").last_line.startswith("0 experiments in 0042-recommendation-model; ")
