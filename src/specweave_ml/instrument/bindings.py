"""What the names of a script are bound to, statement by statement."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from specweave_ml.instrument.kinds import UNKNOWN, Kind, Kinds, joined, literal_texts, place
from specweave_ml.instrument.module import Function, heads

if TYPE_CHECKING:
    from collections.abc import Sequence

Known = dict[str, Kind]
"""Name (or dotted name, or item of one) → what it is surely bound to."""

_PIECES = {"keras evaluation": Kind("metric"), "numbers": Kind("metric")}
_UNSURE = ast.BoolOp | ast.IfExp | ast.comprehension | ast.Lambda


def bind(statement: ast.stmt, known: Known, kinds: Kinds) -> None:
    """Let a statement without blocks bind, change and forget names."""
    for node in heads(statement):
        if isinstance(node, _UNSURE):
            break  # whether a `:=` in it is reached is not sure
        if isinstance(node, ast.NamedExpr):
            known[node.target.id] = kinds.of(node.value, known)
    if isinstance(statement, ast.Assign):
        kind = kinds.of(statement.value, known)
        for target in statement.targets:
            bind_target(target, kind, known)
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        bind_target(statement.target, kinds.of(statement.value, known), known)
    elif isinstance(statement, ast.AugAssign):
        whole = ast.BinOp(statement.target, statement.op, statement.value)
        bind_target(statement.target, kinds.of(whole, known), known)
    elif isinstance(statement, ast.Expr):
        _take_effects(statement.value, known, kinds)
    else:
        _define(statement, known)


def _define(statement: ast.stmt, known: Known) -> None:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        known.update({alias.asname or alias.name.partition(".")[0]: UNKNOWN for alias in statement.names})
    elif isinstance(statement, Function | ast.ClassDef):
        known[statement.name] = UNKNOWN
    elif isinstance(statement, ast.Delete):
        for target in statement.targets:
            _forget(place(target), known)


def bind_target(target: ast.expr, kind: Kind, known: Known) -> None:
    """Bind what stands left of an assignment, after `for`, or after `as`."""
    if isinstance(target, ast.Tuple | ast.List):
        for number, each in enumerate(target.elts):
            piece = kind.parts[number] if len(kind.parts) == len(target.elts) else _PIECES.get(kind.what, UNKNOWN)
            bind_target(each, piece, known)
        return
    if isinstance(target, ast.Starred):
        target, kind = target.value, UNKNOWN
    name = place(target)
    if name:
        _forget(name, known)
        known[name] = kind if _keeps(target, known) else UNKNOWN
    if isinstance(target, ast.Subscript):
        _grow(place(target.value), target.slice, kind, known)


def _keeps(target: ast.expr, known: Known) -> bool:
    """Whether a value is surely found again where it was put: a data frame makes a column of a number."""
    if isinstance(target, ast.Subscript):
        return known.get(place(target.value), UNKNOWN).what == "mapping"
    if isinstance(target, ast.Attribute):
        owner = place(target.value)
        return owner == "self" or known.get(owner, UNKNOWN).what in {"args", "dataclass", "object"}
    return True


def _grow(name: str, key: ast.expr, kind: Kind, known: Known) -> None:
    """A mapping gets one more item, or another."""
    owner = known.get(name, UNKNOWN)
    if owner.what != "mapping":
        return
    items = {**dict(zip(owner.keys, owner.parts, strict=True)), **dict.fromkeys(literal_texts(key), kind)}
    known[name] = Kind("mapping", parts=tuple(items.values()), keys=tuple(items)) if literal_texts(key) else UNKNOWN


def _take_effects(value: ast.expr, known: Known, kinds: Kinds) -> None:
    """A list of numbers stays one while numbers are appended; a mapping that is updated is known no more."""
    if not (isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute)):
        return
    name, method = place(value.func.value), value.func.attr
    kind = known.get(name, UNKNOWN)
    if method == "append" and len(value.args) == 1 and kind in (Kind("tuple"), Kind("numbers")):
        known[name] = Kind("numbers") if kinds.of(value.args[0], known).is_number else UNKNOWN
    elif kind.what in {"tuple", "numbers"} or (
        kind.what == "mapping" and method in {"update", "pop", "clear", "setdefault"}
    ):
        known[name] = UNKNOWN


def _forget(name: str, known: Known) -> None:
    """A name, and what was known of its attributes and items."""
    for each in [*known]:
        if each == name or each.startswith((f"{name}.", f"{name}[")):
            del known[each]


def head(name: str) -> str:
    """The name that a dotted name or an item begins with."""
    return name.partition(".")[0].partition("[")[0]


def stored(statement: ast.stmt) -> set[str]:
    """The names that a statement binds anywhere within."""
    return {
        node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }


def either(*ways: Known | None) -> Known | None:
    """What is known where ways meet; a way that does not arrive says nothing."""
    result = None
    for way in ways:
        if result is None or way is None:
            result = way if result is None else result
        else:
            result = {name: joined(kind, way[name]) for name, kind in result.items() if name in way}
    return result


def all_joined(kinds: Sequence[Kind]) -> Kind:
    """What a value is that is one of these."""
    result = kinds[0] if kinds else UNKNOWN
    for kind in kinds[1:]:
        result = joined(result, kind)
    return result
