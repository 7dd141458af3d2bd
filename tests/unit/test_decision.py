from __future__ import annotations

import os

import pytest

from specweave_ml.store.decision import SIZE_LIMIT, Decision, read_decision


def decision(tmp_path, text) -> Decision:
    path = tmp_path / "decision.md"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_decision(str(path))


def test_front_matter_is_read_and_the_body_is_not(tmp_path):
    said = decision(
        tmp_path,
        "---\nselected: exp-003-xgboost\nby: Ana\ndate: 2026-03-01\nbecause: >\n  cheaper to run,\n  as good\n"
        "primary: Precision@10\ndirection: maximize\nbaseline: exp-001\nretrain_when: [drift]\n---\nselected: nobody\n",
    )
    assert said == Decision(
        selected="exp-003-xgboost",
        by="Ana",
        date="2026-03-01",
        because="cheaper to run, as good",
        primary="Precision@10",
        direction="maximize",
        baseline="exp-001",
        retrain_when=("drift",),
    )


@pytest.mark.parametrize("name", ["0042", "1.10", "1e3", "yes", "2026-03-01", "0x1f"])
def test_a_name_that_looks_like_a_number_or_a_date_stays_a_name(tmp_path, name):
    assert decision(tmp_path, f"---\nselected: {name}\n---\n").selected == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no front matter",
        "---\n---\n",
        "---\n\n---\n",
        "---\nselected:\nby: ~\nbecause: null\n---\n",
        "---\nother: 1\n---\n",
    ],
)
def test_nothing_said(tmp_path, text):
    assert decision(tmp_path, text) == Decision()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("recall below 0.7", ("recall below 0.7",)),
        ("[recall below 0.7, new products]", ("recall below 0.7", "new products")),
        ("\n- every quarter\n- ~\n-  1.10 ", ("every quarter", "1.10")),
        ("null", ()),
        ("[]", ()),
    ],
)
def test_when_to_retrain_is_one_reason_or_several(tmp_path, text, expected):
    assert decision(tmp_path, f"---\nretrain_when: {text}\n---\n") == Decision(retrain_when=expected)


def test_no_file(tmp_path):
    assert read_decision(str(tmp_path / "decision.md")) == Decision()


@pytest.mark.parametrize(
    "text",
    [
        "---\r\nselected: a\r\n---\r\nx\r\n",
        "---\rselected: a\r---\rx",
        "\ufeff---\nselected: a\n---",
        "--- \nselected: a\n--- \n",
    ],
)
def test_line_ends_and_marks_of_other_editors(tmp_path, text):
    assert decision(tmp_path, text).selected == "a"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("---\nselected: [\n---\n", "is not YAML"),
        ("---\nselected: a\n", "no closing ---"),
        ("---\n- a\n---\n", "is not a mapping"),
        ("---\nselected: [a, b]\nby: {x: 1}\n---\n", "by, selected must be plain text"),
        ("---\nretrain_when: {x: 1}\n---\n", "retrain_when must be plain text or a list of it"),
        ("---\nby: &x a\nselected: *x\n---\n", "alias"),
        ("---\nselected: !!python/object/apply:os.system [id]\n---\n", "must be plain text"),
        (b"---\nselected: \xff\xfe\n---\n", "is not YAML"),
        ("---\nselected: " + "[" * 100 + "]" * 100 + "\n---\n", "nested too deeply"),
        ("---\nbecause: " + "x" * SIZE_LIMIT + "\n---\n", "no closing ---"),
    ],
)
def test_a_damaged_one_is_ignored_and_says_why(tmp_path, text, problem):
    said = decision(tmp_path, text)
    assert problem in said.problem
    assert said == Decision(problem=said.problem)


def test_a_bomb_of_aliases_is_not_expanded(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    assert "alias" in decision(tmp_path, "\n".join(["---", *lines, "---"])).problem


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").write_text("---\nselected: a\n---\n")
    os.symlink("elsewhere", tmp_path / "decision.md")
    assert "cannot be read" in read_decision(str(tmp_path / "decision.md")).problem


def test_a_folder_in_its_place(tmp_path):
    (tmp_path / "decision.md").mkdir()
    assert "cannot be read" in read_decision(str(tmp_path / "decision.md")).problem
