"""The command as a process: exit codes, streams, pipes, interrupts, and what it loads."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import CommandLine, as_process
from hostile_names import HOSTILE_NAMES
from specweave_ml import track_experiment
from specweave_ml.cli import main

COMMAND = [sys.executable, "-m", "specweave_ml"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--version"], 0),
        (["--help"], 0),
        (["list", "--help"], 0),
        (["list"], 0),
        ([], 2),
        (["list", "--no-such-option"], 2),
        (["list", "--limit", "-1"], 2),
        (["list", "0042", "too", "many"], 2),
        (["show"], 2),
        (["lsit"], 2),
        (["show", "nothing"], 4),
        (["list", "0099"], 4),
        (["-C", "nowhere", "list"], 4),
    ],
)
def test_exit_codes(seed: Path, arguments: list[str], code: int) -> None:
    done = as_process(*arguments, cwd=seed)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    if code and arguments:
        assert done.stdout == ""
        assert done.stderr.startswith("error: ")


@pytest.mark.parametrize(
    "arguments", [["list", "--nope"], ["lsit"], ["show"], ["list", "0099"], ["export", "--format", "x"]]
)
def test_an_error_under_json_is_one_document(project: Path, run: CommandLine, arguments: list[str]) -> None:
    done = run(*arguments, "--json", code=4 if "0099" in arguments else 2)
    assert [*done.json] == ["schema", "error", "received", "expected", "path", "next"]
    assert done.json["next"]


def test_a_command_that_is_not_there_names_the_near_ones(run: CommandLine) -> None:
    assert run("lsit", "--json", code=2).json["expected"] == "one of list"


def test_outside_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: CommandLine) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (["list"], ["show", "x"], ["compare"], ["export"], ["note", "x", "y"], ["archive", "x"]):
        assert run(*arguments, "--json", code=4).json["next"] == "specweave-ml init"


def test_from_another_folder(seed: Path, tmp_path: Path) -> None:
    done = as_process("-C", str(seed / ".specweave"), "list", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["total"] == 8


def test_a_reader_that_has_enough_is_no_error(seed: Path) -> None:
    for command in ("list --limit 0", "list --json", "export --history --format jsonl", "--help", "lsit"):
        line = f"{' '.join(COMMAND)} {command} 2>errors | true; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", line], cwd=seed, capture_output=True, text=True, check=True)
        assert done.stdout in ("0\n", "2\n"), command
        assert "Broken" not in (seed / "errors").read_text()
        assert "Traceback" not in (seed / "errors").read_text()


def test_an_interrupt_is_130_and_silent(seed: Path, monkeypatch: pytest.MonkeyPatch, run: CommandLine) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("specweave_ml.store.load.load_experiments", interrupted)
    assert run("list", code=130).err == ""


def test_what_nobody_foresaw_is_one_line_and_a_way_to_more(
    seed: Path, monkeypatch: pytest.MonkeyPatch, run: CommandLine
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("specweave_ml.store.load.load_experiments", broken)
    done = run("list", "--json", code=1)
    assert done.json["next"] == "run again with --debug: specweave-ml --debug list --json"
    assert "Traceback" not in done.err
    assert "Traceback" in run("--debug", "list", code=1).err


def test_a_poor_encoding_gets_escapes(project: Path) -> None:
    with track_experiment("x") as exp:
        exp.log_note("größer → 😀")
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    done = as_process("show", "x", cwd=project, env=environment, encoding="latin-1")
    assert done.returncode == 0
    assert "größer \\u2192 \\U0001f600" in done.stdout
    said = json.loads(as_process("show", "x", "--json", cwd=project, env=environment).stdout)
    assert said["experiment"]["notes"][0]["text"] == "größer → 😀"


LOADED = """
import sys
from specweave_ml.cli import main
code = main(sys.argv[1:])
print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "never"),
    [
        (["list"], {"rich", "jinja2", "yaml", "numpy", "pandas", "pyarrow", "subprocess"}),
        (["list", "--json"], {"rich", "jinja2", "yaml", "numpy", "subprocess"}),
        (["show", "exp-002-xgboost"], {"rich", "jinja2", "numpy"}),
        (["note", "exp-002-xgboost", "x"], {"rich", "jinja2", "numpy"}),
        (["compare"], {"rich", "numpy", "pandas"}),
        (["--version"], {"rich", "jinja2", "orjson", "yaml"}),
    ],
)
def test_a_command_loads_nothing_it_does_not_need(seed: Path, arguments: list[str], never: set[str]) -> None:
    done = subprocess.run([sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True)
    assert never.isdisjoint(done.stderr.split())


def on_a_terminal(folder: Path, columns: int, *arguments: str) -> str:
    """What the command prints on a terminal of that width."""
    process, terminal = pty.fork()
    if process == 0:  # pragma: no cover - the child
        os.chdir(folder)
        os.environ.update({"TERM": "xterm-256color", "COLUMNS": str(columns)})
        os.execv(sys.executable, [*COMMAND, *arguments])  # noqa: S606 - there is no shell
    pieces = []
    while True:
        try:
            piece = os.read(terminal, 65_536)
        except OSError:  # how Linux says that the other side is closed
            break
        if not piece:
            break
        pieces.append(piece)
    os.close(terminal)
    os.waitpid(process, 0)
    return b"".join(pieces).decode().replace("\r\n", "\n")


def test_a_terminal_gets_colour_and_whole_numbers_at_any_width(seed: Path) -> None:
    wide = on_a_terminal(seed, 160, "list")
    assert "\x1b[32mfinished" in wide
    assert "Started" in wide
    narrow = on_a_terminal(seed, 60, "list")
    assert "0.87" in narrow
    assert "not shown in 60 columns: Started" in narrow
    assert narrow.rstrip().endswith("highest accuracy 0.87, exp-002-xgboost")
    assert "…" not in narrow
    assert "✓" in on_a_terminal(seed, 80, "doctor")
    assert "xgboost-tuned-v10-final" in on_a_terminal(seed, 70, "compare", "--dry-run")


def test_no_prompt_waits_on_a_terminal(seed: Path) -> None:
    assert "1 of 1 experiment archived" in on_a_terminal(seed, 80, "archive", "exp-001-baseline")


def test_a_killed_command_leaves_a_store_that_reads(seed: Path, run: CommandLine) -> None:
    for delay in range(8):
        process = subprocess.Popen(
            [*COMMAND, "note", "exp-002-xgboost", "x"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        try:
            process.wait(0.02 + delay * 0.02)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
    run("status", "exp-002-xgboost", "finished")
    run("compare")
    found = {check["name"]: check["ok"] for check in run("doctor", "--json", code=1).json["checks"]}
    assert [name for name, ok in found.items() if not ok] == ["best model saved", "docs in sync"]


@pytest.mark.parametrize("command", ["show", "note", "archive", "restore", "list", "init", "-C"])
def test_hostile_names_are_typed_errors_and_touch_nothing_outside(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    with track_experiment("keeper"):
        pass
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "metadata.yaml").write_text("status: finished\n")
    more = {"note": ["text"], "-C": ["list"], "init": ["--dry-run"]}.get(command, [])
    for name in HOSTILE_NAMES:
        if name.startswith("-") or "\0" in name:
            continue  # an option to the command line, and nothing that a shell can pass on
        code = main([command, name, *more])
        said = capsys.readouterr()
        assert code in (0, 2, 4, 5), (name, said.err)
        assert "nobody foresaw" not in said.err
        os.chdir(project)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside", "project"]
    assert [path.name for path in outside.iterdir()] == ["metadata.yaml"]
