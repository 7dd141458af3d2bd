"""Lasting links into the repository: to what is committed at HEAD, by its commit, and to nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from specweave_ml.escape import Escaped
from specweave_ml.github.remote import parse_remote
from specweave_ml.provenance.git import run_git
from specweave_ml.redact import redact_text
from specweave_ml.store.layout import ARCHIVE

if TYPE_CHECKING:
    from specweave_ml.github.remote import Repository

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Permalinks:
    """Links to the files of one increment's experiments.

    Attributes:
        root: the project's folder.
        repository: where they lead.
        head: the commit that is checked out; empty where nothing is committed yet.
        prefix: the project's folder in the repository, empty or with a slash at its end.
        experiments: the folder of the experiments, relative to the project's folder.
        committed: what HEAD holds there, relative to the project's folder.
        pushed: whether a branch of the remote holds HEAD, as far as git here knows.
    """

    root: str
    repository: Repository
    head: str
    prefix: str
    experiments: str
    committed: frozenset[str]
    pushed: bool

    def to(self, name: str, kind: Literal["tree", "blob"] = "tree") -> Escaped | None:
        """The link to a folder of the experiments, or to a file (`blob`); None where HEAD does not hold it."""
        path = f"{self.experiments}/{name}"
        if path not in self.committed or redact_text(path) != path:
            return None
        quoted = quote(self.prefix + path, errors="surrogateescape")
        return Escaped(f"{self.repository.url}/{kind}/{self.head}/{quoted}")

    def to_commit(self, commit: str, remote: str) -> Escaped | None:
        """The link to a recorded commit; None where it may be of another repository.

        Args:
            commit: its whole name.
            remote: the recorded URL of the repository that it is in; may be empty.
        """
        if not _COMMIT.fullmatch(commit):
            return None
        there = parse_remote(remote) == self.repository
        if not there and run_git(self.root, "cat-file", "-e", f"{commit}^{{commit}}").code:
            return None
        return Escaped(f"{self.repository.url}/commit/{commit}")


def find_permalinks(root: str, repository: Repository, experiments: str) -> Permalinks:
    """What can be linked to.

    Args:
        root: the project's folder.
        repository: where it lives.
        experiments: the folder of the experiments, relative to `root`.
    """
    answer = run_git(root, "rev-parse", "--show-prefix", "HEAD^{commit}")
    lines = answer.output.decode(errors="surrogateescape").split("\n")
    if answer.code:
        return Permalinks(root, repository, "", lines[0], experiments, frozenset(), pushed=True)
    folders = (f"{experiments}/{name}" for name in ("", f"{ARCHIVE}/", ".env/"))
    listed = run_git(root, "--literal-pathspecs", "ls-tree", "-z", "--name-only", "HEAD", "--", *folders)
    committed = frozenset(listed.output.decode(errors="surrogateescape").split("\0")) - {""}
    holding = run_git(root, "for-each-ref", "--count=1", "--contains=HEAD", "refs/remotes/")
    return Permalinks(root, repository, lines[1], lines[0], experiments, committed, pushed=bool(holding.output.strip()))
