"""tests/golden/comparison/: what was recorded (NAME.yaml) and the document it makes (NAME.md).

After a wanted change, `UPDATE_GOLDEN=1 pytest tests/unit/test_comparison_documents.py` writes the documents anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from records import INCREMENT, cross_validated, experiment
from specweave_ml.reports import Comparison
from specweave_ml.store.decision import Decision

FOLDER = Path(__file__).parents[1] / "golden" / "comparison"
CASES = sorted(path.stem for path in FOLDER.glob("*.yaml"))

PLAIN = {"text", "text_special", "softbreak", "strong_open", "strong_close", "code_inline", "html_inline", "image"}
HARMLESS_TAGS = {"<code>", "</code>", "<br />", "<span>", "</span>"}

SEED_TABLE = """\
| Experiment         | Accuracy | Precision | Recall | F1   | Training Time |
|--------------------|----------|-----------|--------|------|---------------|
| exp-001-baseline   | 0.65     | 0.60      | 0.55   | 0.57 | 2s            |
| exp-002-xgboost    | 0.87     | 0.85      | 0.83   | 0.84 | 45s           |
| exp-003-lightgbm   | 0.86     | 0.84      | 0.82   | 0.83 | 32s           |
| exp-004-neural-net | 0.85     | 0.83      | 0.81   | 0.82 | 320s          |

**Best Model**: exp-002-xgboost
- Highest accuracy (0.87)
"""


def comparison_of(case: str, reorder=list) -> Comparison:
    given_ = yaml.safe_load((FOLDER / f"{case}.yaml").read_text(encoding="utf-8"))
    experiments = [
        cross_validated(**described) if "scores" in described else experiment(**described)
        for described in given_["experiments"]
    ]
    decision = Decision(**{key: str(text) for key, text in given_.get("decision", {}).items()})
    comparison = Comparison.of(
        reorder(experiments), given_.get("increment", INCREMENT), decision, spec=given_.get("spec", "")
    )
    return comparison.with_outcomes(given_.get("outcomes", {}))


@pytest.mark.parametrize("case", CASES)
def test_golden(case):
    text = comparison_of(case).to_markdown()
    expected = FOLDER / f"{case}.md"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")


def test_the_table_of_the_skill_page_stands_word_for_word():
    assert SEED_TABLE in comparison_of("seed").to_markdown()


@pytest.mark.parametrize("case", CASES)
def test_first_line_is_one_closed_comment(case):
    first, _, rest = comparison_of(case).to_markdown().partition("\n")
    assert first.startswith("<!-- specweave:comparison v1 sha256=")
    words = first.removeprefix("<!--").removesuffix("-->")
    assert "--" not in words
    assert ">" not in words
    assert rest.startswith("\n# Experiment Comparison: ")


@pytest.mark.parametrize("case", CASES)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_folders_changes_nothing(case, random):
    def shuffled(experiments):
        random.shuffle(experiments)
        return experiments

    assert comparison_of(case, shuffled).to_markdown() == comparison_of(case).to_markdown()


@pytest.mark.parametrize("case", CASES)
def test_renders_as_the_structure_it_is(case):
    """Every table is one, no recorded text became a link, emphasis or HTML, and the only images are ours."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(comparison_of(case).to_markdown())
    assert [token.type for token in tokens[:2]] == ["html_block", "heading_open"]
    assert sum(token.type == "html_block" for token in tokens) == 1
    inline = [child for token in tokens for child in token.children or []]
    assert {token.type for token in inline} <= PLAIN
    assert {token.content for token in inline if token.type == "html_inline"} <= HARMLESS_TAGS
    images = [token.attrs["src"] for token in inline if token.type == "image"]
    assert images == [f"_pictures/{name}" for name in comparison_of(case).pictures]
    tables = sum(token.type == "table_open" for token in tokens)
    rules = [line for line in comparison_of(case).to_markdown().splitlines() if line.startswith("|--")]
    assert tables == len(rules)
