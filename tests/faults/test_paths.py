"""S1: names that try to leave the store. Whatever a name says, nothing outside is made, read, changed or removed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from faults.driving import in_fresh_process, proved
from hostile_names import HOSTILE_NAMES
from tracked import wait_for_the_capture

EXPERIMENTS = ".specweave/increments/0042-recommendation-model/experiments"
SYSTEM = ("/etc/passwd", "/proc/self/environ", "/dev/stdin", "/outside", "/var/outside")
LOOKING = {"open", "os.listdir", "os.scandir"}
CHANGING = {
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.symlink",
    "os.link",
    "os.truncate",
    "os.chmod",
    "os.utime",
}


def plant(sandbox: Path) -> set[str]:
    """Files and folders called `outside` wherever a traversal may land; their real paths."""
    places = [
        sandbox,
        sandbox / "project",
        sandbox / "project/.specweave",
        sandbox / "project/.specweave/increments",
        sandbox / "project/.specweave/increments/0042-recommendation-model",
        sandbox / "home",
    ]
    planted = set()
    for place in places:
        folder = place / "outside"
        folder.mkdir(parents=True)
        for name in ("metadata.yaml", "journal.jsonl", "params.json", "metrics.json", "model.pkl"):
            (folder / name).write_text('{"open":{"schema":1,"session":1,"writer":"","pid":1,"host":"h","at":""}}\n')
        planted.add(os.path.realpath(folder))
    return planted


def snapshot(sandbox: Path) -> list[tuple[Any, ...]]:
    """Everything in the sandbox but the experiments: path, size, time of change, content."""
    rows = []
    for folder, folders, files in os.walk(sandbox):
        if folder.endswith(EXPERIMENTS):
            folders.clear()
            continue
        for name in sorted(files):
            path = Path(folder, name)
            if not name.startswith((".answer", ".stderr")):
                rows.append((str(path), path.stat().st_mtime_ns, path.read_bytes()))
        rows.append((folder, sorted(folders)))
    return sorted(rows, key=str)


class Watch:
    """Notes every look at and change of what lies outside the store, by Python's own audit events."""

    def __init__(self, planted: set[str], sandbox: Path) -> None:
        self.planted = planted
        self.store = os.path.realpath(sandbox / "project" / EXPERIMENTS)
        self.sandbox = os.path.realpath(sandbox)
        self.seen: list[str] = []
        self.on = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on or event not in LOOKING | CHANGING:
            return
        for argument in arguments[:2]:
            if isinstance(argument, str | bytes):
                path = os.path.realpath(os.path.join(os.getcwd(), os.fsdecode(argument).replace("\0", "")))
                if self.is_outside(path, event):
                    self.seen.append(f"{event} {path}")

    def is_outside(self, path: str, event: str) -> bool:
        if path in SYSTEM or any(path == place or path.startswith(place + "/") for place in self.planted):
            return True
        inside = path == self.store or path.startswith(self.store + "/")
        return event in CHANGING and path.startswith(self.sandbox + "/") and not inside


def calls() -> dict[str, Callable[[str], object]]:
    """Every call that takes a name, an id or an increment, as a function of the name."""
    from specweave_ml.store.archive import archive_experiment, restore_experiment
    from specweave_ml.store.load import load_experiment, load_experiments
    from specweave_ml.tracking import track_artifacts, track_experiment, track_model

    experiments = os.path.abspath(EXPERIMENTS)
    keeper = track_experiment("keeper")
    existing = Path("existing.txt").absolute()
    existing.write_text("text")
    folder = Path("existing").absolute()
    folder.mkdir()
    (folder / "file.txt").write_text("text")
    return {
        "track_experiment(name)": lambda name: track_experiment(name).finish(),
        "track_model(name)": lambda name: track_model(name, on_exists="error").finish(),
        "resume must": lambda name: track_experiment(name, resume="must").finish(),
        "resume allow": lambda name: track_experiment(name, resume="allow").finish(),
        "increment of a start": lambda name: track_experiment("anything", increment=name).finish(),
        "repeat_of": lambda name: track_experiment("repeats", repeat_of=name).finish(),
        "load_experiment(name)": load_experiment,
        "load_experiment(increment)": lambda name: load_experiment("keeper", increment=name),
        "load_experiments(increment)": lambda name: load_experiments(increment=name),
        "archive_experiment": lambda name: archive_experiment(experiments, name),
        "restore_experiment": lambda name: restore_experiment(experiments, name),
        "save_artifact(name, text)": lambda name: keeper.save_artifact(name, b"bytes go under any suffix"),
        "save_artifact(object, name)": lambda name: keeper.save_artifact({"a": 1}, name),
        "save_model": lambda name: keeper.save_model({"a": 1}, name),
        "save_report": lambda name: keeper.save_report(name, "text"),
        "log_artifact(name=)": lambda name: keeper.log_artifact(existing, name),
        "log_artifact(folder, name=)": lambda name: keeper.log_artifact(folder, name),
        "track_artifacts": lambda name: track_artifacts(keeper, artifacts={name: b"bytes"}),
        "log_outcomes": lambda name: keeper.log_outcomes(name, ["a"], [1.0]),
        "log_dataset": lambda name: keeper.log_dataset(name, "s3://bucket/data", version=name),
        "log_param": lambda name: keeper.log_param(name, name),
        "log_metric": lambda name: keeper.log_metric(name, 1.0),
        "words": lambda name: (keeper.log_note(name), keeper.add_tag(name)),
    }


def try_names(call: str, sandbox: str) -> dict[str, Any]:
    """Make one call with every hostile name; what was touched outside, and what escaped that is no error of ours."""
    import warnings

    from specweave_ml.errors import SpecweaveError

    warnings.simplefilter("ignore")
    planted = plant(Path(sandbox))
    os.environ["HOME"] = f"{sandbox}/home"
    function = calls()[call]
    before = snapshot(Path(sandbox))
    watch = Watch(planted, Path(sandbox))
    sys.addaudithook(watch)
    escaped = []
    for name in HOSTILE_NAMES:
        watch.on = True
        try:
            function(name)
        except SpecweaveError:
            pass
        except Exception as error:  # noqa: BLE001 - anything that is no error of ours is what this test is after
            escaped.append(f"{name[:40]!r}: {type(error).__name__}: {error}"[:160])
        finally:
            watch.on = False
    after = snapshot(Path(sandbox))
    changed = [row[0] for row in (*before, *after) if row not in before or row not in after]
    wait_for_the_capture()
    odd = [*odd_entries(Path(EXPERIMENTS))]
    return {"touched": watch.seen[:10], "changed": changed[:10], "escaped": escaped[:10], "odd": odd[:10]}


def odd_entries(experiments: Path) -> Iterator[str]:
    """What must not be in the store: links, and folders or files of names that we never give."""
    for folder, folders, files in os.walk(experiments):
        for name in (*folders, *files):
            path = Path(folder, name)
            depth = len(path.relative_to(experiments).parts)
            if path.is_symlink() or (depth == 1 and not name.isascii()) or name.startswith(".tmp"):
                yield str(path)
            if name in ("metadata.json", "spec.md", "tasks.md"):
                yield str(path)


CALLS = (
    "track_experiment(name)",
    "track_model(name)",
    "resume must",
    "resume allow",
    "increment of a start",
    "repeat_of",
    "load_experiment(name)",
    "load_experiment(increment)",
    "load_experiments(increment)",
    "archive_experiment",
    "restore_experiment",
    "save_artifact(name, text)",
    "save_artifact(object, name)",
    "save_model",
    "save_report",
    "log_artifact(name=)",
    "log_artifact(folder, name=)",
    "track_artifacts",
    "log_outcomes",
    "log_dataset",
    "log_param",
    "log_metric",
    "words",
)


@pytest.mark.parametrize("call", CALLS)
def test_no_name_leaves_the_store(project: Path, call: str) -> None:
    """279 names × 23 calls = 6,417 (3/N = 0.05 %)."""
    outcome = in_fresh_process(try_names, call, str(project.parent), at=project)
    assert outcome == {"touched": [], "changed": [], "escaped": [], "odd": []}
    proved(f"names given to {call} touched anything outside", len(HOSTILE_NAMES))


def follow_links(sandbox: str) -> dict[str, Any]:
    """Links that a hostile repository may hold, where an experiment, its files or the archive should be."""
    from specweave_ml.errors import SpecweaveError
    from specweave_ml.store.load import load_experiment, load_experiments
    from specweave_ml.tracking import track_experiment

    plant(Path(sandbox))
    experiments = Path(EXPERIMENTS)
    outside = Path(sandbox, "outside")
    with track_experiment("plain") as keeper:
        pass
    (experiments / "linked").symlink_to(outside)
    os.symlink(outside, keeper.path / "folder")
    os.symlink(outside / "model.pkl", keeper.path / "model.pkl")
    half = experiments / "half"
    half.mkdir()
    for name in ("metadata.yaml", "journal.jsonl", "params.json", "metrics.json"):
        (half / name).symlink_to(outside / name)
    attempts: dict[str, Callable[[], object]] = {
        "resume": lambda: track_experiment("linked", resume=True),
        "allow": lambda: track_experiment("linked", resume="allow").finish(),
        "start": lambda: track_experiment("linked").finish(),
        "resume half": lambda: track_experiment("half", resume=True).finish(),
        "load": lambda: load_experiment("linked").metrics,
        "load half": lambda: load_experiment("half").metrics,
        "list": lambda: [(each.name, each.status, each.params) for each in load_experiments()],
        "folder": lambda: keeper.save_artifact("folder/x.txt", "text"),
        "file": lambda: keeper.save_artifact("model.pkl", {"a": 1}),
        "copy": lambda: keeper.log_artifact(Path("existing.txt"), "folder/y.txt"),
    }
    Path("existing.txt").write_text("text")
    before = snapshot(Path(sandbox))
    escaped = []
    for what, attempt in attempts.items():
        try:
            attempt()
        except SpecweaveError:
            pass
        except Exception as error:  # noqa: BLE001 - anything that is no error of ours is what this test is after
            escaped.append(f"{what}: {error!r}")
        if snapshot(Path(sandbox)) != before:
            escaped.append(f"{what}: changed something outside")
            before = snapshot(Path(sandbox))
    return {"escaped": escaped}


def test_no_link_leads_out_of_the_store(project: Path) -> None:
    """A linked experiment folder, linked files in one, and artifacts that would pass through a link."""
    assert in_fresh_process(follow_links, str(project.parent), at=project) == {"escaped": []}
