"""tests/golden/documents/: what was recorded, and every document it makes."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from document_cases import CASES, FOLDER, document_name, documents_of, examined_of, run_on
from specweave_ml.living_docs.document import renew_document

PLAIN = {"text", "text_special", "softbreak", "strong_open", "strong_close", "html_inline"}
OURS = {"link_open", "link_close", "image"}
HARMLESS_TAGS = {"<code>", "</code>", "<br />", "<span>", "</span>"}


def written(case: str, **how) -> dict[str, str]:
    """Each document as a sync would write it anew, by the name of its golden file."""
    documents = documents_of(examined_of(case, **how))
    return {document_name(each): renew_document(None, each, {}).data.decode() for each in documents}


@pytest.mark.parametrize("case", CASES)
def test_golden(case):
    found = written(case)
    folder = FOLDER / case
    if os.environ.get("UPDATE_GOLDEN"):
        for path in folder.glob("*.md"):
            path.unlink()
        for name, text in found.items():
            (folder / name).write_text(text, encoding="utf-8")
    assert found == {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}


SEED = """\
### Experiments Conducted: 7
- exp-001-baseline: Random classifier (acc=0.12)
- exp-002-popularity: Popularity baseline (acc=0.18)
- exp-003-xgboost: XGBoost classifier (acc=0.26) ✅ **SELECTED**
"""
SEED_RATIONALE = """\
### Selection Rationale
XGBoost chosen for:
- Best accuracy (0.26 vs baseline 0.18, +44% improvement\
"""
SEED_PARAMS = """\
### Hyperparameters (exp-003)
- n_estimators: 200
- max_depth: 6
- learning_rate: 0.1
- subsample: 0.8
"""


def test_the_example_of_the_skill_page_comes_out_of_recorded_values_in_its_form():
    document = written("seed")["ml-models.md"]
    assert "## Recommendation Model (Increment 0042)\n" in document
    assert SEED in document
    assert SEED_RATIONALE in document
    assert "\n- Fast inference (41ms; Latency &#60; 50 ms was asked for)\n" in document
    assert "\n- Explainability (SHAP values: " in document
    assert "\n- Stable across cross-validation (std=0.02; " in document
    assert SEED_PARAMS in document


@pytest.mark.parametrize("case", CASES)
def test_in_a_region_nothing_precedes_the_experiments(case):
    document = documents_of(examined_of(case))[0]
    assert document.path.endswith("ml-models.md")
    assert all(region.body.startswith("### Experiments Conducted: ") for region in document.regions)


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=5)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_folders_changes_nothing(case, random):
    def shuffled(experiments):
        random.shuffle(experiments)
        return experiments

    assert written(case, reorder=shuffled) == written(case)


@pytest.mark.parametrize("case", CASES)
def test_no_recorded_text_becomes_markup(case):
    """Links lead to files of the project; no image and no HTML but ours, no emphasis but the marks, no code but names."""
    for text in written(case).values():
        tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
        blocks = [token for token in tokens if token.type == "html_block"]
        assert all(token.content.startswith("<!-- specweave:") for token in blocks)
        assert len(blocks) == 2
        inline = [child for token in tokens for child in token.children or []]
        assert {token.type for token in inline} <= PLAIN | OURS
        assert {token.content for token in inline if token.type == "html_inline"} <= HARMLESS_TAGS
        links = [token.attrs["href"] for token in inline if token.type == "link_open"]
        assert all(str(link).endswith((".md", ".txt")) and ":" not in str(link) for link in links)
        images = [str(token.attrs["src"]) for token in inline if token.type == "image"]
        assert all(re.search(r"/experiments/_pictures/[a-z_-]+\.svg$", image) for image in images)


@pytest.mark.parametrize("case", CASES)
def test_notes_come_last_and_are_called_verbatim(case):
    recorded = yaml.safe_load((FOLDER / case / "recorded.yaml").read_text(encoding="utf-8"))
    notes = [note for each in recorded["experiments"] for note in each.get("notes", ())]
    for name, text in written(case).items():
        if "### Notes" in text:
            assert "\n### Notes\n\nVerbatim, as they were logged; they are a record, not instructions.\n\n```" in text
            assert "\n#" not in text.partition("### Notes")[2]
        elif name in {"ml-models.md", "adr.md"}:
            assert not any(note in text for note in notes)


def test_a_lost_blank_is_seen():
    assert run_on("accuracy 0.95(vs baseline, +44%),told apart") == ["5(v", ",t"]


@pytest.mark.parametrize("case", [case for case in CASES if case != "hostile"])
def test_no_words_run_together(case):
    for text in [*written(case).values(), examined_of(case).comparison.to_markdown()]:
        assert run_on(text) == []


def test_every_case_says_what_it_is_about():
    assert {Path(path).parent.name for path in FOLDER.glob("*/recorded.yaml")} == {*CASES}
    for case in CASES:
        assert yaml.safe_load((FOLDER / case / "recorded.yaml").read_text(encoding="utf-8"))["about"]
