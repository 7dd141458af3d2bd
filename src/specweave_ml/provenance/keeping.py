"""Whether others can get the commit, and that git does not throw it away: a rebase leaves commits that nothing names.

One ref a day, `refs/specweave-ml/<date>`, holds all commits of that day: its own commit names them as parents. Hundreds
of experiments make no more refs than that, and no branch or tag of the person's is touched.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from specweave_ml.provenance.gaps import gap
from specweave_ml.provenance.git import find_repository, run_git

if TYPE_CHECKING:
    from specweave_ml.provenance.gaps import Found

REFS = "refs/specweave-ml"
_NOBODY = ("-c", "user.name=specweave-ml", "-c", "user.email=specweave-ml@localhost")
_ATTEMPTS = 3


def keep_commit(root: str, commit: str | None) -> Found:
    """`pushed`, and a ref that keeps the commit; a gap where neither a remote nor this repository will keep it."""
    repository = find_repository(root)
    if repository is None or commit is None:
        return {}, []
    top = repository.top
    known = run_git(top, "for-each-ref", "--count=1", f"--contains={commit}", "--format=%(refname)", "refs/remotes")
    gaps = []
    if known.code == 0 and not known.output:
        why = "the commit is in no remote branch, so that nobody else can get it"
        gaps.append(gap("code.pushed", why, "git push"))
    if not any(_keep(top, commit) for _ in range(_ATTEMPTS)):
        why = "git could not be told to keep the commit, which a rebase may leave behind"
        gaps.append(gap("code.kept", why, "keep a branch or a tag on it"))
    return ({"pushed": bool(known.output)} if known.code == 0 else {}), gaps


def _keep(top: str, commit: str) -> bool:
    """Whether the ref of today holds the commit now; False where another process moved it meanwhile, or git cannot."""
    ref = f"{REFS}/{time.strftime('%Y-%m-%d', time.gmtime())}"
    held = run_git(top, "rev-parse", "--verify", "--quiet", ref)
    old = held.output.decode().strip() if held.code == 0 else ""
    if old and run_git(top, "merge-base", "--is-ancestor", commit, old).code == 0:
        return True
    parents = ["-p", commit, *(("-p", old) if old else ())]
    made = run_git(
        top, *_NOBODY, "commit-tree", *parents, "-m", "Commits that experiments ran at", f"{commit}^{{tree}}"
    )
    if made.code:
        return False
    return run_git(top, "update-ref", ref, made.output.decode().strip(), old or "0" * len(commit)).code == 0
