from __future__ import annotations

import pytest
from jinja2 import DictLoader, UndefinedError

from records import experiment
from specweave_ml import render as module
from specweave_ml.analysis.table import Table
from specweave_ml.render import listed, markdown_table, ordinal, render
from specweave_ml.reports import Comparison, experiment_html, experiment_report

TEMPLATE_CODE = [
    "{{ 7 * 7 }}",
    "{% for x in range(9) %}x{% endfor %}",
    "{# gone #}",
    "{{ self }}",
    "{% include 'comparison.md.j2' %}",
]


@pytest.fixture
def templates(monkeypatch):
    """Templates of the test's own, in an environment like the real one."""
    module._environment.cache_clear()
    environment = module._environment()

    def use(**texts):
        environment.loader = DictLoader({f"{name.replace('__', '.')}.j2": text for name, text in texts.items()})

    yield use
    module._environment.cache_clear()


def test_a_text_that_no_escape_made_safe_is_refused(templates):
    templates(raw__md="{{ name }}", safe__md="{{ name | code }} {{ number }}")
    with pytest.raises(TypeError, match="no escape made safe"):
        render("raw.md", name="x")
    assert render("safe.md", name="<b>", number=3) == "<code>&#60;b&#62;</code> 3"


def test_html_escapes_by_itself(templates):
    templates(page__html="{{ name }}")
    assert render("page.html", name="<b>") == "&lt;b&gt;"


def test_a_missing_value_is_an_error_not_a_gap(templates):
    templates(page__md="{{ nmae | code }}")
    with pytest.raises((UndefinedError, TypeError)):
        render("page.md", name="x")


@pytest.mark.parametrize("text", TEMPLATE_CODE)
def test_recorded_text_is_never_a_template(text):
    recorded = experiment(
        "exp-1",
        {text: 0.5, "accuracy": 0.1},
        params={text: text},
        notes=[text],
        tags=[text],
        description=text,
        artifacts={text: {"bytes": 3}},
    )
    failed = experiment("exp-2", status="failed", error={"type": text, "message": text}, notes=[text], params={text: 1})
    comparison = Comparison.of([recorded, failed, experiment(text, kind="foreign", status="unknown")], "0042-x")
    documents = [
        comparison.to_markdown(),
        comparison._repr_html_(),
        experiment_report(recorded),
        experiment_report(failed),
        experiment_html(recorded),
    ]
    for document in documents:
        assert "49" not in document.partition("\n")[2]
        assert "xxxxxxxxx" not in document
    assert text in experiment_report(recorded)  # verbatim, in the block of notes


def test_a_markdown_table_stands_straight_in_the_source():
    assert markdown_table(Table(("a", "long title"), (("x|y", "1"), ("z", "–")))).splitlines() == [
        "| a        | long title |",
        "|----------|------------|",
        "| x&#124;y | 1          |",
        "| z        | –          |",
    ]


def test_lists_of_names():
    assert listed(["a", "b c"]) == "a, <code>b c</code>"
    assert listed([f"n{number}" for number in range(22)]).endswith("n18, n19 and 2 more")


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (21, "21st"), (112, "112th")],
)
def test_ordinals(number, text):
    assert ordinal(number) == text
