"""What `doctor` looks at. A check says whether it is well, why, and what to do next; nothing is written.

installation    the alias `specweave`, git
documents       the settings, the numbers of decision records
increment       locks, disk
records         readable, journals, small files, torn ends, dropped lines, stale ones, provenance, re-runs

What is asked before an increment is closed is in closing.py, what SpecWeave and others say in surroundings.py.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from specweave_ml.cli.output import count
from specweave_ml.errors import SpecweaveError, first_few
from specweave_ml.project import INCREMENTS
from specweave_ml.store.layout import JOURNAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from specweave_ml.project import Increment
    from specweave_ml.record import Experiment
    from specweave_ml.store.verify import Integrity

_MOST_NAMED = 5
_LEAST_FREE_BYTES = 200 << 20
_MEND_ALIAS = "pip uninstall specweave && pip install --force-reinstall specweave-ml"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        ok: whether nothing needs to be done.
        why: what was found.
        next: what to do; None where there is nothing.
        broken: whether the store cannot be read or written at all.
    """

    name: str
    ok: bool
    why: str
    next: str | None = None
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Records:
    """The experiments of an increment, archived ones too, each read whole."""

    where: Increment
    experiments: Sequence[Experiment]
    found: dict[str, Integrity] = field(default_factory=dict)

    def named(self, sees: Callable[[Integrity], Sequence[str]]) -> list[str]:
        """`name/file: reason` for each finding of one kind."""
        return [f"{name}/{line}" for name, integrity in self.found.items() for line in sees(integrity)]


def alias() -> Check:
    """Is the top-level module `specweave` ours? Looked at without importing it: another one runs what it likes."""
    from importlib.util import find_spec

    try:
        spec = find_spec("specweave")
    except (ImportError, ValueError):
        spec = None
    origin = spec.origin if spec else None
    if origin is None:
        return Check("alias", ok=False, why="the module specweave, our alias, is not installed", next=_MEND_ALIAS)
    try:
        with open(origin, encoding="utf-8", errors="replace") as file:
            ours = "from specweave_ml import" in file.read(10_000)
    except OSError:
        ours = False
    if ours:
        return Check("alias", ok=True, why="`from specweave import …` is specweave-ml")
    why = (
        f"`import specweave` loads {origin}, which another distribution put there (PyPI's specweave is not this one); "
        "specweave_ml and this command still work"
    )
    return Check("alias", ok=False, why=why, next=_MEND_ALIAS)


def git(root: str) -> Check:
    """Can provenance ask git, and does git take the records?"""
    from specweave_ml.provenance.git import NO_GIT, find_repository, run_git

    answer = run_git(root, "version")
    if answer.code == NO_GIT:
        return Check("git", ok=False, why="git was not found: records will not say which code ran", next="install git")
    version = answer.output.decode(errors="replace").strip().removeprefix("git version ")
    if find_repository(root) is None:
        return Check("git", ok=True, why=f"git {version}; the project is in no repository")
    probe = f"{INCREMENTS}/0000-probe/experiments/probe/{JOURNAL}"
    answer = run_git(root, "check-ignore", "--verbose", "--", probe)
    if answer.code == 0:
        rule = answer.output.decode(errors="replace").partition("\t")[0]
        why = f"git {version}; it leaves the records of experiments out ({rule})"
        return Check("git", ok=True, why=why, next="take out that line, so that records are committed and shared")
    return Check("git", ok=True, why=f"git {version}; the project is in a repository")


def locks(experiments: Sequence[Experiment]) -> Check:
    """Does the file system keep locks? Without them nobody can tell a running experiment from a dead one."""
    from specweave_ml.store.layout import journals
    from specweave_ml.store.liveness import UNVERIFIED, owner

    folders = (str(experiment.path) for experiment in experiments)
    journal = next((f"{folder}/{name}" for folder in folders for _, _, name in journals(folder)), None)
    if journal is None:
        return Check("locks", ok=True, why="no journal to try them on")
    if owner(journal) == UNVERIFIED:
        why = "this file system keeps no locks: a dead experiment looks like a running one"
        return Check("locks", ok=False, why=why, next="keep the project on a local disk")
    return Check("locks", ok=True, why="the file system keeps them")


def documents(root: str) -> Check:
    """Whether the settings of documents are understood, and no decision record has a number that is taken."""
    from specweave_ml.documents.targets import find_targets
    from specweave_ml.living_docs.adr import number_clashes

    try:
        records = find_targets(root).records
        clashes = number_clashes(root, records) if records else []
    except SpecweaveError as error:
        return Check("documents", ok=False, why=f"{error.what}: {error.path}", next=error.next_step)
    if not clashes:
        return Check("documents", ok=True, why="settings and numbers of decision records are in order")
    shown = clashes[:_MOST_NAMED]
    said = "; ".join(f"{each.path} has the number of {each.taken_by} on {each.branch}" for each in shown)
    return Check("documents", ok=False, why=said, next="rename the newer file, and its title, before merging")


def disk(where: Increment) -> Check:
    """Can an experiment be written here?"""
    folder = where.experiments if os.path.isdir(where.experiments) else where.path
    if not os.access(folder, os.W_OK):
        why = f"{os.path.relpath(folder, where.root)} cannot be written"
        return Check("disk", ok=False, why=why, next="make the folder writable", broken=True)
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    said = f"{free / (1 << 30):,.1f} GB free"
    if free < _LEAST_FREE_BYTES:
        return Check("disk", ok=False, why=said, next="make room: a full disk drops what is logged")
    return Check("disk", ok=True, why=f"writable, {said}")


def of_records(records: Records) -> Iterator[Check]:
    """The checks of what was recorded."""
    total = count(len(records.experiments), "experiment")
    ours = [each for each in records.experiments if each.kind != "foreign"]
    yield _readable(records, ours)
    yield findings(
        "journals", records.named(lambda each: each.changed), f"as they were closed, in {total}",
        "git log the files, or restore them from a copy",
    )  # fmt: skip
    behind = records.named(lambda each: [*each.behind, *each.differing])
    yield findings("small files", behind, "what the journals give", _again(behind))
    yield _torn(records)
    yield findings(
        "dropped lines",
        [f"{name}: {integrity.dropped}" for name, integrity in records.found.items() if integrity.dropped],
        "no record says that the disk refused one",
        "run these experiments again, or archive them: their records are incomplete",
    )
    stale = [each.name for each in ours if each.kind == "experiment" and each.status == "stale"]
    mend = f"specweave-ml status {stale[0]} killed -i {records.where.id}" if stale else None
    yield findings("stale", stale, "every experiment that has not ended is still running", mend)
    yield _provenance([each for each in ours if each.kind == "experiment"])
    yield _verified([each for each in ours if each.kind == "experiment"], records.where.root)


def findings(name: str, found: Sequence[str], well: str, mend: str | None) -> Check:
    """A check that is well where nothing was found."""
    return Check(name, ok=not found, why=listed(found) if found else well, next=mend if found else None)


def listed(found: Sequence[str]) -> str:
    """How many, and the first few of them."""
    return f"{len(found)}: {first_few(found, _MOST_NAMED)}"


def _again(behind: Sequence[str]) -> str | None:
    if not behind:
        return None
    name = behind[0].partition("/")[0]
    return f"specweave-ml status {name} STATUS makes them again from the journals"


def _readable(records: Records, ours: Sequence[Experiment]) -> Check:
    broken = [f"{each.name}/{problem}" for each in ours if each.kind == "unreadable" for problem in each.problems]
    odd = [line for line in records.named(lambda each: each.problems) if line not in broken]
    total = len(records.experiments)
    well = f"all {total}" if len(ours) == total else f"{len(ours)} of {total}, the others are foreign"
    mend = "mend the lines by hand, or archive the experiment"
    check = findings("readable", [*broken, *odd], well, mend)
    return Check(check.name, check.ok, check.why, check.next, broken=bool(broken))


def _torn(records: Records) -> Check:
    torn = [name for name, integrity in records.found.items() if integrity.torn_bytes]
    why = f"{listed(torn)}; whoever was killed there was never told that the half line is kept" if torn else "none"
    return Check("torn ends", ok=True, why=why)


def _provenance(experiments: Sequence[Experiment]) -> Check:
    """What the records themselves say is missing: no fault of the store, and of use to who starts the next one."""
    missing = Counter(
        str(gap.get("what"))
        for experiment in experiments
        for gap in (experiment.value("capture") or {}).get("missing", ())
        if isinstance(gap, dict)
    )
    if not missing:
        return Check("provenance", ok=True, why="complete, by what the records say")
    gaps = [f"{what} ({number} of {len(experiments)})" for what, number in missing.most_common()]
    return Check("provenance", ok=True, why=f"missing {listed(gaps)}", next="specweave-ml show NAME --json says why")


def _verified(experiments: Sequence[Experiment], root: str) -> Check:
    """What has moved since experiments re-ran within tolerance: no fault either, but the word is as old as it is."""
    from specweave_ml.reproduction.since import moved_since, verified

    proven = [each for each in experiments if verified(each)]
    if not proven:
        return Check("re-runs", ok=True, why="none was run again", next="specweave-ml reproduce NAME")
    moved = [f"{each.name} ({', '.join(since)})" for each in proven if (since := moved_since(each, root))]
    why = f"{len(proven)} of {len(experiments)} re-ran within tolerance"
    return Check("re-runs", ok=True, why=f"{why}; since then moved: {listed(moved)}" if moved else why)
