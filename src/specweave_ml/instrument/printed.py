"""The numbers that a statement prints, with the words before each. A number format proves that a value is one."""

from __future__ import annotations

import ast
import re
from string import Formatter
from typing import TYPE_CHECKING, NamedTuple

from specweave_ml.instrument.kinds import place
from specweave_ml.instrument.module import heads

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NUMBER_FORMAT = re.compile(r"(?:.?[<>=^])?[-+ ]?#?0?\d*[,_]?(?:\.\d+)?[eEfFgG%]")
_PERCENT = re.compile(r"%(?P<key>\(\w*\))?[-+ #0]*(?P<width>\d+|\*)?(?:\.(?P<digits>\d+|\*))?(?P<type>[a-zA-Z%])")
_OUTPUT = {"print", "info", "write", "log", "debug", "warning", "secho", "echo", "success", "display"}


class Printed(NamedTuple):
    """A value in a printed text.

    Attributes:
        label: the words before it.
        value: its expression.
        is_proven: whether a number format has printed it.
    """

    label: str
    value: ast.expr
    is_proven: bool


def printed(statement: ast.stmt) -> Iterator[Printed]:
    """What an output statement, such as a `print`, shows; nothing where the statement is another.

    What is formatted only under a condition is left out.
    """
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or place(call.func).rpartition(".")[2] not in _OUTPUT:
        return
    if place(call.func) == "self.log":
        return  # Lightning's; what it is told comes back in callback_metrics
    if any(isinstance(each, ast.IfExp | ast.BoolOp | ast.Lambda | ast.comprehension) for each in heads(statement)):
        return
    label = ""
    for argument in call.args:
        if isinstance(argument, ast.Constant):
            label = str(argument.value)
            continue
        whole = [*_formatted(argument, label)]
        yield from whole or [Printed(label, argument, is_proven=False)]
        label = ""


def _formatted(node: ast.expr, label: str) -> Iterator[Printed]:
    if isinstance(node, ast.JoinedStr):
        for part in node.values:
            if isinstance(part, ast.Constant):
                label = str(part.value)
            elif isinstance(part, ast.FormattedValue):
                yield Printed(label, part.value, part.conversion == -1 and _is_number_format(part.format_spec))
                label = ""
        return
    match node:
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            before = str(left.value) if isinstance(left, ast.Constant) else ""
            yield from (*_formatted(left, label), *_formatted(right, before))
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod(), right=right):
            yield from _by_percent(text, right.elts if isinstance(right, ast.Tuple) else [right])
        case ast.Call(func=ast.Name(id="str"), args=[value]):
            yield Printed(label, value, is_proven=False)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format"), args=values, keywords=[]):
            yield from _by_format(text, values)


def _is_number_format(spec: ast.expr | None) -> bool:
    texts = spec.values if isinstance(spec, ast.JoinedStr) else []
    return len(texts) == 1 and isinstance(texts[0], ast.Constant) and _proves(str(texts[0].value))


def _proves(spec: str) -> bool:
    return _NUMBER_FORMAT.fullmatch(spec) is not None


def _by_percent(text: str, values: Sequence[ast.expr]) -> Iterator[Printed]:
    directives = [each for each in _PERCENT.finditer(text) if each["type"] != "%"]
    if len(directives) != len(values) or any(
        each["key"] or "*" in (each["width"], each["digits"]) for each in directives
    ):
        return
    behind = 0
    for directive, value in zip(directives, values, strict=True):
        yield Printed(text[behind : directive.start()], value, directive["type"] in "eEfFgG")
        behind = directive.end()


def _by_format(text: str, values: Sequence[ast.expr]) -> Iterator[Printed]:
    try:
        fields = [(before, name, spec, how) for before, name, spec, how in Formatter().parse(text) if name is not None]
    except ValueError:
        return
    if len(fields) == len(values) and all(name in ("", str(number)) for number, (_, name, _, _) in enumerate(fields)):
        for (before, _, spec, how), value in zip(fields, values, strict=True):
            yield Printed(before, value, not how and _proves(spec or ""))
