"""What a `for` goes over: epochs, folds, candidates."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from specweave_ml.instrument.bindings import Known, all_joined, bind_target, stored
from specweave_ml.instrument.kinds import NUMBER, UNKNOWN, Kind, Kinds, place

if TYPE_CHECKING:
    from specweave_ml.instrument.module import Module

For = ast.For | ast.AsyncFor

_COUNTING = {"range", "trange", "tqdm.trange", "tqdm.auto.trange", "itertools.count"}
_WRAPPING = {"tqdm", "tqdm.tqdm", "tqdm.auto.tqdm", "tqdm.notebook.tqdm", "rich.progress.track", "list", "iter"}


@dataclass(frozen=True, slots=True)
class Loop:
    """A `for` around statements.

    Attributes:
        node: the statement.
        step: the name that counts its turns, if one does.
        is_counting: whether it goes over numbers, as epochs do, and not over batches.
        folds: whether each turn is a fold of a cross-validation.
        sizes: the names of a fold's training and test indices.
        varies: the name that takes another text or number each turn, if it is sure to be one.
        bound: what its names are in each turn.
    """

    node: For
    step: str | None
    is_counting: bool
    folds: bool
    sizes: tuple[str, ...]
    varies: str | None
    bound: Known


def understood(node: For, known: Known, kinds: Kinds) -> Loop:
    """What this loop goes over."""
    source, target = _unwrapped(node.iter, kinds.module), node.target
    step = None
    if _called(source, kinds.module) == "enumerate" and isinstance(target, ast.Tuple) and len(target.elts) == 2:
        step, target = place(target.elts[0]), target.elts[1]
        source = _unwrapped(source.args[0], kinds.module) if isinstance(source, ast.Call) and source.args else source
    is_counting = _called(source, kinds.module) in _COUNTING
    if is_counting:
        step = step or place(target)
    item = _item(source, known, kinds)
    bound: Known = {}
    bind_target(node.target, UNKNOWN, bound)
    bind_target(target, item, bound)
    bound |= {step: NUMBER} if step else {}
    first = target.elts[0] if isinstance(target, ast.Tuple) and target.elts else target
    name = place(first)
    varies = name if name and (bound[name].is_number or bound[name].what == "text") else None
    folds = item.what == "fold"
    pair = [place(each) for each in target.elts] if folds and isinstance(target, ast.Tuple) else []
    rebound = set().union(*map(stored, node.body))
    sizes = tuple(pair) if len(pair) == 2 and all(pair) and not rebound & set(pair) else ()
    return Loop(node, step, is_counting, folds, sizes, varies or step, bound)


def _item(source: ast.expr, known: Known, kinds: Kinds) -> Kind:
    """What each turn takes from there."""
    if isinstance(source, ast.Call) and isinstance(source.func, ast.Attribute):
        owner = kinds.of(source.func.value, known)
        if source.func.attr == "split" and owner.what == "splitter":
            return Kind("fold")
        if owner.what == "mapping" and source.func.attr == "items":
            return Kind("tuple", parts=(Kind("text"), all_joined(owner.parts)))
        if owner.what == "mapping" and source.func.attr == "values":
            return all_joined(owner.parts)
        return UNKNOWN
    if _called(source, kinds.module) in _COUNTING:
        return NUMBER
    over = kinds.of(source, known)
    if over.what == "mapping":
        return Kind("text")
    tuples = [each.parts for each in over.parts if each.what == "tuple"]
    if over.what == "tuple" and tuples and len(tuples) == len(over.parts) and len({len(each) for each in tuples}) == 1:
        return Kind("tuple", parts=tuple(map(all_joined, zip(*tuples, strict=True))))
    return all_joined(over.parts) if over.what == "tuple" else UNKNOWN


def _called(node: ast.expr, module: Module) -> str:
    return (module.origin(node.func) or place(node.func)) if isinstance(node, ast.Call) else ""


def _unwrapped(node: ast.expr, module: Module) -> ast.expr:
    while isinstance(node, ast.Call) and node.args and _called(node, module) in _WRAPPING:
        node = node.args[0]
    return node
