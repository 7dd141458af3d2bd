"""The text of a retraining issue, from the cases of the documents; and what recorded text cannot do to it."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from document_cases import CASES, examined_of
from faults.test_secrets import leaked, tokens
from injections import INJECTIONS
from integration.test_injection import HARMLESS, INVISIBLE, shape
from records import INCREMENT, experiment
from specweave_ml.documents.examined import Examined
from specweave_ml.github.body import Key, is_short_enough, key_of, new_body, region_of, render_parts, renewed
from specweave_ml.github.facts import content
from specweave_ml.github.permalinks import Permalinks
from specweave_ml.github.remote import Repository
from specweave_ml.github.request import Request
from specweave_ml.living_docs.regions import read_regions
from specweave_ml.living_docs.text import split_lines
from specweave_ml.project import Increment, folder_name
from specweave_ml.reports import Comparison
from specweave_ml.store.decision import Decision

GOLDEN = Path(__file__).parents[1] / "golden" / "issues"
REPOSITORY = Repository("github.com", "acme", "shop")
KEY = Key(INCREMENT, "retrain")
NOW = datetime(2026, 6, 2, tzinfo=UTC)
HEAD = "c76a5f79002d1a93aa736875d4108fca92bc5d0b"


class Everything(frozenset[str]):
    """As if all of it were committed, but for two."""

    def __contains__(self, path: object) -> bool:
        return not str(path).endswith(("exp-002-popularity", "decision.md"))


def links_for(examined: Examined, committed: frozenset[str] = Everything()) -> Permalinks:
    return Permalinks(examined.where.root, REPOSITORY, HEAD, "", examined.experiments, committed, pushed=True)


def body_of(examined: Examined, follows: int | None = None) -> str:
    parts = render_parts({**content(examined, links_for(examined), NOW), "follows": follows})
    return new_body(region_of(parts, is_short_enough), KEY)


def recorded_as(text: str, name: str = "z") -> Examined:
    """An increment with this text in every field that takes text."""
    said: dict[str, Any] = {
        "description": text,
        "params": {text: text, "depth": text, "seed": text},
        "notes": [text],
        "data": [{"name": text, "version": text, "uri": text, "digest": text}],
        "data_version": text,
        "code": {"commit": text, "branch": text, "remote": text, "dirty": True},
        "command": {"argv": ["python", text], "cwd": text, "env": {"X": text}},
        "environment": {"python": text, "os": text, "machine": text},
        "capture": {"missing": [{"what": text, "why": text, "mend": text}]},
        "started": "2026-01-02T00:00:00+00:00",
    }
    found = [
        experiment("baseline", {"accuracy": 0.6}, tags=["baseline"]),
        experiment(name, {"accuracy": 0.8, text: 0.5}, **said),
        experiment("attempt", status="failed", error={"type": text, "message": text}, notes=[text], description=text),
    ]
    decision = Decision(selected=name, by=text, date=text, because=text, retrain_when=(text, "older than 9d"))
    comparison = Comparison.of(found, INCREMENT, decision, spec=f"- Accuracy > 0.7\n- {text}\n")
    where = Increment("/", INCREMENT, f"/.specweave/increments/{INCREMENT}")
    return Examined(where, comparison, [])


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str) -> None:
    text, file = body_of(examined_of(case), follows=12 if case == "retrained" else None), GOLDEN / f"{case}.md"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_every_link_is_absolute_and_no_text_is_markup(case: str) -> None:
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(body_of(examined_of(case)))
    inline = [child for token in tokens for child in token.children or []]
    links = [str(token.attrs["href"]) for token in inline if token.type == "link_open"]
    assert all(re.match(r"https://github\.com/acme/shop/(tree|blob|commit)/[0-9a-f]{40}", link) for link in links)
    assert not [token for token in inline if token.type == "image"]


def test_50_injections_change_nothing_but_words() -> None:
    twin = shape(body_of(recorded_as(HARMLESS)))
    for text in INJECTIONS:
        body = body_of(recorded_as(text, folder_name(f"z {text}")))
        assert shape(body) == twin, repr(text)
        assert not INVISIBLE.search(body), repr(text)
        assert KEY.is_in(body)
        assert not Key(INCREMENT, "taken-over").is_in(body)
        assert [live.id for live in read_regions(split_lines(body)).regions] == ["retrain"]


def test_no_token_comes_through() -> None:
    for maker, token in tokens().items():
        examined = recorded_as(f"see {token} there")
        body = body_of(examined)
        assert not leaked(token, body.encode()), maker
        request = Request(
            examined.where, REPOSITORY, "Retrain", (), KEY, True, content(examined, links_for(examined), NOW)
        )
        assert not leaked(token, request.prefilled().encode()), maker


def test_what_is_too_long_goes_from_its_end() -> None:
    examined = recorded_as("@" * 4_000)
    request = Request(
        examined.where, REPOSITORY, "Retrain", ("retraining",), KEY, True, content(examined, links_for(examined), NOW)
    )
    assert len(request.body()) <= 65_536
    assert "### Why" in request.body()
    assert len(request.prefilled()) <= 7_500
    assert "Retraining+key" in request.prefilled()


def test_a_short_body_from_the_form_is_completed_later() -> None:
    parts = ["### Why\n\nbecause", "### Notes\n\nlong"]
    short = new_body(region_of(parts, lambda region: len(region) < 20), KEY)
    assert "Notes" not in short
    assert renewed(short, "\n\n".join(parts), None).body == new_body("\n\n".join(parts), KEY)


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Retrain model with Q1 2024 data", "retrain-model-with-q1-2024-data"),
        ("  RETRAIN   model with q1\u00a02024 data", "retrain-model-with-q1-2024-data"),
        ("重新训练 模型", "重新训练-模型"),
    ],
)
def test_a_key_is_the_words_of_the_title(title: str, slug: str) -> None:
    assert key_of(Increment("/", INCREMENT, "/"), title) == Key(INCREMENT, slug)


def test_other_words_are_another_key() -> None:
    titles = [
        "accuracy < 0.5",
        "accuracy > 0.5",
        "accuracy 0 5",
        "C++",
        "C",
        "a-b",
        "a b",
        "x" * 90,
        "x" * 91,
        "नमस्ते",
        "नमस्त",
    ]
    assert len({key_of(Increment("/", INCREMENT, "/"), title) for title in titles}) == len(titles)


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "{}\r\nmore",
        "text\n\n{}",
        "<details>\n\n{}\n\n</details>",
    ],
)
def test_a_key_is_found_by_both_of_its_lines(around: str) -> None:
    marker, visible = KEY.lines.split("\n\n")
    assert KEY.is_in(around.format(marker))
    assert KEY.is_in(around.format(visible))


@pytest.mark.parametrize("around", ["```\n{}\n```", "    {}", "- {}", "> {}", "see {}", "| a |\n|---|\n| {} |"])
def test_a_key_that_is_quoted_is_none(around: str) -> None:
    for line in KEY.lines.split("\n\n"):
        assert not KEY.is_in(around.format(line.strip()))
    assert not Key(INCREMENT, "retrain-more").is_in(KEY.lines)
    assert not Key("0043-other", "retrain").is_in(KEY.lines)
