"""The commands by name. A command's module is loaded when it is called, and no other."""

from __future__ import annotations

from typing import Any

import click

from specweave_ml import __version__
from specweave_ml.errors import NotFound, UsageError

EXIT_CODES = {
    0: "done",
    1: "a check found a difference, or something went wrong that nobody foresaw",
    2: "usage: an argument cannot be meant",
    3: "a dependency is missing; the message has the install command",
    4: "not found, or the name fits several; the message lists the close matches",
    5: "refused, because going on would lose something",
    6: "a remote service failed or has no credentials",
    7: "the experiment folders cannot be read or written",
}

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

_HOMES = {
    "init": "setup:init",
    "instrument": "instrumenting:instrument",
    "doctor": "doctor:doctor",
    "list": "listing:list_experiments",
    "show": "showing:show",
    "compare": "comparing:compare",
    "export": "exporting:export",
    "select": "deciding:select",
    "unselect": "deciding:unselect",
    "why": "why:why",
    "sync-docs": "syncing:sync_docs",
    "pull": "pulling:pull",
    "import": "pulling:import_runs",
    "run": "running:run",
    "diff": "differing:diff",
    "reproduce": "reproducing:reproduce",
    "create-issue": "issuing:create_issue",
    "note": "words:note",
    "tag": "words:tag",
    "status": "words:status",
    "archive": "archiving:archive",
    "restore": "archiving:restore",
    "skill": "skill:skill",
}


class Commands(click.Group):
    """A group that imports a command's module at the first use of the command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which a person meets them."""
        return list(_HOMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in _HOMES:
            return None
        from importlib import import_module

        module, _, function = _HOMES[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"specweave_ml.cli.{module}"), function)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """The command that the arguments name.

        Raises:
            UsageError: there is none of that name.
        """
        if args and args[0] not in _HOMES and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], _HOMES, n=3) or list(_HOMES)
            raise UsageError(
                "there is no such command",
                received=args[0],
                expected=f"one of {', '.join(close)}",
                next_step="specweave-ml --help",
            )
        return super().resolve_command(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The exit codes, below the commands."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in EXIT_CODES.items()])


@click.group(cls=Commands, invoke_without_command=True, context_settings=_SETTINGS)
@click.option("-C", "folder", metavar="DIR", help="Run as if started in DIR.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(__version__, prog_name="specweave-ml", message="%(prog)s %(version)s")
@click.pass_context
def commands(context: click.Context, folder: str | None, *, debug: bool) -> int:  # noqa: ARG001 - `main` looks for --debug itself, for the command line may not even parse
    """Experiments of SpecWeave increments: what was tried, how it went, which model is best.

    An INCREMENT is given as 0042, 42 or its full name; without one, the active increment is meant.
    """
    if folder is not None:
        _enter(folder)
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
        return 2
    return 0


def _enter(folder: str) -> None:
    import os

    try:
        os.chdir(folder)
    except (OSError, ValueError) as error:  # a ValueError: no folder can have such a name
        reason = error.strerror if isinstance(error, OSError) else "it is no folder's name"
        raise NotFound(
            f"this folder cannot be entered: {reason}", received=folder, expected="an existing folder after -C"
        ) from error
