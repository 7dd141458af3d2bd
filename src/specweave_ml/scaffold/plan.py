"""The plan of `init`, from the increment that is meant to the last file.

    .specweave/increments/<name>/experiments/     the folder of the experiments
        .gitignore  .gitattributes                text is committed, models are not
    examples/track_experiment.py                  a first experiment, to copy from

The two git files stand beside what they are about, so neither the project's own nor SpecWeave's is touched.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Literal

from specweave_ml.errors import NotFound, Refused, StoreError, UsageError
from specweave_ml.lifecycle import is_of_specweave
from specweave_ml.living_docs import Change, SyncPlan, apply_sync
from specweave_ml.living_docs.apply import OVERTAKEN
from specweave_ml.project import INCREMENTS, Increment, find_increment, find_root, list_increments
from specweave_ml.render import render
from specweave_ml.scaffold.hints import agent_documents, plan_hints, purpose, specweave_documents

FIRST_INCREMENT = "0001-experiments"
EXAMPLE = "examples/track_experiment.py"

_NEW_NAME = re.compile(r"[0-9]{4,}[A-Za-z]?-[A-Za-z0-9][A-Za-z0-9._-]{0,80}")
_NUMBER = re.compile(r"[0-9]{1,9}[A-Za-z]?")

Action = Literal["create", "update", "unchanged", "left"]
_ACTIONS: dict[str, Action] = {"created": "create", "updated": "update", "conflict": "left"}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that `apply_scaffold` makes, or leaves alone.

    Attributes:
        path: relative to the project's root.
        action: `create`; `update` the region in it that is ours; `unchanged`: it is there as we would write it;
            `left`: something else is there.
        why: in a few words.
        content: of a file to create; None for a folder, and for what is not written.
    """

    path: str
    action: Action
    why: str
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Scaffold:
    """All that is done for one increment of the project at `root`.

    Attributes:
        increment: its full name.
        files: what is made whole.
        hints: the regions in files that are not ours.
        is_of_specweave: whether SpecWeave itself works in this project; otherwise it is told nothing.
    """

    root: str
    increment: str
    files: tuple[Step, ...]
    hints: SyncPlan
    is_of_specweave: bool

    @property
    def steps(self) -> tuple[Step, ...]:
        """Everything, in the order in which it is done."""
        return (*self.files, *map(_step, self.hints.changes))


def plan_scaffold(
    increment: str | None = None, start: str | None = None, *, agents: str | None = None, restore: bool = False
) -> Scaffold:
    """What tracking needs in this project and does not find yet. Writes nothing.

    Args:
        increment: an existing one as `find_increment` takes it, or the full name of a new one, such as
            `0042-recommendation-model`. None: the active one, or `0001-experiments` where there is none at all.
        start: where to look from. Where no folder above it is a project, it becomes one.
        agents: also tell agents, in AGENTS.md and CLAUDE.md, that this document says what was tried and chosen.
        restore: bring back hints that somebody deleted.

    Raises:
        NotFound: it is not clear which increment is meant.
        UsageError: the name of a new increment lacks its number or its words.
        Refused: its number belongs to another increment, or a link leads out of the project.
    """
    root = _root(start)
    where = _target(root, increment)
    experiments = f"{os.path.relpath(where.path, root)}/experiments"
    files = (
        _folder(root, experiments),
        _file(root, f"{experiments}/.gitignore", "experiments.gitignore", "models stay out of git, text goes in"),
        _file(root, f"{experiments}/.gitattributes", "experiments.gitattributes", "journals merge line by line"),
        _file(root, EXAMPLE, "track_experiment.py", "a first experiment, to run and to copy from"),
    )
    known = is_of_specweave(root, [each.path for each in list_increments(root)])
    told = [*(specweave_documents() if known else ()), *(agent_documents(root, agents) if agents else ())]
    return Scaffold(root, where.name, files, plan_hints(root, told, restore=restore), known)


def apply_scaffold(scaffold: Scaffold) -> None:
    """Make what is planned. What somebody else made meanwhile is not overwritten.

    Raises:
        Refused: a sync of the documents is going on and does not end.
        StoreError: something cannot be written.
    """
    for step in scaffold.files:
        if step.action != "create":
            continue
        path = os.path.join(scaffold.root, step.path)
        try:
            if step.content is None:
                os.makedirs(path, 0o755, exist_ok=True)
                continue
            os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
            with open(path, "xb") as file:
                file.write(step.content)
        except FileExistsError as error:
            raise StoreError("something is there now that was not there a moment ago", path=path) from error
        except OSError as error:
            raise StoreError(f"it cannot be written: {error.strerror or error}", path=path) from error
    overtaken = [each.path for each in apply_sync(scaffold.hints).changes if each.why == OVERTAKEN]
    if overtaken:
        what = "somebody else is writing there; everything else is done"
        raise StoreError(what, path=", ".join(overtaken), next_step="specweave-ml init once more")


def _root(start: str | None) -> str:
    try:
        return find_root(start)
    except NotFound:
        return os.path.abspath(start or os.curdir)


def _target(root: str, increment: str | None) -> Increment:
    known = list_increments(root)
    if increment is None:
        return find_increment(None, root) if known else _new(root, FIRST_INCREMENT)
    if known:
        try:
            return find_increment(increment, root)
        except NotFound:
            if _number_of(increment) in {each.id.lstrip("0").lower() for each in known}:
                raise _taken(increment, known) from None
    if not _NEW_NAME.fullmatch(increment):
        raise UsageError(
            "a new increment needs its number and a few words",
            received=increment,
            expected="a name such as 0042-recommendation-model",
            next_step=f"specweave-ml init {_number_or_next(increment, known)}-what-it-is-about",
        )
    return _new(root, increment)


def _new(root: str, name: str) -> Increment:
    return Increment(root, name, os.path.join(root, INCREMENTS, name))


def _number_of(increment: str) -> str:
    return increment.partition("-")[0].lstrip("0").lower()


def _number_or_next(increment: str, known: list[Increment]) -> str:
    if _NUMBER.fullmatch(increment):
        return increment.zfill(4)
    highest = max((int(re.sub(r"\D", "", each.id)) for each in known), default=0)
    return f"{highest + 1:04d}"


def _taken(increment: str, known: list[Increment]) -> Refused:
    owner = next(each.name for each in known if each.id.lstrip("0").lower() == _number_of(increment))
    return Refused(
        "this number belongs to another increment",
        received=increment,
        expected=f"{owner}, or a number that is free",
        next_step=f"specweave-ml init {owner.partition('-')[0]}",
    )


def _folder(root: str, path: str) -> Step:
    if os.path.isdir(os.path.join(root, path)):
        return Step(path, "unchanged", "it is there")
    return Step(path, "create", "the folder of the experiments")


def _file(root: str, path: str, template: str, why: str) -> Step:
    content = render(template).encode()
    if _leads_out(root, os.path.dirname(path)):
        return Step(path, "left", "a link leads out of the project here")
    try:
        with open(os.path.join(root, path), "rb") as file:
            there = file.read(2 * len(content))  # with other line ends it is longer
    except FileNotFoundError:
        return Step(path, "create", why, content)
    except OSError as error:
        return Step(path, "left", f"it cannot be read: {error.strerror}")
    if there.replace(b"\r\n", b"\n") == content:
        return Step(path, "unchanged", "it is there")
    return Step(path, "left", "it is there and says something else")


def _leads_out(root: str, folder: str) -> bool:
    inside = os.path.join(os.path.realpath(root), "")
    return not os.path.join(os.path.realpath(os.path.join(root, folder)), "").startswith(inside)


def _step(change: Change) -> Step:
    if any(region.outcome == "opted_out" for region in change.regions):
        return Step(change.path, "left", "our part of it was deleted; --restore brings it back")
    action = _ACTIONS.get(change.action, "unchanged")
    return Step(change.path, action, change.why if action == "left" else purpose(change.path))
