"""`run`, `diff` and `reproduce` in real repositories, with real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from command_line import EXPERIMENTS, as_process, snapshot
from repositories import commit_all, git
from specweave_ml import load_experiment, load_experiments

TRAIN = """
import argparse, json, os, random
from pathlib import Path
from model import score

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--seed", type=int, default=7)
arguments = parser.parse_args()
random.seed(arguments.seed)
data = [float(line) for line in Path("data/train.csv").read_text().split()]
accuracy = score(data, arguments.lr) + random.random() / 100 + float(os.environ.get("OMP_NUM_THREADS", "0")) / 1000
print(f"accuracy={accuracy}")
Path("metrics.json").write_text(json.dumps({"accuracy": accuracy, "fit_seconds": random.SystemRandom().random()}))
"""
TRACKED = """
import random, sys
from specweave import track_experiment
from model import score

data = [float(line) for line in open("data/train.csv").read().split()]
with track_experiment("tracked") as exp:
    exp.log_dataset("train", "data/train.csv")
    exp.log_params({"lr": float(sys.argv[1]), "seed": 7})
    random.seed(7)
    exp.log_metric("accuracy", score(data, float(sys.argv[1])) + random.random() / 100)
"""
MODEL = "def score(data, lr):\n    return sum(data) / len(data) + lr / 10\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose project lies below its top, with data that git ignores."""
    root = tmp_path / "repository" / "projects" / "tumours"
    (root / "data").mkdir(parents=True)
    (root / ".specweave" / "increments" / "0042-recommendation-model").mkdir(parents=True)
    (root / "train.py").write_text(TRAIN)
    (root / "tracked.py").write_text(TRACKED)
    (root / "model.py").write_text(MODEL)
    (root / "data" / "train.csv").write_text("0.5\n0.7\n")
    (root / ".gitignore").write_text("data/\nmetrics.json\n__pycache__/\n")
    git(root.parents[1], "init", "-q")
    commit_all(root.parents[1])
    monkeypatch.chdir(root)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    return root


def run(*words: str, name: str = "model", **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "train.py", *words]
    known = ("--metrics", "metrics.json", "--data", "data/train.csv")
    return as_process("run", "--name", name, *known, "--", *command, **options)


def track(lr: str = "0.1") -> None:
    subprocess.run([sys.executable, "tracked.py", lr], check=True)


def reproduce(name: str, *options: str, code: int = 0) -> dict[str, Any]:
    done = as_process("reproduce", name, "--yes", "--json", *options)
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def diff(a: str, b: str) -> tuple[str, list[str]]:
    found = json.loads(as_process("diff", a, b, "--json").stdout)
    return found["verdict"], [each["ingredient"] for each in found["differences"]]


def statuses(found: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["status"] for each in found["ingredients"]}


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["verdict"] for each in found["metrics"]}


# run


def test_a_command_is_an_experiment(project):
    done = run("--lr", "0.2")
    assert done.returncode == 0
    assert done.stdout.startswith("accuracy=")
    lines = done.stderr.splitlines()
    assert len(lines) <= 5
    assert json.loads(lines[-1])["experiment"] == "model"
    found = load_experiment("model")
    assert found.status == "finished"
    assert found.metrics["accuracy"] > 0.6
    assert (found.path / "output.txt").read_text() == done.stdout
    assert found.metadata["command"]["argv"] == ["python", "train.py", "--lr", "0.2"]
    assert found.metadata["code"]["entry"] == {"kind": "script", "path": "train.py"}
    assert found.metadata["peak_memory_bytes"] > 1_000_000


@pytest.mark.parametrize(
    ("command", "code", "status"),
    [("exit 3", 3, "failed"), ("kill -9 $$", 137, "killed"), ("kill -15 $$", 143, "killed"), ("exit 0", 0, "finished")],
)
def test_the_exit_code_is_the_commands_own(project, command, code, status):
    done = as_process("run", "--name", "x", "--", "sh", "-c", f"echo before; {command}")
    assert done.returncode == code
    found = load_experiment("x")
    assert found.status == status
    assert (found.error is None) == (code == 0)
    if code:
        assert found.error["traceback"] == "before"


def test_a_signal_goes_to_the_command(project):
    command = [sys.executable, "-m", "specweave_ml", "run", "--name", "x", "--", "sleep", "60"]
    process = subprocess.Popen(command)
    deadline = time.monotonic() + 30
    while not (EXPERIMENTS / "x" / "journal.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 143
    assert load_experiment("x").status == "killed"


def test_a_long_output_is_cut_in_the_middle_and_secrets_are_not_kept(project):
    secret = "ghp_" + "a1B2" * 9
    (project / "loud.py").write_text(f"print('first {secret}')\n")
    with (project / "loud.py").open("a") as file:
        file.write("for n in range(20_000):\n    print('line', n, 'y' * 60)\n")
    done = as_process("run", "--name", "loud", "--", sys.executable, "loud.py")
    assert done.returncode == 0
    assert done.stdout.count("\n") == 20_001
    kept = (load_experiment("loud").path / "output.txt").read_text()
    assert len(kept) < 600_000
    assert kept.startswith("first [redacted]")
    assert "bytes are not kept" in kept
    assert kept.rstrip().endswith("line 19999 " + "y" * 60)


@pytest.mark.parametrize(
    ("metrics", "command", "said"),
    [
        ("old.json", "true", "older than this run"),
        ("none.json", "true", "No such file"),
        ("bad.json", "echo '{' > bad.json", "cannot be read"),
        ("text.json", "echo '{}' > text.json", "holds no number"),
        ("-", "echo nothing", "no line of its output"),
    ],
)
def test_metrics_that_are_not_there_are_said(project, metrics, command, said):
    (project / "old.json").write_text('{"accuracy": 1}')
    os.utime(project / "old.json", (1, 1))
    done = as_process("run", "--name", "x", "--metrics", metrics, "--", "sh", "-c", command)
    assert done.returncode == 0
    assert said in done.stderr
    assert load_experiment("x").metrics == {}


def test_a_program_that_is_not_there_leaves_no_experiment(project):
    done = as_process("run", "--", "nosuchprogram")
    assert (done.returncode, len(load_experiments("0042"))) == (4, 0)
    assert as_process("run").returncode == 2


# diff: exactly one ingredient at a time


def test_diff_names_exactly_what_changed(project, monkeypatch):
    run(name="base")
    run(name="again")
    assert diff("base", "again") == ("none", [])
    run("--lr", "0.3", name="argument")
    assert diff("base", "argument") == ("one", ["argument --lr"])
    run("--seed", "8", name="seed")
    assert diff("base", "seed") == ("one", ["seed --seed"])
    run("--seed", "8", "--lr", "0.3", name="both")
    assert diff("base", "both")[0] == "confounded"
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    run(name="variable")
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert diff("base", "variable") == ("one", ["variable OMP_NUM_THREADS"])
    (project / "model.py").write_text(MODEL + "# changed\n")
    run(name="code")
    assert diff("base", "code") == ("one", ["code"])
    run(name="code-again")
    assert diff("code", "code-again") == ("none", [])
    (project / "model.py").write_text(MODEL)
    commit_all(project)  # the experiments, and no code
    run(name="committed")
    assert diff("base", "committed") == ("none", [])


def test_diff_of_data_and_params(project):
    track()
    track("0.2")
    assert diff("tracked", "tracked-2") == ("one", ["param lr"])
    (project / "data" / "train.csv").write_text("0.5\n0.8\n")
    track()
    assert diff("tracked", "tracked-3") == ("one", ["data train"])


# reproduce


def test_the_same_comes_out_and_is_recorded(project):
    run("--lr", "0.2")
    before = snapshot(project)
    found = reproduce("model")
    assert found["verdict"] == "reproduced"
    assert verdicts(found) == {"accuracy": "EXACT", "fit_seconds": "NOT COMPARABLE"}
    assert set(statuses(found).values()) == {"match"}
    verified = load_experiment("model").metadata["verified"]
    assert verified["commit"] == git(project, "rev-parse", "HEAD")
    changed = {path for path, seen in snapshot(project).items() if before.get(path) != seen}
    assert {path.split("experiments/")[1].split("/")[0] for path in changed} == {"model"}
    assert git(project, "worktree", "list").count("\n") == 0
    shown = as_process("show", "model").stdout
    assert "since then moved: nothing" in shown
    assert "verified" in as_process("list").stdout


def test_what_moved_since_is_said(project):
    track()
    reproduce("tracked")
    (project / "data" / "train.csv").write_text("1\n")
    (project / "model.py").write_text("# later\n")
    commit_all(project)
    assert "since then moved: code, data train" in as_process("show", "tracked").stdout


def test_changes_that_were_never_committed_come_back(project):
    (project / "model.py").write_text(MODEL.replace("lr / 10", "lr / 5 + helper()") + "from helping import helper\n")
    (project / "helping.py").write_text("def helper():\n    return 0.01\n")
    run("--lr", "0.2")
    git(project, "checkout", "model.py")
    (project / "helping.py").unlink()
    found = reproduce("model")
    assert verdicts(found)["accuracy"] == "EXACT"
    assert not (project / "helping.py").exists()


def test_a_commit_that_a_rebase_left_behind(project):
    (project / "model.py").write_text(MODEL.replace("/ 10", "/ 5"))
    commit_all(project)
    track()
    git(project, "reset", "-q", "--hard", "HEAD~1")
    git(project, "reflog", "expire", "--expire=now", "--all")
    git(project, "gc", "-q", "--prune=now")
    assert reproduce("tracked")["verdict"] == "reproduced"


def test_data_that_changed_is_the_only_difference(project):
    track()
    (project / "data" / "train.csv").write_text("0.5\n0.8\n")
    found = reproduce("tracked", code=1)
    assert (found["verdict"], found["only_difference"]) == ("drifted", "data train")
    assert statuses(found)["data train"] == "drift"
    assert verdicts(found) == {"accuracy": "DRIFT"}
    assert "verified" not in load_experiment("tracked").metadata


def test_recorded_variables_are_set_again(project, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    run()
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert reproduce("model")["verdict"] == "reproduced"


def test_the_persons_own_modules_do_not_get_in_the_way(project, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(project))
    track()
    (project / "model.py").write_text("def score(data, lr):\n    return 0\n")
    assert reproduce("tracked")["verdict"] == "reproduced"


def test_an_experiment_without_a_seed_needs_a_spread(project):
    text = TRACKED.replace(', "seed": 7', "").replace("    random.seed(7)\n", "")
    (project / "tracked.py").write_text(text)
    track()
    found = reproduce("tracked", code=1)
    assert verdicts(found) == {"accuracy": "NOT COMPARABLE"}
    assert "--repeat 3" in found["metrics"][0]["why"]


def test_nothing_runs_without_consent(project):
    track()
    done = as_process("reproduce", "tracked")
    assert done.returncode == 5
    assert "python tracked.py 0.1" in done.stderr
    assert as_process("reproduce", "tracked", "--dry-run").returncode == 0
    assert len(load_experiments("0042")) == 1


def _no_commit(project: Path) -> None:
    subprocess.run(["rm", "-rf", str(project.parents[1] / ".git")], check=True)


def _dirty_without_a_patch(project: Path) -> None:
    (project / "model.py").write_text(MODEL + "x = '" + "ghp_" + "a1B2" * 9 + "'\n")


@pytest.mark.parametrize(("spoil", "said"), [(_no_commit, "no commit is recorded"), (_dirty_without_a_patch, "secret")])
def test_what_cannot_be_run_again_is_refused_before(project, spoil, said):
    spoil(project)
    track()
    found = as_process("reproduce", "tracked", "--yes", "--json")
    assert found.returncode == 5
    assert said in found.stderr


def test_a_record_that_was_changed_is_refused(project):
    track()
    journal = EXPERIMENTS / "tracked" / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"lr":0.1', '"lr":0.2'))
    done = as_process("reproduce", "tracked", "--yes")
    assert (done.returncode, "changed since it was closed" in done.stderr) == (5, True)


def test_a_patch_that_is_gone_is_refused(project):
    (project / "model.py").write_text(MODEL + "# changed\n")
    track()
    (patch,) = (EXPERIMENTS / ".code").iterdir()
    patch.write_text(patch.read_text() + "\n")
    done = as_process("reproduce", "tracked", "--yes")
    assert (done.returncode, "are not what was recorded" in done.stderr) == (5, True)


@pytest.mark.parametrize(
    "line",
    ["--index-url http://localhost:9/", "-e ./evil", "evil @ file:///tmp/evil", "-r other.txt", "six==1.16.0 --pre"],
)
def test_a_list_of_packages_that_was_changed_installs_nothing(project, line):
    track()
    (listed,) = (EXPERIMENTS / ".env").iterdir()
    listed.write_text(f"{line}\n")
    done = as_process("reproduce", "tracked", "--yes", "--env", "locked")
    assert (done.returncode, "not recorded, or is gone" in done.stderr) == (5, True)


def test_data_that_is_gone_is_refused(project):
    track()
    (project / "data" / "train.csv").unlink()
    (project / "data" / "train.csv.dvc").write_text("outs:\n- md5: ec1d2935f811b77cc49b031b999cbf17\n")
    done = as_process("reproduce", "tracked", "--yes")
    assert done.returncode == 5
    assert "dvc pull" in done.stderr


def test_a_command_that_fails_is_no_result(project):
    track()
    (project / "data" / "train.csv").write_text("no number\n")
    found = reproduce("tracked", code=1)
    assert found["failure"].startswith("the command ended with exit code 1")


# Repositories and records that attack


def test_nothing_of_the_repository_runs_but_the_recorded_command(project):
    canary = project / "canary"
    hooks = project.parents[1] / ".git" / "hooks"
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        (hooks / hook).write_text(f"#!/bin/sh\ntouch {canary}\n")
        (hooks / hook).chmod(0o755)
    (project / ".gitattributes").write_text("*.py filter=evil diff=evil\n")
    commit_all(project)
    canary.unlink(missing_ok=True)
    for key in ("smudge", "clean", "process"):
        git(project, "config", f"filter.evil.{key}", f"touch {canary}; cat")
    git(project, "config", "diff.evil.textconv", f"touch {canary}; cat")
    (project / "model.py").write_text(MODEL + "# changed\n")
    track()
    reproduce("tracked")
    assert not canary.exists()


def test_links_lead_nowhere_outside(project, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (project / "linked").symlink_to(outside)
    commit_all(project)
    (project / "linked").unlink()
    (project / "linked").mkdir()
    (project / "linked" / "train.csv").write_text("1\n")
    text = TRACKED.replace('exp.log_dataset("train", "data/train.csv")', 'exp.log_dataset("train", "linked/train.csv")')
    (project / "tracked.py").write_text(text)
    track()
    done = as_process("reproduce", "tracked", "--yes")
    assert done.returncode in (1, 5), done.stderr
    assert list(outside.iterdir()) == []


def test_a_record_that_names_files_elsewhere_gets_none(project, tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    track()
    folder = EXPERIMENTS / "tracked"
    for file in folder.iterdir():
        file.write_text(file.read_text().replace("data/train.csv", "../../../secret.txt"))
    done = as_process("reproduce", "tracked", "--yes")
    assert done.returncode == 5


def test_the_worktree_goes_when_the_re_run_is_killed(project):
    (project / "tracked.py").write_text(
        "import time\n" + TRACKED + "time.sleep(60 if 'specweave-ml-' in __file__ else 0)\n"
    )
    track()
    process = subprocess.Popen(
        [sys.executable, "-m", "specweave_ml", "reproduce", "tracked", "--yes"], start_new_session=True
    )
    deadline = time.monotonic() + 30
    while git(project, "worktree", "list").count("\n") == 0 and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(timeout=30)
    assert git(project, "worktree", "list").count("\n") == 0


def test_an_environment_of_its_own(project, tmp_path):
    """The command runs under another Python with a package of its own; the re-run makes such an environment anew."""
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "six==1.16.0"]
    subprocess.run(install, check=True)
    (project / "small.py").write_text("import six\nprint(f'version={float(six.__version__[:4])}')\n")
    command = ("run", "--name", "small", "--metrics", "-", "--", "python", "small.py")
    environment = {**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}"}
    assert as_process(*command, env=environment).returncode == 0
    assert load_experiment("small").metadata["environment"]["packages"]["count"] < 5
    found = reproduce("small", "--env", "locked")
    assert (found["verdict"], found["only_difference"]) == ("reproduced", None)
    assert statuses(found)["packages"] == "match"
    assert load_experiment("small").metadata["verified"]["environment"] == "locked"


def test_a_realistic_project_goes_the_whole_way(project):
    """Packages of its own, data that DVC keeps, a dirty tree: recorded, told apart, run again, and drifted at last."""
    for package, text in {
        "features": "SCALE = 1.0\n",
        "models": "from features import SCALE\n\nBASE = 0.2 * SCALE\n",
    }.items():
        (project / package).mkdir()
        (project / package / "__init__.py").write_text(text)
    (project / "data" / "raw").mkdir()
    (project / "data" / "raw" / "clicks.csv").write_text("1\n0\n1\n")
    (project / "raw.dvc").write_text("outs:\n- md5: ec1d2935f811b77cc49b031b999cbf17.dir\n  path: data/raw\n")
    (project / "data" / "raw.dvc").write_text("outs:\n- md5: ec1d2935f811b77cc49b031b999cbf17.dir\n  path: raw\n")
    text = TRACKED.replace("from model import score", "from model import score\nfrom models import BASE")
    text = text.replace('exp.log_dataset("train"', 'exp.log_dataset("raw", "data/raw")\n    exp.log_dataset("train"')
    (project / "tracked.py").write_text(text.replace("random.random() / 100", "random.random() / 100 + BASE"))
    commit_all(project)
    (project / "features" / "__init__.py").write_text("SCALE = 1.5\n")
    (project / "models" / "heads.py").write_text("HEADS = 4\n")
    track()
    raw = next(data for data in load_experiment("tracked").data if data["name"] == "raw")
    assert (raw["pointer"]["tool"], raw["files"]) == ("dvc", 1)
    (project / "features" / "__init__.py").write_text("SCALE = 1.0\n")
    track()
    assert diff("tracked", "tracked-2") == ("one", ["code"])
    found = reproduce("tracked")
    assert (found["verdict"], statuses(found)["data raw"]) == ("reproduced", "match")
    (project / "data" / "raw" / "clicks.csv").write_text("0\n0\n1\n")
    found = reproduce("tracked")
    assert (found["only_difference"], verdicts(found)) == ("data raw", {"accuracy": "EXACT"})
    shown = as_process("show", "tracked").stdout
    assert "data raw" in shown.partition("since then moved: ")[2]
