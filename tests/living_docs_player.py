"""Our player of the cases of living documents: each step done with the package, and looked at."""

from __future__ import annotations

import os
from pathlib import Path

from living_docs_cases import Case, Step, with_hashes
from specweave_ml.living_docs import Document, Region, SyncPlan, apply_sync, plan_sync
from specweave_ml.living_docs.bases import base_content, base_path, read_bases
from specweave_ml.living_docs.markers import fingerprint


def player_of(case: Case, root: Path) -> Player:
    """A player for one case in a folder of its own."""
    mdx = case.name.endswith("-mdx")
    return Player(root, "docs/ml-models.mdx" if mdx else ".specweave/docs/internal/architecture/ml-models.md")


class Player:
    """A project in which a case is played."""

    def __init__(self, root: Path, path: str) -> None:
        self.root = root
        self.path = root / path
        self.path_in_project = path
        self.generated: dict[str, str] = {}
        self.texts: dict[tuple[str, str], str] = {}
        self.person: dict[bool, list[str]] = {}
        self.before: tuple[bytes, int] | None = None
        self.plan: SyncPlan | None = None
        (root / ".specweave").mkdir()
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def play(self, step: Step) -> None:
        getattr(self, f"do_{step.word}")(step.text, *step.arguments)

    def wanted(self, *, complete: bool = True) -> Document:
        """What should stand in the document, in an order that is not the document's."""
        regions = [Region(name, body, _heading(name)) for name, body in self.generated.items()]
        return Document(self.path_in_project, tuple(reversed(regions)), "# ML Models\n", complete=complete)

    def do_document(self, text: str) -> None:
        self.path.write_bytes(self.real(text))

    def do_no(self, _text: str, what: str) -> None:
        if what == "document":
            self.path.unlink(missing_ok=True)
        for region in read_bases(str(self.root), self.path_in_project) if what == "bases" else ():
            (self.root / base_path(self.path_in_project, region)).unlink()

    def do_base(self, text: str, region: str) -> None:
        self._know(region, "base", text)
        path = self.root / base_path(self.path_in_project, region)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base_content(text.strip("\n")))

    def do_generated(self, text: str, region: str) -> None:
        if region in self.generated:
            self._know(region, "base", self.generated[region])
        self._know(region, "generated", text)
        self.generated[region] = text

    def do_person(self, text: str, what: str) -> None:
        self.person[what == "wrote"] = text.removesuffix("\n").split("\n")

    def do_sync(self, _text: str, *how: str) -> None:
        self.before = self._file()
        document = self.wanted(complete="partial" not in how)
        standing = snapshot(self.root)
        self.plan = plan_sync(str(self.root), [document], prune="prune" in how, restore="restore" in how)
        assert snapshot(self.root) == standing, "planning wrote something"
        done = apply_sync(self.plan)
        assert done == self.plan
        assert not self.plan.changed or self._conflict_marks() <= (self.before or (b"",))[0].count(b"<<<<<<<")
        standing = snapshot(self.root)
        for words, there in ((words, there) for there, lines in self.person.items() for words in lines):
            assert (words in self.path.read_bytes().decode()) == there, words
        again = apply_sync(plan_sync(str(self.root), [document], prune="prune" in how))
        assert not again.changed, again.diff
        assert snapshot(self.root) == standing, "the second sync wrote something"

    def do_becomes(self, text: str) -> None:
        assert self.plan is not None
        assert self.path.read_bytes().decode() == self.real(text).decode(), self.plan.as_dict()

    def do_stays(self, _text: str) -> None:
        assert self._file() == self.before

    def do_says(self, text: str) -> None:
        assert self.plan is not None
        action, *words = text.split("\n")
        change = self.plan.changes[0]
        assert change.action == action, change.why
        for word in filter(None, words):
            assert word in change.why

    def do_check(self, _text: str, passes: str, checked: str, opted_out: str) -> None:
        assert self.plan is not None
        assert (self.plan.is_current, self.plan.checked, self.plan.opted_out) == (
            passes == "passes",
            int(checked),
            int(opted_out),
        ), self.plan.as_dict()

    def _conflict_marks(self) -> int:
        return self.path.read_bytes().count(b"<<<<<<<")

    def _know(self, region: str, name: str, text: str) -> None:
        self.texts[region, name] = fingerprint(text)

    def real(self, text: str) -> bytes:
        return with_hashes(text, self.texts).encode()

    def _file(self) -> tuple[bytes, int] | None:
        return (self.path.read_bytes(), self.path.stat().st_mtime_ns) if self.path.exists() else None


def _heading(region: str) -> str:
    return f"## Recommendation Model (Increment {region.removeprefix('inc-')})"


def snapshot(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a folder: when it was written, and its bytes."""
    paths = [Path(folder) / name for folder, _, names in os.walk(root) for name in names]
    return {str(path.relative_to(root)): (path.stat().st_mtime_ns, path.read_bytes()) for path in sorted(paths)}
