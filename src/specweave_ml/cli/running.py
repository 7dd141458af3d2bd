"""`run`: a command as an experiment."""

from __future__ import annotations

import click

from specweave_ml.cli import options
from specweave_ml.cli.output import count, hint, one_line


@click.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@options.increment
@click.option("--name", metavar="NAME", help="Of the experiment. Default: the name of the script or program.")
@click.option(
    "--metrics", metavar="FILE",
    help="Where the command leaves its metrics: JSON, YAML, CSV or name=value lines; - for lines that it prints.",
)  # fmt: skip
@click.option("--data", multiple=True, metavar="PATH", help="Data that it reads; repeatable. A re-run brings it back.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def run(
    increment: str | None, name: str | None, metrics: str | None, data: tuple[str, ...], command: tuple[str, ...]
) -> int:
    """Run COMMAND as an experiment, without a change to its code.

    Recorded are the command line, the output (cut in the middle beyond 512 kB), the exit code, duration, peak memory,
    and the metrics that --metrics names. The exit code is the command's own; 128 + N where signal N killed it.
    What this command says itself goes to stderr, the last line as JSON.
    """
    from specweave_ml.cli.output import encode
    from specweave_ml.reproduction.running import run as run_command

    done = run_command(command, increment=increment, name=name, metrics=metrics, data=data)
    hint(f"specweave-ml: {done.experiment} of {done.increment}: {done.status}, {count(done.metrics, 'metric')}")
    if done.problem:
        hint(f"specweave-ml: no metrics: {one_line(done.problem)}")
    facts = ("experiment", "increment", "status", "metrics")
    machine = {"schema": 1, **{fact: getattr(done, fact) for fact in facts}, "exit_code": done.code}
    hint(encode({**machine, "seconds": round(done.seconds, 3)}).decode())
    return done.code
