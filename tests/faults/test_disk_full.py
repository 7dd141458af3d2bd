"""T6: a full disk, a file-size limit, no descriptor left. What could not be written is counted, and training goes on."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from faults.driving import dice, forked, in_fresh_process, proved, runs
from tracked import wait_for_the_capture

PAGE = 4096
DISK = 1 << 20
POINTS = 400
INCREMENT = ".specweave/increments/0042-recommendation-model"
can_mount = sys.platform == "linux" and os.geteuid() == 0


@pytest.fixture
def small_disk(project: Path) -> Iterator[Path]:
    """The increments of the project on a disk of one megabyte of their own."""
    place = project / ".specweave" / "increments"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", place], check=False).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        assert os.path.ismount(place)
        assert os.statvfs(place).f_blocks * os.statvfs(place).f_frsize == DISK
        (project / INCREMENT).mkdir()
        (project / INCREMENT / "metadata.json").write_text('{"status": "active"}')
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def fill(file: str, left: int) -> None:
    """Take all of the small disk but `left` bytes; never of any other."""
    disk = os.statvfs(os.path.dirname(file))
    if disk.f_blocks * disk.f_frsize > DISK:
        raise AssertionError("this is not the small disk")
    with open(file, "wb") as filler:
        filler.write(bytes(max(0, disk.f_bavail * disk.f_frsize - left)))


def train(points: int, length: int, tight: Any, loose: Any, moments: tuple[int, int]) -> dict[str, Any]:
    """A training whose disk gets tight and loose again; what it saw, and what the record says."""
    from specweave_ml.tracking import track_experiment

    said: list[warnings.WarningMessage]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with track_experiment("full") as experiment:
            for number in range(points):
                if number == moments[0]:
                    tight()
                if number == moments[1]:
                    loose()
                experiment.log_metrics({"value": number, "x" * length: 0.5}, step=number)
        wait_for_the_capture()
    return {"warnings": [str(each.message) for each in said]}


def in_a_child(work: Any) -> Any:
    """What `work` returns, from a forked child; None if it died."""
    reading, writing = os.pipe()
    pid = forked(lambda: os.write(writing, json.dumps(work()).encode()) and None)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(answer) if answer else None


def wrongs(outcome: dict[str, Any] | None, points: int) -> list[str]:
    """What is wrong with a training of so many points on a disk that was full for a while."""
    from specweave_ml.store.load import load_experiment

    if outcome is None:
        return ["training died"]
    experiment = load_experiment("full")
    kept = [point.step for point in experiment.history("value")]
    dropped = experiment.metadata.get("dropped", 0)
    found = {
        "the journal does not parse": bool(experiment.problems) or not whole(experiment.path),
        f"{points - len(kept)} points are missing, {dropped} are counted": points - len(kept) != dropped,
        "points are doubled or out of order": kept != sorted(set(kept)),
        f"{experiment.status}, not finished": experiment.status != "finished",
        "incomplete is not said": bool(dropped) != bool(experiment.metadata.get("incomplete")),
        f"{len(outcome['warnings'])} warnings, {dropped} dropped: {outcome['warnings']}": len(outcome["warnings"]) > 1
        or (dropped > 0 and not outcome["warnings"]),
        "the last value is behind": bool(kept) and experiment.metrics["value"] != kept[-1],
        "left behind": any(file.name.startswith(".tmp") for file in experiment.path.iterdir()),
    }
    return [what for what, wrong in found.items() if wrong]


def whole(folder: Path) -> bool:
    return all(journal.read_bytes()[-1:] in (b"", b"\n") for journal in folder.glob("journal*"))


def starve(total: Counter[str], chance: Random, tight: Callable[[], object], loose: Callable[[], object]) -> None:
    """One training whose disk is tight for a while, judged and taken away."""
    length, moments = chance.choice((1, 100, 480)), (chance.randrange(0, 200), chance.randrange(200, POINTS))
    outcome = in_a_child(lambda: train(POINTS, length, tight, loose, moments))
    total.update(wrongs(outcome, POINTS))
    total["full for a while"] += bool(outcome and outcome["warnings"])
    shutil.rmtree(f"{os.getcwd()}/{INCREMENT}/experiments", ignore_errors=True)


def fill_and_free(count: int) -> dict[str, int]:
    """Trainings on a disk that fills up to any byte and is freed again."""
    chance = dice("full")
    total: Counter[str] = Counter()
    filler = f"{os.getcwd()}/.specweave/increments/filler"
    for _ in range(count):
        left = chance.randrange(0, 5 * PAGE)
        starve(total, chance, partial(fill, filler, left), partial(os.unlink, filler))
        Path(filler).unlink(missing_ok=True)
    return total


@pytest.mark.skipif(not can_mount, reason="needs root to mount a small disk")
def test_a_full_disk_drops_and_counts(project, small_disk):
    """100 trainings in CI, 1,000 with LONG=1; the disk is freed before the end."""
    count = runs(100, 1_000)
    total = in_fresh_process(fill_and_free, count, at=project, seconds=runs(120, 1_200))
    assert total.pop("full for a while") > count / 2
    assert total == {}
    proved("trainings on a full disk died, or lost a point that was not counted", count)


def limit_and_lift(count: int) -> dict[str, int]:
    """The same by a limit on the size of files, which needs no disk of its own."""
    chance = dice("limit")
    total: Counter[str] = Counter()
    for _ in range(count):
        starve(total, chance, partial(limit_files, chance.randrange(1, 40_000)), lift_limit)
    return total


def limit_files(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def lift_limit() -> None:
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def test_a_file_size_limit_drops_and_counts(project):
    """100 trainings in CI, 1,000 with LONG=1."""
    count = runs(100, 1_000)
    total = in_fresh_process(limit_and_lift, count, at=project, seconds=runs(120, 1_200))
    assert total.pop("full for a while") > count / 3
    assert total == {}
    proved("trainings under a size limit died, or lost a point that was not counted", count)


def full_to_the_end() -> dict[str, Any]:
    """Never freed: the block is left as if all were well, and the reader sees what there is, and that it has no end."""
    from specweave_ml.store.load import load_experiments

    outcome = in_a_child(lambda: train(300, 1, partial(limit_files, 2_000), lambda: None, (100, 200)))
    (experiment,) = load_experiments()
    kept = [point.step for point in experiment.history("value")]
    return {
        "trained": outcome is not None,
        "warnings": len(outcome["warnings"]) if outcome else 0,
        "kept": kept == [*range(len(kept))] and len(kept) >= 100,
        "status": experiment.status,
        "problems": list(experiment.problems),
    }


def test_a_disk_that_stays_full_is_said_and_training_ends_well(project):
    """One warning when it begins, one for the end that is not recorded."""
    outcome = in_fresh_process(full_to_the_end, at=project)
    assert outcome.pop("warnings") in (1, 2, 3)
    assert outcome == {"trained": True, "kept": True, "status": "stale", "problems": []}


def forked_child_on_a_full_disk() -> dict[str, Any]:
    """A child forked from the training runs into the limit: its lines are counted in the same record."""
    from specweave_ml.store.load import load_experiment
    from specweave_ml.tracking import track_experiment

    experiment = track_experiment("full")

    def work() -> None:
        warnings.simplefilter("ignore")
        experiment.log_metric("value", 0, step=0)
        limit_files(100)
        for number in range(1, 6):
            experiment.log_metric("value", number, step=number)
        lift_limit()
        for number in range(6, 10):
            experiment.log_metric("value", number, step=number)

    os.waitpid(forked(work), 0)
    experiment.finish()
    read = load_experiment("full")
    return {"kept": [point.step for point in read.history("value")], "dropped": read.metadata.get("dropped", 0)}


def test_a_forked_child_counts_what_it_drops(project):
    assert in_fresh_process(forked_child_on_a_full_disk, at=project) == {"kept": [0, 6, 7, 8, 9], "dropped": 5}


def train_without_descriptors() -> dict[str, Any]:
    """All descriptors taken in the middle of a training, as leaking data loaders do it."""
    from specweave_ml.store.load import load_experiment
    from specweave_ml.tracking import track_experiment

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        experiment = track_experiment("starved")
        experiment.log_metric("value", 0, step=0)
        taken = take_descriptors()
        experiment._writer._due = 0  # the small files are due now
        for number in range(1, 50):
            experiment.log_metric("value", number, step=number)
            experiment.log_param(f"p{number}", number)
        experiment.save_artifact("notes.txt", "text")
        experiment.log_note("still here")
        experiment.finish()
        for descriptor in taken:
            os.close(descriptor)
    read = load_experiment("starved")
    return {
        "points": len(read.history("value")),
        "params": len(read.params),
        "notes": list(read.notes),
        "status": read.status,
        "said": bool(said),
    }


def take_descriptors() -> list[int]:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    taken = []
    while True:
        try:
            taken.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            return taken


def test_without_a_descriptor_left_the_journal_goes_on_and_the_end_is_recorded(project):
    """Appending and ending need only the descriptor that is there; what needs another is dropped with a warning."""
    outcome = in_fresh_process(train_without_descriptors, at=project)
    assert outcome == {"points": 50, "params": 49, "notes": ["still here"], "status": "finished", "said": True}


def start_on_a_full_disk(left: int) -> dict[str, Any]:
    """What a start says on a disk with so many bytes free, and what it leaves behind."""
    from specweave_ml.errors import StoreError
    from specweave_ml.tracking import track_experiment

    experiments = f"{os.getcwd()}/{INCREMENT}/experiments"
    filler = f"{os.getcwd()}/.specweave/increments/filler"
    with track_experiment("before"):  # what every start of a process brings is there already
        pass
    wait_for_the_capture()
    fill(filler, left)
    outcome: dict[str, Any]
    try:
        experiment = track_experiment("refused")
    except StoreError as error:
        outcome = {"path": error.path, "errno": error.errno, "next": bool(error.next_step), "code": error.exit_code}
    else:
        outcome = {"started": True}
        os.unlink(filler)
        experiment.finish()
    return outcome | {"folder": os.path.isdir(f"{experiments}/refused"), "others": sorted(os.listdir(experiments))}


@pytest.mark.skipif(not can_mount, reason="needs root to mount a small disk")
@pytest.mark.parametrize("pages", range(5))
def test_a_start_on_a_full_disk_raises_and_leaves_no_half_folder(project, small_disk, pages):
    """From no page free to enough; path and reason are in the error."""
    outcome = in_fresh_process(start_on_a_full_disk, pages * PAGE, at=project)
    if "started" in outcome:
        assert pages
        assert outcome["folder"]
        return
    assert outcome.pop("others") in ([".env", "before"], ["before"])
    assert INCREMENT in outcome.pop("path")
    assert outcome == {"errno": 28, "next": True, "code": 7, "folder": False}


def start_without_descriptors() -> dict[str, Any]:
    from specweave_ml.errors import SpecweaveError
    from specweave_ml.tracking import track_experiment

    with track_experiment("before"):
        pass
    experiments = f"{os.getcwd()}/{INCREMENT}/experiments"
    left: set[int] = set()
    odd = []
    for free in range(6):
        taken = take_descriptors()
        for descriptor in taken[:free]:
            os.close(descriptor)
        try:
            track_experiment(f"free-{free}").finish()
        except SpecweaveError:
            left |= {free} if os.path.exists(f"{experiments}/free-{free}") else set()
        except BaseException as error:  # noqa: BLE001 - anything else is what this test is after
            odd.append(repr(error))
        finally:
            for descriptor in taken[free:]:
                os.close(descriptor)
    return {"half folders": sorted(left), "odd": odd}


def test_a_start_without_a_descriptor_raises_ours_and_leaves_no_half_folder(project):
    """With 0 to 5 descriptors free."""
    assert in_fresh_process(start_without_descriptors, at=project) == {"half folders": [], "odd": []}
