"""Findings as lines at their places in the text."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from specweave_ml.instrument.bindings import stored
from specweave_ml.instrument.findings import HANDLE, Finding
from specweave_ml.instrument.module import Function, first_line, last_line
from specweave_ml.instrument.source import Insertion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from specweave_ml.instrument.flow import Seen
    from specweave_ml.instrument.module import Module

_WIDEST = 110  # columns; a longer call gets a line for each item
_WORD = re.compile(r"\w+")
_HARMLESS = ast.Expr | ast.Pass | ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Delete
_CELL_MARKS = ("# %%", "# In[", "#%%")


class Places:
    """Where lines can go in a script.

    Args:
        module: the script.
        cell_ends: the last line of each cell of a notebook; empty for a script.
    """

    def __init__(self, module: Module, cell_ends: Sequence[int] = ()) -> None:
        self._module = module
        self._cell_ends = cell_ends
        self._shown = self._shown_ends()

    def before(self, seen: Seen) -> Insertion | None:
        """The place before a statement, above the comment on it; None where its line has no place."""
        index = seen.index
        while index and first_line(seen.block[index]) == last_line(seen.block[index - 1]):
            index -= 1
        line = first_line(seen.block[index])
        if not self._starts_line(seen.block[index]):
            return None
        while line > 1 and self._is_comment(line - 1) and line - 1 not in self._cell_ends:
            line -= 1
        return Insertion(line, before=True, lines=())

    def behind(self, seen: Seen, uses: str = "", *, shows_value: bool = False) -> Insertion | None:
        """The place behind a statement; None where its line has no place, or what follows there forbids it.

        Args:
            seen: the statement.
            uses: what the lines to come will use.
            shows_value: whether a notebook shows the statement's value, which a line behind it would end.
        """
        if not self._starts_line(seen.block[0]):
            return None
        end = last_line(seen.statement)
        for follower in seen.block[seen.index + 1 :]:
            if first_line(follower) > end:
                break
            if not isinstance(follower, _HARMLESS) or stored(follower) & set(_WORD.findall(uses)):
                return None
            end = max(end, last_line(follower))
        if shows_value and end in self._shown:
            following = [each for each in self._module.tree.body if first_line(each) > end]
            return Insertion(first_line(following[0]), before=True, lines=()) if following else None
        return Insertion(end, before=False, lines=())

    def _shown_ends(self) -> set[int]:
        """The last lines of the expressions that end the cells of a notebook, and so are shown."""
        ends = set()
        for end in self._cell_ends:
            inside = [each for each in self._module.tree.body if last_line(each) <= end]
            if inside and isinstance(inside[-1], ast.Expr):
                ends.add(last_line(inside[-1]))
        return ends

    def _starts_line(self, statement: ast.stmt) -> bool:
        line = self._module.lines[first_line(statement) - 1].encode()
        start = statement.col_offset if first_line(statement) == statement.lineno else 0
        return not line[:start].strip()

    def _is_comment(self, line: int) -> bool:
        text = self._module.lines[line - 1].strip()
        return text.startswith("#") and not text.startswith(("#!", *_CELL_MARKS)) and "coding" not in text


def import_place(module: Module, start: Seen) -> tuple[int, bool]:
    """Line, and whether before it, for the import: behind the imports that the start can rely on."""
    top = start.outer[0] if start.outer else start.statement
    last = None
    for each in module.tree.body:
        is_import = isinstance(each, ast.Import | ast.ImportFrom)
        if each is top or isinstance(each, Function | ast.ClassDef) or _is_guard(each):
            break
        if is_import or (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) and last is None):
            last = each
    if last is not None:
        sharing = [last_line(each) for each in module.tree.body if first_line(each) == last_line(last)]
        return max(sharing, default=last_line(last)), False
    return first_line(module.tree.body[0]), True


def _is_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test)


def merged(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Neighbouring metrics in one call: of one statement, or of assignments that follow each other."""
    waiting: list[Finding] = []
    for each in findings:
        if waiting and not _joins(waiting, each):
            yield _one(waiting)
            waiting = []
        waiting.append(each)
    if waiting:
        yield _one(waiting)


def _joins(waiting: list[Finding], each: Finding) -> bool:
    last, seen = waiting[-1], each.seen
    if last.lines or each.lines or last.step != each.step or last.before != each.before:
        return False
    if last.seen.block is not seen.block or each.name in {other.name for other in waiting}:
        return False
    between = seen.block[last.seen.index + 1 : seen.index + 1]
    if not all(isinstance(statement, ast.Assign | ast.AnnAssign) for statement in between):
        return False
    bound = set().union(*map(stored, between))
    return not bound & {word for other in waiting for word in _WORD.findall(other.value)}


def _one(findings: list[Finding]) -> Finding:
    last = findings[-1]
    if last.lines:
        return last
    step = f", step={last.step}" if last.step else ""
    if len(findings) == 1:
        line = f"{HANDLE}.log_metric({last.name}, {last.value}{step})"
    else:
        items = ", ".join(f"{each.name}: {each.value}" for each in findings)
        line = f"{HANDLE}.log_metrics({{{items}}}{step})"
    shows = last.shows if len(findings) == 1 else "metrics " + ", ".join(each.name.strip("\"'") for each in findings)
    value = " ".join(each.value for each in findings)
    return Finding(last.seen, shows, value=value, lines=(line,), before=last.before)


def written(lines: Sequence[str], handle: str, indentation: str, *, guarded: bool) -> tuple[str, ...]:
    """Lines with the handle's name and their indentation, in the script's own unit."""
    unit = "\t" if "\t" in indentation else "    "
    named = [line.replace(HANDLE, handle) for line in lines]
    if guarded:
        named = [f"if {handle}:", *(f"    {line}" for line in named)]
    out: list[str] = []
    for line in named:
        text = line.lstrip(" ")
        deeper = indentation + unit * ((len(line) - len(text)) // 4)
        out += _broken(text, deeper, unit) if len(deeper.expandtabs(4)) + len(text) > _WIDEST else [deeper + text]
    return tuple(out)


def _broken(text: str, indentation: str, unit: str) -> list[str]:
    """A call that is too long for a line, with a line for each item of its mapping."""
    head, opened, _ = text.partition("({")
    node = ast.parse(text).body[0] if opened and text.endswith(")") else None
    call = node.value if isinstance(node, ast.Expr) else None
    if not (isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Dict)):
        return [indentation + text]
    source = text.encode()

    def part(node: ast.expr) -> str:
        return source[node.col_offset : node.end_col_offset].decode()

    mapping = call.args[0]
    items = [f"{part(key)}: {part(value)}," for key, value in zip(mapping.keys, mapping.values, strict=True) if key]
    tail = source[mapping.end_col_offset :].decode()
    return [f"{indentation}{head}({{", *(indentation + unit + item for item in items), f"{indentation}}}{tail}"]
