"""tests/golden/importance/: the documents and pictures of searches whose shares need no forest, and what holds of all.

After a wanted change, `UPDATE_GOLDEN=1 pytest tests/unit/test_search_report.py` writes them anew. Then look at them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from hostile_names import HOSTILE_NAMES
from importance_cases import CASES, drawn, search, trial
from records import INCREMENT, InMemory, experiment
from specweave_ml.documents.facts import gather
from specweave_ml.record import Experiment
from specweave_ml.reports import Comparison, experiment_report
from specweave_ml.search_report import Finding, kept_finding, search_report
from specweave_ml.store.decision import Decision

FOLDER = Path(__file__).parents[1] / "golden" / "importance"
SVG = "{http://www.w3.org/2000/svg}"
FOUR = ("learning_rate", "max_depth", "subsample", "gamma")
WITHOUT_PICTURE = {"nothing-varied"}
WITHOUT_BARS = {"noise-alone", "one-value-each", "one-missing", "one-varied", "always-the-same"}


@pytest.fixture(scope="module")
def reports():
    return {case: search_report(make()) for case, make in CASES.items()}


def texts(svg):
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own text, and a parser that fails is what is tested
    return [node.text or "" for node in root.iter(SVG + "text")]


def assert_sound(svg):
    """A well-formed picture of our own elements alone, all of it on its card."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - as above
    assert svg.startswith("<!-- specweave:picture v1 -->\n<svg ")
    assert {node.tag for node in root.iter()} <= {SVG + tag for tag in "svg title desc style rect text path g".split()}
    assert [node.tag for node in root[:2]] == [SVG + "title", SVG + "desc"]
    assert root[0].text
    assert root[1].text
    height = float(root.get("height"))
    for node in root.iter(SVG + "text"):
        assert 0 <= float(node.get("x")) <= 720
        assert 0 <= float(node.get("y")) <= height
        assert len(node.text or "") <= 110
    drawn_at = re.findall(r"M(-?[\d.]+)[ -](-?[\d.]+)", " ".join(node.get("d", "") for node in root.iter(SVG + "path")))
    assert all(0 <= float(x) <= 720 and 0 <= float(y) <= height for x, y in drawn_at)


@pytest.mark.parametrize("case", CASES)
def test_golden(case, reports):
    files = {"md": reports[case].markdown, "svg": reports[case].svg}
    for suffix, text in files.items():
        expected = FOLDER / f"{case}.{suffix}"
        if os.environ.get("UPDATE_GOLDEN") and text is not None:
            expected.parent.mkdir(exist_ok=True)
            expected.write_text(text, encoding="utf-8")
        assert text == (expected.read_text(encoding="utf-8") if expected.exists() else None)


def test_no_golden_file_without_a_case():
    known = {f"{case}.{suffix}" for case in CASES for suffix in ("md", "svg")}
    assert {path.name for path in FOLDER.iterdir()} == known - {f"{case}.svg" for case in WITHOUT_PICTURE}


@pytest.mark.parametrize("case", CASES)
def test_pictures_are_sound_and_show_bars_only_of_what_is_more_than_noise(case, reports):
    svg = reports[case].svg
    if case in WITHOUT_PICTURE:
        assert svg is None
        return
    assert_sound(svg)
    assert len(svg.encode()) < 13_000
    assert ("share of the variance" in texts(svg)) == (case not in WITHOUT_BARS)
    assert reports[case].finding.startswith(("Most important", "No ranking", "Nothing to explain"))


@pytest.mark.parametrize("case", CASES)
def test_the_document_renders_as_the_structure_it_is(case, reports):
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(reports[case].markdown)
    kinds = [token.type for token in tokens]
    assert kinds[0] == "heading_open"
    assert "html_block" not in kinds
    inline = [child for token in tokens for child in token.children or []]
    assert {each.type for each in inline} <= {"text", "text_special", "html_inline", "image", "softbreak"}
    assert {each.content for each in inline if each.type == "html_inline"} <= {
        *("<code>", "</code>", "<br />", "<span>", "</span>"),
    }
    assert [each.attrs["src"] for each in inline if each.type == "image"] == (
        [] if case in WITHOUT_PICTURE else ["importance.svg"]
    )


def test_the_same_bytes_from_run_to_run_whatever_the_locale():
    script = (
        "import hashlib; from importance_cases import *; from specweave_ml.search_report import search_report\n"
        "made = [search_report(make()) for make in CASES.values()]\n"
        "made.append(search_report(search('random', drawn(60, lambda a, b, c: a + 0.3 * b, 'abc'))))\n"
        "print(hashlib.sha256(repr([(each.markdown, each.svg) for each in made]).encode()).hexdigest())"
    )
    digests = set()
    for seed, zone, language in (("0", "UTC", "C"), ("1", "Asia/Tokyo", "de_DE.UTF-8")):
        told = {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language, "PYTHONPATH": str(Path(__file__).parents[1])}
        run = subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, **told}, capture_output=True, text=True, check=True
        )
        digests.add(run.stdout)
    assert len(digests) == 1
    assert len(digests.pop().strip()) == len(hashlib.sha256().hexdigest())


def test_a_random_search_says_how_it_was_found():
    rows = [*drawn(90, lambda rate, depth, *_: rate + 0.4 * depth, FOUR), trial({}, status="pruned")]
    made = search_report(search("random", rows), sampler="RandomSampler", log_params={"gamma": True})
    assert made.finding.startswith("Most important for accuracy: learning_rate (0.")
    for said in (
        "fANOVA (Hutter, Hoos and Leyton-Brown 2014) of 64 trees of scikit-learn",
        "R² 0.",
        "90 finished trials with a number; left out: 1 pruned; sampler: RandomSampler.",
        "On a log scale, as they were drawn: gamma.",
    ):
        assert said in made.markdown
    assert_sound(made.svg)
    assert made.markdown.count("\n| learning_rate ") == 1 + 5


def test_a_sampler_that_seeks_is_said_to():
    rows = drawn(20, lambda *point: sum(point), FOUR)
    assert "TPESampler goes where trials went well" in search_report(search("x", rows), sampler="TPESampler").markdown
    for sampler in ("", "grid", "random", "GridSampler", "QMCSampler"):
        assert "went well" not in search_report(search("x", rows), sampler=sampler).markdown


def test_params_that_are_not_drawn_are_counted():
    rows = [
        trial({f"p{place}": (number * 2654435761 >> place) & 1 for place in range(11)}, number % 7)
        for number in range(40)
    ]
    made = search_report(search("wide", rows))
    assert_sound(made.svg)
    assert any("3 more params" in text for text in texts(made.svg))


def test_the_metric_is_the_one_that_most_trials_have():
    rows = [
        {**trial({"a": a}), "scores": {"fit": 1.0, "zeta": a, "accuracy": a, **({"auc": 1.0} if a else {})}}
        for a in range(3)
    ]
    assert search_report(search("x", rows)).found.metric == "accuracy"
    assert search_report(search("x", rows), "zeta").found.metric == "zeta"
    assert search_report(search("x", [])) is None
    assert search_report(search("x", [trial({"a": 1}, status="failed")])) is None


def test_hostile_names_are_text_and_nothing_else():
    names = [name for name in HOSTILE_NAMES if name.strip()]
    for at in range(0, len(names), 40):
        params = names[at : at + 4]
        rows = [
            trial(dict.fromkeys(params, names[at + place]), 0.01 * place, metric=names[at + 4])
            for place in range(min(36, len(names) - at))
        ]
        made = search_report(search(names[at], rows))
        assert_sound(made.svg)
        assert "html_block" not in {token.type for token in MarkdownIt("commonmark").parse(made.markdown)}
        assert json.loads(json.dumps(made.artifacts["importance.json"]))["finding"] == made.finding


# What is kept of it, and where it shows.


def kept_in(folder, text, **said):
    (folder / "importance.json").write_text(text)
    metadata = {"artifacts": {"importance.json": {"bytes": len(text)}}, "trials": 81, **said}
    return Experiment(
        "search", INCREMENT, InMemory("finished", {"a": 1}, {"accuracy": 0.9}, metadata), path=str(folder)
    )


def test_what_is_kept_is_read_again(tmp_path, reports):
    text = json.dumps(reports["eighty-one"].artifacts["importance.json"])
    assert kept_finding(kept_in(tmp_path, text)) == Finding(reports["eighty-one"].finding, ranks=True)
    text = json.dumps(reports["noise-alone"].artifacts["importance.json"])
    assert kept_finding(kept_in(tmp_path, text)) == Finding(reports["noise-alone"].finding, ranks=False)
    assert kept_finding(experiment("no-search")) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"finding": 3}', "[" * 200_000, '{"finding"', "NaN"])
def test_what_cannot_be_read_is_not_there(tmp_path, text):
    assert kept_finding(kept_in(tmp_path, text)) is None


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere.json").write_text('{"finding": "x"}')
    found = kept_in(tmp_path, "{}")
    (tmp_path / "importance.json").unlink()
    (tmp_path / "importance.json").symlink_to("elsewhere.json")
    assert kept_finding(found) is None


@pytest.mark.parametrize("trials", [81, "many", None])
def test_the_report_of_a_search_says_how_many_trials_and_what_they_say(tmp_path, trials):
    found = kept_in(tmp_path, '{"finding": "Most important: <b>a</b>.", "order": [["a"]]}', trials=trials)
    said = "\n\n81 trials. Most important: &#60;b&#62;a&#60;/b&#62;.\n\n## Params\n"
    assert (said in experiment_report(found)) == (trials == 81)


@pytest.mark.parametrize("order", [[["a"]], []])
def test_documents_name_what_matters_where_something_is_ranked(tmp_path, order):
    found = kept_in(tmp_path, json.dumps({"finding": "Most important: a.", "order": order}))
    facts = gather(Comparison.of([found], INCREMENT, Decision()), [])
    assert facts.model.importance == ("Most important: a." if order else "")
