"""Values to text, by the templates. Nothing is written here, and no recorded text is ever a template.

A Markdown template names the escape for every value it shows (`{{ name | code }}`); one that forgets fails instead
of writing the text raw. HTML templates escape by themselves.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined, pass_eval_context, select_autoescape

from specweave_ml import escape
from specweave_ml.analysis import numbers
from specweave_ml.escape import Escaped

if TYPE_CHECKING:
    from jinja2 import BaseLoader
    from jinja2.nodes import EvalContext

    from specweave_ml.analysis.table import Table


def render(template: str, **values: Any) -> str:
    """The text of a template, such as `comparison.md`, with these values."""
    return _environment().get_template(f"{template}.j2").render(values)


@cache
def _environment() -> Environment:
    return make_environment(Environment, FileSystemLoader(template_folder()))


def make_environment(kind: type[Environment], loader: BaseLoader) -> Environment:
    """An environment whose templates name the escape of every value they show, and fail where one is missing."""
    environment = kind(
        loader=loader,
        undefined=StrictUndefined,
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        finalize=_only_escaped,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.filters.update(
        cell=escape.cell,
        inline=escape.inline,
        code=escape.code,
        block=escape.block,
        xml=escape.xml,
        mermaid=escape.mermaid,
        duration=numbers.duration,
        ordinal=ordinal,
        listed=listed,
    )
    environment.globals["table"] = markdown_table
    return environment


def template_folder() -> str:
    """The folder of templates: inside the installed package, or at the top of the repository."""
    here = os.path.dirname(os.path.abspath(__file__))
    packaged = os.path.join(here, "templates")
    return packaged if os.path.isdir(packaged) else os.path.join(here, "..", "..", "templates")


@pass_eval_context
def _only_escaped(context: EvalContext, value: object) -> object:
    if context.autoescape or isinstance(value, Escaped | int):
        return value
    if isinstance(value, Undefined):
        str(value)  # says what is missing, and raises
    raise TypeError(f"a template shows a {type(value).__name__} that no escape made safe: {value!r:.80}")


def markdown_table(table: Table) -> Escaped:
    """A GFM table whose columns stand under each other in the source, too."""
    lines = [[escape.cell(text) for text in line] for line in (table.titles, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [[text.ljust(width) for text, width in zip(line, widths, strict=True)] for line in lines]
    head, *body = [f"| {' | '.join(line)} |" for line in padded]
    rule = f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    return Escaped("\n".join([head, rule, *body]))


def listed(names: list[str], most: int = 20) -> Escaped:
    """Names in a sentence: `a, b, c`; beyond `most` of them, how many more."""
    more = len(names) - most
    shown = ", ".join(escape.code(name) for name in names[:most])
    return Escaped(f"{shown} and {more} more" if more > 0 else shown)


def ordinal(number: int) -> Escaped:
    """`1st`, `2nd`, `3rd`, `11th`."""
    suffix = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return Escaped(f"{number}{suffix}")
