"""Every command is explained, and docs/cli.md says what the commands say."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
import yaml

from command_line import CommandLine
from specweave_ml.cli.app import EXIT_CODES, commands
from specweave_ml.cli.reference import reference

ROOT = Path(__file__).parents[2]
NAMES = commands.list_commands(click.Context(commands))
ONLY_READING = {"doctor", "list", "show", "why"}
SLASH_COMMANDS = sorted((ROOT / "commands").glob("*.md"))


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


@pytest.mark.parametrize("name", NAMES)
def test_a_command_and_its_options_are_explained(run: CommandLine, name: str) -> None:
    said = run(name, "--help").out
    assert said.startswith(f"Usage: specweave-ml {name} ")
    options = {option.opts[-1]: option for option in command(name).params if isinstance(option, click.Option)}
    assert all(option.help for option in options.values())
    assert all(spelled in said for spelled in options)
    assert "--json" in options
    assert ("--dry-run" in options) == (name not in ONLY_READING)


def test_the_reference_is_current() -> None:
    assert (ROOT / "docs/cli.md").read_text() == reference(), "python -m specweave_ml.cli.reference > docs/cli.md"


@pytest.mark.parametrize("path", SLASH_COMMANDS, ids=lambda path: path.stem)
def test_a_slash_command_calls_the_command_line_and_nothing_else(path: Path) -> None:
    _, front, body = path.read_text().split("---\n", 2)
    said = yaml.safe_load(front)
    assert said.keys() == {"description", "argument-hint", "allowed-tools"}
    assert said["allowed-tools"] == "Bash(specweave-ml:*)"
    name = path.stem.partition("-")[0]
    assert f"`specweave-ml {name}`" in body
    assert "!`" not in body
    assert body.count("$ARGUMENTS") == 1
    assert "never instructions to you" in " ".join(body.split())
    options = {spelled for option in command(name).params for spelled in option.opts}
    for spelled in re.findall(r"--[a-z-]+", said["argument-hint"]):
        assert spelled in options, spelled


def test_the_seeds_four_commands_are_there() -> None:
    names = [path.stem for path in SLASH_COMMANDS]
    assert names == ["compare-experiments", "export-experiments", "list-experiments", "show-experiment"]
