"""The command line: arguments to library calls to exit codes.

    app.py          the commands by name, each loaded when it is called
    options.py      options that several commands share
    output.py       JSON and lines; what an agent reads stays short
    tables.py       tables, plain or on a terminal
    lookup.py       an experiment by its name
    rows.py         experiments as JSON
    ordering.py     the order of a list, and the change along a series
    formats.py      rows as CSV, JSON lines, Parquet
    verdict.py      what a comparison comes to
    setup.py        init            instrumenting.py   instrument
    doctor.py       doctor, and what it looks at: checks.py, closing.py with saved.py, surroundings.py
    listing.py      list            showing.py    show
    comparing.py    compare         exporting.py  export
    deciding.py     select, unselect                why.py  why
    syncing.py      sync-docs       issuing.py    create-issue
    words.py        note, tag, status
    archiving.py    archive, restore
    pulling.py      pull, import
    skill.py        skill show, skill install
    reference.py    docs/cli.md

A command takes its arguments, calls the library, prints, and returns its exit code. What it raises becomes words,
JSON and an exit code here.
"""

from __future__ import annotations

import os
import sys
import warnings
from typing import TYPE_CHECKING

import click

from specweave_ml.errors import SpecweaveError, SpecweaveWarning, StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. `argv` is the command line without the program's name."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _prepare_output()
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_left()
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _run(arguments: list[str]) -> int:
    from specweave_ml.cli.app import commands

    try:
        with commands.make_context("specweave-ml", list(arguments)) as context:
            return commands.invoke(context) or 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except BrokenPipeError:
        raise
    except SpecweaveError as error:
        return _fail(error, arguments)
    except click.ClickException as error:
        return _fail(_usage(error), arguments)
    except OSError as error:
        reason = error.strerror or str(error)
        return _fail(StoreError(f"a file cannot be read or written: {reason}", path=error.filename), arguments)
    except Exception as error:  # noqa: BLE001 - a person gets one line and a way to see the rest, not a traceback
        return _fail(_unexpected(error, arguments), arguments)


def _fail(error: SpecweaveError, arguments: list[str]) -> int:
    from specweave_ml.cli.output import print_json
    from specweave_ml.escape import visible

    if "--debug" in arguments:
        import traceback

        traceback.print_exc()
    if "--json" in arguments:
        print_json(error.as_dict())
    click.echo(f"error: {visible(str(error))}", err=True)
    return error.exit_code


def _usage(error: click.ClickException) -> UsageError:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "specweave-ml"
    said = error.format_message().rstrip(".")
    return UsageError(said[:1].lower() + said[1:], next_step=f"{command} --help")


def _unexpected(error: Exception, arguments: list[str]) -> SpecweaveError:
    import shlex

    return SpecweaveError(
        f"something went wrong that nobody foresaw: {type(error).__name__}: {error}",
        next_step=f"run again with --debug: specweave-ml --debug {shlex.join(arguments)}",
    )


def _prepare_output() -> None:
    """What this terminal's encoding lacks is written as an escape, and warnings are one line each."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    warnings.filterwarnings("always", category=SpecweaveWarning)
    warnings.showwarning = _show_warning


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    click.echo(f"warning: {message}", err=True)


def _reader_left() -> int:
    """`… | head` has read enough. Python would complain about it once more when it exits, so it gets another stdout."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # a stdout without a descriptor has nothing that could complain
        return 0
    return 0
