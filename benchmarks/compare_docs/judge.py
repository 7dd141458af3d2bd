"""One case played by one tool: does what it says hold, what of people's changed, which of their edits is lost."""

import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path

from benchmarks.compare_docs import documents
from benchmarks.compare_docs.documents import Filling
from benchmarks.compare_docs.installing import paths
from benchmarks.compare_docs.tools import DOCUMENT, Tool
from living_docs_cases import Case, Step
from specweave_ml.living_docs.text import normal_body, split_lines

# What only regions with an id, a version, MDX, a section to adopt or a document of their own making can be asked;
# and what is measured in its own way.
NOT_THEIRS = (
    *("04-crossed", "04-newer-version", "09-document-deleted", "09-two-sections-by-hand"),
    *("10-conflict-in-peoples-words", "14-", "15-", "16-", "19-"),
)
EMPTY_REGION = "<!-- specweave:begin v1 inc-0042 sha256=0123456789abcdef -->\n<!-- specweave:end v1 inc-0042 -->\n"
REPOSITORY = Path(__file__).resolve().parents[2]
SECONDS = 120


class NotAskedError(Exception):
    """The rest of the case is none of this tool's business."""


@dataclass
class Verdict:
    """How a case went: `holds` is None when it was not asked; the counts are of people's bytes and people's edits."""

    holds: bool | None = None
    why: list[str] = field(default_factory=list)
    bytes_changed: int = 0
    edits_lost: int = 0

    def expect(self, truth: object, why: str) -> None:
        """Something that must be true; else the case does not hold, and this is why."""
        self.holds = bool(truth) and self.holds is not False
        if not truth and why not in self.why:
            self.why.append(why)


class Play:
    """A case, a tool, and a folder to play in."""

    def __init__(self, tool: Tool, case: Case, folder: Path) -> None:
        self.tool = tool
        self.case = case
        self.folder = folder
        self.path = folder / DOCUMENT
        self.verdict = Verdict()
        self.generated: dict[str, str] = {}
        self.before_that: dict[str, str] = {}
        self.text = ""
        self.fillings: dict[str, Filling] = {}
        self.wrote: list[str] = []
        self.deleted: list[str] = []
        self.before = self.after = b""
        self.code = 0
        self.check_code: int | None = None

    def judge(self) -> Verdict:
        """Play the steps, up to the first that is none of this tool's business."""
        with suppress(NotAskedError):
            for number, step in enumerate(self.case.steps if self._is_asked() else ()):
                getattr(self, f"_do_{step.word}")(step, self.case.steps[number + 1 :])
        return self.verdict

    def _is_asked(self) -> bool:
        not_its = (*NOT_THEIRS, *self.tool.not_asked)
        return not self.case.name.startswith(not_its) and not self.case.name.endswith("-mdx")

    def _do_base(self, step: Step, _rest: Sequence[Step]) -> None:
        self.before_that[step.arguments[0]] = step.text

    def _do_no(self, step: Step, _rest: Sequence[Step]) -> None:
        if step.arguments[0] == "document" and self.case.number != 1:
            raise NotAskedError

    def _do_generated(self, step: Step, _rest: Sequence[Step]) -> None:
        region = step.arguments[0]
        if region in self.generated:
            self.before_that[region] = self.generated[region]
        self.generated[region] = step.text

    def _do_person(self, step: Step, _rest: Sequence[Step]) -> None:
        setattr(self, step.arguments[0], step.text.removesuffix("\n").split("\n"))

    def _do_document(self, step: Step, rest: Sequence[Step]) -> None:
        self.text = step.text
        self.path.write_bytes(b"")
        # What is generated, and which lines are a person's, the case says after the document.
        for later in _up_to_sync(rest):
            if later.word == "person":
                self._do_person(later, ())
            if later.word == "generated":
                self.before_that.setdefault(later.arguments[0], later.text)
        self.fillings = self._fill(step.text)
        self.path.write_bytes(_bytes(documents.filled(step.text, self.tool, self.fillings, self.wrote)))

    def _do_sync(self, step: Step, rest: Sequence[Step]) -> None:
        if {"prune", "restore"} & {*step.arguments}:
            raise NotAskedError
        self._place_new_regions(rest)
        self.tool.feed(self.folder, self.generated)
        self.before = self.path.read_bytes()
        self._check()
        self.code = self._run(self.tool.command)
        self.after = self.path.read_bytes()
        conflict = any(later.word == "says" and later.text.startswith("conflict") for later in _up_to_sync(rest))
        self.verdict.expect((self.code != 0) == conflict, "it says nothing" if conflict else "it fails")
        self._count_edits()
        self._run(self.tool.command)
        self.verdict.expect(self.path.read_bytes() == self.after, "a second run changes it again")

    def _do_stays(self, _step: Step, _rest: Sequence[Step]) -> None:
        self.verdict.expect(self.after == self.before, "it was changed")
        if self.after != self.before:
            self._count_bytes()

    def _do_becomes(self, step: Step, _rest: Sequence[Step]) -> None:
        found = documents.pattern(step.text, self.tool).fullmatch(_text(self.after))
        self.verdict.expect(found is not None, "text outside the regions changes")
        if found is None:
            self._count_bytes()
        for inner, body in zip(
            found.groups()[::2] if found else (), documents.bodies(step.text).values(), strict=False
        ):
            if self.tool.any_text:
                self.verdict.expect(normal_body(inner) == body, "the region is not what it should be")
        self.text = step.text

    def _do_says(self, _step: Step, _rest: Sequence[Step]) -> None:
        """Ours alone has reasons to read; the exit code was looked at."""

    def _do_check(self, step: Step, _rest: Sequence[Step]) -> None:
        if self.case.number == 13:
            why = "it has no check" if self.check_code is None else "its check says the opposite"
            passes = step.arguments[0] == "passes"
            self.verdict.expect(self.check_code is not None and (self.check_code == 0) == passes, why)

    def _fill(self, text: str) -> dict[str, Filling]:
        """What the tool writes into the regions of this document while nobody has edited anything."""
        stands = documents.bodies(text)
        if not stands:
            return {}
        plain = text.replace("\r\n", "\n").removeprefix("\ufeff")
        given = {region: self.before_that[region] for region in stands}
        self.tool.feed(self.folder, given)
        self.path.write_bytes(_bytes(documents.empty(plain, self.tool)))
        self._run(self.tool.command)
        result = _text(self.path.read_bytes())
        found = documents.pattern(plain, self.tool).fullmatch(result)
        if found:
            written = [*zip(found.groups()[::2], found.groups()[1::2], strict=True)]
        else:  # it changes other text, too: what is in the first region stands for all
            first = result.partition(self.tool.begin(next(iter(stands))))[2].partition(self.tool.end or "\n\n")[0]
            written = [(first, self.tool.end)] * len(stands)
        return {
            region: Filling(given[region], inner, end, body)
            for (region, body), (inner, end) in zip(stands.items(), written, strict=True)
        }

    def _place_new_regions(self, rest: Sequence[Step]) -> None:
        """Put empty markers where ours would put a region that is not there."""
        result = next(step for step in rest if step.word in ("becomes", "stays", "check"))
        expected = result.text if result.word == "becomes" else self.text
        if self.case.number == 12 and result.word == "stays":
            expected = f"{EMPTY_REGION}\n{self.text}"
        if documents.bodies(expected).keys() - documents.bodies(self.text).keys():
            self.text = expected
            self.path.write_bytes(_bytes(documents.filled(expected, self.tool, self.fillings, self.wrote)))
        elif not self.path.exists():
            raise NotAskedError

    def _check(self) -> None:
        if self.case.number == 13 and self.tool.check is not None:
            self.check_code = self._run(self.tool.check)
            self.verdict.expect(self.path.read_bytes() == self.before, "its check writes")

    def _count_edits(self) -> None:
        after = _text(self.after)
        lost = sum(line not in after for line in self.wrote) + sum(line in after for line in self.deleted)
        self.verdict.edits_lost += lost
        if self.wrote or self.deleted:
            self.verdict.expect(lost == 0, "an edit is lost")

    def _count_bytes(self) -> None:
        if self.case.number == 10:
            return  # whose a line of a conflict is cannot be told
        theirs = documents.people(self.text, self.tool)
        for body in (*self.before_that.values(), *self.generated.values()):
            theirs = theirs.replace(body, "")  # where the regions cannot be told, their bodies are still not people's
        self.verdict.bytes_changed += _missing(theirs, _text(self.after))

    def _run(self, command: Sequence[str]) -> int:
        return run(self.tool, command, self.folder)


def run(tool: Tool | None, command: Sequence[str], folder: Path, **environment: str) -> int:
    """The exit code of a tool's command in a folder; None is this package."""
    where = {"PATH": paths(tool.name)} if tool else {"PYTHONPATH": str(REPOSITORY)}
    settings = {**os.environ, "NO_UPDATE_NOTIFIER": "1", **where, **environment}
    done = subprocess.run(
        command, cwd=folder, env=settings, capture_output=True, stdin=subprocess.DEVNULL, timeout=SECONDS, check=False
    )
    return done.returncode


def _up_to_sync(steps: Sequence[Step]) -> Sequence[Step]:
    ends = [number for number, step in enumerate(steps) if step.word == "sync"]
    return steps[: ends[0]] if ends else steps


def _missing(people: str, after: str) -> int:
    """How many bytes of people's text are not in the document any more."""
    old, new = split_lines(people), split_lines(after)
    gone = 0
    for tag, start, stop, other_start, other_stop in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag in ("replace", "delete"):
            was, now = "".join(old[start:stop]), "".join(new[other_start:other_stop])
            blocks = SequenceMatcher(None, was, now, autojunk=False).get_matching_blocks()
            gone += len(_bytes(was)) - sum(len(_bytes(was[block.a : block.a + block.size])) for block in blocks)
    return gone


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")
