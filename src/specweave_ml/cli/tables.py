"""Tables: plain columns where a program reads, coloured ones on a terminal, without the columns that do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from specweave_ml.cli.output import on_terminal, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    Rows = Sequence[Sequence[str]]

_GAP = "  "
_COLOURS = {"finished": "green", "failed": "red", "killed": "red", "stale": "yellow", "running": "cyan"}


def print_table(
    titles: Sequence[str],
    rows: Rows,
    numbers: Sequence[str] = (),
    expendable: Sequence[str] = (),
) -> None:
    """Print a table: coloured on a terminal, plain columns elsewhere.

    Args:
        titles: of the columns.
        rows: the cells.
        numbers: titles of the columns that stand to the right, and are never cut.
        expendable: titles in the order in which columns are left out where a terminal is too narrow.
    """
    if on_terminal():
        _print_coloured(titles, rows, numbers, expendable)
    else:
        click.echo(plain_table(titles, rows, numbers))


def _print_coloured(titles: Sequence[str], rows: Rows, numbers: Sequence[str], expendable: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    widths = dict(zip(titles, _widths(titles, rows), strict=True))
    gone = _too_many(widths, console.width, expendable)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, len(_GAP), 0, 0))
    for title in titles:
        if title not in gone:
            whole = title in numbers or title == titles[0]
            least = min(widths[title], console.width // 2) if whole else None
            justify: Literal["left", "right"] = "right" if title in numbers else "left"
            table.add_column(Text(one_line(title)), justify=justify, no_wrap=whole, min_width=least)
    for row in rows:
        cells = (cell for title, cell in zip(titles, row, strict=True) if title not in gone)
        table.add_row(*(Text(one_line(cell), style=_style(cell)) for cell in cells))
    console.print(table)
    if gone:
        console.print(Text(f"not shown in {console.width} columns: {', '.join(map(one_line, gone))}", style="dim"))


def fits(titles: Sequence[str], rows: Rows) -> bool:
    """Whether a table can be printed whole: always, except on a terminal that is too narrow."""
    from shutil import get_terminal_size

    return not on_terminal() or _width(_widths(titles, rows)) <= get_terminal_size().columns


def _too_many(widths: dict[str, int], width: int, expendable: Sequence[str]) -> list[str]:
    """The titles of the columns to leave out, so that the others fit."""
    left = dict(widths)
    gone: list[str] = []
    for title in expendable:
        if _width([*left.values()]) <= width:
            break
        if left.pop(title, None) is not None:
            gone.append(title)
    return gone


def _widths(titles: Sequence[str], rows: Rows) -> list[int]:
    return [max(len(one_line(cell)) for cell in column) for column in zip(titles, *rows, strict=True)]


def _width(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _style(cell: str) -> str:
    return "dim" if cell == "–" else _COLOURS.get(cell, "")


def plain_table(titles: Sequence[str], rows: Rows, numbers: Sequence[str] = ()) -> str:
    """The columns under each other, without a line end after the last row."""
    lines = [[one_line(cell) for cell in line] for line in (titles, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    right = [title in numbers for title in titles]
    return "\n".join(
        _GAP.join(
            cell.rjust(width) if to_the_right else cell.ljust(width)
            for cell, width, to_the_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )
