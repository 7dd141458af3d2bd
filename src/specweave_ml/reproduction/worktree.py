"""The recorded code in a folder of its own, outside the project, which goes again however the re-run ends.

Whatever the repository says is data: no hook, no filter that the repository itself defines, nothing written through a
link. The person's files and index are not touched; git notes the worktree in `.git/worktrees` until it is removed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from specweave_ml.errors import Refused, StoreError
from specweave_ml.project import INCREMENTS
from specweave_ml.provenance.data import describe_files
from specweave_ml.provenance.git import run_git, settings, switched_off

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from specweave_ml.reproduction.recipe import Recipe

_SECONDS = 600.0


@contextmanager
def checked_out(recipe: Recipe) -> Iterator[str]:
    """The project's root in a worktree at the recorded commit, its changes applied and its increment ready.

    Raises:
        Refused: git cannot check it out, or the changes do not apply.
        StoreError: there is no room for it.
    """
    folder = tempfile.mkdtemp(prefix="specweave-ml-")
    tree = f"{folder}/tree"
    root = os.path.normpath(os.path.join(tree, os.path.relpath(recipe.where.root, os.path.realpath(recipe.top))))
    try:
        try:
            _check_out(recipe, tree)
            if recipe.patch:
                _apply(recipe, tree, f"{folder}/patch")
            _make_ready(root, recipe)
        except OSError as error:
            why = f"the code cannot be written to a folder of its own: {error.strerror or error}"
            raise StoreError(why, path=error.filename or folder) from error
        yield root
    finally:
        run_git(recipe.top, "worktree", "remove", "--force", "--force", tree, seconds=_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)
        run_git(recipe.top, "worktree", "prune")


def bring_data(recipe: Recipe, root: str) -> dict[str, str | None]:
    """Put recorded files that the commit does not hold where they were; name → digest now, None where none can be had.

    Raises:
        Refused: one is not there any more.
    """
    return {str(data.get("name")): _bring(data, recipe, root) for data in recipe.data}


def _check_out(recipe: Recipe, tree: str) -> None:
    answer = run_git(
        recipe.top, *_no_filters(recipe), "worktree", "add", "--quiet", "--detach", tree, recipe.commit,
        seconds=_SECONDS,
    )  # fmt: skip
    if answer.code:
        raise Refused(f"git cannot check out {recipe.commit}: {answer.error}", path=recipe.top)


def _no_filters(recipe: Recipe) -> list[str]:
    _, filters, _ = settings(recipe.top)
    return switched_off(filters, "smudge")


def _apply(recipe: Recipe, tree: str, file: str) -> None:
    with open(file, "xb") as patch:
        patch.write(recipe.patch)
    answer = run_git(
        tree, *_no_filters(recipe), "apply", "--binary", "--index", "--whitespace=nowarn", file, seconds=_SECONDS
    )
    if answer.code:
        what = f"the recorded changes do not apply to {recipe.commit}: {answer.error}"
        raise Refused(what, path=recipe.experiment.path, next_step="specweave-ml doctor")


def _make_ready(root: str, recipe: Recipe) -> None:
    """A place for the experiment, in which its name is free."""
    experiments = f"{root}/{INCREMENTS}/{recipe.where.name}/experiments"
    if not _is_inside(experiments, root):
        raise Refused("a link leads out of the recorded code", path=f"{INCREMENTS}/{recipe.where.name}")
    os.makedirs(experiments, exist_ok=True)
    earlier = f"{experiments}/{recipe.experiment.name}"
    if os.path.isdir(earlier) and not os.path.islink(earlier):
        shutil.rmtree(earlier)


def _bring(data: Mapping[str, Any], recipe: Recipe, root: str) -> str | None:
    uri, kind = str(data.get("uri") or ""), data.get("kind")
    if kind not in ("file", "dir") or data.get("outside_project") or os.path.isabs(uri) or ".." in uri.split("/"):
        return None
    here, there = f"{recipe.where.root}/{uri}", f"{root}/{uri}"
    if not os.path.lexists(there):
        _copy(here, there, root, str(data.get("name")))
    found = describe_files(there)
    return str(found["digest"]) if found["algorithm"] == data.get("algorithm") else None


def _copy(here: str, there: str, root: str, name: str) -> None:
    if not os.path.exists(here):
        raise Refused(
            f"the data set {name} is not there",
            path=here,
            expected="the file or folder that the experiment was trained on",
            next_step="dvc pull" if os.path.exists(f"{here}.dvc") else "bring it back to this path",
        )
    if not _is_inside(os.path.dirname(there), root):
        raise Refused("a link leads out of the recorded code", path=os.path.relpath(there, root))
    os.makedirs(os.path.dirname(there), exist_ok=True)
    if os.path.isdir(here):
        shutil.copytree(here, there)
    else:
        shutil.copyfile(here, there)


def _is_inside(path: str, root: str) -> bool:
    return f"{os.path.realpath(path)}/".startswith(f"{os.path.realpath(root)}/")
