"""Pictures and the documents that name them: killed at any step of a comparison or a sync, no link is dead."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from faults.driving import at_step, ended, forked, in_fresh_process, proved, runs
from specweave_ml import track_experiment
from specweave_ml.documents.sync import plan_sync, sync
from specweave_ml.reports import compare_experiments
from tracked import wait_for_the_capture

INCREMENT = Path(".specweave/increments/0042-model")
EXPERIMENTS = INCREMENT / "experiments"
SHOWING = (EXPERIMENTS / "comparison.md", Path(".specweave/docs/internal/architecture/ml-models.md"))
STEPS: dict[str, Callable[[], object]] = {
    "compare": lambda: compare_experiments("0042"),
    "sync": lambda: sync(["0042"]),
}


def train(name: str, *losses: float) -> None:
    with track_experiment(name, increment="0042") as exp:
        for step, loss in enumerate(losses):
            exp.log_metric("val_loss", loss, step=step)
        for fold in range(3):
            exp.log_fold(
                fold, {"accuracy": 0.8 + sum(losses) / 100 + fold % 2 / 50}, n_train=80, n_test=20, split_id=str(fold)
            )
        exp.log_metric("training_time", 1.0 + len(name))


def prepared() -> None:
    """Two models with pictures; then one goes, with what there was to compare, and another comes, with a curve."""
    INCREMENT.mkdir(parents=True)
    train("a")
    train("b-2")
    wait_for_the_capture()
    sync(["0042"])
    (EXPERIMENTS / "_archive").mkdir()
    for name in ("a", "b-2"):
        (EXPERIMENTS / name).rename(EXPERIMENTS / "_archive" / name)
    train("c", 0.9, 0.5, 0.4)
    wait_for_the_capture()


def dead_links() -> int:
    dead = 0
    for document in SHOWING:
        links = re.findall(r"!\[[^]]*\]\(([^)]+)\)", document.read_text()) if document.exists() else []
        dead += sum(not (document.parent / link).resolve().is_file() for link in links)
    return dead


def kill_at_every_step(what: str) -> dict[str, int]:
    before = Path.cwd()
    (before / "first").mkdir()
    os.chdir("first")
    prepared()
    os.chdir(before)
    total: Counter[str] = Counter(links_before=_links(before / "first"))
    for number in count(1, runs(4, 1)):
        root = before / f"killed-{number}"
        shutil.copytree(before / "first", root)
        os.chdir(root)

        def body(number: int = number) -> None:
            at_step(number, lambda: os.kill(os.getpid(), signal.SIGKILL))
            STEPS[what]()

        if ended(forked(body), 60) == 0:
            break
        total["kills"] += 1
        total["dead links"] += dead_links()
        sync(["0042"])
        total["dead afterwards"] += dead_links()
        total["not settled"] += not plan_sync(["0042"]).is_current
        total["curves"] += (EXPERIMENTS / "_pictures" / "curve-val_loss.svg").exists()
        total["left over"] += (EXPERIMENTS / "_pictures" / "differences.svg").exists()
        os.chdir(before)
        shutil.rmtree(root)
    return dict(total)


def _links(root: Path) -> int:
    return sum((root / document).read_text().count("](") for document in SHOWING)


@pytest.mark.parametrize("what", STEPS)
def test_killed_at_every_step(what: str, tmp_path: Path) -> None:
    total = in_fresh_process(kill_at_every_step, what, at=tmp_path)
    assert total["links_before"] > 2
    assert total["kills"] > 5
    assert total["curves"] == total["kills"]
    assert not any(total[bad] for bad in ("dead links", "dead afterwards", "not settled", "left over")), total
    proved(f"kills of {what} left a dead link", total["kills"])
