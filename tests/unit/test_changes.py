"""The patch of a record, held against git itself: what it restores is what was there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from repositories import commit_all, git, make_repository
from specweave_ml.provenance import complete, start
from specweave_ml.provenance.changes import LARGEST_FILE

SECRET = "ghp_" + "a1B2" * 9


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = make_repository(tmp_path / "repository")
    (root / "train.py").write_text("rate = 0.1\nprint(rate)\n")
    (root / "old name.py").write_bytes(b"x = 1\r\ny = 2\r\n")
    (root / "gone.py").write_text("unused = True\n")
    (root / "picture.bin").write_bytes(bytes(range(256)) * 8)
    (root / "run.sh").write_text("#!/bin/sh\n")
    commit_all(root)
    return root


def captured(root: Path) -> tuple[dict[str, Any], bytes]:
    """The code section, and the patch that it names."""
    sections, files = complete(str(root), start(str(root)))
    code = sections["code"]
    assert not any("failed" in entry["why"] for entry in sections["capture"]["missing"]), sections["capture"]["missing"]
    return {**code, "missing": sections["capture"]["missing"]}, files.get(code.get("patch", {}).get("file"), b"")


def why_not(code: dict[str, Any]) -> list[str]:
    return [entry["why"] for entry in code["missing"] if entry["what"] == "code.patch"]


def restored(root: Path, commit: str, patch: bytes) -> Path:
    """A worktree at the commit with the patch applied."""
    tree = root.parent / "restored"
    git(root, "worktree", "add", "-q", "--detach", str(tree), commit)
    done = subprocess.run(
        ["git", "-C", str(tree), "apply", "--binary", "--index", "-"], input=patch, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return tree


def contents(root: Path) -> dict[str, tuple[bytes, bool]]:
    files = (path for path in root.rglob("*") if path.is_file() and ".git" not in path.parts and path.name != ".git")
    return {str(path.relative_to(root)): (path.read_bytes(), os.access(path, os.X_OK)) for path in files}


def test_a_clean_tree_has_no_patch(repository):
    code, patch = captured(repository)
    assert "patch" not in code
    assert patch == b""
    assert why_not(code) == []


def test_everything_that_changed_comes_back(repository):
    (repository / "train.py").write_text("rate = 0.2\nprint(rate)  # größer\n")
    (repository / "old name.py").write_bytes(b"x = 1\r\ny = 3\r\nno end of line")
    (repository / "gone.py").unlink()
    (repository / "picture.bin").write_bytes(b"\0\1\2" * 500)
    (repository / "run.sh").chmod(0o755)
    (repository / "pkg").mkdir()
    (repository / "pkg" / "new model.py").write_text("class Model:\n    pass\n")
    (repository / "pkg" / "empty.py").write_text("")
    (repository / "pkg" / "blank.yaml").write_text("\n")
    (repository / "pkg" / "open.yaml").write_text("depth: 6")
    (repository / "pkg" / "tool.sh").write_text("#!/bin/sh\nexit 0\n")
    (repository / "pkg" / "tool.sh").chmod(0o755)
    (repository / "pkg" / "überall.py").write_text("diff --git a/x b/x\n+++ b/y\n")
    code, patch = captured(repository)
    assert code["dirty"]
    assert why_not(code) == []
    assert code["untracked"]["count"] == 6
    assert len(patch) == code["patch"]["bytes"]
    assert contents(restored(repository, code["commit"], patch)) == contents(repository)


def test_a_staged_file_and_a_new_link_and_a_renamed_one(repository):
    (repository / "staged.py").write_text("staged = 1\n")
    git(repository, "add", "staged.py")
    (repository / "staged.py").write_text("staged = 2\n")
    git(repository, "mv", "gone.py", "kept.py")
    code, patch = captured(repository)
    assert why_not(code) == []
    assert contents(restored(repository, code["commit"], patch)) == contents(repository)


def test_only_sources_go_in_and_nothing_that_git_ignores(repository):
    (repository / ".gitignore").write_text("ignored.py\n")
    commit_all(repository)
    for name in ("ignored.py", ".env", "data.csv", "weights.pt", "credentials.json"):
        (repository / name).write_text("x\n")
    (repository / ".specweave").mkdir()
    (repository / ".specweave" / "notes.py").write_text("x\n")
    os.symlink("/etc/hostname", repository / "link.py")
    code, patch = captured(repository)
    assert patch == b""
    assert why_not(code) == ["without changed files that cannot be put into a patch: link.py"]


def test_what_is_too_large_is_named(repository):
    (repository / "train.py").write_text("x = 1\n" * LARGEST_FILE)
    (repository / "big.py").write_text("y = 1\n" * LARGEST_FILE)
    (repository / "run.sh").write_text("#!/bin/sh\nexit 1\n")
    code, patch = captured(repository)
    assert code["patch"]["truncated"]
    assert why_not(code) == ["without changed files larger than a patch takes: train.py, big.py"]
    assert b"exit 1" in patch
    assert len(patch) < 1000


def test_no_secret_goes_into_a_patch_and_the_rest_does(repository):
    (repository / "train.py").write_text(f'rate = 0.1\ntoken = "{SECRET}"\n')
    (repository / "config.yaml").write_text(f"api_key: {SECRET}\n")
    (repository / "run.sh").write_text("#!/bin/sh\nexit 1\n")
    code, patch = captured(repository)
    assert SECRET.encode() not in patch
    assert why_not(code) == ["without changed files with something that looks like a secret: train.py, config.yaml"]
    assert b"exit 1" in patch


def test_changes_in_a_repository_without_a_commit(tmp_path):
    root = tmp_path / "fresh"
    root.mkdir()
    git(root, "init", "-q")
    (root / "train.py").write_text("x\n")
    code, patch = captured(root)
    assert patch == b""
    assert "commit" not in code


def test_the_index_stays_as_it_is(repository):
    os.utime(repository / "train.py", (1, 1))
    before = (repository / ".git" / "index").read_bytes()
    captured(repository)
    assert (repository / ".git" / "index").read_bytes() == before


def test_a_commit_that_a_rebase_left_behind_is_kept(repository):
    (repository / "train.py").write_text("rate = 0.5\n")
    commit_all(repository)
    code, _ = captured(repository)
    assert code["pushed"] is False
    git(repository, "reset", "-q", "--hard", "HEAD~1")
    git(repository, "reflog", "expire", "--expire=now", "--all")
    git(repository, "gc", "-q", "--prune=now")
    assert git(repository, "show", f"{code['commit']}:train.py") == "rate = 0.5"


def test_one_ref_a_day_holds_all_commits(repository):
    commits = []
    for number in range(4):
        (repository / "train.py").write_text(f"rate = {number}\n")
        commit_all(repository)
        commits.append(captured(repository)[0]["commit"])
        captured(repository)
    refs = git(repository, "for-each-ref", "--format=%(refname)", "refs/specweave-ml").split()
    assert len(refs) == 1
    held = git(repository, "rev-list", refs[0]).split()
    assert set(commits) <= set(held)
