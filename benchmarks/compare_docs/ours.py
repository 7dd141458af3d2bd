"""This package as one more tool: the cases played by the player of its tests, and a script that a process runs."""

import json
import sys
from pathlib import Path

from benchmarks.compare_docs.judge import Verdict
from living_docs_cases import Case
from living_docs_player import player_of
from specweave_ml.living_docs import Document, Region, apply_sync, plan_sync
from unit.test_adr import Player as PlayerOfRecords

DOCUMENT = "ml-models.md"
WANTED = "wanted.json"


def verdict_of_ours(case: Case, folder: Path) -> Verdict:
    """The player asserts every byte of the document and every edit, so that a case that holds has lost none."""
    player = PlayerOfRecords(folder / "repository") if case.number == 19 else player_of(case, folder)
    try:
        for step in case.steps:
            player.play(step)
    except AssertionError as reason:
        return Verdict(holds=False, why=[str(reason)[:200]])
    return Verdict(holds=True)


def feed(folder: Path, bodies: dict[str, str]) -> None:
    """What is generated, and a project to write it in."""
    (folder / ".specweave").mkdir(exist_ok=True)
    (folder / WANTED).write_text(json.dumps(bodies))


def main(*words: str) -> int:
    """Sync, or only check, in the current folder; the exit code as the command line has it."""
    bodies: dict[str, str] = json.loads(Path(WANTED).read_text())
    regions = tuple(Region(region, body, f"## Model {region}") for region, body in bodies.items())
    plan = plan_sync(".", [Document(DOCUMENT, regions)])
    if "check" in words:
        return 5 if plan.conflicts else int(not plan.is_current)
    return 5 if apply_sync(plan).conflicts else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
