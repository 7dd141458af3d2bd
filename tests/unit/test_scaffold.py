"""The plan of `init`, and what becomes of it when somebody was faster."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from command_line import EXPERIMENTS, snapshot
from specweave_ml.errors import NotFound, Refused, StoreError, UsageError
from specweave_ml.scaffold import EXAMPLE, FIRST_INCREMENT, apply_scaffold, plan_scaffold


def test_a_plan_writes_nothing(project: Path) -> None:
    before = snapshot(project)
    scaffold = plan_scaffold()
    assert [step.path for step in scaffold.steps] == [
        str(EXPERIMENTS),
        f"{EXPERIMENTS}/.gitignore",
        f"{EXPERIMENTS}/.gitattributes",
        EXAMPLE,
    ]
    assert snapshot(project) == before
    assert not (project / EXPERIMENTS).exists()


def test_what_appeared_meanwhile_is_not_overwritten(project: Path) -> None:
    scaffold = plan_scaffold()
    (project / "examples").mkdir()
    (project / EXAMPLE).write_text("mine\n")
    with pytest.raises(StoreError, match="not there a moment ago"):
        apply_scaffold(scaffold)
    assert (project / EXAMPLE).read_text() == "mine\n"


def test_a_checkout_with_other_line_ends_is_still_ours(project: Path) -> None:
    apply_scaffold(plan_scaffold())
    example = project / EXAMPLE
    example.write_bytes(example.read_bytes().replace(b"\n", b"\r\n"))
    assert {step.action for step in plan_scaffold().steps} == {"unchanged"}


def test_the_increment_that_is_meant(tmp_path: Path) -> None:
    start = str(tmp_path)
    assert plan_scaffold(None, start).increment == FIRST_INCREMENT
    assert plan_scaffold("0042E-imported", start).increment == "0042E-imported"
    apply_scaffold(plan_scaffold("0042-search", start))
    assert plan_scaffold(None, start).increment == "0042-search"
    assert plan_scaffold("42", start).increment == "0042-search"
    apply_scaffold(plan_scaffold("0043-ranking", start))
    with pytest.raises(NotFound, match="not clear"):
        plan_scaffold(None, start)
    with pytest.raises(Refused, match="another increment"):
        plan_scaffold("0043-other", start)
    with pytest.raises(UsageError) as raised:
        plan_scaffold("ranking", start)
    assert raised.value.next_step == "specweave-ml init 0044-what-it-is-about"


def test_the_example_needs_nothing_but_the_standard_library(project: Path) -> None:
    apply_scaffold(plan_scaffold())
    done = subprocess.run([sys.executable, "-X", "importtime", EXAMPLE], capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "specweave_ml" in loaded
    assert {"sklearn", "pandas"}.isdisjoint(loaded)
