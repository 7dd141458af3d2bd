"""How experiments end, and what can be said to one after its block."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from specweave_ml.errors import UsageError
from specweave_ml.store.load import load_experiment, load_experiments
from specweave_ml.store.verify import Integrity, verify
from specweave_ml.tracking import track_experiment

EXPERIMENTS = Path(".specweave/increments/0042-recommendation-model/experiments")
pytestmark = pytest.mark.usefixtures("_tracked")


def run(script: str, *, code: int | None = 0) -> str:
    """Run a script in the project; what it said on stderr."""
    Path("train.py").write_text(textwrap.dedent(script))
    done = subprocess.run([sys.executable, "train.py"], capture_output=True, text=True, check=False, timeout=60)
    assert code is None or done.returncode == code, done.stderr
    return done.stderr


def test_words_inside_and_after_the_block():
    with track_experiment("x") as experiment:
        experiment.log_note("inside")
        experiment.add_tag("inside")
    experiment.log_note("after")
    experiment.add_tag("production")
    experiment.add_tag("inside")
    experiment.log_metric("late", 1.0)
    experiment.log_param("late", 1)
    experiment.save_artifact("late.txt", "late")
    found = load_experiment("x")
    assert (found.notes, found.tags, found.status) == (("inside", "after"), ("inside", "production"), "finished")
    assert (found.metrics, found.params, set(found.artifacts)) == ({"late": 1.0}, {"late": 1}, {"late.txt"})
    assert verify(str(EXPERIMENTS / "x")) == Integrity()
    for tag in ("", " ", None, 5):
        with pytest.raises(UsageError):
            experiment.add_tag(tag)


def test_the_seeds_failure():
    try:
        with track_experiment("neural-net-attempt") as experiment:
            raise MemoryError("no room")
    except Exception as error:  # noqa: BLE001 - the seed's own words
        experiment.log_note(f"FAILED: {error}")
        experiment.set_status("failed")
    found = load_experiment("neural-net-attempt")
    assert (found.status, found.notes) == ("failed", ("FAILED: no room",))
    assert found.error is not None
    assert found.error["type"] == "MemoryError"
    assert "raise MemoryError" in found.error["traceback"]


@pytest.mark.parametrize("status", ["failed", "killed"])
def test_a_status_said_inside_survives_a_clean_exit(status):
    with track_experiment("x") as experiment:
        experiment.set_status(status)
        experiment.log_metric("auc", 0.5)
    assert (load_experiment("x").status, experiment.status) == (status, status)


def test_a_status_said_after_the_block_stands():
    with track_experiment("x") as experiment:
        pass
    experiment.set_status("failed")
    assert load_experiment("x").status == "failed"
    experiment.set_status("finished")
    assert load_experiment("x").status == "finished"
    for word in ("done", "stale", "", None, 5, ["failed"]):
        with pytest.raises(UsageError):
            experiment.set_status(word)


def test_what_is_logged_behind_a_status_is_not_lost_to_a_reader():
    with track_experiment("x") as experiment:
        experiment.set_status("failed")
        experiment._writer._due = 0  # the small files are made now, as they are every few seconds
        experiment.log_metric("auc", 0.1)
        experiment.log_metric("auc", 0.2)
        assert load_experiment("x").metrics == {"auc": 0.2}


@pytest.mark.parametrize(
    ("error", "status", "recorded"),
    [
        (ValueError("x"), "failed", True),
        (KeyboardInterrupt(), "killed", False),
        (SystemExit(0), "finished", False),
        (SystemExit(None), "finished", False),
        (SystemExit(1), "failed", True),
        (SystemExit("words"), "failed", True),
        (BaseExceptionGroup("both", [ValueError("a"), KeyError("b")]), "failed", True),
        (RecursionError("deep"), "failed", True),
    ],
    ids=repr,
)
def test_an_exception_ends_it_and_goes_on(error, status, recorded):
    with pytest.raises(type(error)) as caught, track_experiment("x"):
        raise error
    assert caught.value is error
    found = load_experiment("x")
    assert (found.status, found.error is not None) == (status, recorded)
    if recorded:
        assert found.error["type"] == type(error).__name__
        assert str(Path.cwd()) not in json.dumps(found.metadata)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


def test_an_exception_without_words_still_ends_it():
    with pytest.raises(Unspeakable), track_experiment("x"):
        raise Unspeakable
    found = load_experiment("x")
    assert (found.status, (found.error or {})["type"]) == ("failed", "Unspeakable")


def test_an_exception_with_too_many_words_is_cut():
    with pytest.raises(ValueError, match="x"), track_experiment("x"):
        raise ValueError("x" * 1_000_000)
    assert len(json.dumps(load_experiment("x").error)) < 50_000


ENDINGS = [
    ("experiment.finish()", 0, "finished", None),
    ("", 0, "finished", "exit code"),
    ("sys.exit(0)", 0, "finished", "exit code"),
    ("sys.exit(3)", 3, "finished", "exit code"),
    ("raise ValueError('x')", 1, "failed", None),
    ("raise KeyboardInterrupt", None, "killed", None),
    ("os.kill(os.getpid(), signal.SIGTERM)", 143, "killed", None),
    ("os.kill(os.getpid(), signal.SIGINT)", None, "killed", None),
    ("os.kill(os.getpid(), signal.SIGKILL)", -9, "stale", None),
    ("os._exit(0)", 0, "stale", None),
]


@pytest.mark.parametrize(("end", "code", "status", "missing"), ENDINGS, ids=[row[0] or "nothing" for row in ENDINGS])
def test_scripts_without_a_block(end, code, status, missing):
    run(
        f"""
        import os, signal, sys
        from specweave_ml.tracking import track_experiment
        experiment = track_experiment("x")
        experiment.log_metric("auc", 0.5)
        {end}
        """,
        code=code,
    )
    found = load_experiment("x")
    assert (found.status, found.metrics) == (status, {"auc": 0.5})
    whats = [gap["what"] for gap in (found.metadata.get("capture") or {}).get("missing", ())]
    assert ("exit code" in whats) == (missing is not None)


def test_a_script_that_ends_with_its_own_hook_calls_that_too():
    said = run(
        """
        import sys
        def mine(kind, error, trace): print("mine saw", error, file=sys.stderr)
        sys.excepthook = mine
        from specweave_ml.tracking import track_experiment
        track_experiment("x")
        raise ValueError("this")
        """,
        code=1,
    )
    assert "mine saw this" in said
    assert load_experiment("x").status == "failed"


def test_several_at_once_in_one_script():
    run(
        """
        from specweave_ml.tracking import track_experiment
        one, two = track_experiment("one"), track_experiment("two")
        with track_experiment("three") as three:
            three.log_metric("auc", 3)
        one.log_metric("auc", 1)
        two.log_metric("auc", 2)
        two.finish("failed")
        raise ValueError("one is open")
        """,
        code=1,
    )
    found = {each.name: (each.status, each.metrics["auc"]) for each in load_experiments()}
    assert found == {"one": ("failed", 1), "two": ("failed", 2), "three": ("finished", 3)}


def test_a_handle_that_nobody_holds_any_more_still_ends_with_the_script():
    run(
        """
        from specweave_ml.tracking import track_experiment
        track_experiment("x").log_metric("auc", 0.5)
        import gc; gc.collect()
        """
    )
    assert load_experiment("x").status == "finished"


def test_a_block_left_by_a_generator_that_nobody_finishes():
    def train() -> Iterator[int]:
        with track_experiment("x") as experiment:
            for number in range(10):
                experiment.log_metric("auc", number)
                yield number

    for number in train():
        if number == 3:
            break
    assert load_experiment("x").metrics == {"auc": 3}
