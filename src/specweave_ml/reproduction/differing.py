"""`diff`: what two experiments differ in, as far as the records and the repository tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specweave_ml.analysis.ingredients import Differences, Recorded, differences
from specweave_ml.provenance.git import find_repository, looked_at, run_git
from specweave_ml.store.shared import read_packages

if TYPE_CHECKING:
    from specweave_ml.record import Experiment


def differ(a: Experiment, b: Experiment, root: str) -> Differences:
    """The ingredients in which two experiments differ; nothing is written, and no code of theirs runs.

    Args:
        a: the first.
        b: the second; of any increment.
        root: of the project, whose repository knows whether two commits hold the same code.
    """
    one, other = (Recorded(each, read_packages(each)) for each in (a, b))
    return differences(one, other, same_commits=same_code(root, _commit(a), _commit(b)))


def _commit(experiment: Experiment) -> str:
    return str((experiment.value("code") or {}).get("commit") or "")


def same_code(root: str, one: str, other: str) -> bool | None:
    """Whether two commits hold the same files apart from the experiments themselves; None where git cannot tell."""
    repository = find_repository(root)
    if repository is None or not (one.isalnum() and other.isalnum()):
        return None
    answer = run_git(repository.top, "diff-tree", "-r", "--quiet", one, other, *looked_at(repository.top, root))
    return answer.code == 0 if answer.code in (0, 1) else None
