"""What holds for every document: people's bytes stay, people's edits stay, and a second sync changes nothing."""

from __future__ import annotations

import re
from functools import partial

from hypothesis import example, given, settings
from hypothesis import strategies as some

from markdown_lines import ALL, BLOCKS, ENDINGS, WORDS, document
from specweave_ml import escape
from specweave_ml.errors import Refused
from specweave_ml.living_docs import Document, Region
from specweave_ml.living_docs.document import Renewed, renew_document
from specweave_ml.living_docs.regions import read_regions
from specweave_ml.living_docs.settled import find_settled
from specweave_ml.living_docs.text import read_text

MARKERS = re.compile(rb"<!-- specweave:begin v1 (inc-\d+) sha256=\w{16} -->.*?<!-- specweave:end v1 \1 -->", re.DOTALL)
ROWS = "".join(f"| exp-00{number}-model | 0.{number}5 |\n" for number in range(1, 6))
ITEMS = "".join(f"- exp-00{number}-model: tried (acc=0.{number}5)\n" for number in range(1, 6))
OLD = f"### Experiments Conducted: 5\n\n| Experiment | acc |\n|---|---|\n{ROWS}\n### Notes\n\n{ITEMS}\nA sentence.\n"
NEW = OLD.replace("Conducted: 5", "Conducted: 6").replace("0.35", "0.36") + "\nMore of it.\n"
WANTED = Document("ml-models.md", (Region("inc-0042", OLD, "## Recommender (Increment 0042)"),))
WITH_NEWS = Document("ml-models.md", (Region("inc-0042", NEW, "## Recommender (Increment 0042)"),))

lines = partial(some.lists, max_size=12)
documents = some.builds(
    document, lines(some.sampled_from(ALL)), some.sampled_from(ENDINGS), bom=some.booleans(), ended=some.booleans()
)


def renewed(data: bytes, wanted: Document, bases: dict[str, str]) -> Renewed:
    """What a sync makes of it; a refusal leaves it alone. `bases` is brought up to date."""
    try:
        result = renew_document(data, wanted, bases)
    except Refused:
        return Renewed(None, ())
    bases |= {region: body for region, body in result.bases.items() if body is not None}
    return result


def outside(data: bytes) -> bytes:
    return MARKERS.sub(b"", data)


@given(documents)
@settings(max_examples=200)
def test_a_new_region_is_one_insertion(data: bytes) -> None:
    bases: dict[str, str] = {}
    new = renewed(data, WANTED, bases).data
    if new is None:
        return
    added = len(new) - len(data)
    assert any(new[:place] + new[place + added :] == data for place in range(len(data) + 1))
    assert MARKERS.search(new)
    assert renewed(new, WANTED, bases).data is None
    newer = renewed(new, WITH_NEWS, bases).data
    assert newer is not None
    assert outside(newer) == outside(new)


@given(documents, documents)
@settings(max_examples=150)
def test_edits_outside_a_region_stay(above: bytes, below: bytes) -> None:
    bases: dict[str, str] = {}
    standing = renewed(b"# ML Models\n", WANTED, bases).data
    assert standing is not None
    region = MARKERS.search(standing)
    assert region is not None
    data = b"%b\n\n%b\n\n%b" % (above, region[0], below)
    new = renewed(data, WITH_NEWS, bases).data
    if new is not None:
        assert outside(new) == outside(data)
        assert renewed(new, WITH_NEWS, bases).data is None


@given(some.lists(some.tuples(some.integers(1, 26), some.sampled_from(WORDS + BLOCKS), some.booleans()), max_size=4))
@settings(max_examples=200)
@example([(9, "", True)])
def test_edits_inside_a_region_stay(edits: list[tuple[int, str, bool]]) -> None:
    bases: dict[str, str] = {}
    standing = renewed(b"# ML Models\n", WANTED, bases).data
    assert standing is not None
    text = standing.decode().split("\n")
    written = []
    for number, (place, words, replaces) in enumerate(edits):
        at = 5 + place % (len(text) - 8)
        word = f"edit{number}by{number}person"
        text[at : at + replaces] = (f"{words} {word}" if words else word).split("\n")
        written.append(word)
    data = "\n".join(text).encode()
    kept = {word for word in written if word in data.decode()}
    for wanted in (WITH_NEWS, WANTED, WITH_NEWS):
        data = renewed(data, wanted, bases).data or data
        assert {word for word in written if word in data.decode()} == kept
        assert renewed(data, wanted, bases).data is None
        assert data.count(b"specweave:begin") == 1


@given(some.lists(some.text(max_size=30), min_size=1, max_size=4), lines(some.sampled_from(WORDS + BLOCKS)))
@settings(max_examples=150)
def test_escaped_texts_are_always_written(texts: list[str], people: list[str]) -> None:
    rows = "".join(f"| {escape.code(text)} | {escape.cell(text)} |\n" for text in texts)
    items = "".join(f"- {escape.inline(text)}\n" for text in texts)
    body = f"| a | b |\n|---|---|\n{rows}\n{items}\n{escape.block(chr(10).join(texts))}\n"
    data = document(people, "\n")
    new = renew_document(data, Document("x.md", (Region("inc-0042", body, "## Hostile"),)), {}).data
    assert new is not None
    assert new.startswith(data)


@given(documents, documents)
@settings(max_examples=250)
def test_what_seems_settled_is_live(above: bytes, below: bytes) -> None:
    bases: dict[str, str] = {}
    standing = renewed(b"# ML Models\n", WANTED, bases).data
    assert standing is not None
    region = MARKERS.search(standing)
    assert region is not None
    data = b"%b\n%b\n%b" % (above.removeprefix(b"\xef\xbb\xbf"), region[0], below.removeprefix(b"\xef\xbb\xbf"))
    if find_settled(data.decode(), WANTED, bases, prune=False) is not None:
        assert [live.id for live in read_regions(read_text(data).lines).regions] == ["inc-0042"]
