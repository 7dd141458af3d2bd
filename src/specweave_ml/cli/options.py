"""Options and arguments that several commands share, so that they are called and explained the same everywhere."""

from __future__ import annotations

import click


def not_negative(_context: click.Context, _option: click.Parameter, value: int | None) -> int | None:
    """For options that count; click's own range type writes [x>=0] into every help text.

    Raises:
        click.BadParameter: the value is below zero.
    """
    if value is not None and value < 0:
        raise click.BadParameter(f"{value} is not one of 0, 1, 2, …")
    return value


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
dry_run = click.option("--dry-run", is_flag=True, help="Say what would be done; write nothing.")
full = click.option(
    "--full", is_flag=True, help="Everything, however long. Default: cut to 4 kB, except on a terminal."
)
archived = click.option("--archived", is_flag=True, help="Also the archived experiments.")
no_pull = click.option("--no-pull", is_flag=True, help="Do not bring in first what other tools recorded there.")
limit = click.option(
    "--limit",
    type=int,
    callback=not_negative,
    metavar="N",
    help="At most N experiments, 0 for all. Default: as many as fit 4 kB; on a terminal 100.",
)
offset = click.option(
    "--offset", type=int, callback=not_negative, default=0, metavar="N", help="Leave out the first N."
)

increment_argument = click.argument("increment", required=False)
increment = click.option("-i", "--increment", metavar="INCREMENT", help="Where the experiment is, such as 0042.")
name = click.argument("name")
names = click.argument("names", nargs=-1)
