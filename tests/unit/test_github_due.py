"""The reasons to train again, checked against recorded values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from records import INCREMENT, experiment
from specweave_ml.documents.chosen import choose
from specweave_ml.errors import UsageError
from specweave_ml.github.due import Verdict, judge
from specweave_ml.reports import Comparison
from specweave_ml.store.decision import Decision, read_decision

NOW = datetime(2026, 6, 2, 12, tzinfo=UTC)
CLICKS = [{"name": "clicks", "version": "v2024-01", "digest": "aa"}]


def run(name: str, day: str, data: Any = CLICKS, status: str = "finished", **metrics: float) -> Any:
    return experiment(name, metrics, started=f"{day}T00:00:00+00:00", data=data, status=status)


CHOSEN = run("chosen", "2026-03-01", accuracy=0.26, latency_ms=41, loss=0.4)


def verdict(rule: str, *others: Any, selected: str | None = "chosen", date: str | None = None) -> Verdict:
    comparison = Comparison.of([CHOSEN, *others], INCREMENT, Decision(selected=selected, date=date))
    return judge([rule], comparison, choose(comparison), NOW)[0]


@pytest.mark.parametrize(
    ("rule", "due"),
    [
        ("accuracy below 0.3", True),
        ("accuracy below 0.25", False),
        ("Accuracy < 30%", True),
        ("accuracy under 25 %", False),
        ("if the accuracy falls below 0.3.", True),
        ("accuracy is less than .25", False),
        ("test accuracy at most 0.26", True),
        ("loss above 0.3", True),
        ("loss >= 0.4", True),
        ("loss > 0.4", False),
        ("latency above 40 ms", True),
        ("latency above 0.1 s", False),
        ("older than 90d", True),
        ("older than 13 weeks", True),
        ("the model is older than 4 months", False),
        ("last training older than 1 year", False),
    ],
)
def test_rules(rule: str, due: bool) -> None:
    assert verdict(rule).due is due


def test_what_was_recorded_last_decides() -> None:
    later = [run("older", "2026-02-01", accuracy=0.1), run("newest", "2026-05-01", accuracy=0.2)]
    failed = run("failed", "2026-05-09", status="failed", accuracy=0.0)
    found = verdict("accuracy below 0.22", *later, failed, run("without", "2026-05-10", loss=1.0))
    assert found == Verdict("accuracy below 0.22", due=True, why="accuracy is 0.20 in newest (2026-05-01)")


def test_an_experiment_without_a_time_is_not_the_last_one() -> None:
    assert verdict("accuracy below 0.22", experiment("undated", {"accuracy": 0.1})).due is False


@pytest.mark.parametrize(
    ("data", "due"),
    [
        ([{"name": "clicks", "version": "v2024-04"}], True),
        ([{"name": "clicks", "version": "v2024-01", "digest": "bb"}], False),
        ([{"name": "clicks", "digest": "bb"}], True),
        ([{"name": "clicks", "digest": "aa"}, {"name": "more", "version": "1"}], False),
        ([{"name": "views", "version": "v2"}], None),
        ([{"name": "clicks", "uri": "s3://elsewhere"}], False),
        ([], False),
    ],
)
@pytest.mark.parametrize("rule", ["data version changed", "The data has changed.", "new data"])
def test_data(rule: str, data: list[dict[str, str]], due: bool | None) -> None:
    assert verdict(rule, run("newest", "2026-05-01", data, status="running")).due is due


def test_ages_are_of_the_training_or_the_selection() -> None:
    assert verdict("older than 60d").why == "chosen was trained 2026-03-01, 93 days ago"
    assert verdict("selection older than 60d", date="2026-05-01").due is False
    assert verdict("selection older than 60d", date="last week").due is None


@pytest.mark.parametrize("rule", ["a new shop joins", "more than 3 new shops join", "Ana says so", "sales < 3 a day"])
def test_words_are_for_people(rule: str) -> None:
    assert verdict(rule).due is None


@pytest.mark.parametrize(
    "rule",
    [
        "acuracy below 0.8",
        "accuracy below 0.22 in a week",
        "accuracy below 80",
        "accuracy below 0.8 or older than 90d",
        "below 0.8",
        "older than a while",
        "older than 90",
        "older than 90d or so",
        "data version changed twice",
        "auc below 0.8",
    ],
)
def test_what_is_nearly_a_rule_is_an_error(rule: str) -> None:
    with pytest.raises(UsageError) as refused:
        verdict(rule)
    assert refused.value.received == rule


def test_without_a_model_nothing_is_due() -> None:
    comparison = Comparison.of([run("failed", "2026-01-01", status="failed")], INCREMENT, Decision())
    assert [each.due for each in judge(["older than 1d"], comparison, None, NOW)] == [None]


def test_the_body_of_decision_md_has_rules_too(tmp_path: Any) -> None:
    text = (
        "---\nselected: a\nretrain_when: accuracy below 0.8\n---\nWe took a.\n\nRetrain when: older than 90d\r\n"
        "- retrain when: data version changed\n* RETRAIN WHEN : loss > 1\n<!-- retrain when: never -->\n"
        "```\nretrain when: in code\n```\nWe may retrain when: in a sentence\n> retrain when: quoted\n"
    )
    (tmp_path / "decision.md").write_bytes(text.encode())
    decision = read_decision(str(tmp_path / "decision.md"))
    rules = ("accuracy below 0.8", "older than 90d", "data version changed", "loss > 1")
    assert (decision.selected, decision.retrain_when) == ("a", rules)
    (tmp_path / "decision.md").write_text("Retrain when: older than 1y\n")
    assert read_decision(str(tmp_path / "decision.md")) == Decision(retrain_when=("older than 1y",))
