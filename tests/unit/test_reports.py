from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from records import experiment
from specweave_ml import compare_experiments, load_experiment, track_experiment
from specweave_ml.errors import NotFound, Refused, StoreError
from specweave_ml.reports import (
    MOST_REFRESHED,
    MOST_ROWS,
    Comparison,
    experiment_html,
    experiment_report,
    refresh,
)
from specweave_ml.store.spec import SPEC_LIMIT

MODEL = "0042-recommendation-model"


@pytest.fixture
def experiments(project):
    """Three real experiments on disk: a baseline, a model, and one that failed."""
    for name, accuracy in (("exp-001-baseline", 0.65), ("exp-002-xgboost", 0.87)):
        with track_experiment(name) as exp:
            exp.log_param("depth", 6)
            exp.log_metrics({"accuracy": accuracy, "quux": 1 - accuracy})
    with suppress(MemoryError), track_experiment("exp-003-net") as exp:
        exp.log_metric("accuracy", 0.99)
        exp.log_note("Reason: needs smaller batches")
        raise MemoryError("no room")
    folder = project / ".specweave" / "increments" / MODEL / "experiments"
    yield folder
    # The end of this process refreshes it once more; what a test left there on purpose would be reported then.
    left = folder / "comparison.md"
    if left.is_dir():
        left.rmdir()
    left.unlink(missing_ok=True)


def test_the_document_is_written_and_says_what_the_folders_say(experiments):
    comparison = compare_experiments(increment="0042")
    text = (experiments / "comparison.md").read_text()
    assert text == comparison.to_markdown()
    assert comparison.best == "exp-002-xgboost"
    assert "- Highest accuracy (0.87)\n- 0.22 above the baseline exp-001-baseline (0.65), +34%" in text
    assert "- exp-003-net: failed (MemoryError: no room). Last note: “Reason: needs smaller batches”" in text


def test_first_line(experiments):
    compare_experiments()
    first, _, rest = (experiments / "comparison.md").read_bytes().partition(b"\n")
    fingerprint = hashlib.sha256(rest).hexdigest()[:16]
    assert first.decode() == (
        f"<!-- specweave:comparison v1 sha256={fingerprint} "
        "Increment 0042: 3 experiments, best exp-002-xgboost (accuracy 0.87) -->"
    )


def test_nothing_new_is_not_written(experiments):
    compare_experiments()
    path = experiments / "comparison.md"
    before = path.stat()
    compare_experiments()
    refresh(os.getcwd(), MODEL)
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_news_is_written(experiments):
    compare_experiments()
    with track_experiment("exp-004-forest") as exp:
        exp.log_metric("accuracy", 0.9)
    assert compare_experiments().best == "exp-004-forest"
    assert "exp-004-forest" in (experiments / "comparison.md").read_text()


@pytest.mark.parametrize(
    "edit",
    [lambda text: text.replace("0.87", "0.97", 2), lambda text: text + "\nMine.\n", lambda _: "# Ours\n", lambda _: ""],
)
def test_what_a_person_changed_is_never_overwritten(experiments, edit):
    compare_experiments()
    path = experiments / "comparison.md"
    path.write_text(edit(path.read_text()))
    edited = path.read_bytes()
    with track_experiment("exp-004-forest") as exp:
        exp.log_metric("accuracy", 0.9)
    with pytest.raises(Refused) as caught:
        compare_experiments()
    assert caught.value.exit_code == 5
    assert "decision.md" in caught.value.next_step
    with pytest.raises(Refused):
        refresh(os.getcwd(), MODEL)
    assert path.read_bytes() == edited
    assert compare_experiments(write=False).best == "exp-004-forest"


def test_a_checkout_with_other_line_ends_is_not_an_edit(experiments):
    compare_experiments()
    path = experiments / "comparison.md"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    before = path.read_bytes()
    compare_experiments()
    assert path.read_bytes() == before
    with track_experiment("exp-004-forest") as exp:
        exp.log_metric("accuracy", 0.9)
    compare_experiments()
    assert b"exp-004-forest" in path.read_bytes()


def test_reading_alone_writes_nothing(experiments):
    compare_experiments(write=False)
    assert not (experiments / "comparison.md").exists()


def test_what_is_asked_for_shapes_the_answer_and_not_the_document(experiments):
    compare_experiments()
    document = (experiments / "comparison.md").read_bytes()
    asked = compare_experiments(metric="quux", direction="minimize")
    assert (asked.primary, asked.direction, asked.chosen.why) == ("quux", "minimize", "asked for")
    assert (experiments / "comparison.md").read_bytes() == document


def test_the_decision_shapes_the_document(experiments):
    (experiments / "decision.md").write_text(
        "---\nselected: exp-002-xgboost\nby: Ana\nprimary: quux\ndirection: max\n---\n"
    )
    comparison = compare_experiments()
    assert (comparison.best, comparison.selected) == ("exp-001-baseline", "exp-002-xgboost")
    assert "**Selected Model**: exp-002-xgboost, by Ana\n" in (experiments / "comparison.md").read_text()


def test_a_damaged_decision_is_shown_and_ignored(experiments):
    (experiments / "decision.md").write_text("---\nselected: [\n---\n")
    comparison = compare_experiments()
    assert comparison.selected is None
    assert "Ignored: the front matter of decision.md is not YAML" in (experiments / "comparison.md").read_text()


def test_archived_ones_only_when_asked_for_and_never_in_the_document(experiments):
    (experiments / "_archive").mkdir()
    shutil.move(experiments / "exp-002-xgboost", experiments / "_archive" / "exp-002-xgboost")
    assert compare_experiments(archived=True).best == "exp-002-xgboost"
    assert "exp-002-xgboost" not in (experiments / "comparison.md").read_text()


def test_broken_and_foreign_folders_hide_nobody(experiments):
    (experiments / "optuna-study").mkdir()
    broken = experiments / "exp-000-broken"
    broken.mkdir()
    (broken / "metadata.yaml").write_bytes(b"\x00 not: [yaml")
    assert compare_experiments().best == "exp-002-xgboost"
    text = (experiments / "comparison.md").read_text()
    assert "- optuna-study: a folder of another tool, left as it is" in text
    assert "- exp-000-broken: cannot be read (" in text


def test_the_same_folders_give_the_same_bytes_anywhere(experiments, tmp_path):
    compare_experiments()
    expected = (experiments / "comparison.md").read_bytes()
    script = "from specweave_ml import compare_experiments; compare_experiments('42')"
    source = str(Path(__file__).parents[2] / "src")
    machines = [{"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1"}, {"LC_ALL": "C", "PYTHONHASHSEED": "77", "PYTHONUTF8": "0"}]
    for number, extra in enumerate(machines):
        elsewhere = tmp_path / f"elsewhere {number}"
        shutil.copytree(Path.cwd(), elsewhere)
        copy = elsewhere / experiments.relative_to(Path.cwd()) / "comparison.md"
        copy.unlink()
        environment = {**os.environ, "PYTHONPATH": source, **extra}
        subprocess.run([sys.executable, "-c", script], cwd=elsewhere, env=environment, check=True)
        assert copy.read_bytes() == expected


def test_targets_of_the_increments_spec(experiments):
    spec = experiments.parent / "spec.md"
    spec.write_text("- Accuracy > 0.85, Latency: <100ms inference\n")
    assert compare_experiments().chosen.why == "the first that spec.md sets a target for"
    text = (experiments / "comparison.md").read_text()
    assert "by exp-002-xgboost:\n- Accuracy &#62; 0.85: met (0.87)\n- Latency &#60; 100 ms: not measured\n" in text
    spec.write_bytes(b"\xff Accuracy > 0.9\n")
    assert [check.outcome for check in compare_experiments().checked] == ["missed"]
    spec.write_text("x" * (SPEC_LIMIT + 10_000))
    assert compare_experiments().problems == ("spec.md was not read for targets: spec.md is too large",)
    spec.unlink()
    spec.mkdir()
    assert "spec.md was not read for targets" in compare_experiments().problems[0]
    spec.rmdir()


def test_outcomes_are_read_for_the_metric_that_decides(experiments):
    for name, right in (("exp-004-a", [1, 1, 1, 1, 0]), ("exp-005-b", [1, 0, 0, 1, 0])):
        with track_experiment(name) as exp:
            exp.log_metric("hit_rate", sum(right) / 5)
            exp.log_outcomes("hit_rate", range(5), right)
    assert compare_experiments(metric="hit_rate").evidence.test == "exact McNemar"
    assert compare_experiments().evidence.test is None
    (experiments / "exp-005-b" / "outcomes-hit_rate.csv").write_text("gone")
    assert "exp-005-b is no table of outcomes" in compare_experiments(metric="hit_rate").problems[0]


def test_no_statistics_are_loaded_where_nothing_is_tested(experiments):
    script = (
        "import sys; from specweave_ml import compare_experiments; c = compare_experiments(); "
        "assert c.evidence.why_not == 'one value each'; c.to_json(); c._repr_html_(); "
        "print([name for name in ('scipy', 'numpy', 'pandas') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    ran = subprocess.run([sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True)
    assert ran.stdout == "[]\n"


def test_an_increment_without_experiments(project):
    comparison = compare_experiments("0042")
    assert comparison.best is None
    assert "There are no experiments in this increment yet." in comparison.to_markdown()
    assert [*(project / ".specweave" / "increments" / MODEL).iterdir()] == [
        project / ".specweave" / "increments" / MODEL / "metadata.json"
    ]


def test_an_unknown_increment(project):
    with pytest.raises(NotFound):
        compare_experiments("0099")


def test_a_folder_where_the_document_should_be(experiments):
    (experiments / "comparison.md").mkdir()
    with pytest.raises(StoreError) as caught:
        compare_experiments()
    assert caught.value.exit_code == 7


def test_a_large_increment_is_not_refreshed_when_a_process_ends(experiments):
    for number in range(MOST_REFRESHED):
        (experiments / f"other-{number}").mkdir()
    refresh(os.getcwd(), MODEL)
    assert not (experiments / "comparison.md").exists()
    compare_experiments()
    assert (experiments / "comparison.md").exists()


def test_journals_of_many_bytes_are_not_read_when_a_process_ends(experiments, monkeypatch):
    monkeypatch.setattr("specweave_ml.reports.MOST_LOGGED", 100)
    refresh(os.getcwd(), MODEL)
    assert not (experiments / "comparison.md").exists()


CURVE = "curve-accuracy.svg"


@pytest.fixture
def watched(experiments):
    """One more, whose accuracy was watched: there is a learning curve to see."""
    with track_experiment("exp-004-forest") as exp:
        for step in range(5):
            exp.log_metric("accuracy", 0.5 + step / 20, step=step)
    return experiments


def pictures(experiments: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (experiments / "_pictures").glob("*")}


def pictures_named(experiments: Path) -> set[str]:
    return {*re.findall(r"\]\(_pictures/([^)]*)\)", (experiments / "comparison.md").read_text())}


def test_pictures_stand_beside_the_document_that_names_them(watched):
    compare_experiments(write=False)
    assert not pictures(watched)
    refresh(os.getcwd(), MODEL)
    drawn, document = pictures(watched), (watched / "comparison.md").read_bytes()
    assert CURVE in drawn
    assert pictures_named(watched) == {*drawn}

    (watched / "_pictures" / CURVE).unlink()
    compare_experiments()
    assert pictures(watched) == drawn
    assert (watched / "comparison.md").read_bytes() == document


def test_a_picture_that_has_no_reason_any_more_is_left_for_the_sync(watched):
    """The other documents still show it, and only a sync renews them."""
    compare_experiments()
    (watched / "_archive").mkdir()
    shutil.move(watched / "exp-004-forest", watched / "_archive" / "exp-004-forest")
    compare_experiments()
    assert CURVE not in pictures_named(watched)
    assert CURVE in pictures(watched)


def test_no_picture_is_named_that_cannot_be_written(watched):
    (watched / "_pictures").mkdir()
    (watched / "_pictures" / CURVE).write_text("<svg>drawn by hand</svg>")
    with pytest.raises(Refused, match=r"curve-accuracy\.svg is not a picture of ours"):
        compare_experiments()
    assert not (watched / "comparison.md").exists()
    shutil.rmtree(watched / "_pictures")


def test_no_picture_is_written_where_a_person_changed_the_document(watched):
    compare_experiments()
    path = watched / "comparison.md"
    path.write_text(path.read_text() + "Mine.\n")
    shutil.rmtree(watched / "_pictures")
    with pytest.raises(Refused):
        compare_experiments()
    assert not pictures(watched)


def test_a_large_comparison_shows_the_best_and_says_so():
    many = [experiment(f"m-{number}", {"auc": number / 1000}, params={"k": number}) for number in range(MOST_ROWS + 40)]
    failed = [experiment(f"f-{number}", status="failed") for number in range(60)]
    text = Comparison.of([*many, *failed], MODEL).to_markdown()
    assert text.count("\n| m-") == 2 * MOST_ROWS
    assert "40 more finished experiments are not shown." in text
    assert text.count(": failed") == 50
    assert "- 10 more experiments that did not finish" in text


def test_report_of_one_experiment(experiments):
    with track_experiment("exp-004", description="A *try*", tags=["v2"]) as exp:
        exp.log_param("lr", 0.1)
        exp.log_metric("auc", 0.5)
        exp.log_note("```\nignore the above")
        exp.save_artifact("table.json", {"a": 1})
        exp.save_report("eda.md")
    report = (experiments / "exp-004" / "eda.md").read_text()
    assert report.startswith(
        "# exp-004\n\nA &#42;try&#42;\n\nIncrement 0042-recommendation-model: not finished. Tags: v2.\n"
    )
    assert "| lr    | 0.1   |" in report
    assert "| auc    | 0.5        |" in report
    assert "table.json" in report
    assert report.endswith("````text\n```\nignore the above\n````\n")


def test_report_of_a_failed_one(experiments):
    report = experiment_report(load_experiment("exp-003-net"))
    assert "failed (MemoryError: no room)" in report


def test_html_for_notebooks_is_escaped():
    hostile = experiment(
        "exp-1", {"<script>": 0.5}, params={"<b>": "<img src=x>"}, error={"type": "<i>", "message": "&"}
    )
    for page in (experiment_html(hostile), Comparison.of([hostile], "0042-<u>")._repr_html_()):
        assert "<script>" not in page
        assert "<img" not in page
        assert "<u>" not in page
        assert page.count("<table>") == page.count("</table>") >= 1
