"""`select`, `unselect` and `why` in a real project."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_line import EXPERIMENTS, CommandLine, snapshot
from repositories import git, make_repository
from specweave_ml.store.decision import read_decision


@pytest.fixture
def decision(seed: Path) -> Path:
    return seed / EXPERIMENTS / "decision.md"


def select(run: CommandLine, name: str = "exp-003-lightgbm", *more: str, code: int = 0):
    return run("select", "0042", name, "--because", "as good, and cheaper to run", *more, code=code)


def test_a_choice_is_written_and_comparison_md_follows(decision: Path, run: CommandLine) -> None:
    done = select(run, "exp-003-lightgbm", "--by", "Ana", "--json").json
    today = read_decision(str(decision)).date
    assert done == {
        "schema": 1,
        "increment": "0042-recommendation-model",
        "selected": "exp-003-lightgbm",
        "by": "Ana",
        "date": today,
        "because": "as good, and cheaper to run",
        "before": None,
        "written": True,
    }
    assert decision.read_text() == (
        f"---\nselected: exp-003-lightgbm\nby: Ana\ndate: {today}\nbecause: as good, and cheaper to run\n---\n"
    )
    comparison = decision.with_name("comparison.md").read_text()
    assert f"**Selected Model**: exp-003-lightgbm, by Ana, {today}: as good, and cheaper to run" in comparison
    (row,) = [each for each in run("list", "--json").json["experiments"] if each["selected"]]
    assert row["name"] == "exp-003-lightgbm"


def test_the_same_again_changes_nothing(decision: Path, run: CommandLine) -> None:
    select(run, "exp-003-lightgbm", "--by", "Ana")
    decision.write_text(decision.read_text().replace("date: 2", "date: 1"))
    run("compare")
    before = snapshot(decision.parent)
    done = select(run)
    assert "says so already; nothing was written" in done.last_line
    assert snapshot(decision.parent) == before


def test_another_one_takes_its_place_and_names_the_one_before(decision: Path, run: CommandLine) -> None:
    decision.write_bytes(b"---\r\nprimary: f1  # agreed\r\nselected: exp-003-lightgbm # for now\r\n---\r\nOur words.")
    done = select(run, "exp-002-xgboost", "--by", "Bo")
    today = read_decision(str(decision)).date
    assert decision.read_bytes() == (
        b"---\r\nprimary: f1  # agreed\r\nselected: exp-002-xgboost # for now\r\nby: Bo\r\n"
        + f"date: {today}\r\nbecause: as good, and cheaper to run\r\n---\r\nOur words.".encode()
    )
    first = done.out.splitlines()[0]
    assert first.startswith(
        "exp-002-xgboost of 0042-recommendation-model is selected instead of exp-003-lightgbm, Bo, "
    )


def test_taken_back(decision: Path, run: CommandLine) -> None:
    decision.write_text("---\nprimary: f1\n---\nOur words.\n")
    before = decision.read_bytes()
    select(run)
    done = run("unselect", "0042", "--json").json
    assert (done["selected"], done["before"], done["written"]) == (None, "exp-003-lightgbm", True)
    assert decision.read_bytes() == before
    assert "Selected" not in decision.with_name("comparison.md").read_text()
    assert run("unselect", "0042", "--json").json["written"] is False


def test_a_dry_run_writes_nothing(decision: Path, run: CommandLine) -> None:
    before = snapshot(decision.parent)
    assert select(run, "exp-003-lightgbm", "--dry-run", "--json").json["written"] is False
    assert "dry run" in select(run, "exp-003-lightgbm", "--dry-run").last_line
    assert snapshot(decision.parent) == before


@pytest.mark.parametrize(
    ("name", "code", "why"),
    [
        ("neural-net-attempt", 5, "neural-net-attempt failed"),
        ("exp-003-lightgmb", 4, "no experiment of that name"),
        ("exp-001-baseline/../../x", 4, "no experiment of that name"),
    ],
)
def test_what_cannot_be_selected(decision: Path, run: CommandLine, name: str, code: int, why: str) -> None:
    done = select(run, name, "--json", code=code)
    assert why in done.json["error"]
    assert done.json["next"]
    assert not decision.exists()


def test_an_archived_or_foreign_one_cannot_be_selected(golden: Path, run: CommandLine) -> None:
    assert "restore archived" in select(run, "archived", "--json", code=5).json["next"]
    assert "belongs to another tool" in select(run, "optuna-study", "--json", code=5).json["error"]
    assert "cannot be read" in select(run, "unreadable", "--json", code=5).json["error"]
    assert "has not finished" in select(run, "stale", "--json", code=5).json["error"]


def test_a_damaged_decision_is_left_alone(decision: Path, run: CommandLine) -> None:
    decision.write_text("---\nselected: [\n---\nOur words.\n")
    before = snapshot(decision.parent)
    done = select(run, "exp-002-xgboost", "--json", code=5)
    assert "is not YAML" in done.json["error"]
    run("unselect", "0042", code=5)
    assert snapshot(decision.parent) == before


def test_a_reason_is_asked_for(decision: Path, run: CommandLine) -> None:
    run("select", "0042", "exp-002-xgboost", code=2)
    run("select", "0042", "exp-002-xgboost", "--because", "  ", code=2)
    assert not decision.exists()


def test_no_secret_is_written(decision: Path, run: CommandLine) -> None:
    run("select", "0042", "exp-002-xgboost", "--because", "see https://ana:hunter2@example.org/x")
    assert "hunter2" not in decision.read_text()


def test_who_decides_is_asked_of_git(decision: Path, run: CommandLine) -> None:
    make_repository(decision.parents[4])
    git(decision.parents[4], "config", "user.name", "Zoë Git")
    assert select(run, "exp-002-xgboost", "--json").json["by"] == "Zoë Git"


def test_a_comparison_changed_by_hand_does_not_undo_the_choice(decision: Path, run: CommandLine) -> None:
    run("compare")
    comparison = decision.with_name("comparison.md")
    comparison.write_text(comparison.read_text() + "my words\n")
    done = select(run, "exp-002-xgboost")
    assert "comparison.md was changed by hand" in done.err
    assert read_decision(str(decision)).selected == "exp-002-xgboost"
    assert comparison.read_text().endswith("my words\n")
    comparison.unlink()  # at its end this process would complain of it


def test_why_before_a_choice_says_recommended(decision: Path, run: CommandLine) -> None:
    done = run("why", "0042")
    lines = done.out.splitlines()
    assert lines[0] == (
        "Nobody has selected an experiment of 0042-recommendation-model; the comparison recommends exp-002-xgboost"
    )
    assert "Evidence: accuracy 0.87, the best" in lines
    assert "  0.22 above the baseline exp-001-baseline (0.65), +34%" in lines
    assert "  one value each, no interval" in lines
    assert lines[-2] == "Did not finish: neural-net-attempt"
    assert done.last_line == 'next: specweave-ml select 0042 exp-002-xgboost --because "…"'
    document = run("why", "0042", "--json").json
    assert (document["selected"], document["agrees"], document["because"]) == (None, None, None)
    assert document["evidence"]["why_not"] == "one value each"


def test_why_says_what_was_chosen_over_what_and_that_the_comparison_disagrees(decision: Path, run: CommandLine) -> None:
    select(run, "exp-003-lightgbm", "--by", "Ana")
    lines = run("why").out.splitlines()
    today = read_decision(str(decision)).date
    assert lines[:3] == [
        f"Selected in 0042-recommendation-model: exp-003-lightgbm, Ana, {today}",
        "Because: as good, and cheaper to run",
        "The comparison by itself recommends another one: exp-002-xgboost",
    ]
    assert "  0.01 below the best exp-002-xgboost (0.87), -1.1%" in lines
    document = run("why", "--json").json
    assert {
        key: document[key] for key in ("selected", "by", "because", "recommended", "agrees", "baseline", "value")
    } == {
        "selected": "exp-003-lightgbm",
        "by": "Ana",
        "because": "as good, and cheaper to run",
        "recommended": "exp-002-xgboost",
        "agrees": False,
        "baseline": "exp-001-baseline",
        "value": 0.86,
    }
    assert document["over"][0] == {"name": "exp-002-xgboost", "value": 0.87}
    assert (document["total"], document["returned"], document["truncated"]) == (6, 6, False)
    assert document["not_finished"] == ["neural-net-attempt"]


def test_why_agrees(decision: Path, run: CommandLine) -> None:
    select(run, "exp-002-xgboost")
    assert "The comparison by itself recommends the same" in run("why").out
    assert run("why", "--json").json["agrees"] is True


def test_why_where_nothing_can_be_said(project: Path, run: CommandLine) -> None:
    assert "none can be recommended" in run("why").out
    assert run("why", "--json").json["recommended"] is None


def test_why_writes_nothing(decision: Path, run: CommandLine) -> None:
    run("compare")
    before = snapshot(decision.parent)
    run("why")
    run("why", "--json")
    assert snapshot(decision.parent) == before


def test_why_names_what_it_could_not_follow(decision: Path, run: CommandLine) -> None:
    decision.write_text("---\nselected: exp-009-gone\n---\n")
    done = run("why")
    assert "ignored: decision.md selects exp-009-gone, which is not among the experiments" in done.out
    assert run("why", "--json").json["problems"]
