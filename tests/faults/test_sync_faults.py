"""T3, T4, T10, T22 for living documents: whatever happens to a sync, a document is the old one or the new one.

Faults happen at the steps of a sync: the calls by which it changes something. A child counts them and dies, fails, or
lets an editor save, at one of them.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faults.driving import dice, ended, forked, in_fresh_process, proved, runs
from living_docs_cases import Case, all_cases
from living_docs_player import Player, player_of, snapshot
from markdown_lines import ALL, BLOCKS, ENDINGS, WORDS, document

from specweave_ml.errors import Refused, StoreError
from specweave_ml.living_docs import Document, Region, apply_sync, exchange, plan_sync, sync_documents
from specweave_ml.living_docs.document import renew_document

CALLS = "open write fsync link mkdir unlink replace fchmod".split()
PATH = "docs/ml-models.md"
MARKERS = re.compile(rb"<!-- specweave:begin v1 (\S+) sha256=\w{16} -->.*?<!-- specweave:end v1 \1 -->", re.DOTALL)
EDIT = b"\nAn editor saved this.\n"


def the_case() -> Case:
    (case,) = (case for case in all_cases() if case.number == 16)
    return case


def prepared(root: Path) -> tuple[Player, bytes, bytes]:
    """The case up to its sync: the player, the document before, and the one that is right after it."""
    root.mkdir()
    player = player_of(the_case(), root)
    before = after = b""
    for step in the_case().steps:
        if step.word == "becomes":
            after = player.real(step.text)
        elif step.word not in ("sync", "says"):
            player.play(step)
    before = player.path.read_bytes()
    return player, before, after


def at_step(number: int, what: Callable[[], None]) -> Callable[[], int]:
    """Do something before the sync's call of this number; the function that is given back says how many there were."""
    steps = 0

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def calling(*arguments: Any, **options: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps == number:
                what()
            return call(*arguments, **options)

        return calling

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))
    exchange.exchange_files.__globals__["_system_call"] = lambda call=counted(exchange._system_call()): call
    return lambda: steps


def sync(player: Player, **options: bool) -> Any:
    return sync_documents(str(player.root), [player.wanted()], prune=True, **options)


def bases(root: Path) -> dict[str, bytes]:
    return {name: data for name, (_, data) in snapshot(root).items() if name.startswith(".specweave/docs-sync/")}


def left_over(root: Path) -> list[str]:
    return [name for name in snapshot(root) if ".tmp-" in name]


def kill_at_every_step() -> dict[str, int]:
    """Kill a sync at each of its steps; what was found afterwards, added up."""
    player, before, after = prepared(Path("whole"))
    sync(player)
    right = bases(player.root)
    assert player.path.read_bytes() == after
    total: Counter[str] = Counter()
    while True:
        number = total["kills"] + 1
        root = Path(f"killed-at-{number}")
        player, _, _ = prepared(root)

        def body(player: Player = player, number: int = number) -> None:
            at_step(number, lambda: os.kill(os.getpid(), signal.SIGKILL))
            sync(player)

        if ended(forked(body), 60) == 0:
            return dict(total)
        total["kills"] += 1
        found = player.path.read_bytes()
        total["half"] += found not in (before, after)
        total["old"] += found == before
        total["other temporaries"] += len(left_over(root)) > 1
        again = sync(player)
        total["not mended"] += (player.path.read_bytes(), bases(root)) != (after, right) or bool(again.opted_out)
        total["not settled"] += sync(player).changed
        shutil.rmtree(root)


def test_killed_at_every_step(tmp_path: Path) -> None:
    total = in_fresh_process(kill_at_every_step, at=tmp_path)
    assert total["kills"] > 30
    assert 0 < total["old"] < total["kills"]
    assert not any(total[what] for what in ("half", "other temporaries", "not mended", "not settled")), total
    proved("syncs killed at a step lost anything", total["kills"])


def fail_at_every_step(number_of_error: int) -> dict[str, int]:
    """Let each step of a sync fail, one after the other."""
    total: Counter[str] = Counter()
    while True:
        number = total["faults"] + 1
        root = Path(f"failed-at-{number}")
        player, before, after = prepared(root)

        def fail() -> None:
            raise OSError(number_of_error, os.strerror(number_of_error))

        def body(player: Player = player, number: int = number, fail: Callable[[], None] = fail) -> None:
            at_step(number, fail)
            try:
                done = sync(player)
            except StoreError:
                os._exit(7)
            os._exit(5 if done.conflicts else 0)

        code = ended(forked(body), 60)
        found = player.path.read_bytes()
        if code == 0 and found == after and not left_over(root):
            shutil.rmtree(root)
            if number > 80:
                return dict(total)
        total["faults"] += 1
        total["crashed"] += code not in (0, 5, 7)
        total["half"] += found not in (before, after)
        total["left over"] += bool(left_over(root))
        if root.exists():
            sync(player)
            total["not mended"] += player.path.read_bytes() != after
            shutil.rmtree(root)


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC, errno.EROFS])
def test_an_error_at_every_step(error: int, tmp_path: Path) -> None:
    total = in_fresh_process(fail_at_every_step, error, at=tmp_path)
    assert total["faults"] > 30
    assert not any(total.get(what) for what in ("crashed", "half", "left over", "not mended")), total
