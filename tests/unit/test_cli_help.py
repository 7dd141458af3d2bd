"""Every command is explained, and docs/cli.md says what the commands say."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from command_line import CommandLine
from specweave_ml.cli.app import EXIT_CODES, commands
from specweave_ml.cli.reference import every_command, reference

ROOT = Path(__file__).parents[2]
NAMES = commands.list_commands(click.Context(commands))
ONLY_READING = {"diff", "doctor", "list", "show", "skill show", "why"}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


def command(name: str) -> click.Command:
    found = commands.get_command(click.Context(commands), name)
    assert found is not None
    return found


def test_the_commands_that_people_and_documents_name_are_there() -> None:
    named = "init doctor list show compare export note tag status archive restore".split()
    assert set(named) <= set(NAMES)


def test_the_help_lists_every_command_whole_and_the_exit_codes(run: CommandLine) -> None:
    said = run("--help").out
    for name in NAMES:
        assert re.search(rf"^  {name} +[A-Z].*[^.]\.$", said, re.MULTILINE), name
    assert "..." not in said.partition("Commands:")[2]
    assert [*EXIT_CODES] == list(range(8))
    for code, meaning in EXIT_CODES.items():
        assert f"  {code}  {meaning}" in said


@pytest.mark.parametrize("name", every_command())
def test_a_command_and_its_options_are_explained(run: CommandLine, name: str) -> None:
    said = run(*name.split(), "--help").out
    assert said.startswith(f"Usage: specweave-ml {name} ")
    options = {option.opts[-1]: option for option in every_command()[name].params if isinstance(option, click.Option)}
    assert all(option.help for option in options.values())
    assert all(spelled in said for spelled in options)
    assert ("--json" in options) == (name != "run"), "run: the output is the command's own, and its last line JSON"
    assert ("--dry-run" in options) == (name not in {*ONLY_READING, "run"})


def test_the_reference_is_current() -> None:
    assert (ROOT / "docs/cli.md").read_text() == reference(), "python -m specweave_ml.cli.reference > docs/cli.md"
