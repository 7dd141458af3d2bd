"""What a re-run needs, checked before anything is spent. What lacks refuses, with its reason and how to mend it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from specweave_ml.errors import Refused
from specweave_ml.provenance.git import find_repository, run_git
from specweave_ml.redact import REDACTED
from specweave_ml.store.shared import read_shared
from specweave_ml.store.verify import verify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from specweave_ml.project import Increment
    from specweave_ml.record import Experiment

_SHORT = 12


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that a re-run takes from the record.

    Attributes:
        experiment: the one to run again.
        where: its increment.
        top: of the repository.
        commit: to check out.
        patch: to apply on top of it; empty where nothing was changed.
        argv: the command, `python` first where it was Python.
        cwd: where it ran, relative to the project's root.
        variables: the recorded environment variables.
        data: the recorded data sets.
        wrapped: what `specweave-ml run` was told, where that recorded the experiment; else None.
    """

    experiment: Experiment
    where: Increment
    top: str
    commit: str
    patch: bytes
    argv: tuple[str, ...]
    cwd: str
    variables: Mapping[str, str]
    data: tuple[Mapping[str, Any], ...]
    wrapped: Mapping[str, Any] | None

    @property
    def code(self) -> str:
        """The code in a few characters."""
        return f"{self.commit[:_SHORT]}{' and its recorded changes' if self.patch else ''}"


def read_recipe(experiment: Experiment, where: Increment) -> Recipe:
    """The recipe of an experiment.

    Raises:
        Refused: the record was changed since, or does not hold what a re-run needs.
    """
    _check_record(experiment)
    repository = find_repository(where.root)
    commit = _section(experiment, "code").get("commit")
    if repository is None or not isinstance(commit, str) or not commit.isalnum():
        raise _refused(experiment, "no commit is recorded", "commit the code, and train again")
    if run_git(repository.top, "cat-file", "-e", f"{commit}^{{commit}}").code:
        raise _refused(experiment, f"the commit {commit[:_SHORT]} is not in this repository", "git fetch --all")
    command = _section(experiment, "command")
    argv, cwd = _command(experiment, command)
    variables = {str(name): str(value) for name, value in (command.get("env") or {}).items()}
    wrapped = experiment.value("wrapped")
    return Recipe(
        experiment, where, repository.top, commit, _patch(experiment), argv, cwd, variables, experiment.data,
        wrapped if isinstance(wrapped, dict) else None,
    )  # fmt: skip


def _check_record(experiment: Experiment) -> None:
    if experiment.kind != "experiment" or experiment.status == "running":
        raise _refused(experiment, f"it is {experiment.kind}, {experiment.status}", "specweave-ml show NAME")
    integrity = verify(str(experiment.path))
    changed = [*integrity.changed, *integrity.behind, *integrity.differing]
    if changed:
        raise _refused(experiment, f"its record was changed since it was closed: {changed[0]}", "specweave-ml doctor")


def _patch(experiment: Experiment) -> bytes:
    code = _section(experiment, "code")
    described = code.get("patch")
    gaps = [gap for gap in _section(experiment, "capture").get("missing", ()) if gap.get("what") == "code.patch"]
    if gaps:
        raise _refused(experiment, f"its changes are not whole: {gaps[0].get('why')}", str(gaps[0].get("mend")))
    if not isinstance(described, dict):
        if code.get("dirty"):
            why = "files differed from the commit, and how was not recorded"
            raise _refused(experiment, why, "commit the code, and train again")
        return b""
    patch = read_shared(experiment, "code", "patch")
    if patch is None:
        why = f"the changes on top of the commit, {described.get('file')}, are gone or are not what was recorded"
        raise _refused(experiment, why, "git log the file, or restore it from a copy")
    return patch


def _command(experiment: Experiment, command: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    argv, cwd = command.get("argv"), command.get("cwd")
    for gap in _section(experiment, "capture").get("missing", ()):
        if gap.get("what") == "command":
            raise _refused(experiment, str(gap.get("why")), str(gap.get("mend")))
    if not isinstance(argv, list) or not argv or not isinstance(cwd, str):
        raise _refused(experiment, "no command is recorded", "train again, with python and a file")
    if any(REDACTED in str(word) for word in argv):
        why = "the command held a secret, which is not recorded"
        raise _refused(experiment, why, "pass secrets in environment variables, and train again")
    if os.path.isabs(cwd) or ".." in cwd.split("/"):
        raise _refused(experiment, f"it ran outside the project, in {cwd}", "run it below the project's root")
    return tuple(map(str, argv)), cwd


def _section(experiment: Experiment, key: str) -> Mapping[str, Any]:
    section = experiment.value(key)
    return section if isinstance(section, dict) else {}


def _refused(experiment: Experiment, why: str, mend: str) -> Refused:
    return Refused(f"{experiment.name} cannot be run again: {why}", path=experiment.path, next_step=mend)
