"""What `verify` finds: any flipped bit, whatever is missing, and what is behind."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from command_line import GOLDEN_STORE
from specweave_ml.store.verify import Integrity, verify

CLOSED = ["failed", "resumed", "siblings", "every-line"]


@pytest.fixture
def copy_of(tmp_path: Path):
    def make(name: str) -> Path:
        return Path(shutil.copytree(GOLDEN_STORE / name, tmp_path / name))

    return make


def is_well(found: Integrity) -> bool:
    return not (found.changed or found.behind or found.differing or found.problems)


@pytest.mark.parametrize("name", CLOSED)
def test_an_intact_record_has_no_finding(name: str) -> None:
    assert is_well(verify(str(GOLDEN_STORE / name)))


@pytest.mark.parametrize("name", CLOSED)
def test_every_flipped_bit_of_the_record_is_found(name: str, copy_of) -> None:
    folder = copy_of(name)
    missed = []
    for path in sorted(folder.iterdir()):
        if not path.name.startswith(("journal", "params", "metrics", "metadata")):
            continue
        data = path.read_bytes()
        for place in range(0, len(data), 3):
            path.write_bytes(data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :])
            if is_well(verify(str(folder))):
                missed.append(f"{path.name} byte {place}")
        path.write_bytes(data)
    assert missed == []


def test_what_is_gone_is_named(copy_of) -> None:
    folder = copy_of("siblings")
    (folder / "journal.1-4719-8c1d22f0.jsonl").unlink()
    assert verify(str(folder)).changed == ["journal.1-4719-8c1d22f0.jsonl: gone"]
    folder = copy_of("failed")
    (folder / "params.json").unlink()
    assert verify(str(folder)).differing == ["params.json: gone"]


def test_words_that_were_not_folded_in_are_behind_and_not_changed(copy_of) -> None:
    folder = copy_of("failed")
    with open(folder / "journal.jsonl", "a") as journal:
        journal.write('{"note":"later","t":1}\n')
    found = verify(str(folder))
    assert found.changed == found.differing == []
    assert found.behind == ["journal.jsonl: 23 bytes more than when it was closed"]
    folder = copy_of("killed")
    (folder / "journal.1-9-abcd.jsonl").write_text('{"note":"later","t":1}\n')
    assert verify(str(folder)).behind == ["journal.1-9-abcd.jsonl: written after the end"]


def test_an_end_that_only_the_journal_knows_is_behind(copy_of) -> None:
    folder = copy_of("failed")
    (folder / "metadata.yaml").unlink()
    assert verify(str(folder)).behind == ["metadata.yaml: says nothing of the end that the journals record"]


def test_torn_ends_and_dropped_lines_are_counted() -> None:
    assert verify(str(GOLDEN_STORE / "torn")).torn_bytes > 0
    assert verify(str(GOLDEN_STORE / "every-line")).dropped == 3


def test_a_bad_line_has_its_place() -> None:
    assert verify(str(GOLDEN_STORE / "damaged")).problems[0].startswith("journal.jsonl:4: ")
