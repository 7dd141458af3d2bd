"""`compare` and `export`."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pandas
import pytest

from command_line import EXPERIMENTS, CommandLine, snapshot
from specweave_ml import track_experiment


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_compare_prints_the_table_and_writes_the_document(seed: Path, run: CommandLine) -> None:
    done = run("compare", "0042")
    assert done.out.startswith("Experiment ")
    assert (
        "Best: exp-002-xgboost, highest accuracy (0.87)\n  0.22 above the baseline exp-001-baseline (0.65), +34%"
        in done.out
    )
    assert "one value each, no interval" in done.out
    assert (
        done.last_line == f"7 of 8 experiments finished in 0042-recommendation-model; see {EXPERIMENTS}/comparison.md"
    )
    document = (seed / EXPERIMENTS / "comparison.md").read_text()
    assert "**Best Model**: exp-002-xgboost" in document
    before = snapshot(seed)
    run("compare")
    assert snapshot(seed) == before


def test_a_dry_run_says_what_would_become_of_the_document(seed: Path, run: CommandLine) -> None:
    before = snapshot(seed)
    assert "comparison.md would be made; nothing was written" in run("compare", "--dry-run").last_line
    assert snapshot(seed) == before
    run("compare")
    assert "comparison.md is up to date" in run("compare", "--dry-run").last_line
    run("status", "exp-002-xgboost", "failed")
    assert "comparison.md would be updated" in run("compare", "--dry-run").last_line


def test_the_json_has_the_agreed_shape(seed: Path, run: CommandLine) -> None:
    said = run("compare", "--json").json
    assert {
        *("schema", "increment", "primary", "baseline", "best", "recommended", "selected"),
        *("indistinguishable", "evidence", "rows", "differing_params"),
    } <= said.keys()
    assert said["primary"]["metric"] == "accuracy"
    assert said["primary"]["direction"] == "maximize"
    assert (said["best"], said["baseline"], said["selected"]) == ("exp-002-xgboost", "exp-001-baseline", None)
    assert {"test", "pairs", "detectable", "why_not"} <= said["evidence"].keys()
    assert (said["total"], said["returned"]) == (8, len(said["rows"]))
    assert said["rows"][-1]["name"] == "neural-net-attempt"
    assert said["rows"][-1]["reason"] == "MemoryError: needs a smaller batch"
    assert said["rows"][-1]["metrics"] == {"loss": "Infinity"}


def test_sorting_and_limits(seed: Path, run: CommandLine) -> None:
    rows = run("compare", "--sort-by", "f1", "--limit", "2", "--json").json["rows"]
    assert [row["name"] for row in rows] == ["exp-002-xgboost", "exp-003-lightgbm"]
    assert "0.8700" in run("compare", "--precision", "4").out
    assert run("compare", "--sort-by", "nothing", "--json", code=4).json["expected"].startswith("one of ")


def test_only_changed_leaves_out_what_is_the_same(project: Path, run: CommandLine) -> None:
    for name, loss in (("a", 0.5), ("b", 0.4)):
        with track_experiment(name) as exp:
            exp.log_params({"seed": 1, "lr": loss})
            exp.log_metrics({"loss": loss, "rows": 100})
    assert "Rows" in run("compare").out
    assert "Rows" not in run("compare", "--only-changed").out
    assert run("compare", "--only-changed", "--json").json["rows"][0]["metrics"] == {"loss": 0.5}
    columns = table(run("compare", "--only-changed", "--csv").out)[0].keys()
    assert "param.lr" in columns
    assert "param.seed" not in columns
    assert "metric.rows" not in columns
    assert "param.seed" in table(run("compare", "--csv").out)[0]


def test_markdown_and_csv(seed: Path, run: CommandLine) -> None:
    lines = run("compare", "--md").out.splitlines()
    assert lines[0].startswith("| Experiment ")
    assert lines[1].startswith("|---")
    assert len(lines) == 2 + 7
    rows = table(run("compare", "--csv").out)
    assert [row["experiment"] for row in rows][-1] == "neural-net-attempt"
    assert rows[1]["metric.accuracy"] == "0.87"
    assert rows[-1]["metric.loss"] == "Infinity"
    assert "one form at a time" in run("compare", "--md", "--csv", code=2).err


def test_a_document_changed_by_hand_is_left_alone(seed: Path, run: CommandLine) -> None:
    run("compare")
    document = seed / EXPERIMENTS / "comparison.md"
    generated = document.read_text()
    document.write_text(generated + "my words\n")
    refused = run("compare", "--json", code=5)
    assert "decision.md" in refused.json["next"]
    assert document.read_text().endswith("my words\n")
    assert run("compare", "--dry-run", "--json").json["best"] == "exp-002-xgboost"
    document.write_text(generated)
    run("compare")


def test_a_metric_of_unknown_direction_wins_nothing_and_is_no_error(project: Path, run: CommandLine) -> None:
    for name, value in (("a", 1.0), ("b", 2.0)):
        with track_experiment(name) as exp:
            exp.log_metric("zorkiness", value)
    said = run("compare", "--json").json
    assert (said["best"], said["primary"]["direction"]) == (None, None)
    assert "say --direction" in run("compare").out
    assert run("compare", "--direction", "minimize", "--json").json["best"] == "a"
    run("compare", "--direction", "sideways", code=2)


def test_an_empty_increment_compares_to_nothing(project: Path, run: CommandLine) -> None:
    assert run("compare", "--json").json["rows"] == []
    assert run("compare").last_line == "0 of 0 experiments finished in 0042-recommendation-model; nothing to write"


def test_an_export_is_complete_whatever_its_length(project: Path, run: CommandLine) -> None:
    for number in range(60):
        with track_experiment(f"e-{number}") as exp:
            exp.log_params({f"p{key}": "x" * 20 for key in range(20)})
    assert len(table(run("export").out)) == 60
    assert len(run("export", "--json").json["experiments"]) == 60
    assert len(run("export", "--format", "jsonl", "--offset", "50", "--limit", "3").out.splitlines()) == 3


def test_every_format_holds_the_same(seed: Path, run: CommandLine) -> None:
    by_csv = table(run("export", "0042", "--format", "csv").out)
    by_json = run("export", "0042", "--format", "json").json["experiments"]
    by_lines = [json.loads(line) for line in run("export", "0042", "--format", "jsonl").out.splitlines()]
    run("export", "0042", "--output", "runs.parquet")
    by_parquet = pandas.read_parquet("runs.parquet")
    names = [row["name"] for row in by_json]
    assert by_lines == by_json
    assert [row["name"] for row in by_csv] == names == list(by_parquet["name"])
    accuracies = [row["metrics"].get("accuracy") for row in by_json]
    assert [float(row["metric.accuracy"]) if row["metric.accuracy"] else None for row in by_csv] == accuracies
    assert [None if value != value else value for value in by_parquet["metric.accuracy"]] == accuracies  # noqa: PLR0124 - NaN is what pandas has for nothing
    assert by_parquet["metric.loss"].iloc[-1] == float("inf")
    assert by_json[-1]["notes"] == ["FAILED: out of memory"]


def test_odd_columns_do_not_break_parquet(project: Path, run: CommandLine) -> None:
    for name, value in (("a", 1), ("b", "text"), ("c", [1, 2])):
        with track_experiment(name) as exp:
            exp.log_params({"mixed": value, "big": 10**30, "n": 1 if name == "a" else 1.5, "x\ud800": "\ud800"})
    run("export", "-o", "odd.parquet")
    frame = pandas.read_parquet("odd.parquet")
    assert list(frame["param.mixed"]) == ["1", "text", "[1, 2]"]
    assert list(frame["param.n"]) == [1.0, 1.5, 1.5]
    assert list(frame["param.big"]) == [str(10**30)] * 3


def test_the_history_exports_points(project: Path, run: CommandLine) -> None:
    with track_experiment("x") as exp:
        for step in range(5):
            exp.log_metric("loss", 1 / (step + 1), step=step)
        exp.log_metric("odd", float("nan"))
    rows = table(run("export", "--history").out)
    assert [(row["metric"], row["step"]) for row in rows][:5] == [("loss", str(step)) for step in range(5)]
    points = run("export", "--history", "--json").json["points"]
    assert points[-1]["value"] == "NaN"
    assert points[0].keys() == {"name", "metric", "step", "value", "time"}


def test_the_output_is_written_whole_and_said(seed: Path, run: CommandLine) -> None:
    dry = run("export", "--output", "runs.csv", "--dry-run")
    assert not (seed / "runs.csv").exists()
    assert "would be written" in dry.last_line
    done = run("export", "--output", "runs.csv")
    assert done.last_line.startswith("8 of 8 experiments of 0042-recommendation-model: runs.csv written (csv, ")
    said = run("export", "--output", "runs.jsonl", "--json").json
    assert (said["format"], said["written"], said["returned"]) == ("jsonl", True, 8)
    run("export", "--output", "no/such/folder/x.csv", code=7)
    run("export", "--format", "csv", "--json", code=2)


def test_foreign_folders_are_left_out_and_counted(golden: Path, run: CommandLine) -> None:
    done = run("export", "--json")
    assert "optuna-study" not in {row["name"] for row in done.json["experiments"]}
    assert "left out: 2 folders" in done.err


def test_without_pyarrow_the_command_to_install_it_is_named(
    seed: Path, run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = run("export", "--output", "runs.parquet", "--json", code=3).json
    assert said["next"] == "pip install 'specweave-ml[parquet]'"
