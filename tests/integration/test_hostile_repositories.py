"""Repositories that try to run a program, or to show what is not theirs, when provenance looks at them.

Each trap is armed: the same repository runs its program when plain git does what a person would do there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from repositories import commit_all, git, make_repository
from specweave_ml import track_experiment
from specweave_ml.cli import main
from specweave_ml.provenance import complete, start, state_key
from specweave_ml.provenance.git import run_git
from tracked import wait_for_the_capture

OUTSIDE = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def _nobodys_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


class Trap:
    """A victim's repository, and a program that leaves a canary when it is run."""

    def __init__(self, folder: Path) -> None:
        self.canary = folder / "canary"
        self.program = folder / "program.sh"
        self.program.write_text(f"#!/bin/sh\necho ran >> '{self.canary}'\nexit 1\n")
        self.program.chmod(0o755)
        self.root = make_repository(folder / "victim")

    def configure(self, *settings: tuple[str, str], root: Path | None = None) -> None:
        for name, value in settings:
            git(root or self.root, "config", name, value)

    def attribute(self, line: str, root: Path | None = None) -> None:
        ((root or self.root) / ".gitattributes").write_text(f"{line}\n")
        commit_all(root or self.root)

    def touch(self, root: Path | None = None) -> None:
        """Make git compare contents, and so filter them."""
        os.utime((root or self.root) / "train.py", (time.time() + 5, time.time() + 5))


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path)


# Each function builds one trap, and returns the root of the project and the plain command that springs it.


def tracked_folder_that_looks_like_a_bare_repository(trap):
    bait = trap.root / "data"
    for folder in ("objects", "refs"):
        (bait / folder).mkdir(parents=True)
        (bait / folder / "keep").touch()
    (bait / "HEAD").write_text("ref: refs/heads/main\n")
    (bait / "config").write_text(
        f'[core]\n repositoryformatversion = 0\n bare = false\n worktree = ".."\n fsmonitor = "{trap.program}"\n'
    )
    commit_all(trap.root)
    clone = trap.root.parent / "clone"
    git(trap.root.parent, "clone", "-q", str(trap.root), str(clone))
    return clone / "data", ["status"]


def file_system_monitor(trap):
    trap.configure(("core.fsmonitor", str(trap.program)))
    return trap.root, ["status"]


def hook_in_place(trap):
    (trap.root / ".git/hooks/post-index-change").symlink_to(trap.program)
    trap.touch()
    return trap.root, ["status"]


def hooks_elsewhere(trap):
    hooks = trap.root / "hooks"
    hooks.mkdir()
    (hooks / "post-index-change").symlink_to(trap.program)
    trap.configure(("core.hooksPath", "hooks"))
    trap.touch()
    return trap.root, ["status"]


def clean_filter(trap):
    trap.attribute("*.py filter=evil")
    trap.configure(("filter.evil.clean", str(trap.program)), ("filter.evil.required", "true"))
    trap.touch()
    return trap.root, ["status"]


def filter_process(trap):
    trap.attribute("*.py filter=evil")
    trap.configure(("filter.evil.process", str(trap.program)))
    trap.touch()
    return trap.root, ["status"]


def filter_with_an_odd_name(trap):
    trap.attribute("*.py filter=a=b.c=d")
    trap.configure(("filter.a=b.c=d.clean", str(trap.program)))
    trap.touch()
    return trap.root, ["status"]


def filter_from_an_included_file(trap):
    trap.attribute("*.py filter=evil")
    (trap.root / "evil.cfg").write_text(f'[filter "evil"]\n clean = "{trap.program}"\n')
    trap.configure(("include.path", "../evil.cfg"))
    trap.touch()
    return trap.root, ["status"]


def external_diff(trap):
    trap.configure(("diff.external", str(trap.program)))
    (trap.root / "train.py").write_text("changed\n")
    return trap.root, ["diff"]


def text_conversion(trap):
    trap.attribute("*.py diff=evil")
    trap.configure(("diff.evil.textconv", str(trap.program)), ("diff.evil.command", str(trap.program)))
    (trap.root / "train.py").write_text("changed\n")
    return trap.root, ["diff"]


def partial_clone_that_lacks_a_tree(trap):
    tree = git(trap.root, "rev-parse", "HEAD^{tree}")
    (trap.root / ".git/objects" / tree[:2] / tree[2:]).unlink()
    trap.configure(
        ("core.repositoryformatversion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.url", f"file://{trap.root.parent}/nowhere"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.uploadpack", str(trap.program)),
    )
    (trap.root / "train.py").write_text("changed\n")
    git(trap.root, "update-index", "--force-remove", "train.py")
    return trap.root, ["status"]


def git_file_that_points_to_a_hostile_folder(trap):
    trap.configure(("core.fsmonitor", str(trap.program)))
    (trap.root / ".git").rename(trap.root / "cache")
    (trap.root / ".git").write_text("gitdir: cache\n")
    return trap.root, ["status"]


def submodule_with_a_newline_in_its_path(trap):
    inner, outer = make_repository(trap.root.parent / "inner"), trap.root
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", "--name", "x", str(inner), "sub\nmodule\r")
    commit_all(outer)
    checkout = outer / "sub\nmodule\r"
    trap.attribute("*.py filter=evil", root=checkout)
    commit_all(outer)
    trap.configure(("filter.evil.clean", str(trap.program)), ("core.fsmonitor", str(trap.program)), root=checkout)
    trap.touch(checkout)
    return outer, ["status"]


def every_program_a_configuration_can_name(trap):
    programs = """core.pager core.editor core.sshCommand core.askPass core.gitProxy core.alternateRefsCommand
    pager.status pager.config credential.helper gpg.program sequence.editor diff.guitool interactive.diffFilter
    alias.status alias.config alias.trap"""
    for name in programs.split():
        trap.configure((name, f"!{trap.program}" if name.startswith("alias.") else str(trap.program)))
    trap.configure(("status.submoduleSummary", "true"), ("log.showSignature", "true"))
    return trap.root, ["trap"]


ARMED = [
    tracked_folder_that_looks_like_a_bare_repository,
    file_system_monitor,
    hook_in_place,
    hooks_elsewhere,
    clean_filter,
    filter_process,
    filter_with_an_odd_name,
    filter_from_an_included_file,
    external_diff,
    text_conversion,
    partial_clone_that_lacks_a_tree,
    git_file_that_points_to_a_hostile_folder,
    submodule_with_a_newline_in_its_path,
    every_program_a_configuration_can_name,
]


@pytest.mark.parametrize("build", ARMED)
def test_no_program_of_the_repository_is_run(build, trap):
    root, springs = build(trap)
    trap.canary.unlink(missing_ok=True)  # building it ran it
    state_key(str(root))
    sections, _ = complete(str(root), start(str(root)))
    assert not trap.canary.exists()
    assert sections["code"].get("commit"), "it was looked at"

    subprocess.run(["git", *springs], cwd=root, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert trap.canary.exists(), "the trap was not armed"


@pytest.mark.parametrize("build", ARMED)
def test_no_program_is_run_by_init_and_what_follows(build, trap, monkeypatch, capsys):
    root, _ = build(trap)
    (Path(root) / "CLAUDE.md").write_text("# Rules\n")
    trap.canary.unlink(missing_ok=True)
    monkeypatch.chdir(root)
    assert main(["init", "0042-model", "--agents"]) == 0
    with track_experiment("x") as exp:
        exp.log_metric("accuracy", 0.9)
        exp.save_model({})
    wait_for_the_capture()
    assert main(["sync-docs", "update"]) == 0
    main(["doctor", "--json"])
    checks = {check["name"]: check["ok"] for check in json.loads(capsys.readouterr().out.splitlines()[-1])["checks"]}
    assert checks["docs in sync"], "it was looked at"
    assert not trap.canary.exists()


@pytest.mark.parametrize(
    "command", ["init --agents", "init --dry-run --json", "doctor --json", "sync-docs update --check"]
)
def test_modules_at_the_root_of_a_project_are_not_imported(tmp_path, command):
    canary, project = tmp_path / "canary", tmp_path / "project"
    (project / "specweave").mkdir(parents=True)
    (project / "specweave_ml").mkdir()
    names = "json yaml click jinja2 sitecustomize usercustomize typing specweave/__init__ specweave_ml/__init__ sklearn"
    for name in names.split():
        (project / f"{name}.py").write_text(f"open({str(canary)!r}, 'w').write({name!r})\n")
    (project / "requirements.txt").write_text("scikit-learn\n")
    (project / "setup.py").write_text(f"open({str(canary)!r}, 'w').write('setup')\n")
    experiments = project / ".specweave/increments/0042-x/experiments"
    experiments.mkdir(parents=True)
    (project / ".specweave/config.json").write_text("{}")
    program = Path(sys.executable).parent / "specweave-ml"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [program, *command.split()], cwd=project, env=environment, capture_output=True, check=False, timeout=60
    )
    assert not canary.exists()
    assert b"Traceback" not in done.stderr
    assert done.returncode in {0, 1}


def test_the_environment_cannot_name_a_program(trap, monkeypatch):
    for name in ("GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_EDITOR", "GIT_PROXY_COMMAND"):
        monkeypatch.setenv(name, str(trap.program))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(trap.program))
    (trap.root / "train.py").write_text("changed\n")
    sections, _ = complete(str(trap.root), start(str(trap.root)))
    assert sections["code"]["dirty"] is True
    assert not trap.canary.exists()


# Names and pointers that lead out of the repository.


def test_a_branch_that_looks_like_an_option(trap):
    commit = git(trap.root, "rev-parse", "HEAD")
    git(trap.root, "update-ref", "refs/heads/--output=x", "HEAD")
    git(trap.root, "symbolic-ref", "HEAD", "refs/heads/--output=x")
    sections, _ = complete(str(trap.root), start(str(trap.root)))
    assert (sections["code"]["commit"], sections["code"]["branch"]) == (commit, "--output=x")
    assert {path.name for path in trap.root.iterdir()} == {".git", "train.py"}


@pytest.mark.parametrize(
    "head",
    [
        "ref: refs/heads/../../../../outside",
        "ref: ../../outside",
        "ref: /proc/version",
        "ref: refs/heads/.invalid",
        "ref: refs/heads/main.lock",
        "ref: refs/heads/x\0y",
        "ref: refs/heads/x\nref: refs/heads/main",
        f"{OUTSIDE[:-1]}",
        f"{OUTSIDE.upper()}",
        f"{OUTSIDE} trailing",
        "x" * 10_000,
    ],
)
def test_a_head_that_leads_nowhere_good_is_not_followed(head, trap):
    (trap.root.parent / "outside").write_text(f"{OUTSIDE}\n")
    (trap.root / ".git/refs/heads/main.lock").write_text(f"{OUTSIDE}\n")
    (trap.root / ".git/HEAD").write_text(f"{head}\n")
    started = start(str(trap.root))
    assert "commit" not in started["code"]
    sections, _ = complete(str(trap.root), started)
    assert OUTSIDE not in str(sections)


def test_a_head_that_is_a_link_to_elsewhere_is_not_read(trap):
    (trap.root.parent / "outside").write_text(f"{OUTSIDE}\n")
    (trap.root / ".git/HEAD").unlink()
    (trap.root / ".git/HEAD").symlink_to(trap.root.parent / "outside")
    assert "commit" not in start(str(trap.root))["code"]


@pytest.mark.parametrize(
    "pointer", ["", "gitdir: ", "gitdir: ../nothing", "nothing", "gitdir: a\0b", "gitdir: " + "x" * 5000]
)
def test_a_git_file_that_leads_nowhere(pointer, trap):
    for name in ("HEAD", "objects", "refs"):
        (trap.root / ".git" / name).rename(trap.root / name)
    (trap.root / ".git").rename(trap.root / "rest")
    (trap.root / ".git").write_text(f"{pointer}\n")
    started = start(str(trap.root))
    assert "commit" not in started["code"]
    sections, _ = complete(str(trap.root), started)
    assert "commit" not in sections["code"]


def test_a_pipe_in_the_place_of_head_holds_nobody_up(trap):
    (trap.root / ".git/HEAD").unlink()
    os.mkfifo(trap.root / ".git/HEAD")
    worker = threading.Thread(target=start, args=[str(trap.root)], daemon=True)
    worker.start()
    worker.join(30)
    assert not worker.is_alive()
    assert run_git(str(trap.root), "status", seconds=0.3).code < 0


def test_run_git_takes_no_folder_for_a_repository_by_its_looks(trap):
    root, _ = tracked_folder_that_looks_like_a_bare_repository(trap)
    assert run_git(str(root), "status").code == 128
    assert not trap.canary.exists()


def test_run_git_runs_no_hook(trap):
    root, _ = hook_in_place(trap)
    run_git(str(root), "update-index", "--refresh")
    assert not trap.canary.exists()
    trap.touch()
    git(root, "update-index", "--refresh")
    assert trap.canary.exists(), "the trap was not armed"
