"""Numbers of decision records: case 19 of living documents, played in a real repository with two branches."""

from __future__ import annotations

from pathlib import Path

import pytest

from living_docs_cases import Step, all_cases
from repositories import commit_all, git, make_repository
from specweave_ml.living_docs.adr import new_name, number_clashes

FOLDER = ".specweave/docs/internal/architecture/adr"
RECORD = "# ADR: Choose the recommender\n\n<!-- specweave:begin v1 adr-0042-1 sha256=0123456789abcdef -->\n"


class Player:
    """A repository whose branch `feature` writes decision records while `main` goes on."""

    def __init__(self, root: Path) -> None:
        self.root = make_repository(root)
        self.folder = root / FOLDER
        git(root, "branch", "feature")

    def play(self, step: Step) -> None:
        getattr(self, f"do_{step.word}")([line for line in step.text.splitlines() if line], *step.arguments)

    def do_merged(self, names: list[str]) -> None:
        git(self.root, "switch", "--quiet", "main")
        self.write(names, "theirs\n")
        commit_all(self.root)
        git(self.root, "switch", "--quiet", "feature")

    def do_branch(self, names: list[str]) -> None:
        git(self.root, "merge", "--quiet", "--ff-only", "main")
        self.write(names, RECORD)
        commit_all(self.root)

    def do_next(self, _names: list[str], number: str) -> None:
        assert new_name([path.name for path in self.folder.iterdir()], "title") == (f"{number}-title.md", number)

    def do_clashes(self, expected: list[str]) -> None:
        clashes = number_clashes(str(self.root), FOLDER)
        told = [f"{clash.path}: {clash.taken_by} on {clash.branch}" for clash in clashes]
        assert [line.replace(f"{FOLDER}/", "") for line in told] == expected

    def do_rename(self, _names: list[str], old: str, new: str) -> None:
        (self.folder / old).rename(self.folder / new)

    def write(self, names: list[str], text: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (self.folder / name).write_text(text)


def test_case_19(tmp_path: Path) -> None:
    (case,) = (case for case in all_cases() if case.number == 19)
    player = Player(tmp_path / "repository")
    for step in case.steps:
        player.play(step)


@pytest.mark.parametrize(
    ("names", "name"),
    [
        ([], "0001-x.md"),
        (["README.md", "0007-a.txt", "notes-0009.md"], "0001-x.md"),
        (["0061-a.md", "0050-b.md"], "0062-x.md"),
        (["0061-a.md", "61-b.md"], "62-x.md"),
        (["9999-a.md"], "10000-x.md"),
        (["001-a.md", "009-b.mdx"], "010-x.md"),
        (["adr-0004-a.md", "0002-b.md"], "adr-0005-x.md"),
        (["ADR-17-a.md", "template.md"], "ADR-18-x.md"),
        (["0002-a.md", "2024-05-06-b.md", "20240506-c.md"], "20260301-x.md"),
        (["0002-a.md", "0003-b.md", "2024-05-06-c.md"], "0004-x.md"),
        (["2024-05-06-a.md"], "2026-03-01-x.md"),
        (["2024-05-06-a.md", "2026-03-01-x.md"], "2026-03-01-x-2.md"),
        (["2024-a.md", "2024-13-77-b.md"], "2025-x.md"),
    ],
)
def test_a_new_record_is_named_as_the_others_are(names: list[str], name: str) -> None:
    assert new_name(names, "x", "2026-03-01")[0] == name


def test_the_form_that_was_asked_for_is_taken() -> None:
    assert new_name(["0061-a.md"], "x", "2026-03-01", "date") == ("2026-03-01-x.md", "")
    assert new_name(["2024-05-06-a.md"], "x", "2026-03-01", "number") == ("0001-x.md", "0001")


@pytest.mark.parametrize("date", ["", "in spring", "2026-03", "2026-03-01 "])
def test_without_a_day_the_record_gets_a_number(date: str) -> None:
    assert new_name(["2024-05-06-a.md"], "x", date, "date") == ("0001-x.md", "0001")


def test_without_git_there_is_no_clash(tmp_path: Path) -> None:
    assert number_clashes(str(tmp_path), FOLDER) == []
