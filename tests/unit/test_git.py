"""What is recorded of the repository, held against git itself in repositories of every shape."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from repositories import commit_all, git, make_repository
from specweave_ml.provenance import complete, start, state_key
from specweave_ml.provenance.git import NO_GIT, run_git


@pytest.fixture(autouse=True)
def _nobodys_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repository")


def code(root: Path) -> dict[str, Any]:
    """The section as it stands when both parts are done."""
    sections, _ = complete(str(root), start(str(root)))
    return sections["code"]


def gaps(sections: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {entry["what"]: entry["why"] for entry in sections["capture"]["missing"]}


def touch_later(file: Path) -> None:
    os.utime(file, (time.time() + 5, time.time() + 5))


# Which commit, in repositories of every shape: first from the files alone, then as git says.


def plain(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "here")


def below_the_top(tmp_path: Path) -> Path:
    root = make_repository(tmp_path / "here") / "projects" / "one"
    root.mkdir(parents=True)
    return root


def slash_in_the_branch(tmp_path: Path) -> Path:
    root = make_repository(tmp_path / "here")
    git(root, "checkout", "-q", "-b", "feature/JIRA-1_x#2")
    return root


def packed_refs(tmp_path: Path) -> Path:
    root = make_repository(tmp_path / "here")
    git(root, "tag", "-a", "v1", "-m", "annotated, so that packed-refs has a peeled line")
    git(root, "branch", "main-2")
    git(root, "pack-refs", "--all")
    assert not (root / ".git/refs/heads/main").exists()
    return root


def worktree(tmp_path: Path) -> Path:
    git(make_repository(tmp_path / "main one"), "worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))
    commit_in = tmp_path / "tree"
    (commit_in / "more.py").write_text("\n")
    commit_all(commit_in)
    return commit_in


def submodule(tmp_path: Path) -> Path:
    inner, outer = make_repository(tmp_path / "inner"), make_repository(tmp_path / "outer")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "libs/inner")
    commit_all(outer)
    git(outer / "libs/inner", "checkout", "-q", "-b", "mine")
    return outer / "libs/inner"


def sha256_objects(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "here", "--object-format=sha256")


def strange_path(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "with space\nand newline, ünï ☃ $(x) [a]")


SURE = [plain, below_the_top, slash_in_the_branch, packed_refs, worktree, submodule, sha256_objects, strange_path]


@pytest.mark.parametrize("make", SURE)
def test_commit_and_branch_are_known_at_once(make, tmp_path):
    root = make(tmp_path)
    started = start(str(root))
    assert started["code"]["commit"] == git(root, "rev-parse", "HEAD")
    assert started["code"]["branch"] == git(root, "symbolic-ref", "--short", "HEAD")
    pushed = make is submodule  # a clone has its commit from a remote
    assert code(root) == {**started["code"], "dirty": False, "pushed": pushed}


def test_detached(repository):
    commit = git(repository, "rev-parse", "HEAD")
    git(repository, "checkout", "-q", "--detach")
    assert (start(str(repository))["code"]["commit"], start(str(repository))["code"]["branch"]) == (commit, None)
    assert code(repository)["branch"] is None


def unicode_branch(root: Path) -> None:
    git(root, "checkout", "-q", "-b", "größe")


def linked_git_folder(root: Path) -> None:
    (root / ".git").rename(root.parent / "elsewhere")
    (root / ".git").symlink_to(root.parent / "elsewhere")


def linked_head(root: Path) -> None:
    (root / ".git/HEAD").unlink()
    (root / ".git/HEAD").symlink_to("refs/heads/main")


def linked_ref(root: Path) -> None:
    (root / ".git/refs/heads/main").rename(root / ".git/kept")
    (root / ".git/refs/heads/main").symlink_to(root / ".git/kept")


def ref_to_a_ref(root: Path) -> None:
    git(root, "branch", "real")
    git(root, "symbolic-ref", "refs/heads/main", "refs/heads/real")


def huge_packed_refs(root: Path) -> None:
    commit = git(root, "rev-parse", "HEAD")
    git(root, "pack-refs", "--all")
    with (root / ".git/packed-refs").open("a") as refs:
        refs.writelines(f"{commit} refs/tags/v{number:06}\n" for number in range(10_000))


@pytest.mark.parametrize("twist", [unicode_branch, linked_head, linked_ref, ref_to_a_ref, huge_packed_refs])
def test_what_the_files_do_not_say_for_certain_is_asked_of_git(twist, repository):
    twist(repository)
    started = start(str(repository))
    assert "commit" not in started["code"]
    assert "in the background" in gaps(started)["code.commit"]
    assert code(repository)["commit"] == git(repository, "rev-parse", "HEAD")
    assert not {"code", "code.commit", "code.branch", "code.dirty"} & gaps(complete(str(repository), started)[0]).keys()


def test_a_linked_git_folder_is_followed(repository):
    linked_git_folder(repository)
    assert code(repository)["commit"] == git(repository, "rev-parse", "HEAD")


def test_reftable(tmp_path):
    tmp_path.joinpath("here").mkdir()
    try:
        git(tmp_path / "here", "init", "-q", "--ref-format=reftable")
    except subprocess.CalledProcessError:
        pytest.skip("this git has no reftable")
    root = make_repository(tmp_path / "here")
    before = state_key(str(root))
    assert "commit" not in start(str(root))["code"]
    assert code(root)["commit"] == git(root, "rev-parse", "HEAD")
    git(root, "commit", "-q", "--allow-empty", "-m", "empty")
    assert state_key(str(root)) != before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GIT_DIR", "{other}/.git"),
        ("GIT_WORK_TREE", "{other}"),
        ("GIT_INDEX_FILE", "{other}/.git/index"),
        ("GIT_OBJECT_DIRECTORY", "{other}/.git/objects"),
        ("GIT_CONFIG_PARAMETERS", "'core.worktree'='{other}'"),
        ("GIT_LITERAL_PATHSPECS", "1"),
    ],
)
def test_the_environment_cannot_point_git_elsewhere(name, value, repository, tmp_path, monkeypatch):
    other = make_repository(tmp_path / "other")
    (repository / "train.py").write_text("print('another commit than the other has')\n")
    commit_all(repository)
    (repository / "train.py").write_text("print('edited')\n")
    before = code(repository)
    monkeypatch.setenv(name, value.format(other=other))
    assert code(repository) == before
    assert before["dirty"] is True


# What cannot be captured is said, with the way to mend it.


def test_no_repository(tmp_path):
    sections, _ = complete(str(tmp_path), start(str(tmp_path)))
    assert sections["code"].keys() == {"entry"}
    assert gaps(start(str(tmp_path)))["code"] == "the project is in no git repository"
    assert gaps(sections)["code"] == "the project is in no git repository"


def test_no_commit_yet(tmp_path):
    git(tmp_path, "init", "-q")
    sections, _ = complete(str(tmp_path), start(str(tmp_path)))
    assert gaps(sections)["code"] == "the repository has no commit yet"
    assert sections["code"]["branch"] == "main"
    assert not {"commit", "dirty"} & sections["code"].keys()


def test_no_git_program(repository, tmp_path, monkeypatch):
    commit = git(repository, "rev-parse", "HEAD")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    sections, _ = complete(str(repository), start(str(repository)))
    assert sections["code"]["commit"] == commit
    missing = [entry for entry in sections["capture"]["missing"] if entry["what"].startswith("code.")]
    assert {entry["what"] for entry in missing} >= {"code.dirty", "code.remote"}
    assert {entry["mend"] for entry in missing if "git cannot be run" in entry["why"]} == {"install git"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_repository_of_another_user(repository):
    for path in (repository, *repository.rglob("*")):
        os.chown(path, 12345, 12345)
    sections, _ = complete(str(repository), start(str(repository)))
    entries = {entry["what"]: entry for entry in sections["capture"]["missing"]}
    assert "another user owns it" in entries["code.dirty"]["why"]
    assert "another user owns it" in entries["code.remote"]["why"]
    assert "safe.directory" in entries["code.dirty"]["mend"]
    assert str(repository) not in str(sections)


def test_a_broken_repository(repository):
    (repository / ".git/HEAD").write_bytes(b"\xff\xfe not a ref")
    sections, _ = complete(str(repository), start(str(repository)))
    assert "exit code" in gaps(sections)["code"]


def test_a_commit_made_meanwhile_is_not_mistaken_for_the_one_recorded(repository):
    started = start(str(repository))
    (repository / "train.py").write_text("print('edited')\n")
    commit_all(repository)
    sections, _ = complete(str(repository), started)
    assert sections["code"]["commit"] == started["code"]["commit"]
    assert "dirty" not in sections["code"]
    assert "another commit" in gaps(sections)["code.dirty"]


def test_submodules_are_named_as_not_looked_at(tmp_path):
    inside = submodule(tmp_path)
    (inside / "train.py").write_text("changed inside\n")
    outer = inside.parent.parent
    sections, _ = complete(str(outer), start(str(outer)))
    assert sections["code"]["dirty"] is False
    assert "not looked at" in gaps(sections)["code.submodules"]
    commit_all(inside)
    assert code(outer)["dirty"] is True


# Dirty: a tracked file differs from the commit.


def edit(root: Path) -> None:
    (root / "train.py").write_text("print('edited')\n")


def stage(root: Path) -> None:
    (root / "new.py").write_text("\n")
    git(root, "add", "new.py")


def delete(root: Path) -> None:
    (root / "train.py").unlink()


def make_executable(root: Path) -> None:
    (root / "train.py").chmod(0o755)


def edit_a_folder_called_as_ours_is_not(root: Path) -> None:
    (root / "src/wandb").mkdir(parents=True)
    (root / "src/wandb/sync.py").write_text("\n")
    git(root, "add", "src/wandb")


@pytest.mark.parametrize("change", [edit, stage, delete, make_executable, edit_a_folder_called_as_ours_is_not])
def test_dirty(change, repository):
    change(repository)
    assert code(repository)["dirty"] is True


def leave_untracked(root: Path) -> None:
    (root / "new.py").write_text("\n")


def only_touch(root: Path) -> None:
    touch_later(root / "train.py")


def change_what_trackers_write(root: Path) -> None:
    for name in (".specweave/increments/0042/spec.md", "apps/.specweave/state.json", "mlruns/0/meta.yaml", "wandb/x"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("before\n")
    commit_all(root)
    for name in (".specweave/increments/0042/spec.md", "apps/.specweave/state.json", "mlruns/0/meta.yaml", "wandb/x"):
        (root / name).write_text("after\n")


@pytest.mark.parametrize("change", [leave_untracked, only_touch, change_what_trackers_write])
def test_not_dirty(change, repository):
    change(repository)
    assert code(repository)["dirty"] is False


def test_trackers_folders_are_those_of_the_project_below_the_top(repository):
    root = repository / "odd [name]*"
    (root / "mlruns").mkdir(parents=True)
    (root / "mlruns/x").write_text("before\n")
    commit_all(repository)
    (root / "mlruns/x").write_text("after\n")
    assert code(root)["dirty"] is False
    assert code(repository)["dirty"] is True


def test_nothing_in_the_repository_is_written_but_the_ref_that_keeps_the_commit(repository):
    touch_later(repository / "train.py")
    ours = [repository / ".git" / name for name in ("objects", "refs/specweave-ml")]

    def written() -> dict[Path, tuple[int, int]]:
        files = (path for path in repository.rglob("*") if path.is_file())
        others = (path for path in files if not any(path.is_relative_to(folder) for folder in ours))
        return {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in others}

    before = written()
    assert code(repository)["dirty"] is False
    assert written() == before


# The remote, without what is nobody's business.


@pytest.mark.parametrize(
    ("url", "recorded"),
    [
        ("https://github.com/team/models.git", "https://github.com/team/models.git"),
        ("https://user:pa55@word@github.com/team/models.git", "https://github.com/team/models.git"),
        ("https://oauth2:s3cr3t/slash@gitlab.com/team/models", "https://gitlab.com/team/models"),
        (
            "https://gitlab.com/team/models?private_token=abcdef",
            "https://gitlab.com/team/models?private_token=[redacted]",
        ),
        ("ssh://git@github.com:22/team/models.git", "ssh://git@github.com:22/team/models.git"),
        ("ssh://alice@host/team/models.git", "ssh://host/team/models.git"),
        ("git@github.com:team/models.git", "git@github.com:team/models.git"),
        ("s3cr3t@host:team/models.git", "host:team/models.git"),
    ],
)
def test_remote(url, recorded, repository):
    git(repository, "remote", "add", "origin", url)
    assert code(repository)["remote"] == recorded


@pytest.mark.parametrize("url", ["/srv/git/models.git", "../models.git", "file:///srv/git/models.git"])
def test_a_remote_that_is_a_folder_is_nobody_elses(url, repository):
    git(repository, "remote", "add", "origin", url)
    sections, _ = complete(str(repository), start(str(repository)))
    assert gaps(sections)["code.remote"] == "origin is a folder of this machine"
    assert url not in str(sections)


def test_no_remote(repository):
    assert (
        gaps(complete(str(repository), start(str(repository)))[0])["code.remote"] == "there is no remote called origin"
    )


# Telling when to look again.


def commit_nothing(root: Path) -> None:
    git(root, "commit", "-q", "--allow-empty", "-m", "empty")


def checkout_another_branch(root: Path) -> None:
    git(root, "checkout", "-q", "-b", "other")


@pytest.mark.parametrize("change", [stage, commit_nothing, checkout_another_branch])
def test_the_state_key_changes_with_the_repository(change, repository):
    before = state_key(str(repository))
    assert state_key(str(repository)) == before
    change(repository)
    assert state_key(str(repository)) != before


def test_the_state_key_changes_with_the_process(repository, tmp_path, monkeypatch):
    keys = {state_key(str(repository))}
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    keys.add(state_key(str(repository)))
    monkeypatch.chdir(tmp_path)
    keys.add(state_key(str(repository)))
    assert len(keys) == 3


def test_the_working_directory_may_be_gone(repository, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert state_key(str(repository)) != state_key(str(repository))
    sections, _ = complete(str(repository), start(str(repository)))
    assert sections["code"]["dirty"] is False
    assert "read_command failed" in gaps(sections)["command"]


# The command itself.


def test_run_git_says_what_git_said(repository):
    assert run_git(str(repository), "rev-parse", "HEAD").output.decode().strip() == git(repository, "rev-parse", "HEAD")
    refused = run_git(str(repository), "rev-parse", "--verify", "nothing")
    assert refused.code == 128
    assert refused.error == "fatal: Needed a single revision"


def test_run_git_kills_what_takes_too_long_with_its_children(repository):
    began = time.monotonic()
    answer = run_git(str(repository), "-c", "alias.wait=!sleep 60", "wait", seconds=0.3)
    assert answer.code < 0
    assert "0.3 s" in answer.error
    assert time.monotonic() - began < 30


def test_run_git_without_git(repository, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run_git(str(repository), "status").code == NO_GIT


def test_a_root_that_cannot_be_one_raises_nothing():
    sections, _ = complete("bad\0root", start("bad\0root"))
    assert sections["environment"]["python"]
    assert all(entry["what"] and entry["why"] and entry["mend"] for entry in sections["capture"]["missing"])
