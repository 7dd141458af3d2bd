"""Which marker lines are live, which are text, and which make a document better left alone."""

from __future__ import annotations

import pytest

from specweave_ml.errors import Refused
from specweave_ml.living_docs.markers import begin_marker, end_marker, fingerprint, read_marker
from specweave_ml.living_docs.regions import read_regions
from specweave_ml.living_docs.text import Text, normal_body, read_text, split_lines

BEGIN = "<!-- specweave:begin v1 inc-0042 sha256=0123456789abcdef -->"
END = "<!-- specweave:end v1 inc-0042 -->"
REGION = f"{BEGIN}\n\nwords\n\n{END}\n"


def regions(text: str) -> list[str]:
    return [live.id for live in read_regions(split_lines(text)).regions]


def test_the_format_of_markers() -> None:
    assert begin_marker("inc-0042", "0123456789abcdef", "html") == BEGIN
    assert end_marker("inc-0042", "html") == END
    assert begin_marker("inc-0042", "0123456789abcdef", "mdx") == f"{{/* {BEGIN[5:-4]} */}}"
    assert end_marker("inc-0042", "mdx") == f"{{/* {END[5:-4]} */}}"
    assert fingerprint("words") == "dba36bffa5cab0f9"
    assert fingerprint("\r\nwords\r\n\r\n") == fingerprint("words")
    assert fingerprint("a\nb") == fingerprint("a\rb") != fingerprint("a b")


@pytest.mark.parametrize(
    "line",
    [
        BEGIN.upper(),
        BEGIN.replace("v1", "v2"),
        BEGIN.replace("cdef", "cde"),
        BEGIN.replace("cdef", "CDEF"),
        BEGIN.replace("inc-0042", "inc--0042"),
        f" {BEGIN}",
        f"{BEGIN} and more",
        END.replace(" -->", "-->"),
        END.replace("<!-- ", "{/* "),
    ],
)
def test_no_marker(line: str) -> None:
    assert read_marker(line) is None


@pytest.mark.parametrize(
    "text",
    [
        REGION,
        f"\n\n{REGION}",
        f"a paragraph\n{REGION}another",
        f"- a list\n  - of lists\n{REGION}",
        f"> a quote\n{REGION}",
        f"- ```\n  a fence in a list\n{REGION}",
        f"> <div>\n{REGION}",
        f"| a |\n|---|\n| 1 |\n{REGION}",
        f"---\nkey: value\n---\n{REGION}",
        f"---\nno front matter\n\n{REGION}",
        f"```\nclosed\n```\n{REGION}",
        f"~~~~\n```\n~~~\n~~~~\n{REGION}",
        f"``` not ` a fence\n{REGION}",
        f"<div>\n\n{REGION}\n</div>",
        f"<!-- a comment -->\n{REGION}",
        f"[a]: b\n{REGION}",
        REGION.replace("-->", "--> \t"),
        REGION.replace("\n", "\r\n"),
        REGION.replace("\n", "\r"),
        REGION.replace("<!--", "{/*").replace("-->", "*/}"),
        f"`{{/*` opens a comment\n\n{REGION}".replace("<!--", "{/*").replace("-->", "*/}"),
        f"```js\n{{/*\n```\n\n{REGION}".replace("<!--", "{/*").replace("-->", "*/}"),
        f"{{/* a\n\ncomment */}}\n\n{REGION}".replace("<!--", "{/*").replace("-->", "*/}"),
    ],
)
def test_a_live_region(text: str) -> None:
    assert regions(text) == ["inc-0042"]


@pytest.mark.parametrize(
    "text",
    [
        f"```\n{REGION}```\n",
        "".join(f"    {line}\n" for line in REGION.split("\n")),
        "".join(f"> {line}\n" for line in REGION.split("\n")),
        "".join(f"- {line}\n" for line in REGION.split("\n") if line),
        f"see `{BEGIN}` and `{END}`\n",
        f"| {BEGIN} | {END} |\n|---|---|\n",
        f" {BEGIN}\n {END}\n",
        "<!-- specweave:comparison v1 sha256=0123456789abcdef -->\n",
    ],
)
def test_markers_that_are_text(text: str) -> None:
    assert regions(text) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (BEGIN, "line 1 begins inc-0042, which never ends"),
        (f"\n{END}", "line 2 ends inc-0042, which was not begun"),
        (REGION + REGION, "line 6 begins inc-0042 a second time (first in line 1)"),
        (f"{BEGIN}\n{REGION}", "line 2 begins inc-0042 inside inc-0042"),
        (f"{BEGIN}\n{END.replace('42', '43')}", "line 2 ends inc-0043, which was not begun"),
        (f"{BEGIN}\n\n{END}".replace(END, f"{{/* {END[5:-4]} */}}"), "ends inc-0042, which was not begun"),
        (f"```\n{REGION}", "line 2 is a marker, but an open fence"),
        (f"~~~\n{REGION}```\n", "line 2 is a marker, but an open fence"),
        (f"<!--\n{REGION}", "line 2 is a marker, but"),
        (f"<script>\n{REGION}</script>", "line 2 is a marker, but"),
        (f"<pre>\n{REGION}</pre>", "line 2 is a marker, but"),
        (f"<div>\n{REGION}</div>", "line 2 is a marker, but"),
        (f"---\n{REGION}---\n", "line 2 is a marker, but"),
        (f"{{/*\n\n{REGION}".replace("<!--", "{/*").replace("-->", "*/}"), "line 3 is a marker, but"),
        (f"words\n{REGION}".replace("<!--", "{/*").replace("-->", "*/}"), "line 2 is a marker, but"),
        (REGION.replace("specweave:begin", "SpecWeave:Begin"), "line 1 looks like a marker and is none"),
        (REGION.replace("specweave:end v1", "specweave:end v9"), "line 5 looks like a marker and is none"),
        ("- " * 60 + f"x\n\n{REGION}", "line 3 is a marker, but"),
    ],
)
def test_a_document_that_is_left_alone(text: str, why: str) -> None:
    with pytest.raises(Refused) as refused:
        regions(text)
    assert refused.value.what.startswith(why) or why in refused.value.what
    assert refused.value.next_step


def test_lines_and_bytes() -> None:
    assert read_text(b"\xef\xbb\xbfa\r\nb\rc\nd") == Text(("a\r\n", "b\r", "c\n", "d"), "\ufeff")
    assert split_lines("a\x0bb\x0cc\x85d\u2028e\n") == ["a\x0bb\x0cc\x85d\u2028e\n"]
    with pytest.raises(Refused, match="line 2 is not UTF-8"):
        read_text(b"a\nb\xff\n")


@pytest.mark.parametrize(
    ("text", "newline"),
    [
        ("", "\n"),
        ("a", "\n"),
        ("a\r\nb\r\nc\n", "\r\n"),
        ("a\nb\nc\r\n", "\n"),
        ("a\rb\r", "\r"),
        ("a\rb\nc\n", "\r\n"),
    ],
)
def test_the_ending_of_generated_lines(text: str, newline: str) -> None:
    assert read_text(text.encode()).newline == newline


def test_the_normal_form_of_a_body() -> None:
    assert normal_body("\r\n \t\r\n  a\r\n\r\nb  \r\n\r\n") == "  a\n\nb  "
    assert normal_body(" \n\t\n") == ""
