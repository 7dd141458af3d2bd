"""Every case of living documents, as the files under `tests/golden/living_docs` tell it."""

from __future__ import annotations

from pathlib import Path

import pytest

from living_docs_cases import Case, all_cases
from living_docs_player import player_of

CASES = [case for case in all_cases() if case.number != 19]  # the numbers of decision records: test_adr.py


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, tmp_path: Path) -> None:
    player = player_of(case, tmp_path)
    for step in case.steps:
        player.play(step)


def test_every_case_of_the_table_is_there() -> None:
    assert {case.number for case in all_cases()} == {*range(1, 20)}
