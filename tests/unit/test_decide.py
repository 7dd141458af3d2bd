"""decision.md edited: of people's bytes, only the values that change."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records import experiment
from specweave_ml.errors import Refused
from specweave_ml.store.decide import apply_decision, edited, plan_decision, refusal_to_select
from specweave_ml.store.decision import Decision, find_front_matter, parse_decision, read_decision

CHOICE = {"selected": "exp-003-xgboost", "by": "Ana", "date": "2026-03-01", "because": "as good, and cheaper to run"}
NOTHING = dict.fromkeys(CHOICE)
WRITTEN = """\
---
selected: exp-003-xgboost
by: Ana
date: 2026-03-01
because: as good, and cheaper to run
---
"""


def edit(text: str, said=CHOICE) -> str:
    return edited(text.encode(), said).decode()


def said_in(data: bytes) -> Decision:
    place = find_front_matter(data)
    return Decision() if place is None else parse_decision(data[place])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("", WRITTEN, id="no file"),
        pytest.param("# Why\n\nWe argued.", WRITTEN + "# Why\n\nWe argued.", id="a body alone, no final newline"),
        pytest.param("\ufeffx\r\ny", "\ufeff" + WRITTEN.replace("\n", "\r\n") + "x\r\ny", id="BOM and CRLF"),
        pytest.param("---\n---\nx", WRITTEN + "x", id="nothing said yet"),
        pytest.param("---\n# fill in\n---\n", WRITTEN.replace("---\n", "---\n# fill in\n", 1), id="a comment alone"),
        pytest.param(
            "---\nprimary: F1   # the one we agreed on\n\nbaseline:  'exp-001'\n---",
            "---\nprimary: F1   # the one we agreed on\n\nbaseline:  'exp-001'\n"
            + WRITTEN.removeprefix("---\n").removesuffix("\n"),
            id="other keys, aligned, quoted and commented",
        ),
        pytest.param(
            "---\nselected:   old   # was\nby: 'Bo'\ndate:\nbecause: >-\n    long and\n    folded\n\n\nprimary: f1\n---\n",
            "---\nselected:   exp-003-xgboost   # was\nby: Ana\ndate: 2026-03-01\n"
            "because: as good, and cheaper to run\n\n\nprimary: f1\n---\n",
            id="values in every style",
        ),
        pytest.param(
            "---\nbecause: | # said on Tuesday\n  a\n  b\nselected: # none yet\n---\n",
            "---\nbecause: as good, and cheaper to run # said on Tuesday\nselected: exp-003-xgboost # none yet\n"
            "by: Ana\ndate: 2026-03-01\n---\n",
            id="comments where a value begins",
        ),
        pytest.param(
            "---\r\nselected: a\r\nbecause: b\r\n  c\r\n---\r\nx\ny",
            "---\r\nselected: exp-003-xgboost\r\nbecause: as good, and cheaper to run\r\nby: Ana\r\n"
            "date: 2026-03-01\r\n---\r\nx\ny",
            id="CRLF, and a value of two lines",
        ),
        pytest.param(
            "---\n  selected: a\n  notes: {x: [1, 2.50]}\n---\n",
            "---\n  selected: exp-003-xgboost\n  notes: {x: [1, 2.50]}\n  by: Ana\n  date: 2026-03-01\n"
            "  because: as good, and cheaper to run\n---\n",
            id="indented keys",
        ),
        pytest.param(
            "---\nretrain_when:\n- drift\n# end\n---\n",
            "---\nretrain_when:\n- drift\n# end\n" + WRITTEN.removeprefix("---\n"),
            id="a list and a comment last",
        ),
    ],
)
def test_only_what_changes_is_touched(before, after):
    assert edit(before) == after
    assert edit(after) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (WRITTEN, "---\n---\n"),
        (WRITTEN + "body", "---\n---\nbody"),
        (
            "---\nprimary: f1\nselected: a\n# we were unsure\nbaseline: b\n---\n",
            "---\nprimary: f1\n# we were unsure\nbaseline: b\n---\n",
        ),
        ("---\nselected: a  # for now\n---\n", "---\nselected:   # for now\n---\n"),
        ("---\nbecause: > # in short\n  x\n  y\nprimary: f1\n---\n", "---\nbecause:  # in short\nprimary: f1\n---\n"),
        ("---\r\nselected: a\r\nbecause:\r\n  b\r\n---\r\n", "---\r\n---\r\n"),
        ("---\n{selected: a, primary: f1}\n---\n", "---\n{selected: , primary: f1}\n---\n"),
        ("no front matter", "no front matter"),
        ("", ""),
    ],
)
def test_taken_out_again(before, after):
    assert edit(before, NOTHING) == after
    assert edit(after, NOTHING) == after


@pytest.mark.parametrize(
    "value",
    [
        "0042", "1.10", "yes", "~", "null", "- x", "# x", "a: b", "a #b", "a, b", "[x]", "{x}", "'", '"', "\\", "*x",
        "&x", "!x", "|", ">", "%", "@x", "`", "---", "x\n---\ny", "line\nline", "tab\there", "É ü 漢字 🙂", "\u2028x",
        "\x85x", "\ufeffx", "\x00", "x" * 5000, "word " * 500, "2026-03-01", "1:30:00", "...", "? x", "x:", " x ", "=",
        "<<", "{{ 7*7 }}", "a\r\nb",
    ],
)  # fmt: skip
def test_any_words_can_be_said(value):
    data = edited(b"---\nprimary: f1 # x\n---\nbody", {"because": value})
    assert b"primary: f1 # x\n" in data
    assert data.endswith(b"\n---\nbody")
    assert edited(data, {"because": value}) == data
    expected = value.strip() if value.strip().lower() not in {"~", "null"} else None
    assert said_in(data) == Decision(primary="f1", because=expected)
    assert edited(data, {"because": None}) == b"---\nprimary: f1 # x\n---\nbody"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("---\nselected: [\n---\n", "is not YAML"),
        ("---\nselected: a\n", "no closing ---"),
        ("---\n- a\n---\n", "is not a mapping"),
        ("---\nselected: [a, b]\n---\n", "selected must be plain text"),
        ("---\nby: &x a\nselected: *x\n---\n", "alias"),
        ("---\nselected: a\nselected: b\n---\n", "selected twice"),
        ("---\n{primary: f1}\n---\n", "cannot be edited for certain"),
        ("---\nprimary: \udcff\n---\n", "is not YAML"),
    ],
)
def test_a_damaged_one_is_refused_and_stays(tmp_path, text, why):
    path = tmp_path / "decision.md"
    path.write_bytes(text.encode(errors="surrogateescape"))
    before = path.read_bytes(), path.stat().st_mtime_ns
    with pytest.raises(Refused) as refused:
        plan_decision(str(path), CHOICE)
    assert why in refused.value.what
    assert refused.value.path == str(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


PLAIN = st.sampled_from(["f1", "exp-001", "0042", "'a: b'", '"q\\n"', "1.10", "two words", "~", ""])
COMMENTS = st.sampled_from(["", "  # why", " #", "\t# tab"])
LISTS = st.sampled_from(
    ["[drift, 'new: data']", "\n- drift\n- age  # years", "{a: 1.50}", "|\n  a\n\n  b", ">-\n  x\n  y"]
)
KEYS = ("primary", "direction", "baseline", "selected", "by", "because", "date", "team")


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A front matter as people leave it, between words of theirs."""
    lines = []
    for key in draw(st.lists(st.sampled_from(KEYS), unique=True)):
        lines.append(f"{key}:{draw(st.sampled_from(['  ', ' ']))}{draw(PLAIN)}{draw(COMMENTS)}")
        lines.extend(draw(st.lists(st.sampled_from(["", "# a comment", "   # another"]), max_size=2)))
    if draw(st.booleans()):
        lines.append(f"retrain_when: {draw(st.sampled_from(['drift', '[drift]', chr(10) + '- drift  # x']))}")
    if draw(st.booleans()):
        lines.append(f"x-team: {draw(LISTS)}")
    front = "".join(f"{line}\n" for line in lines)
    body = draw(st.text(alphabet="ab-: #\n|\u2028é", max_size=40))
    text = f"---\n{front}---\n{body}"
    return draw(st.sampled_from(["", "\ufeff"])) + text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


@given(documents(), st.text(min_size=1, max_size=60), st.sampled_from(["exp-1", "0042", "a+b=c"]))
def test_people_lose_nothing(text, because, name):
    """Whatever they wrote: the body, the comments, the other keys and their spelling are still there."""
    data = text.encode()
    try:
        because.encode()
    except UnicodeEncodeError:
        return
    said = {"selected": name, "because": because, "date": "2026-03-01", "by": "Ana B."}
    new = edited(data, said)
    place, newer = find_front_matter(data), find_front_matter(new)
    assert new[: newer.start] == data[: place.start]
    assert new[newer.stop :] == data[place.stop :]
    kept = [line for line in data[place].splitlines() if line.partition(b":")[0].decode() not in said]
    lines = iter(new[newer].splitlines())
    assert all(line in lines for line in kept), "a line of theirs is gone, or out of order"
    comments = [line.partition(b"#")[2] for line in data[place].splitlines() if b"#" in line]
    assert all(comment in new[newer] for comment in comments)
    decision = said_in(new)
    assert (decision.selected, decision.by, decision.date) == (name, "Ana B.", "2026-03-01")
    assert edited(new, said) == new
    assert edited(edited(new, NOTHING), NOTHING) == edited(new, NOTHING)


def test_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "decision.md"
    plan = plan_decision(str(path), CHOICE)
    assert plan.changes_something
    assert not path.exists()
    assert apply_decision(plan)
    assert path.read_text() == WRITTEN
    assert read_decision(str(path)) == Decision(**CHOICE)
    again = plan_decision(str(path), CHOICE)
    assert not again.changes_something
    assert not apply_decision(again)
    assert [entry.name for entry in tmp_path.iterdir()] == ["decision.md"]


def test_an_editor_that_saves_meanwhile_wins(tmp_path):
    path = tmp_path / "decision.md"
    plan = plan_decision(str(path), CHOICE)
    path.write_text("my words")
    with pytest.raises(Refused, match="changed meanwhile"):
        apply_decision(plan)
    assert path.read_text() == "my words"


def test_a_link_is_refused(tmp_path):
    (tmp_path / "elsewhere").write_text("mine")
    os.symlink("elsewhere", tmp_path / "decision.md")
    with pytest.raises(Refused, match="symbolic link"):
        plan_decision(str(tmp_path / "decision.md"), CHOICE)


def test_nothing_to_take_out_makes_no_file(tmp_path):
    plan = plan_decision(str(tmp_path / "decision.md"), NOTHING)
    assert not apply_decision(plan)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, None),
        ({"status": "failed"}, "failed"),
        ({"status": "killed"}, "was killed"),
        ({"status": "stale"}, "has not finished"),
        ({"status": "running"}, "has not finished"),
        ({"archived": True}, "is archived"),
        ({"kind": "foreign"}, "belongs to another tool"),
        ({"kind": "unreadable"}, "cannot be read"),
    ],
)
def test_only_a_finished_experiment_can_be_selected(fields, why):
    refused = refusal_to_select(experiment("exp-1", **fields))
    assert (refused is None) == (why is None)
    if why:
        assert why in refused.what
