"""A walk through a script in the order it runs: at each statement, which names are surely bound, and to what.

A name is known only where every way to that point binds it (definite assignment): what is bound in a branch, a loop
or a `try` is not sure behind it.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from specweave_ml.instrument.bindings import Known, all_joined, bind, bind_target, either, head, stored
from specweave_ml.instrument.kinds import UNKNOWN, Kind, Kinds, joined, place
from specweave_ml.instrument.loops import Loop, understood
from specweave_ml.instrument.module import Function, Module, Scope, calls

if TYPE_CHECKING:
    from collections.abc import Iterator

_SWALLOWING = {"suppress", "raises"}
_LEAVING = {"exit", "sys.exit", "quit", "os._exit"}
_PLAIN = {"int", "float", "str", "bool"}


@dataclass(frozen=True, slots=True)
class Seen:
    """One statement, and what is known around it.

    Attributes:
        statement: it.
        scope: the function, or the module, that it belongs to.
        block: the statements it stands among, itself included; `index` is its place there.
        before: what is known before it.
        after: what is known behind it; None where nothing goes on behind it.
        loops: the loops around it in its scope, the outermost first.
        outer: the statements around it in its scope, the outermost first.
    """

    statement: ast.stmt
    scope: Scope
    block: list[ast.stmt]
    index: int
    before: Known
    after: Known | None
    loops: tuple[Loop, ...]
    outer: tuple[ast.stmt, ...]


@dataclass(frozen=True, slots=True)
class _Path:
    """Where a walk is, and what it collects."""

    scope: Scope
    loops: tuple[Loop, ...] = ()
    outer: tuple[ast.stmt, ...] = ()
    seen: list[Seen] = field(default_factory=list)
    returned: list[Kind] = field(default_factory=list)


class Walk:
    """All statements of a script, walked once.

    Attributes:
        module: the script.
        kinds: tells what an expression gives.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.kinds = Kinds(module, self.result_of)
        self._results: dict[str, Kind] = {}
        self._globals: Known = {}
        self._given: dict[tuple[int, str], Kind] = {}
        for _ in range(2):  # functions know the globals from the second time on
            self._results.clear()
            self._given.clear()
            top = _Path(module.tree)
            self._block(module.tree.body, {}, top)
            self._globals = self._at_first_call(top.seen)
        self._seen = {id(module.tree): top.seen}
        for scope in reversed(module.scopes[1:]):  # whoever calls stands mostly below whom he calls
            path = _Path(scope)
            self._block(scope.body, self._at_start(scope), path)
            self._seen[id(scope)] = path.seen

    def seen_in(self, scope: Scope) -> list[Seen]:
        """The statements of one scope in the order of the text, those of its inner functions left out."""
        return self._seen[id(scope)]

    @property
    def seen(self) -> Iterator[Seen]:
        """Every statement, scope by scope."""
        return (each for scope in self.module.scopes for each in self.seen_in(scope))

    def result_of(self, function: Function) -> Kind:
        """What a function of the script returns."""
        if isinstance(function, ast.AsyncFunctionDef):
            return UNKNOWN
        if function.name not in self._results:
            self._results[function.name] = UNKNOWN  # of a function that calls itself, or yields
            path = _Path(function)
            falls_through = self._block(function.body, self._at_start(function), path) is not None
            if not any(isinstance(each, ast.Yield | ast.YieldFrom) for each in ast.walk(function)):
                kind = all_joined([*path.returned, *([UNKNOWN] if falls_through else [])])
                self._results[function.name] = replace(kind, call=None)  # its arguments have names only in there
        return self._results[function.name]

    # Scopes

    def _at_first_call(self, top: list[Seen]) -> Known:
        """What is known of the globals when the script first calls a function of its own."""
        known: Known = {}
        for seen in top:
            if not seen.outer:
                called = () if isinstance(seen.statement, Function | ast.ClassDef) else ast.walk(seen.statement)
                if any(isinstance(each, ast.Call) and self.kinds.local(each, seen.before) for each in called):
                    return seen.before
                known = seen.after or {}
        return known

    def _at_start(self, function: Scope) -> Known:
        """Globals that the function does not bind itself, and its arguments."""
        if isinstance(function, ast.Module):
            return {}
        declared = {name for each in ast.walk(function) if isinstance(each, ast.Global) for name in each.names}
        arguments = [each for each in ast.walk(function.args) if isinstance(each, ast.arg)]
        own = set().union(*map(stored, function.body)) - declared | {each.arg for each in arguments}
        known = {name: kind for name, kind in self._globals.items() if head(name) not in own}
        return known | {each.arg: self._argument(function, each) for each in arguments}

    def _argument(self, function: Function, argument: ast.arg) -> Kind:
        """What an argument is, by its calls or its annotation."""
        given = self._given.get((id(function), argument.arg), UNKNOWN)
        plain = argument.annotation is not None and ast.unparse(argument.annotation).partition(" |")[0] in _PLAIN
        return Kind("argument") if given is UNKNOWN and plain else given

    def _take_arguments(self, statement: ast.stmt, known: Known) -> None:
        for call in calls(statement):
            function = self.kinds.local(call, known)
            if function is None:
                continue
            names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
            names = names[function.name in self.module.methods :]
            by_name = [(each.arg, each.value) for each in call.keywords if each.arg]
            for name, value in (*zip(names, call.args, strict=False), *by_name):
                kind, key = self.kinds.of(value, known), (id(function), name)
                self._given[key] = joined(self._given.get(key, kind), kind)

    # Statements

    def _block(self, block: list[ast.stmt], known: Known, path: _Path) -> Known | None:
        """What is known behind a block; None where nothing goes on behind it."""
        before = dict(known)
        for index, statement in enumerate(block):
            number = len(path.seen)
            seen = Seen(statement, path.scope, block, index, before, None, path.loops, path.outer)
            path.seen.append(seen)
            self._take_arguments(statement, before)
            inner = replace(path, outer=(*path.outer, statement))
            after = self._statement(statement, dict(before), inner)
            path.seen[number] = replace(seen, after=after)
            if after is None:
                return None
            before = after
        return before

    def _statement(self, statement: ast.stmt, known: Known, path: _Path) -> Known | None:
        bind(statement, known, self.kinds)
        match statement:
            case ast.Return():
                path.returned.append(self.kinds.of(statement.value, known))
                return None
            case ast.Raise() | ast.Break() | ast.Continue():
                return None
            case ast.Expr(value=ast.Call(func=function)) if place(function) in _LEAVING:
                return None
            case ast.If():
                return either(self._block(statement.body, known, path), self._block(statement.orelse, known, path))
            case ast.For() | ast.AsyncFor() | ast.While():
                return self._loop(statement, known, path)
            case ast.With() | ast.AsyncWith():
                return self._with(statement, known, path)
            case ast.Try() | ast.TryStar():
                return self._try(statement, known, path)
            case ast.Match():
                ways = [self._block(case.body, known, path) for case in statement.cases]
                last = statement.cases[-1]
                is_sure = last.guard is None and isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None
                return either(*ways) if is_sure else either(known, *ways)
        return known

    def _loop(self, statement: ast.For | ast.AsyncFor | ast.While, known: Known, path: _Path) -> Known | None:
        inner, first = path, known
        if not isinstance(statement, ast.While):
            loop = understood(statement, known, self.kinds)
            inner, first = replace(path, loops=(*path.loops, loop)), known | loop.bound
        # Once to learn what a turn leaves behind, so that the next turn's beginning is judged by both.
        again = self._block(statement.body, first, replace(inner, seen=[]))
        begin = _settled(statement, first, again)
        behind = self._block(statement.body, begin, inner)
        after = _settled(statement, known, behind)
        return self._block(statement.orelse, after, path)

    def _with(self, statement: ast.With | ast.AsyncWith, known: Known, path: _Path) -> Known | None:
        names = {place(each.context_expr.func) for each in statement.items if isinstance(each.context_expr, ast.Call)}
        for item in statement.items:
            if item.optional_vars is not None:
                bind_target(item.optional_vars, UNKNOWN, known)
        after = self._block(statement.body, known, path)
        swallowed = any(name.rpartition(".")[2] in _SWALLOWING for name in names)
        return either(known, after) if swallowed else after

    def _try(self, statement: ast.Try | ast.TryStar, known: Known, path: _Path) -> Known | None:
        unsure = {name: UNKNOWN if head(name) in stored(statement) else kind for name, kind in known.items()}
        after = self._block(statement.body, known, path)
        ways = [after if after is None else self._block(statement.orelse, after, path)]
        for handler in statement.handlers:
            named = {handler.name: UNKNOWN} if handler.name else {}
            end = self._block(handler.body, unsure | named, path)
            ways.append(None if end is None else {name: kind for name, kind in end.items() if name not in named})
        joint, final = either(*ways), self._block(statement.finalbody, unsure, path)
        return None if joint is None or final is None else final | joint


def _settled(statement: ast.stmt, start: Known, end: Known | None) -> Known:
    """What stays true of the names at the start of a loop, whatever its turns do to them."""
    jumps = end is None or any(isinstance(each, ast.Break | ast.Continue) for each in ast.walk(statement))
    changed = stored(statement)
    return {
        name: UNKNOWN if jumps and head(name) in changed else joined(kind, (end or {}).get(name, kind))
        for name, kind in start.items()
    }
