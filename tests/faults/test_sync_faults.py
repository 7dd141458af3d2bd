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
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from faults.driving import at_step, dice, ended, forked, in_fresh_process, proved, runs
from living_docs_cases import Case, all_cases
from living_docs_player import Player, player_of, snapshot
from markdown_lines import ALL, BLOCKS, ENDINGS, WORDS, document
from specweave_ml.errors import Refused, StoreError
from specweave_ml.living_docs import Document, Region, apply_sync, plan_sync, sync_documents
from specweave_ml.living_docs.document import renew_document

CALLS_THAT_CLEAN_UP = 5  # where the call that fails is the one that removes a temporary file
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


def sync(player: Player, **options: bool) -> Any:
    return sync_documents(str(player.root), [player.wanted()], prune=True, **options)


def bases(root: Path) -> dict[str, bytes]:
    files = snapshot(root).items()
    return {name: data for name, (_, data) in files if name.startswith(".specweave/docs-sync/") and ".tmp-" not in name}


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

    def fail() -> None:
        raise OSError(number_of_error, os.strerror(number_of_error))

    while True:
        number = total["faults"] + 1
        root = Path(f"failed-at-{number}")
        player, before, after = prepared(root)

        def body(player: Player = player, number: int = number) -> None:
            steps = at_step(number, fail)
            try:
                done = sync(player)
            except StoreError:
                os._exit(7)
            os._exit(5 if done.conflicts else 0 if steps() >= number else 42)

        code = ended(forked(body), 60)
        if code == 42:
            return dict(total)
        total["faults"] += 1
        total["crashed"] += code not in (0, 5, 7)
        found = player.path.read_bytes()
        total["half"] += found not in (before, after)
        total["left over"] += len(left_over(root))
        sync(player)
        total["not mended"] += player.path.read_bytes() != after
        shutil.rmtree(root)


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC, errno.EROFS])
def test_an_error_at_every_step(error: int, tmp_path: Path) -> None:
    total = in_fresh_process(fail_at_every_step, error, at=tmp_path)
    assert total["faults"] > 30
    assert not any(total[what] for what in ("crashed", "half", "not mended")), total
    assert total["left over"] <= CALLS_THAT_CLEAN_UP, total


def save_at_every_step(by_renaming: bool) -> dict[str, int]:
    """Let an editor save at each step of a sync; what it saved must be there afterwards."""
    total: Counter[str] = Counter()
    while True:
        number = total["saves"] + 1
        root = Path(f"saved-at-{number}")
        player, _, after = prepared(root)

        def save(path: Path = player.path) -> None:
            saved = path.read_bytes() + EDIT
            if by_renaming:
                path.with_suffix(".editor").write_bytes(saved)
                path.with_suffix(".editor").rename(path)
            else:
                path.write_bytes(saved)

        def body(player: Player = player, number: int = number, save: Callable[[], None] = save) -> None:
            steps = at_step(number, save)
            sync(player)
            os._exit(0 if steps() >= number else 42)

        code = ended(forked(body), 60)
        if code == 42:
            return dict(total)
        total["saves"] += 1
        total["crashed"] += code != 0
        total["lost"] += EDIT not in player.path.read_bytes()
        total["left over"] += len(left_over(root))
        sync(player)
        total["not merged"] += player.path.read_bytes() != after + EDIT
        shutil.rmtree(root)


@pytest.mark.parametrize("by_renaming", [True, False], ids=["by renaming", "in place"])
def test_an_editor_saves_at_every_step(by_renaming: bool, tmp_path: Path) -> None:
    total = in_fresh_process(save_at_every_step, by_renaming, at=tmp_path)
    assert total["saves"] > 30
    assert not any(total[what] for what in ("crashed", "lost", "left over", "not merged")), total
    proved("saves of an editor during a sync were lost", total["saves"])


def sync_from_many_processes(processes: int, rounds: int) -> dict[str, int]:
    """Several processes, each with its own regions, write one document at the same time."""
    root = os.path.abspath("together")
    Path(root, ".specweave").mkdir(parents=True)
    total: Counter[str] = Counter()

    def body(number: int) -> None:
        for each in range(rounds):
            region = Region(
                f"inc-{number}{each:03}", f"Words of {number}.\n", f"## Model (Increment {number}{each:03})"
            )
            done = sync_documents(root, [Document(PATH, (region,))])
            if done.conflicts:
                os._exit(5)

    children = [forked(partial(body, number)) for number in range(1, processes + 1)]
    total["failed"] = sum(ended(child, 120) != 0 for child in children)
    ids = [found.decode() for found in MARKERS.findall(Path(root, PATH).read_bytes())]
    total["regions"], total["twice"] = len(set(ids)), len(ids) - len(set(ids))
    total["left over"] = len(left_over(Path(root)))
    regions = tuple(Region(name, "x\n") for name in ids)
    total["without base"] = len(set(ids)) - len(bases(Path(root)))
    total["opted out"] = plan_sync(root, [Document(PATH, regions)]).opted_out
    return dict(total)


def test_syncs_at_the_same_time(tmp_path: Path) -> None:
    rounds = runs(ci=12, long=100)
    total = in_fresh_process(sync_from_many_processes, 4, rounds, at=tmp_path)
    assert total.pop("regions") == 4 * rounds
    assert not any(total.values()), total
    proved("regions of concurrent syncs were lost or doubled", 4 * rounds)


def random_people(count: int) -> dict[str, int]:
    """T22: random documents, synced, edited at random inside and outside, and synced again, and again."""
    chance = dice("people")
    total: Counter[str] = Counter()
    old = "".join(f"- exp-00{number}: tried (acc=0.{number})\n" for number in range(1, 8))
    news = old.replace("0.3", "0.4") + "\nAnd more.\n"
    first, second = (Document(PATH, (Region("inc-0042", body, "## M (Increment 0042)"),)) for body in (old, news))
    for _ in range(count):
        lines = chance.choices(ALL, k=chance.randrange(20))
        data = document(lines, chance.choice(ENDINGS), bom=chance.random() < 0.2, ended=chance.random() < 0.8)
        known: dict[str, str] = {}
        data = renewed(data, first, known, total)
        data, words = edited(data, chance)
        outside = MARKERS.sub(b"", data)
        for wanted in (second, second, first):
            data = renewed(data, wanted, known, total)
            if total["inserted"]:
                outside = MARKERS.sub(b"", data)
            total["outside"] += MARKERS.sub(b"", data) != outside
            total["lost"] += sum(word not in data for word in words)
    return dict(total)


def renewed(data: bytes, wanted: Document, known: dict[str, str], total: Counter[str]) -> bytes:
    total["syncs"] += 1
    total["inserted"] = 0
    try:
        result = renew_document(data, wanted, known)
    except Refused:
        total["refused"] += 1
        return data
    total["merged"] += any("edits kept" in region.why for region in result.regions)
    total["inserted"] = int(any(region.outcome == "created" for region in result.regions))
    known |= {region: body for region, body in result.bases.items() if body is not None}
    if result.data is not None:
        again = renew_document(result.data, wanted, known)
        total["second sync"] += again.data is not None
        return result.data
    return data


def edited(data: bytes, chance: Any) -> tuple[bytes, list[bytes]]:
    """The document with some lines put in or over others, but for markers; and the words that came with them."""
    lines = data.split(b"\n")
    for number in range(chance.randrange(5)):
        place = chance.randrange(len(lines) + 1)
        if not any(b"specweave:" in line for line in lines[place : place + 1]):
            line = f"{chance.choice(WORDS + BLOCKS)} edit{number}edit".encode()
            lines[place : place + chance.randrange(2)] = [line]
    edits = [f"edit{number}edit".encode() for number in range(5)]
    new = b"\n".join(lines)
    return new, [edit for edit in edits if edit in new]


def test_random_documents_of_random_people(tmp_path: Path) -> None:
    count = runs(ci=1_000, long=10_000)
    total = in_fresh_process(random_people, count, at=tmp_path, seconds=900)
    assert total["merged"] > count / 20
    assert not any(total[what] for what in ("outside", "lost", "second sync")), total
    proved("random documents lost a byte or an edit", count)


@pytest.fixture
def standing(tmp_path: Path) -> Path:
    """A project whose document has one region."""
    (tmp_path / ".specweave").mkdir()
    (tmp_path / "docs").mkdir()
    (tmp_path / PATH).write_text("# Ours\n")
    sync_documents(str(tmp_path), [wanted("one")])
    return tmp_path


def backups(root: Path) -> list[Path]:
    return [path for path in (root / ".specweave/cache").rglob("*.md") if path.is_file()]


def wanted(words: str) -> Document:
    return Document(PATH, (Region("inc-0042", f"{words}\n", "## Model (Increment 0042)"),))


def test_an_editor_between_plan_and_apply(standing: Path) -> None:
    plan = plan_sync(str(standing), [wanted("two")])
    saved = (standing / PATH).read_bytes() + EDIT
    (standing / PATH).write_bytes(saved)
    done = apply_sync(plan)
    assert [change.action for change in done.changes] == ["conflict"]
    assert (standing / PATH).read_bytes() == saved
    assert not done.changed


def test_a_file_that_was_only_touched_is_as_it_was_read(standing: Path) -> None:
    plan = plan_sync(str(standing), [wanted("two")])
    os.utime(standing / PATH, ns=(1, 1))
    assert apply_sync(plan).changes[0].action == "updated"


def test_links_and_modes_stay(standing: Path) -> None:
    real = standing / "elsewhere.md"
    shutil.rmtree(standing / ".specweave/cache")
    (standing / PATH).rename(real)
    (standing / PATH).symlink_to("../elsewhere.md")
    real.chmod(0o600)
    assert sync_documents(str(standing), [wanted("two")]).changed == 1
    assert (standing / PATH).is_symlink()
    assert real.stat().st_mode & 0o7777 == 0o600
    assert b"two" in real.read_bytes()
    (backup,) = backups(standing)
    assert backup.stat().st_mode & 0o7777 == 0o600


def test_a_link_out_of_the_project_is_refused(standing: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "theirs.md"
    outside.write_text("# Theirs\n")
    (standing / PATH).unlink()
    (standing / PATH).symlink_to(outside)
    done = sync_documents(str(standing), [wanted("two")])
    assert done.conflicts
    assert outside.read_text() == "# Theirs\n"


def test_a_folder_of_ours_that_leads_out_of_the_project(
    standing: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    for folder in (standing / ".specweave/docs-sync/_root/docs", standing / ".specweave/cache"):
        shutil.rmtree(folder)
        folder.symlink_to(outside)
    before = (standing / PATH).read_bytes()
    assert "leads out of the project" in sync_documents(str(standing), [wanted("two")]).conflicts[0].why
    (standing / ".specweave/docs-sync/_root/docs").unlink()
    with pytest.raises(Refused, match="leads out of the project"):
        sync_documents(str(standing), [wanted("two")])
    assert (standing / PATH).read_bytes() == before
    assert not [*outside.iterdir()]


def test_a_read_only_file_is_not_written(standing: Path) -> None:
    (standing / PATH).chmod(0o444)
    before = snapshot(standing)
    done = sync_documents(str(standing), [wanted("two")])
    assert "read-only" in done.conflicts[0].why
    assert snapshot(standing) == before
    assert sync_documents(str(standing), [wanted("one")]).is_current


def test_something_else_in_the_place_of_a_document(standing: Path) -> None:
    (standing / PATH).unlink()
    os.mkfifo(standing / PATH)
    assert "it is not a file" in sync_documents(str(standing), [wanted("two")]).conflicts[0].why


def test_what_git_can_give_back_is_not_backed_up(standing: Path) -> None:
    cache = standing / ".specweave/cache"
    shutil.rmtree(cache)
    (standing / ".gitignore").write_text(".specweave/cache/\n")
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=standing, check=True)
    sync_documents(str(standing), [wanted("two")])
    assert not cache.exists()
    sync_documents(str(standing), [wanted("three")])
    assert [b"two" in backup.read_bytes() for backup in backups(standing)] == [True]
    for number in range(10):
        sync_documents(str(standing), [wanted(f"number {number}")])
    assert len(backups(standing)) == 5


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root of Linux can remount")
def test_looking_works_on_a_read_only_disk(standing: Path) -> None:
    mount = ["mount", "--bind", str(standing), str(standing)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(standing)], check=True)
        assert plan_sync(str(standing), [wanted("one")]).is_current
        plan = plan_sync(str(standing), [wanted("two")])
        assert plan.changed == 1
        with pytest.raises(StoreError, match="cannot write"):
            apply_sync(plan)
    finally:
        subprocess.run(["umount", str(standing)], check=True)


def test_another_sync_that_does_not_end(standing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    from specweave_ml.living_docs import apply

    monkeypatch.setattr(apply, "_PATIENCE", 0.1)
    folder = os.open(standing / ".specweave/docs-sync", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        started = time.monotonic()
        with pytest.raises(Refused, match="another sync"):
            sync_documents(str(standing), [wanted("two")])
        assert time.monotonic() - started < 5
    finally:
        os.close(folder)
    assert b"one" in (standing / PATH).read_bytes()
