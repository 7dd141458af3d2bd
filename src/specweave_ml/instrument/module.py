"""A script's tree with what is asked of it again and again: origins of names, its functions, its text, free names."""

from __future__ import annotations

import ast
import warnings
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from specweave_ml.instrument.source import lines_of, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef
Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef

OURS = ("specweave", "specweave_ml")

_LONGEST_TEXT = 200


class Module:
    """A script that parsed.

    Attributes:
        tree: its syntax tree.
        imports: local name → what it stands for, such as `np` → `numpy`; names that are bound otherwise are left out.
        functions: every function and method by its own name; a name that several have is left out.
        classes: the classes by name.
        methods: names in `functions` that belong to a class.
    """

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.lines = lines_of(text)
        self._own: dict[str, str] = {}
        self.tree = _parsed(path, text)
        self.nodes = list(ast.walk(self.tree))
        self.classes = {node.name: node for node in self.nodes if isinstance(node, ast.ClassDef)}
        methods = {id(each) for node in self.classes.values() for each in node.body if isinstance(each, Function)}
        named = defaultdict(list)
        for node in self.nodes:
            if isinstance(node, Function):
                named[node.name].append(node)
        self.functions = {name: nodes[0] for name, nodes in named.items() if len(nodes) == 1}
        self.methods = {name for name, node in self.functions.items() if id(node) in methods}
        self.scopes: list[Scope] = [self.tree, *(node for node in self.nodes if isinstance(node, Function))]
        self.imports = {name: origin for name, origin in self._imported() if name not in self._bound}

    def origin(self, node: ast.expr) -> str:
        """What a name or dotted name stands for, such as `sklearn.metrics.f1_score`; empty where it is not imported."""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id, "")
        if isinstance(node, ast.Attribute):
            inner = self.origin(node.value)
            return f"{inner}.{node.attr}" if inner else ""
        return ""

    def uses(self, *packages: str) -> bool:
        """Whether anything is imported from one of these packages."""
        return any(origin.partition(".")[0] in packages for origin in self.imports.values())

    def source(self, node: ast.expr) -> str:
        """The text of an expression, in one line."""
        text = ast.get_source_segment(self.text, node) if node.lineno == node.end_lineno else None
        return text or ast.unparse(node)

    def indentation(self, statement: ast.stmt) -> str:
        """What stands before a statement in its line."""
        line = self.lines[first_line(statement) - 1]
        return line[: len(line) - len(line.lstrip(" \t\f"))]

    @cached_property
    def names(self) -> dict[str, list[ast.Name]]:
        """Where each name stands."""
        found: dict[str, list[ast.Name]] = defaultdict(list)
        for node in self.nodes:
            if isinstance(node, ast.Name):
                found[node.id].append(node)
        return found

    def loads(self, name: str) -> int:
        """How often a name is read."""
        return sum(isinstance(node.ctx, ast.Load) for node in self.names.get(name, ()))

    @cached_property
    def constants(self) -> set[str]:
        """The names that are bound once, to a literal, and read."""
        given = [(each.targets, each.value) for each in self.nodes if isinstance(each, ast.Assign)]
        given += [([each.target], each.value) for each in self.nodes if isinstance(each, ast.AnnAssign) and each.value]
        targets = [each for several, value in given if _is_literal(value) for each in several]
        names = [each.id for each in targets if isinstance(each, ast.Name)]
        return {name for name in names if self.loads(name) == len(self.names[name]) - 1 > 0}

    @cached_property
    def rebound(self) -> set[str]:
        """Names that a function may bind anew while others use them."""
        return {name for node in self.nodes if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}

    @cached_property
    def taken(self) -> set[str]:
        """Every name that the script uses for anything."""
        names = {*self.names, *self._bound}
        names |= {node.arg for node in self.nodes if isinstance(node, ast.arg)}
        return names | {name for name, _ in self._imported()}

    def own(self, name: str) -> str:
        """A name for ours: this one, or one like it that the script does not use; the same each time it is asked."""
        if name not in self._own:
            self._own[name] = self.free(name, f"each_{name}")
        return self._own[name]

    def is_builtin(self, name: str) -> bool:
        """Whether the script leaves this name of a builtin alone."""
        return name not in self._bound and name not in self.imports

    def free(self, *names: str) -> str:
        """The first of these names that the script does not use; it is taken from now on."""
        name = next((each for each in names if each not in self.taken), None)
        number = 2
        while name is None or name in self.taken:
            name = f"{names[0]}_{number}"
            number += 1
        self.taken.add(name)
        return name

    @cached_property
    def _bound(self) -> set[str]:
        """Names bound by anything but an import."""
        stored = {node.id for node in self.nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
        defined = {node.name for node in self.nodes if isinstance(node, Function | ast.ClassDef)}
        caught = {node.name for node in self.nodes if isinstance(node, ast.ExceptHandler) and node.name}
        return stored | defined | caught

    def _imported(self) -> Iterator[tuple[str, str]]:
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    yield alias.asname or alias.name, f"{'.' * node.level}{node.module or ''}.{alias.name}"


def first_line(statement: ast.stmt) -> int:
    """Where a statement begins, its decorators included."""
    decorators = statement.decorator_list if isinstance(statement, Function | ast.ClassDef) else []
    return min(statement.lineno, *(each.lineno for each in decorators)) if decorators else statement.lineno


def last_line(statement: ast.stmt) -> int:
    """Where a statement ends."""
    return statement.end_lineno or statement.lineno


def blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The blocks directly in a statement, those of functions and classes left out."""
    if isinstance(statement, Function | ast.ClassDef):
        return
    for part in ("body", "orelse", "finalbody"):
        block = getattr(statement, part, None)
        if block:
            yield block
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield part.body


def heads(statement: ast.stmt) -> Iterator[ast.AST]:
    """What a statement evaluates itself, before or without its blocks; bodies of functions are nobody's here."""
    inner = {id(each) for block in blocks(statement) for each in block}
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Function | ast.ClassDef | ast.Lambda):
            children = [each for each in ast.iter_child_nodes(node) if id(each) not in inner]
            waiting += reversed([each for each in children if not isinstance(each, ast.ExceptHandler | ast.match_case)])


def calls(statement: ast.stmt) -> Iterator[ast.Call]:
    """The calls that a statement makes itself, in the order they stand."""
    return (node for node in heads(statement) if isinstance(node, ast.Call))


def constant(node: ast.expr | None) -> object:
    """The value of a literal number, string or truth, or None."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = constant(node.operand)
        return -value if isinstance(value, int | float) else None
    return node.value if isinstance(node, ast.Constant) else None


def _is_literal(node: ast.expr) -> bool:
    """Whether a value is written out: a number, a short string, or several."""
    if isinstance(node, ast.Tuple | ast.List):
        return bool(node.elts) and all(map(_is_literal, node.elts))
    if isinstance(node, ast.BinOp):
        return _is_literal(node.left) and _is_literal(node.right)
    value = constant(node)
    is_text = isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT and "\n" not in value
    return is_text or isinstance(value, int | float)


def _parsed(path: str, text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a stranger's script; he sees it when he runs it
        try:
            return ast.parse(text)
        except SyntaxError as error:
            raise refused(path, _why_not(error), error.lineno) from None
        except (ValueError, RecursionError, MemoryError) as error:
            raise refused(path, f"it cannot be parsed: {type(error).__name__}") from None


def _why_not(error: SyntaxError) -> str:
    message = error.msg or "invalid syntax"
    if "Missing parentheses in call to" in message or "multiple exception types must be parenthesized" in message:
        return f"this is Python 2 ({message.partition('.')[0]})"
    return f"it does not parse as Python: {message}"
