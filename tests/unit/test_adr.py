"""Numbers of decision records: case 19 of living documents, played in a real repository with two branches."""

from __future__ import annotations

from pathlib import Path

import pytest

from living_docs_cases import Step, all_cases
from repositories import commit_all, git, make_repository
from specweave_ml.living_docs.adr import next_number, number_clashes

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
        assert next_number(path.name for path in self.folder.iterdir()) == number

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
    ("names", "number"),
    [
        ([], "0001"),
        (["README.md", "0007-a.txt", "notes-0009.md"], "0001"),
        (["0061-a.md", "0050-b.md"], "0062"),
        (["0061-a.md", "61-b.md"], "0062"),
        (["9999-a.md"], "10000"),
    ],
)
def test_the_next_number_is_the_highest_plus_one(names: list[str], number: str) -> None:
    assert next_number(names) == number


def test_without_git_there_is_no_clash(tmp_path: Path) -> None:
    assert number_clashes(str(tmp_path), FOLDER) == []
