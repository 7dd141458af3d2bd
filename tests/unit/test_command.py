"""What is recorded of how a program was started, by programs that are really started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import specweave_ml

PROBE = """
import json
from specweave_ml.provenance import start, state_key
root = {root!r}

def report():
    sections = start(root)
    again = state_key(root) == state_key(root)
    print("RECORD" + json.dumps({{**sections, "same key": again}}), flush=True)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a script, a module, and a package that say how they were started."""
    folder = tmp_path / "my project"
    (folder / "pkg").mkdir(parents=True)
    (folder / "probe.py").write_text(PROBE.format(root=str(folder)))
    for name in ("train.py", "pkg/__main__.py", "pkg/fit.py"):
        (folder / name).write_text("import probe\nprobe.report()\n")
    return folder


def run(root: Path, *args: str, cwd: Path | None = None, stdin: str = "", **variables: str) -> dict[str, Any]:
    """The record that a Python started with these arguments prints, its gaps as `what → why`."""
    source = str(Path(specweave_ml.__file__).parents[1])
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join([str(root), source]), **variables}
    command = [sys.executable, *args]
    finished = subprocess.run(
        command, cwd=cwd or root, env=env, input=stdin, capture_output=True, text=True, check=False
    )
    _, mark, record = finished.stdout.partition("RECORD")
    assert mark, finished.stderr
    found: dict[str, Any] = json.loads(record.splitlines()[0])
    assert all(entry["mend"] for entry in found["capture"]["missing"])
    gaps = {entry["what"]: entry["why"] for entry in found["capture"]["missing"]}
    return {**found["code"], **found["command"], "gaps": gaps, "same key": found["same key"]}


CALL = "import probe; probe.report()"


@pytest.mark.parametrize(
    ("args", "kind", "path", "argv"),
    [
        (["train.py", "--lr", "0.1"], "script", "train.py", ["python", "train.py", "--lr", "0.1"]),
        (["-O", "-X", "dev", "train.py"], "script", "train.py", ["python", "-O", "-X", "dev", "train.py"]),
        (["{root}/train.py", "--out={root}/o"], "script", "train.py", ["python", "./train.py", "--out=./o"]),
        (["-m", "pkg", "x"], "module", "pkg/__main__.py", ["python", "-m", "pkg", "x"]),
        (["-m", "pkg.fit"], "module", "pkg/fit.py", ["python", "-m", "pkg.fit"]),
        (["pkg"], "script", "pkg/__main__.py", ["python", "pkg"]),
        (["-c", CALL, "x"], "c", None, ["python", "-c", CALL, "x"]),
    ],
)
def test_what_can_be_run_again(args, kind, path, argv, root):
    record = run(root, *(word.format(root=root) for word in args))
    assert record["entry"] == {"kind": kind, "path": path}
    assert record["argv"] == argv
    assert record["cwd"] == "."
    assert not {"command", "command.argv", "command.cwd", "code.entry.path"} & record["gaps"].keys()
    assert record["same key"]


@pytest.mark.parametrize(
    ("args", "kind", "source"),
    [
        ([], "stdin", "standard input"),
        (["-", "x"], "stdin", "standard input"),
        (["-i", "-q"], "repl", "an interactive session"),
    ],
)
def test_what_cannot_be_run_again_says_so(args, kind, source, root):
    record = run(root, *args, stdin=CALL + "\n")
    assert record["entry"] == {"kind": kind, "path": None}
    assert record["gaps"]["command"] == f"not re-runnable: the code came from {source}"


NOTEBOOK = """
import sys, types

class Shell:
    kernel = object()

sys.modules["IPython"] = types.SimpleNamespace(get_ipython=Shell)
""" + CALL.replace("; ", "\n")


def test_a_notebook(root):
    record = run(root, "-c", NOTEBOOK, JPY_SESSION_NAME=str(root / "explore.ipynb"))
    assert record["entry"] == {"kind": "notebook", "path": "explore.ipynb"}
    assert record["argv"] == []
    assert record["gaps"]["command"] == "not re-runnable: the code came from the cells of a notebook"
    assert not record["same key"], "an edited file shows in none of what the key is made of"


def test_paths_are_seen_from_the_working_directory(root):
    record = run(root, "../train.py", f"--data={root}/data", str(root), cwd=root / "pkg")
    assert record["cwd"] == "pkg"
    assert record["argv"] == ["python", "../train.py", "--data=../data", ".."]
    assert record["entry"]["path"] == "train.py"


def test_a_root_reached_through_a_link(root, tmp_path):
    (tmp_path / "link").symlink_to(root)
    (root / "probe.py").write_text(PROBE.format(root=str(tmp_path / "link")))
    record = run(root, f"{tmp_path}/link/train.py", f"--a={root}/a", f"--b={tmp_path}/link/b", cwd=tmp_path / "link")
    assert record["entry"]["path"] == "train.py"
    assert (record["cwd"], record["argv"]) == (".", ["python", "./train.py", "--a=./a", "--b=./b"])


def test_what_only_this_machine_has_is_listed(root, tmp_path):
    (tmp_path / "elsewhere.py").write_text("import probe\nprobe.report()\n")
    record = run(root, str(tmp_path / "elsewhere.py"), "--data=/mnt/data", "--uri=s3://bucket/x", "1/2", cwd=tmp_path)
    assert record["entry"]["path"] == str(tmp_path / "elsewhere.py")
    assert record["cwd"] == str(tmp_path)
    told = {what: why for what, why in record["gaps"].items() if "absolute path" in why}
    assert set(told) == {"code.entry.path", "command.argv", "command.cwd"}
    assert str(tmp_path) not in str(told), "the reasons go into documents"


def test_a_folder_whose_name_begins_like_the_root_is_another(root):
    record = run(
        root, "train.py", f"{root}-2/x", f"{root}.bak", f"/mnt{root}/x", f"a:{root}/b:{root}", f"file://{root}/x"
    )
    assert record["argv"][2:] == [f"{root}-2/x", f"{root}.bak", f"/mnt{root}/x", "a:./b:.", f"file://{root}/x"]


def test_installed_programs_and_packages_have_names_of_their_own(root):
    site = next(path for path in sys.path if path.endswith("-packages"))
    scripts = os.path.dirname(sys.executable)
    record = run(root, "train.py", sys.executable, f"{scripts}/torchrun", f"--module={site}/torch/run.py")
    assert record["argv"][2:] == ["python", "<bin>/torchrun", "--module=<env>/torch/run.py"]


def test_secrets_are_taken_out_and_said_to_be_missing(root):
    record = run(root, "train.py", "--api-key", "hunter2", "--db=mysql://u:hunter2@h/d", XLA_FLAGS="--token=hunter2")
    assert "hunter2" not in str(record)
    assert record["argv"][2:] == ["--api-key", "[redacted]", "--db=mysql://[redacted]@h/d"]
    assert "not re-runnable as it stands" in record["gaps"]["command.argv"]


def test_only_listed_variables_are_recorded(root):
    flags = f"--xla_dump_to={root}/dump"
    record = run(root, "train.py", PYTHONHASHSEED="0", CUDA_VISIBLE_DEVICES="", XLA_FLAGS=flags, MY_PASSWORD="hunter2")  # noqa: S106 - made up
    assert record["env"] == {"PYTHONHASHSEED": "0", "CUDA_VISIBLE_DEVICES": "", "XLA_FLAGS": "--xla_dump_to=./dump"}


PROCESS = "import multiprocessing; w = multiprocessing.get_context({!r}).Process(target=report); w.start(); w.join()"
IN_A_WORKER = {
    **{way: PROCESS.format(way) for way in ("spawn", "fork", "forkserver")},
    "joblib": "import joblib; joblib.Parallel(2)([joblib.delayed(report)()])",
}


@pytest.mark.parametrize("way", IN_A_WORKER)
@pytest.mark.parametrize("args", [["fan.py"], ["-m", "fan"]])
def test_a_worker_records_the_command_of_its_parent(way, args, root):
    (root / "fan.py").write_text(f"from probe import report\nif __name__ == '__main__':\n    {IN_A_WORKER[way]}\n")
    record = run(root, *args, "--seed", "1")
    as_module = "-m" in args and way != "joblib"  # joblib's workers know the file only
    assert " ".join(record["argv"]).replace("./", "") == f"python {'-m fan' if as_module else 'fan.py'} --seed 1"
    assert record["entry"]["path"] == "fan.py"
