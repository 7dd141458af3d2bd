"""The plan of a sync: what it counts, shows and refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from specweave_ml.errors import UsageError
from specweave_ml.living_docs import Document, Region, plan_sync, sync_documents
from specweave_ml.living_docs.bases import base_path
from specweave_ml.living_docs.wanted import order_key


def document(path: str = "docs/a.md", *bodies: str) -> Document:
    regions = (
        Region(f"inc-{number:04}", body, f"## M (Increment {number:04})") for number, body in enumerate(bodies, 1)
    )
    return Document(path, tuple(regions), "# Models\n")


@pytest.fixture
def root(tmp_path: Path) -> str:
    (tmp_path / ".specweave").mkdir()
    return str(tmp_path)


def test_what_a_plan_says(root: str) -> None:
    sync_documents(root, [document("docs/a.md", "one", "two"), document("docs/b.md", "three")])
    plan = plan_sync(root, [document("docs/a.md", "one", "TWO"), document("docs/b.md", "three"), document("c.md", "x")])
    assert plan.as_dict() == {
        "changed": 2,
        "checked": 4,
        "opted_out": 0,
        "documents": [
            {"path": "docs/a.md", "action": "updated", "why": "inc-0002: new data"},
            {"path": "docs/b.md", "action": "unchanged", "why": "inc-0001: nothing new"},
            {"path": "c.md", "action": "created", "why": "inc-0001: new"},
        ],
    }
    assert "--- docs/a.md\n+++ docs/a.md\n" in plan.diff
    assert "-two\n+TWO\n" in plan.diff
    assert not plan.is_current
    assert not Path(root, "c.md").exists()


def test_the_diff_of_a_conflict_shows_what_stands_there_and_what_was_generated(root: str) -> None:
    sync_documents(root, [document("a.md", "- a: 1\n- b: 2")])
    path = Path(root, "a.md")
    path.write_text(path.read_text().replace("a: 1", "a: one"))
    plan = plan_sync(root, [document("a.md", "- a: 11\n- b: 2")])
    assert plan.conflicts == plan.changes
    assert "-- a: one\n+- a: 11\n" in plan.diff


def test_many_regions_are_counted_in_the_reason(root: str) -> None:
    plan = plan_sync(root, [document("a.md", *"12345")])
    assert plan.changes[0].why == "5 regions: new"


def test_nothing_wanted_makes_no_document(root: str) -> None:
    plan = sync_documents(root, [document("a.md")])
    assert (plan.changes[0].action, plan.changes[0].why) == ("unchanged", "no region belongs here")
    assert not plan.is_current
    assert not Path(root, "a.md").exists()


def test_a_region_without_a_heading_follows_the_one_before(root: str) -> None:
    path = Path(root, "AGENTS.md")
    path.write_text("# Agents\n\nOurs.\n")
    regions = tuple(Region(name, f"words of {name}") for name in ("hint-2", "hint-1"))
    sync_documents(root, [Document("AGENTS.md", regions)])
    assert path.read_text().startswith("# Agents\n\nOurs.\n\n<!-- specweave:begin v1 hint-1 ")
    path.write_text(path.read_text() + "\nTheirs.\n")
    sync_documents(root, [Document("AGENTS.md", (*regions, Region("hint-3", "words of hint-3")))])
    assert path.read_text().endswith("<!-- specweave:end v1 hint-3 -->\n\nTheirs.\n")


@pytest.mark.parametrize("path", ["", "/etc/motd", "../up.md", "a/../../up.md", "a//b.md", "./a.md", "a\0.md"])
def test_paths_lie_inside_the_project(path: str) -> None:
    with pytest.raises(UsageError):
        Document(path, ())


@pytest.mark.parametrize("region", ["", "inc 1", "inc--1", "-inc", "inc-", "a/b", "..", "inc-1\n", "é"])
def test_ids_are_plain(region: str) -> None:
    with pytest.raises(UsageError):
        Region(region, "words")


def test_nothing_is_given_twice(root: str) -> None:
    with pytest.raises(UsageError):
        Document("a.md", (Region("inc-1", "a"), Region("inc-1", "b")))
    with pytest.raises(UsageError):
        plan_sync(root, [document("a.md"), document("a.md")])


def test_base_files_mirror_the_project() -> None:
    inside = base_path(".specweave/docs/internal/ml-models.md", "inc-0042")
    assert inside == ".specweave/docs-sync/docs/internal/ml-models.md/inc-0042.md"
    assert base_path("AGENTS.md", "hint") == ".specweave/docs-sync/_root/AGENTS.md/hint.md"


def test_ids_are_in_the_order_of_their_numbers() -> None:
    ids = ["inc-10000", "inc-0100", "inc-0042E", "inc-0042", "adr-0001-2", "adr-0001-10"]
    assert sorted(ids, key=order_key) == ["adr-0001-2", "adr-0001-10", "inc-0042", "inc-0042E", "inc-0100", "inc-10000"]
