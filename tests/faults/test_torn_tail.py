"""T2: a journal cut anywhere in its last line, or ending in what a file system leaves, is read and resumed."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.driving import forked, in_fresh_process, proved

# Letters of one to four bytes, so that cuts fall inside them; together a last line of about 1,200 bytes.
NAMES = ("loss" * 82, "größe" * 50, "損失" * 50, "🚀" * 40)
EARLIER = 5
KINDS = ("cut", "nul", "nul block", "crlf", "crlf and cut", "half a character", "garbage")


def log_and_die() -> None:
    from specweave_ml.tracking import track_experiment

    experiment = track_experiment("torn", tags=["kept"])
    experiment.log_param("größe", "🚀")
    for number in range(EARLIER + 1):
        experiment.log_metrics(dict.fromkeys(NAMES, float(number)), step=number)
    os.kill(os.getpid(), signal.SIGKILL)


def tails(data: bytes, kind: str) -> Iterator[tuple[bytes, int]]:
    """Damaged versions of a journal, each with the number of points that are still whole in it."""
    last = data[:-1].rfind(b"\n") + 1
    if kind == "cut":
        yield from ((data[:end], EARLIER) for end in range(last, len(data)))
    elif kind == "nul":
        yield from ((data[:last] + bytes(size), EARLIER) for size in (1, 2, 511, 512, 4096, 100_000))
        yield from ((data + bytes(size), EARLIER + 1) for size in (1, 4096))
    elif kind == "nul block":  # the size was written, the block was not
        yield from ((data[:end] + bytes(len(data) - end), EARLIER) for end in range(last, len(data), 50))
    elif kind == "crlf":
        yield data.replace(b"\n", b"\r\n"), EARLIER + 1
    elif kind == "crlf and cut":
        windows = data.replace(b"\n", b"\r\n")
        start = windows[:-1].rfind(b"\n") + 1
        yield from ((windows[:end], EARLIER) for end in range(start, len(windows), 25))
    elif kind == "half a character":
        yield from ((data[:last] + b'{"note":"' + "🚀".encode()[:size], EARLIER) for size in (1, 2, 3))
    else:
        yield from (
            (data[:last] + tail, EARLIER) for tail in (b"\xff\xfe", b"{", b"}", b'"', b"[", b"\x00{}", b" ", b"\t")
        )


def damage_and_resume(kind: str) -> dict[str, int]:
    """Damage the journal in every way of a kind; read it, resume it, log three more points and read again."""
    from specweave_ml.store.load import load_experiment

    os.waitpid(forked(log_and_die), 0)
    original = load_experiment("torn")
    data = (original.path / "journal.jsonl").read_bytes()
    counts = {"tried": 0, "unread": 0, "not resumed": 0, "forgotten": 0}
    for damaged, points in tails(data, kind):
        counts["tried"] += 1
        name = f"torn-{counts['tried']}"
        folder = original.path.with_name(name)
        shutil.copytree(original.path, folder)
        (folder / "journal.jsonl").write_bytes(damaged)
        counts["unread"] += not reads(name, points)
        counts["not resumed"] += not resumed_reads(name, points)
        counts["forgotten"] += (folder / "journal.jsonl").read_bytes() != damaged
    return counts


def reads(name: str, points: int) -> bool:
    from specweave_ml.store.load import load_experiment

    experiment = load_experiment(name)
    logged = [(point.step, point.value) for point in experiment.history(NAMES[2])]
    return (
        experiment.status == "stale"
        and experiment.params == {"größe": "🚀"}
        and experiment.tags == ("kept",)
        and logged == [(number, float(number)) for number in range(points)]
        and experiment.metrics[NAMES[3]] == points - 1
    )


def resumed_reads(name: str, points: int) -> bool:
    from specweave_ml.store.load import load_experiment
    from specweave_ml.tracking import track_experiment

    with track_experiment(name, resume=True) as experiment:
        for number in range(100, 103):
            experiment.log_metric(NAMES[2], float(number), step=number)
    again = load_experiment(name)
    logged = [point.value for point in again.history(NAMES[2])]
    return (
        logged == [*map(float, range(points)), 100.0, 101.0, 102.0]
        and again.status == "finished"
        and again.metrics[NAMES[2]] == 102
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_whole_line_is_read_and_three_more_are_logged(project: Path, kind: str) -> None:
    """Every one of about 1,200 cuts (3/N = 0.25 %), and the other damages."""
    counts = in_fresh_process(damage_and_resume, kind, at=project)
    tried = counts.pop("tried")
    assert tried
    assert counts == {"unread": 0, "not resumed": 0, "forgotten": 0}
    proved(f"damaged tails ({kind}) hid a whole line or could not be resumed", tried)
