"""How long a sync may take, measured against parsing the same document (case 18)."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from specweave_ml.living_docs import Document, Region, apply_sync, plan_sync, sync_documents
from specweave_ml.living_docs.blocks import parse_blocks, parse_fully

PATH = ".specweave/docs/internal/architecture/ml-models.md"
PEOPLE = "What the team says about it, in *their* words, with `code` and a [link](https://example.org).\n" * 7 + "\n"


def wanted(regions: int, accuracy: str) -> Document:
    rows = "".join(f"| exp-{number:03}-model | {accuracy} | 45 s |\n" for number in range(20))
    body = f"### Experiments Conducted: 20\n\n| Experiment | Accuracy | Time |\n|---|---|---|\n{rows}\n- Fast: <50 ms\n"
    return Document(
        PATH,
        tuple(
            Region(f"inc-{number:04}", body, f"## Model (Increment {number:04})") for number in range(1, regions + 1)
        ),
    )


def project(root: Path, regions: int, size: int) -> Path:
    """A project whose document has this many regions and bytes, most of them people's."""
    (root / ".specweave").mkdir()
    path = root / PATH
    sync_documents(str(root), [wanted(regions, "0.87")])
    text = path.read_text()
    each = PEOPLE * ((size - len(text)) // (regions * len(PEOPLE)) + 1)
    path.write_text(text.replace("## Model", f"{each}## Model"))
    return path


def fastest(call: Callable[[], object], repeats: int = 3) -> float:
    def seconds() -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    return min(seconds() for _ in range(repeats))


@pytest.mark.bench
def test_sixty_regions_in_a_megabyte(tmp_path: Path) -> None:
    path = project(tmp_path, 60, 1_000_000)
    text = path.read_text()
    full = fastest(lambda: parse_fully(text))
    accuracies = iter(("0.88", "0.89", "0.90"))
    sync = fastest(lambda: apply_sync(plan_sync(str(tmp_path), [wanted(60, next(accuracies))])))
    assert path.read_text().count("0.90 |") == 60 * 20
    print(f"sync of 60 regions: {sync:.2f} s, {sync / full:.2f} full parses of {len(text):,} bytes")  # noqa: T201
    assert sync <= 2 * 2 * full


@pytest.mark.bench
def test_nothing_to_do_in_a_hundred_regions(tmp_path: Path) -> None:
    path = project(tmp_path, 100, 1_000_000)
    text = path.read_text()
    blocks = fastest(lambda: parse_blocks(text))
    sync = fastest(lambda: apply_sync(plan_sync(str(tmp_path), [wanted(100, "0.87")])))
    print(f"nothing to do in 100 regions: {sync:.3f} s, {sync / blocks:.2f} block-only parses")  # noqa: T201
    assert sync <= blocks
