"""The parts that documents are made of: names in words, lists, records of decisions, recipes."""

from __future__ import annotations

from pathlib import Path

import pytest

from document_cases import documents_of, examined_of
from records import INCREMENT, cross_validated, experiment
from specweave_ml.documents.chosen import choose, spelled_out
from specweave_ml.documents.conducted import MOST_LISTED, listing, short_name
from specweave_ml.documents.decision_records import Records
from specweave_ml.documents.facts import MOST_NOTES, gather
from specweave_ml.documents.links import relative_link
from specweave_ml.documents.reasons import reasons_for
from specweave_ml.documents.recipe import recipe_of
from specweave_ml.reports import Comparison
from specweave_ml.store.decision import Decision


@pytest.mark.parametrize(
    ("name", "description", "words"),
    [
        ("exp-003-xgboost", "XGBoost classifier", "XGBoost"),
        ("exp-004-neural-net", "Neural net of two layers", "Neural net"),
        ("xgboost", "XGBoost", "XGBoost"),
        ("exp3-svm", "SVM, RBF kernel", "SVM"),
        ("exp-003-xgboost", "A classifier with XGBoost", ""),
        ("exp-003-xgboost-v2", "XGBoost", ""),
        ("exp-003-xgboost", "", ""),
        ("exp-003", "003 is the third", ""),
        ("42", "", ""),
    ],
)
def test_the_words_of_a_name_as_its_description_begins(name, description, words):
    assert spelled_out(name, description) == words


@pytest.mark.parametrize(
    ("name", "number"), [("exp-003-xgboost", "exp-003"), ("exp_x", "exp_x"), ("exp-003", "exp-003"), ("run-7", "run-7")]
)
def test_the_short_name(name, number):
    chosen = choose(Comparison.of([experiment(name, {"f1": 0.5})], INCREMENT))
    assert chosen.number == number
    assert not chosen.selected


@pytest.mark.parametrize(
    ("metric", "short"),
    [("accuracy", "acc"), ("val_accuracy", "val_acc"), ("f1", "f1"), ("precision@10", "precision@10")],
)
def test_metrics_where_there_is_little_room(metric, short):
    assert short_name(metric) == short


def test_of_very_many_experiments_the_best_are_listed_and_the_rest_counted():
    found = [experiment(f"exp-{number:04d}", {"f1": number / 1000}) for number in range(300)]
    found += [experiment(f"failed-{number}", status="failed") for number in range(30)]
    comparison = Comparison.of(found, INCREMENT)
    shown = listing(comparison, [], choose(comparison))
    assert (len(shown.items), shown.total, shown.hidden) == (MOST_LISTED, 330, 330 - MOST_LISTED)
    names = [item.name for item in shown.items]
    assert names == sorted(names)
    assert names[-1] == "exp-0299"
    assert names[0] == "exp-0200"


def test_repeats_are_one_item_and_all_counted():
    found = [experiment(f"net-{seed}", {"f1": 0.8 + seed / 100}, params={"seed": seed}) for seed in (1, 2, 3)]
    comparison = Comparison.of(found, INCREMENT, Decision(selected="net-2"))
    shown = listing(comparison, [], choose(comparison))
    (item,) = shown.items
    assert (item.name, item.outcome, item.selected, shown.total, shown.hidden) == (
        "net-1",
        "f1=0.82 ± 0.01, 3 repeats",
        "net-2",
        3,
        0,
    )


@pytest.mark.parametrize("selected", ["gone", None])
def test_without_a_selected_one_that_is_there_the_recommended_one_is_meant(selected):
    comparison = Comparison.of([experiment("a", {"f1": 0.5})], INCREMENT, Decision(selected=selected, because="x"))
    facts = gather(comparison, [])
    assert (facts.model.name, facts.model.selected, facts.model.because) == ("a", False, "")
    assert ("gone" in "".join(facts.problems)) == (selected == "gone")


def test_a_selected_one_that_did_not_finish_is_still_the_persons_choice():
    found = [experiment("a", {"f1": 0.5}), experiment("b", {"f1": 0.9}, status="failed")]
    facts = gather(Comparison.of(found, INCREMENT, Decision(selected="b", because="we know why")), [])
    assert (facts.model.name, facts.model.selected, facts.why) == ("b", True, None)
    assert facts.instead.name == "a"


def test_a_difference_between_two_that_are_not_the_best_is_tested_as_such():
    """The interval is of this very pair, in its own direction."""
    found = [
        cross_validated("best", {"f1": [0.90, 0.92, 0.91, 0.90, 0.93]}),
        cross_validated("mine", {"f1": [0.80, 0.83, 0.81, 0.79, 0.82]}),
        cross_validated("baseline", {"f1": [0.60, 0.61, 0.59, 0.62, 0.61]}),
    ]
    comparison = Comparison.of(found, INCREMENT, Decision(selected="mine"))
    why = reasons_for(comparison, choose(comparison))
    assert not why.is_best
    assert (why.baseline.name, why.baseline.better, why.baseline.told_apart) == ("baseline", True, True)
    assert why.baseline.interval.startswith("+0.1")
    assert (why.rival.name, why.rival.better) == ("best", False)
    assert why.rival.interval.startswith("-0.1")
    (pair,) = [pair for pair in comparison.evidence.pairs if {pair.a, pair.b} == {"mine", "baseline"}]
    assert why.baseline.interval == f"+{pair.measured.low:.3f} to +{pair.measured.high:.3f}"


def test_beside_others_of_the_same_value_the_best_is_still_the_rival():
    found = [experiment(name, {"f1": value}) for name, value in (("best", 0.9), ("a", 0.8), ("b", 0.8), ("c", 0.7))]
    comparison = Comparison.of(found, INCREMENT, Decision(selected="b"))
    why = reasons_for(comparison, choose(comparison))
    assert (why.rival.name, why.rival.better, why.equals) == ("best", False, ("a",))


def test_an_odd_record_gives_what_can_be_used():
    odd = experiment(
        "a",
        {"f1": 0.5},
        code="abc",
        command={"argv": "python x", "cwd": 7, "env": []},
        environment={"python": 3, "packages": {"file": "../secret.txt", "count": "many"}},
        data=[1, {"name": ["x"], "version": "v1"}],
        capture={"missing": [{"what": 1}, "x"]},
        data_version={"x": 1},
    )
    recipe = recipe_of(odd)
    assert (recipe.code, recipe.script, recipe.python, recipe.packages, recipe.package_count) == (None, "", "", "", 0)
    assert [(data.name, data.version) for data in recipe.data] == [("", "v1")]
    gather(Comparison.of([odd], INCREMENT), [])


def test_a_command_is_quoted_for_the_shell():
    ran = experiment(
        "a",
        command={"argv": ["python", "my train.py", "--x=$(id)"], "cwd": "src; ls", "env": {"A": "b c"}},
        code={"commit": "abc"},
    )
    assert recipe_of(ran).script == "git checkout abc\ncd 'src; ls'\nA='b c' python 'my train.py' '--x=$(id)'"


def test_notes_are_capped_and_say_how_many_more():
    noisy = experiment("a", {"f1": 0.5}, notes=[f"note {number} " + "x" * 1000 for number in range(50)])
    lines = gather(Comparison.of([noisy], INCREMENT), []).notes.splitlines()
    assert len(lines) == MOST_NOTES + 1
    assert lines[-1] == "(30 more notes)"
    assert max(map(len, lines)) < 520


@pytest.mark.parametrize(
    ("document", "target", "link"),
    [
        ("docs/a.md", "docs/b.md", "b.md"),
        ("a.md", "x y/(b).md", "x%20y/%28b%29.md"),
        ("d/e/a.md", "b.md", "../../b.md"),
    ],
)
def test_links(document, target, link):
    assert relative_link(document, target) == link


def record(folder: Path, name: str, region: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"# ADR\n\n<!-- specweave:begin v1 {region} sha256={'0' * 16} -->\n")


def test_a_decision_gets_the_next_number_and_the_same_decision_none(tmp_path):
    folder = tmp_path / "adr"
    folder.mkdir()
    (folder / "0061-something.md").write_text("# ADR-0061\n")
    (folder / "0050-later.md").write_text("# ADR-0050\n")
    (folder / "README.md").write_text("see 0999-x.md\n")
    (folder / "0990-folder.md").mkdir()
    new = Records(str(tmp_path), "adr").needed("inc-0042", "exp-3", "Ranking Model: exp-3")
    assert (new.path, new.number, new.supersedes) == ("adr/0062-ranking-model-exp-3.md", "0062", None)
    assert new.region.startswith("inc-0042-decision-1-")
    record(folder, "0070-renamed-by-hand.md", new.region)
    assert Records(str(tmp_path), "adr").needed("inc-0042", "exp-3", "x") is None


def test_another_decision_supersedes_the_one_before_by_its_line_not_by_its_number(tmp_path):
    folder = tmp_path / "adr"
    records = Records(str(tmp_path), "adr")
    first = records.needed("inc-0042", "exp-3", "x exp-3")
    second = records.needed("inc-0100", "exp-3", "y exp-3")
    assert [first.number, second.number] == ["0001", "0002"]
    record(folder, "0900-first.md", first.region)
    record(folder, "0002-other.md", second.region)
    record(
        folder, "0003-newer.md", first.region.replace("decision-1", "decision-2").replace(first.region[-8:], "0" * 8)
    )
    third = Records(str(tmp_path), "adr").needed("inc-0042", "exp-3", "x exp-3")
    assert third.supersedes.path == "adr/0003-newer.md"
    assert third.region.startswith("inc-0042-decision-3-")
    assert third.path == "adr/0901-x-exp-3.md"


def test_increments_of_one_number_have_regions_of_their_own(project):
    for name in ("0007-ranking", "0007-pricing"):
        (project / ".specweave/increments" / name).mkdir()
    examined = examined_of("seed", root=str(project))
    examined.where.name = "0007-ranking"
    (models, *_) = documents_of(examined)
    assert [region.id for region in models.regions] == ["inc-0007-ranking"]
