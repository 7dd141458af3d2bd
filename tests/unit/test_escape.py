"""Hostile text in every place where recorded text is shown; what it renders to is read by a CommonMark parser."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from hostile_texts import HOSTILE
from specweave_ml.escape import Escaped, block, cell, code, comment, inline

PLACES = [cell, inline, code]

# What may be left of HTML in a document: names and line ends, and the empty span that splits a word for those who scan.
HARMLESS_TAGS = {"<code>", "</code>", "<br />", "<span>", "</span>"}
INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\ufe00-\ufe0f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


def parsed(text):
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)


def inline_children(tokens):
    return [child for token in tokens for child in token.children or []]


def what_is_read(children):
    """The text of inline tokens as a person reads it."""
    return "".join(
        "\n" if child.content == "<br />" else child.content
        for child in children
        if child.type in {"text", "text_special"} or child.content == "<br />"
    )


def as_shown(text):
    """The text as it ought to be read: lines apart, tabs as blanks, the invisible spelled out, ends trimmed."""
    lines = re.sub("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]", "\n", text.strip()).replace("\t", " ")
    return INVISIBLE.sub(
        lambda match: f"\\u{ord(match[0]):04x}" if ord(match[0]) < 0x10000 else f"\\U{ord(match[0]):08x}", lines
    )


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("text", HOSTILE)
def test_a_cell_stays_one_cell_and_reads_as_it_was_recorded(place, text):
    tokens = parsed(f"| a | b |\n|---|---|\n| {place(text)} | z |\n\nafter")
    assert [token.type for token in tokens].count("td_open") == 2
    assert [token.type for token in tokens][-3:] == ["paragraph_open", "inline", "paragraph_close"]
    children = inline_children(tokens)
    assert {child.type for child in children} <= {"text", "text_special", "html_inline"}
    assert {child.content for child in children if child.type == "html_inline"} <= HARMLESS_TAGS
    shown = [token for token in tokens if token.type == "inline"][2]
    assert what_is_read(shown.children) == as_shown(text) or place is code


@pytest.mark.parametrize("text", HOSTILE)
def test_a_sentence_and_a_list_item_stay_what_they_are(text):
    for start in ("", "- "):
        tokens = parsed(f"before\n\n{start}{inline(text)}\n\nafter")
        kinds = [token.type for token in tokens if not token.type.startswith(("list", "bullet"))]
        assert kinds == ["paragraph_open", "inline", "paragraph_close"] * 3
        shown = [token for token in tokens if token.type == "inline"][1]
        assert what_is_read(shown.children) == as_shown(text)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_is_left_for_those_who_scan_the_rendered_text(place, text):
    """GitHub looks for mentions, issues and addresses in the text between tags, after rendering."""
    between_tags = [html.unescape(piece) for piece in re.split("<[^>]*>", place(text))]
    for piece in between_tags:
        assert not re.search(r"(?:^|\W)@\w|(?:^|\W)#\d|\w#\d|GH-\d|://|www\.|[^\s@]@\w+\.\w|:\w+:", piece), piece
        assert not INVISIBLE.search(piece)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_block_holds_every_line_verbatim(text):
    tokens = parsed(f"{block(text)}\n\nafter")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert not INVISIBLE.search(tokens[0].content)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_comment_stays_closed_by_its_own_end(text):
    shown = comment(text)
    assert not re.search("--|[<>\n\r]", f"{shown} ")
    assert parsed(f"<!-- {shown} -->\n\nafter")[0].type == "html_block"
    assert not INVISIBLE.search(shown)


@given(st.text(max_size=60))
def test_any_text(text):
    test_a_cell_stays_one_cell_and_reads_as_it_was_recorded(code, text)
    test_a_block_holds_every_line_verbatim(text)
    test_a_comment_stays_closed_by_its_own_end(text)


@pytest.mark.parametrize(
    "text",
    [
        "exp-001-baseline",
        "max_depth",
        "0.87",
        "+34%",
        "-0.5",
        "Precision@10",
        "don't do it",
        "Error: none",
        "2s",
        "–",
        "1.2.3",
    ],
)
def test_harmless_text_is_left_alone(text):
    assert cell(text) == text
    assert inline(text) == text


@pytest.mark.parametrize("name", ["exp-001-baseline", "xgboost-tuned-depth6-lr0.1", "a_b", "a", "7", "k=v+w"])
def test_plain_names_stand_plain(name):
    assert code(name) == name


@pytest.mark.parametrize(
    "name", ["", "_a", "a_", "a b", "@a", "www.a.b", "GH-12", "a:b", "-a", "a.", "ä", "a\n", "a" * 121]
)
def test_other_names_stand_in_code(name):
    assert code(name).startswith("<code>")
    assert code(name).endswith("</code>")


@pytest.mark.parametrize(("place", "limit"), [(cell, 80), (inline, 300), (block, 4000), (comment, 80)])
def test_lengths_are_capped(place, limit):
    assert "x" * (limit - 1) + "…" in place("x" * 10_000)
    assert "x" * limit + "x" not in place("x" * 10_000)


def test_a_cut_never_splits_an_entity():
    assert cell("<" * 100) == "&#60;" * 79 + "…"


def test_what_comes_out_says_that_it_is_escaped():
    assert {type(place("x")) for place in (cell, inline, code, block, comment)} == {Escaped}
