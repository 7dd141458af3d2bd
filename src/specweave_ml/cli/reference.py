"""docs/cli.md, made from the commands themselves: `python -m specweave_ml.cli.reference > docs/cli.md`."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING

import click

from specweave_ml.cli.app import EXIT_CODES, commands

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HEAD = """\
# The command line

Made from the commands by `python -m specweave_ml.cli.reference`; a test holds it current.

    specweave-ml [-C DIR] [--debug] COMMAND …

- **INCREMENT** is `0042`, `42`, `0042...`, the full name or a path. Without one: the variable SPECWEAVE_INCREMENT, the
  increment folder you stand in, the active increment. Never a guess between two.
- **`--json`** prints one JSON document on stdout, `"schema": 1` first; whatever else there is to say goes to stderr.
  An error is a document too: `{schema, error, received, expected, path, next}`, with the exit code.
- **Output stays below 4 kB** where nobody asked for more and it does not go to a terminal; `truncated`, or the last
  line, says how many of how many. `--limit`, `--offset` and `--full` give the rest. What other programs read whole
  (`export`, `compare --csv`) is never cut. A value cut out of a row is counted in its `left_out`.
- A number that JSON has no word for: of a metric `"NaN"`, `"Infinity"`, `"-Infinity"`; of a param
  `{"$float": "NaN"}`.
- What nobody can see (controls, bidi, zero-width and tag characters) is printed as an escape; in JSON it is JSON's own
  escape, so values stay exact.
- Nothing asks a question. `--dry-run` writes nothing and says what would be.
"""


def reference() -> str:
    """The whole page."""
    context = click.Context(commands, info_name="specweave-ml")
    pieces = [
        _HEAD,
        "## Exit codes\n",
        *_table("code", "meaning", ((str(code), said) for code, said in EXIT_CODES.items())),
    ]
    for name, command in every_command().items():
        pieces += _command(name, command, context)
    return "\n".join(pieces)


def every_command() -> dict[str, click.Command]:
    """Every command that does something, by what is typed: `list`, `skill install`."""
    context = click.Context(commands)
    found: dict[str, click.Command] = {}
    for name in commands.list_commands(context):
        command = commands.get_command(context, name)
        if isinstance(command, click.Group):
            found |= {f"{name} {verb}": each for verb, each in command.commands.items()}
        elif command is not None:
            found[name] = command
    return found


def _command(name: str, command: click.Command, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent)
    yield f"## {name}\n"
    yield f"    specweave-ml {name} {' '.join(command.collect_usage_pieces(context))}\n"
    yield f"{inspect.cleandoc(command.help or '')}\n"
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    yield from _table("option", "meaning", ((_spelled(option), option.help or "") for option in options))


def _spelled(option: click.Option) -> str:
    value = ""
    if isinstance(option.type, click.Choice):
        value = " " + "|".join(map(str, option.type.choices))
    elif not option.is_flag:
        value = f" {option.metavar or 'VALUE'}"
    return ", ".join(f"`{spelling}{value}`" for spelling in (*option.opts, *option.secondary_opts)).replace("|", "\\|")


def _table(left: str, right: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield f"| {left} | {right} |\n| --- | --- |"
    yield "\n".join(f"| {first} | {second} |" for first, second in rows) + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
