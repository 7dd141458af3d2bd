"""`sync-docs` in a real project: what is written, what survives, and what a check says."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_line import EXPERIMENTS, INCREMENT, CommandLine, snapshot
from repositories import commit_all, git, make_repository
from specweave_ml import track_experiment
from specweave_ml.documents.sync import apply_sync, plan_sync
from specweave_ml.store.decision import read_decision
from tracked import wait_for_the_capture

DOCS = Path(".specweave/docs/internal")
MODELS = DOCS / "architecture/ml-models.md"
RUNBOOK = DOCS / "runbooks/model-training.md"
RECORDS = DOCS / "architecture/adr"
DIGEST = INCREMENT / "reports/experiments-0042.md"

BEST = "exp-003-boosting"
SCORES = {
    "exp-001-baseline": (0.60, 0.61, 0.59, 0.60, 0.62),
    "exp-002-forest": (0.80, 0.82, 0.81, 0.79, 0.80),
    BEST: (0.86, 0.88, 0.87, 0.85, 0.86),
}


def train(name: str, scores: tuple[float, ...], increment: str = "0042", **said) -> None:
    with track_experiment(name, increment=increment, **said) as exp:
        exp.log_params({"depth": len(name), "seed": 1})
        for number, score in enumerate(scores):
            exp.log_fold(number, {"accuracy": score}, n_train=800, n_test=200, split_id=f"split-{number}")
        exp.log_metric("training_time", len(name))  # the clock's would differ from run to run


@pytest.fixture
def trained(project: Path) -> Path:
    """Three models on the same folds, and one that failed."""
    for name, scores in SCORES.items():
        train(name, scores, description=f"The {name[8:]}", tags=["baseline"] if "baseline" in name else [])
    with track_experiment("exp-004-net", increment="0042") as exp:
        exp.log_note("Reason: needs a smaller batch")
        exp.set_status("failed")
    wait_for_the_capture()
    return project


def sync(run: CommandLine, *more: str, code: int = 0):
    return run("sync-docs", "update", *more, code=code)


def actions(done) -> dict[str, str]:
    return {Path(each["path"]).name: each["action"] for each in done.json["documents"]}


def replaced(path: Path, old: str, new: str) -> str:
    data = path.read_bytes()
    assert old.encode() in data
    path.write_bytes(data.replace(old.encode(), new.encode(), 1))
    return path.read_text()


def test_the_documents_are_written_and_a_second_sync_changes_nothing(trained: Path, run: CommandLine) -> None:
    done = sync(run, "--json")
    assert actions(done) == dict.fromkeys(
        ("differences.svg", "cost.svg", "comparison.md", "ml-models.md", "model-training.md", "experiments-0042.md"),
        "created",
    )
    models = (trained / MODELS).read_text()
    assert models.startswith(
        "# ML Models\n\n## Recommendation Model (Increment 0042)\n\n<!-- specweave:begin v1 inc-0042 "
    )
    assert "\n### Experiments Conducted: 4\n- exp-001-baseline: The baseline (acc=0.60)\n" in models
    assert f"- {BEST}: The boosting (acc=0.86) **RECOMMENDED**\n" in models
    assert "- exp-004-net: failed\n" in models
    assert "exp-004-net: Reason: needs a smaller batch" in (trained / RUNBOOK).read_text()
    assert "3 of 4 experiments finished. Recommended, not selected" in (trained / DIGEST).read_text()
    assert not (trained / RECORDS).exists()

    before = snapshot(trained)
    again = sync(run)
    assert again.last_line == "0 of 4 documents changed; 3 regions checked, 0 opted out"
    assert snapshot(trained) == before


def test_every_link_leads_to_a_file(trained: Path, run: CommandLine) -> None:
    import re
    from urllib.parse import unquote

    run("select", "0042", BEST, "--because", "it is the best")
    sync(run)
    for document in (EXPERIMENTS / "comparison.md", MODELS, RUNBOOK, DIGEST, *(trained / RECORDS).glob("*.md")):
        text = (trained / document).read_text()
        links = re.findall(r"\]\(([^)]+)\)", text)
        assert links
        for link in links:
            assert (trained / document).parent.joinpath(unquote(link)).resolve().is_file(), (document, link)


def test_words_around_a_region_and_edits_inside_it_survive(trained: Path, run: CommandLine) -> None:
    (trained / MODELS).parent.mkdir(parents=True)
    (trained / MODELS).write_bytes(b"# Our models\r\n\r\nRead this first.\r\n")
    sync(run)
    replaced(trained / MODELS, "The forest (acc=0.80)", "The forest, which the shops like (acc=0.80)")
    with open(trained / MODELS, "ab") as file:
        file.write(b"\r\nAnd this last.")
    train("exp-005-linear", (0.70, 0.71, 0.72, 0.70, 0.70), description="A line")
    assert actions(sync(run, "--json"))["ml-models.md"] == "updated"
    data = (trained / MODELS).read_bytes()
    assert data.startswith(b"# Our models\r\n\r\nRead this first.\r\n")
    assert data.endswith(b"\r\nAnd this last.")
    assert b"- exp-002-forest: The forest, which the shops like (acc=0.80)\r\n" in data
    assert b"- exp-005-linear: A line (acc=0.71)\r\n" in data
    for _ in range(3):
        assert sync(run).last_line.startswith("0 of ")
    assert (trained / MODELS).read_bytes() == data


def test_the_same_line_changed_by_both_is_left_to_a_person(trained: Path, run: CommandLine) -> None:
    sync(run)
    edited = replaced(trained / MODELS, "The boosting (acc=0.86) **RECOMMENDED**", "Ours (acc=0.86) **RECOMMENDED**")
    run("select", "0042", BEST, "--because", "it is the best", "--by", "Ana")
    done = sync(run, code=5)
    assert (trained / MODELS).read_text() == edited
    assert "conflict  .specweave/docs/internal/architecture/ml-models.md" in done.out
    assert f"+- {BEST}: The boosting (acc=0.86) ✅ **SELECTED**" in done.out
    assert "1 document left for a person to look at" in done.last_line
    assert "<<<<<<<" not in (trained / MODELS).read_text()
    assert f"The selected model is {BEST}" in (trained / RUNBOOK).read_text(), "the other documents are written"
    sync(run, "--check", code=1)


def test_a_check_passes_only_when_everything_is_there_and_up_to_date(trained: Path, run: CommandLine) -> None:
    missing = sync(run, "--check", code=1)
    assert "not up to date; next: specweave-ml sync-docs update" in missing.last_line
    sync(run)
    assert sync(run, "--check").last_line == "everything is up to date; 3 regions checked, 0 opted out"
    assert sync(run, "--check", "--json").json["checked"] == 3

    train("exp-005-linear", (0.70, 0.71, 0.72, 0.70, 0.70))
    sync(run, "--check", code=1)
    sync(run)

    (trained / RUNBOOK).unlink()
    sync(run, "--check", code=1)
    sync(run)
    assert (trained / RUNBOOK).exists(), "a missing document is no deletion"

    replaced(trained / MODELS, "<!-- specweave:end v1 inc-0042 -->", "")
    sync(run, "--check", code=1)
    sync(run, code=5)


def test_a_region_that_a_person_deleted_stays_deleted(trained: Path, run: CommandLine) -> None:
    sync(run)
    (trained / MODELS).write_text("# Ours alone\n")
    assert sync(run, "--check").last_line == "everything is up to date; 2 regions checked, 1 opted out"
    sync(run)
    assert (trained / MODELS).read_text() == "# Ours alone\n"
    sync(run, "--restore")
    assert "### Experiments Conducted: 4" in (trained / MODELS).read_text()


def test_nothing_to_check_is_no_pass(project: Path, run: CommandLine) -> None:
    done = sync(run, "--check", code=1)
    assert done.last_line == "nothing was found to check, which is no pass; 0 regions checked, 0 opted out"
    assert "there are no experiments to write about" in sync(run).out
    assert not (project / DOCS).exists()


def test_looking_writes_nothing(trained: Path, run: CommandLine) -> None:
    run("compare")
    before = snapshot(trained)
    dry = sync(run, "--dry-run")
    assert "+### Experiments Conducted: 4" in dry.out
    assert " would change; " in dry.last_line
    sync(run, "--check", code=1)
    sync(run, "--check", "--json", code=1)
    assert snapshot(trained) == before


def test_one_record_for_each_decision(trained: Path, run: CommandLine) -> None:
    (trained / RECORDS).mkdir(parents=True)
    (trained / RECORDS / "0061-database.md").write_text("# ADR-0061: Database\n")
    run("select", "0042", "exp-002-forest", "--because", "the auditors accept it", "--by", "Ana")
    sync(run)
    first = trained / RECORDS / "0062-recommendation-model-exp-002-forest.md"
    text = first.read_text()
    assert text.startswith("# ADR-0062: exp-002-forest Selected for Recommendation Model\n\n**Status**: Accepted\n")
    assert "the auditors accept it" in text
    assert f"The comparison by itself recommends {BEST} (accuracy 0.86)." in text

    train("exp-005-linear", (0.70, 0.71, 0.72, 0.70, 0.70))
    run("select", "0042", "exp-002-forest", "--because", "and the shops do")
    sync(run)
    assert first.read_text() == text, "an accepted record is never written again"
    assert len([*(trained / RECORDS).glob("*.md")]) == 2

    run("select", "0042", BEST, "--because", "the auditors changed their mind", "--by", "Bo")
    sync(run)
    assert first.read_text() == text
    second = (trained / RECORDS / "0063-recommendation-model-exp-003-boosting.md").read_text()
    assert "[0062-recommendation-model-exp-002-forest.md](0062-recommendation-model-exp-002-forest.md)" in second
    sync(run, "--check")


def test_records_are_named_by_their_day_where_the_project_does_so(trained: Path, run: CommandLine) -> None:
    (trained / RECORDS).mkdir(parents=True)
    (trained / RECORDS / "2024-05-06-database.md").write_text("# Database\n")
    for name in ("exp-002-forest", BEST, "exp-002-forest"):
        run("select", "0042", name, "--because", "it is the one")
        sync(run)
    day = read_decision(str(trained / EXPERIMENTS / "decision.md")).date
    stem = f"{day}-recommendation-model-exp-002-forest"
    assert sorted(path.name for path in (trained / RECORDS).iterdir()) == [
        "2024-05-06-database.md",
        f"{stem}-2.md",
        f"{stem}.md",
        f"{day}-recommendation-model-{BEST}.md",
    ]
    text = (trained / RECORDS / f"{stem}.md").read_text()
    assert text.startswith("# exp-002-forest Selected for Recommendation Model\n\n**Status**: Accepted\n")
    sync(run, "--check")


def test_a_number_that_is_taken_on_the_default_branch_is_reported(trained: Path, run: CommandLine) -> None:
    make_repository(trained, "--initial-branch=main")
    git(trained, "checkout", "--quiet", "-b", "work")
    run("select", "0042", BEST, "--because", "it is the best")
    sync(run)
    commit_all(trained)
    git(trained, "checkout", "--quiet", "main")
    (trained / RECORDS).mkdir(parents=True)
    (trained / RECORDS / "0001-elsewhere.md").write_text("# ADR-0001\n")
    commit_all(trained)
    git(trained, "checkout", "--quiet", "work")
    done = sync(run, "--check")
    assert "0001-recommendation-model-exp-003-boosting.md has the number of" in done.err
    assert "rename it before merging" in done.err
    (check,) = [each for each in run("doctor", "0042", "--json", code=1).json["checks"] if each["name"] == "documents"]
    assert not check["ok"]
    assert "0001-elsewhere.md on main" in check["why"]


def test_a_comparison_changed_by_hand_is_left_as_it_is(trained: Path, run: CommandLine) -> None:
    run("compare")
    comparison = trained / EXPERIMENTS / "comparison.md"
    edited = replaced(comparison, "# Experiment", "# Our Experiment")
    done = sync(run, "--json", code=5)
    assert actions(done)["comparison.md"] == "conflict"
    assert comparison.read_text() == edited
    assert (trained / MODELS).exists()
    comparison.unlink()  # at its end this process would complain of it


def test_pictures_come_with_the_documents_and_go_with_their_reason(trained: Path, run: CommandLine) -> None:
    sync(run)
    pictures = trained / EXPERIMENTS / "_pictures"
    assert {path.name for path in pictures.iterdir()} >= {"differences.svg"}
    assert "experiments/_pictures/differences.svg)" in (trained / MODELS).read_text()
    assert "](_pictures/differences.svg)" in (trained / EXPERIMENTS / "comparison.md").read_text()
    (pictures / "differences.svg").unlink()
    sync(run, "--check", code=1)
    sync(run)
    assert (pictures / "differences.svg").exists()
    (pictures / "ours.svg").write_text("<svg/>")
    run("archive", "exp-001-baseline", "exp-002-forest")
    assert actions(sync(run, "--json"))["differences.svg"] == "pruned"
    assert {path.name for path in pictures.iterdir()} == {"ours.svg"}
    for document in (MODELS, EXPERIMENTS / "comparison.md"):
        assert "differences.svg" not in (trained / document).read_text()
    sync(run, "--check")


def test_an_archived_experiment_was_still_conducted(trained: Path, run: CommandLine) -> None:
    run("archive", "exp-002-forest")
    sync(run)
    models = (trained / MODELS).read_text()
    assert "### Experiments Conducted: 4\n" in models
    assert "- exp-002-forest: The forest (acc=0.80) (archived)\n" in models


def test_all_increments_and_those_that_are_gone(trained: Path, run: CommandLine) -> None:
    for name in ("0007-pricing", "0100-search"):
        (trained / ".specweave/increments" / name).mkdir()
    train("first", (0.5, 0.6, 0.5), increment="0007")
    sync(run, "--all")
    models = (trained / MODELS).read_text()
    assert models.index("## Pricing (Increment 0007)") < models.index("## Recommendation Model (Increment 0042)")
    assert "0100" not in models
    sync(run, "--check", "--all")

    run("archive", "first", "--increment", "0007")
    sync(run, "--all")
    experiments = trained / ".specweave/increments/0007-pricing/experiments"
    (experiments / "_archive/first").rename(trained / "first")
    done = sync(run, "--all")
    assert "nothing is generated for it any more; --prune removes it" in done.out
    sync(run, "--all", "--prune")
    assert "Increment 0007" in (trained / MODELS).read_text(), "the heading is the people's"
    assert "inc-0007" not in (trained / MODELS).read_text()


def test_one_increment_leaves_the_others_alone(trained: Path, run: CommandLine) -> None:
    (trained / ".specweave/increments/0007-pricing").mkdir()
    train("first", (0.5, 0.6, 0.5), increment="0007")
    sync(run, "--all")
    train("second", (0.7, 0.8, 0.7), increment="0007")
    assert sync(run, "0042").last_line.startswith("0 of ")
    sync(run, "0042", "--check")
    sync(run, "0007", "--check", code=1)


def test_a_mistake_in_a_template_of_the_project_writes_nothing(trained: Path, run: CommandLine) -> None:
    own = trained / ".specweave/templates/experiment-tracker/model-training.md.j2"
    own.parent.mkdir(parents=True)
    own.write_text("fine\n{{ nope }}\n")
    run("compare")
    before = snapshot(trained)
    error = sync(run, "--json", code=5).json
    assert error["path"] == ".specweave/templates/experiment-tracker/model-training.md.j2:2"
    assert snapshot(trained) == before


def test_settings_of_the_project(trained: Path, run: CommandLine) -> None:
    settings = trained / ".specweave/experiment-tracker.yaml"
    settings.write_text("documents:\n  models: docs/models.mdx\n  runbook: none\n  digest: none\n")
    sync(run)
    text = (trained / "docs/models.mdx").read_text()
    assert "{/* specweave:begin v1 inc-0042 sha256=" in text
    assert not (trained / DOCS).exists()
    assert not (trained / DIGEST).exists()
    sync(run, "--check")
    settings.write_text("documents:\n  modles: docs/models.md\n")
    assert "documents.modles is not understood" in sync(run, "--json", code=2).json["error"]
    assert "documents.modles is not understood" in run("doctor", "0042", code=1).out


@pytest.mark.parametrize("arguments", [("0042", "--all"), ("--prune",), ("--nonsense",), ("0042", "0043")])
def test_what_cannot_be_meant(trained: Path, run: CommandLine, arguments: tuple[str, ...]) -> None:
    sync(run, *arguments, code=2)
    run("sync-docs", "downgrade", code=2)
    assert not (trained / DOCS).exists()


def test_an_unknown_increment(trained: Path, run: CommandLine) -> None:
    sync(run, "0043", code=4)


def test_the_library_plans_and_applies(trained: Path) -> None:
    plan = plan_sync(["0042"])
    assert not (trained / MODELS).exists()
    assert plan.changed
    assert not plan.is_current
    done = apply_sync(plan)
    assert (trained / MODELS).exists()
    assert not done.conflicts
    assert plan_sync(["0042"]).is_current


def test_another_machine_writes_the_same_bytes(
    trained: Path, run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(run)
    first = snapshot(trained / DOCS)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    moved = trained.parent / "moved"
    trained.rename(moved)
    monkeypatch.chdir(moved)
    sync(run, "--check")
    assert snapshot(moved / DOCS) == first
    moved.rename(trained)  # at its end this process looks for it there
