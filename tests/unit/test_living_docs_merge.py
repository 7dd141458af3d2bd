"""Merging by item: what people edited and what the data changed, and when the two cannot both be had."""

from __future__ import annotations

import pytest

from specweave_ml.living_docs.items import join_items, render_the_same, split_items
from specweave_ml.living_docs.merge import Clash, merge_bodies

BASE = """### Experiments Conducted: 2

| Experiment | Accuracy |
|------------|---------:|
| exp-001    | 0.12     |
| <code>exp&#95;2&#124;b</code> ✅ | 0.18 |

- n_estimators: 200
- max_depth: 6
- A rationale without a name

A sentence of ours.

Another one of ours."""


def changed(*replacements: tuple[str, str], of: str = BASE) -> str:
    for old, new in replacements:
        assert of.count(old) == 1, old
        of = of.replace(old, new)
    return of


@pytest.mark.parametrize(
    ("edit", "news"),
    [
        (("0.12 ", "0.12 (old split) "), ("0.18", "0.19")),
        (("0.12 ", "0.12 (old split) "), ("| 0.18 |\n", "| 0.18 |\n| exp-003 | 0.26 |\n")),
        (("| exp-001    | 0.12     |\n", ""), ("Conducted: 2", "Conducted: 3")),
        (("- max_depth: 6", "- max_depth: 6 (enough)"), ("n_estimators: 200", "n_estimators: 300")),
        (("A rationale without a name", "Their rationale"), ("A sentence of ours", "A newer sentence of ours")),
        (("A rationale without a name\n", "A rationale without a name\n- One more\n"), ("\n\nA sentence of ours.", "")),
        (("Another one of ours.", "Their own.\n\nAnd another of theirs."), (" sentence", " new sentence")),
        (("A sentence of ours.", "[a]: http://example.org\n\nA [sentence][a] of ours."), ("200", "300")),
        (("Another one of ours.", "```text\n- max_depth\n```"), ("max_depth: 6", "max_depth: 7")),
    ],
)
def test_both_changes_are_there(edit: tuple[str, str], news: tuple[str, str]) -> None:
    assert merge_bodies(BASE, changed(edit), changed(news)) == changed(edit, news)


def test_a_row_keeps_its_name_under_a_mark_that_comes_and_goes() -> None:
    edited = changed(("| 0.18 |", "| 0.18 by Ann |"))
    generated = changed((" ✅", ""))
    with pytest.raises(Clash, match=r"exp_2\|b"):
        merge_bodies(BASE, edited, generated)


def test_a_column_that_a_person_added() -> None:
    table = "| Experiment | Accuracy |\n|---|---|\n| exp-001 | 0.12 |"
    edited = "| Experiment | Accuracy | Owner |\n|---|---|---|\n| exp-001 | 0.12 | Ann |"
    assert merge_bodies(table, edited, f"{table}\n| exp-002 | 0.18 |") == f"{edited}\n| exp-002 | 0.18 |"


@pytest.mark.parametrize(
    ("edit", "news", "what"),
    [
        (("0.12", "0.13"), ("0.12", "0.14"), "exp-001"),
        (("| exp-001    | 0.12     |\n", ""), ("0.12", "0.14"), "exp-001"),
        (("0.12", "0.13"), ("| exp-001    | 0.12     |\n", ""), "exp-001"),
        (("A sentence", "Their sentence"), ("A sentence", "A newer sentence"), "A sentence of ours."),
        (("max_depth: 6", "max_depth: 7"), ("max_depth: 6", "max_depth: 8"), "max_depth"),
        (("| 0.18 |\n", "| 0.18 |\n| exp-3 | 1 |\n"), ("| 0.18 |\n", "| 0.18 |\n| exp-3 | 2 |\n"), "exp-3"),
        (("Conducted: 2", "Conducted: 2 (and more)"), ("Conducted: 2", "Conducted: 3"), "Experiments Conducted"),
    ],
)
def test_the_same_item_changed_by_both(edit: tuple[str, str], news: tuple[str, str], what: str) -> None:
    with pytest.raises(Clash) as clash:
        merge_bodies(BASE, changed(edit), changed(news))
    assert str(clash.value) == what


def test_a_row_of_a_person_in_a_table_that_goes_fits_nowhere() -> None:
    table = "| Experiment | Accuracy |\n|---|---|\n| exp-001 | 0.12 |"
    with pytest.raises(Clash, match="do not fit together"):
        merge_bodies(table, f"{table}\n| mine | 0.5 |", "No experiment yet.")


def test_the_same_addition_by_both_is_there_once() -> None:
    added = changed(("| 0.18 |\n", "| 0.18 |\n| exp-003 | 0.26 |\n"))
    assert merge_bodies(BASE, added, added) == added


def test_items_hold_the_whole_body() -> None:
    assert join_items(split_items(BASE)) == BASE
    kinds = "heading head row row bullet bullet bullet paragraph paragraph"
    assert [item.kind for item in split_items(BASE)] == kinds.split()
    assert [item.name for item in split_items(BASE)][:6] == [
        "Experiments Conducted",
        None,
        "exp-001",
        "exp_2|b",
        "n_estimators",
        "max_depth",
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("* a\n* b", "- a\n- b"),
        ("1. a\n2. b", "1. a\n1. b"),
        ("_a_ and __b__", "*a* and **b**"),
        ("a&#42;b &#60;", "a\\*b \\<"),
        ("Title\n=====", "# Title"),
        ("***", "---"),
        ("one\ntwo", "one two"),
        ("|a|b|\n|-|-|\n|1|2|", "| a   | b   |\n| --- | --- |\n| 1   | 2   |"),
        ("~~~py\nx\n~~~", "```py\nx\n```"),
        ("    code", "```\ncode\n```"),
        ("a  \nb", "a\\\nb"),
    ],
)
def test_what_a_formatter_may_change(one: str, other: str) -> None:
    assert render_the_same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a", "b"),
        ("a", "*a*"),
        ("- a", "1. a"),
        ("```\na\n```", "```\n a\n```"),
        ("```py\na\n```", "```js\na\n```"),
        ("[a](b)", "[a](c)"),
        ('[a](b "c")', '[a](b "d")'),
        ("| a |\n|---|\n| 1 |", "| a |\n|---|\n| 1 | beyond the last column |"),
        ("| a |\n|---|\n| 1 |", "| a |\n|--:|\n| 1 |"),
        ("> a", "> a\n>\n> [b]: c"),
        ("a", "a\n\n[b]: c"),
        ("a", "a\n\n<!-- b -->"),
        ("a", "a <!-- b -->"),
        ("# a", "## a"),
        ("a\u00a0b", "a b"),
    ],
)
def test_what_only_a_person_changes(one: str, other: str) -> None:
    assert not render_the_same(one, other)
