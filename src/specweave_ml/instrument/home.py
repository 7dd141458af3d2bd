"""Where the experiment lives: the block in which it starts, and whether it ends there."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from specweave_ml.instrument.kinds import place
from specweave_ml.instrument.module import Function, Scope, first_line, last_line
from specweave_ml.instrument.source import refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from specweave_ml.instrument.flow import Seen
    from specweave_ml.instrument.training import Training

_MAINS = ("main", "train", "run", "fit", "cli")


@dataclass(frozen=True, slots=True)
class Home:
    """Where an experiment lives.

    Attributes:
        scope: the function, or the module.
        block: the statements among which it starts.
        start: the first of them that needs it.
        is_repeated: whether the block runs several times, each time another experiment.
        varies: the name of what tells these apart, if one does.
        suffix: what is added to the experiment's name, where several functions each have their own.
    """

    scope: Scope
    block: list[ast.stmt]
    start: Seen
    is_repeated: bool = False
    varies: str = ""
    suffix: str = ""


def choose(training: Training) -> list[Home]:
    """The innermost block that holds one whole training; several, where functions train and measure the same.

    Raises:
        Refused: nothing trains, or it is not clear which function is to be the experiment.
    """
    module = training.walk.module
    scope: Scope = module.tree
    hits = _hits(training, scope)
    if not hits:
        scope = _root(training)
        hits = _hits(training, scope)
    repeated = False
    while (only := _only_function(training, hits)) is not None:
        several = len(hits) > 1 or bool(hits[0].loops)
        if (several and not training.is_whole(only)) or _loses(training, hits, only):
            break
        repeated |= several
        scope, hits = only, _hits(training, only)
    several_functions = _several(training, hits)
    if several_functions:
        return several_functions
    block = _block_of(scope, hits)
    if not repeated and (loop := _loop_of_trainings(training, hits, block)) is not None:
        inner = [each for each in hits if loop in each.outer]
        varied = next(each.varies for each in inner[0].loops if each.node is loop)
        first = _first(training, scope, inner, loop.body)
        return [Home(scope, loop.body, first, is_repeated=True, varies=varied or "")]
    varies = text_argument(training, scope) if repeated else ""
    return [Home(scope, block, _first(training, scope, hits, block), repeated, varies)]


def _several(training: Training, hits: list[Seen]) -> list[Home]:
    """A home in each function that trains a model of its own, where two of them measure the same."""
    called = {id(each): each for seen in hits for each in training.called(seen) if training.is_whole(each)}
    measured = [(each, training.measured_in(each)) for each in called.values()]
    names = [name for _, own in measured for name in own]
    if len(names) == len(set(names)):
        return []
    homes = []
    for each in (function for function, own in measured if own):
        start = _first(training, each, _hits(training, each), each.body)
        homes.append(Home(each, each.body, start, is_repeated=True, suffix=f"-{each.name}"))
    return homes


def segments(training: Training, home: Home, logged: Iterable[tuple[str, Seen]]) -> list[Seen]:
    """The starts of several experiments in one block, where models are trained and measured one after the other.

    Args:
        training: the script.
        home: where it trains.
        logged: the metrics in it, by name. Only where a name comes back behind another training are there several.

    Raises:
        Refused: a name comes back, but trainings and metrics do not take turns.
    """
    if home.is_repeated:
        return [home.start]
    inside = [each for each in training.walk.seen_in(home.scope) if each.block is home.block]
    starts = [_line_start(inside, each) for each in inside if _is_a_training(training, each)]
    behind: dict[str, set[int]] = {}
    lines: dict[str, list[int]] = {}
    for name, seen in logged:
        top = next((each for each in (*seen.outer, seen.statement) if each in home.block), None)
        if top is not None:
            number = sum(each.index <= home.block.index(top) for each in starts)
            behind.setdefault(name, set()).add(number)
            lines.setdefault(name, []).append(seen.statement.lineno)
    again = [name for name, numbers in behind.items() if len(numbers) > 1]
    if not again or len(starts) < 2:
        return [home.start]
    if set().union(*behind.values()) >= set(range(1, len(starts) + 1)):
        return starts
    where = " and ".join(map(str, lines[again[0]][:3]))
    why = f"several models are trained, and which of them {again[0]} (lines {where}) belongs to is not clear"
    raise refused(training.walk.module.path, why, starts[1].statement.lineno)


def _is_a_training(training: Training, seen: Seen) -> bool:
    return training.completes(seen) or any(map(training.is_whole, training.called(seen)))


def _hits(training: Training, scope: Scope) -> list[Seen]:
    return [each for each in training.walk.seen_in(scope) if training.counts(each)]


def _root(training: Training) -> Function:
    """The function that a module without a main part is there for."""
    module = training.walk.module
    active = [scope for scope in module.scopes[1:] if isinstance(scope, Function) and training.is_active(scope)]
    if not active:
        raise _nothing_trains(training)
    called = {id(each) for scope in active for seen in training.walk.seen_in(scope) for each in training.called(seen)}
    roots = [each for each in active if id(each) not in called] or active
    named = [each for name in _MAINS for each in roots if each.name == name]
    if len(roots) > 1 and not named:
        listed = ", ".join(f"{each.name} (line {each.lineno})" for each in roots[:5])
        raise refused(module.path, f"it calls none of its functions, and several train: {listed}")
    return (named or roots)[0]


def _nothing_trains(training: Training) -> Exception:
    module = training.walk.module
    for node in module.nodes:
        if isinstance(node, ast.Call) and place(node.func) in {"exec", "eval", "runpy.run_path", "execfile"}:
            return refused(module.path, f"it runs code with {place(node.func)}, which is not read", node.lineno)
    return refused(module.path, "no training is found in it: no .fit(…), no xgb.train(…), no loop with .backward()")


def _only_function(training: Training, hits: list[Seen]) -> Function | None:
    """The one function in which all happens that counts here; None where something counts besides."""
    functions = {id(each): each for seen in hits for each in training.called(seen) if training.is_active(each)}
    if len(functions) != 1 or any(training.trains(each) for each in hits):
        return None
    only = next(iter(functions.values()))
    return only if all(only in training.called(each) for each in hits) else None


def _loses(training: Training, hits: list[Seen], function: Function) -> bool:
    """Whether an experiment that starts within a function misses what its caller has: settings, or what it returns."""
    inner = training.walk.seen_in(function)[0].before
    settings = {kind.what for kind in hits[0].before.values()} & {"args", "dataclass", "training arguments"}
    if settings - {kind.what for kind in inner.values()}:
        return True
    return any(map(training.finds, hits)) and not any(map(training.finds, training.walk.seen_in(function)))


def _block_of(scope: Scope, hits: list[Seen]) -> list[ast.stmt]:
    """The block of a scope, or that below `if __name__ == "__main__":` where all is in there."""
    if isinstance(scope, ast.Module) and hits:
        outermost = {id((each.outer or (each.statement,))[0]): (each.outer or (each.statement,))[0] for each in hits}
        only = next(iter(outermost.values()))
        if len(outermost) == 1 and isinstance(only, ast.If) and "__name__" in ast.unparse(only.test):
            return only.body
    return scope.body


def _loop_of_trainings(training: Training, hits: list[Seen], block: list[ast.stmt]) -> ast.For | ast.AsyncFor | None:
    """A loop that makes and trains another model each turn, if all trainings of a block are in it."""
    trainings = [each for each in hits if training.trains(each)]
    if not trainings or not trainings[0].loops:
        return None
    loops = [loop for loop in trainings[0].loops if loop.node in block or loop.node in trainings[0].outer]
    loop = loops[0]
    if loop.folds or not all(loop.node in each.outer for each in trainings):
        return None
    inside = [each for each in training.walk.seen_in(trainings[0].scope) if loop.node in each.outer]
    made = any(kind.what in {"estimator", "search", "keras"} for kind in loop.bound.values())
    return loop.node if made or any(training.builds(each) for each in inside) else None


def _first(training: Training, scope: Scope, hits: list[Seen], block: list[ast.stmt]) -> Seen:
    """The first statement of a block that counts, or holds one that does."""
    counting = {id(each) for hit in hits for each in (*hit.outer, hit.statement)}
    inside = [each for each in training.walk.seen_in(scope) if each.block is block]
    return _line_start(inside, next(each for each in inside if id(each.statement) in counting))


def _line_start(block: list[Seen], seen: Seen) -> Seen:
    """The first statement in the line of one: what is put in before one goes before all of them."""
    while seen.index and first_line(seen.statement) == last_line(block[seen.index - 1].statement):
        seen = block[seen.index - 1]
    return seen


def text_argument(training: Training, scope: Scope) -> str:
    """The argument that every call of a function gives a text, to tell by it what belongs to which."""
    if isinstance(scope, ast.Module):
        return ""
    known = training.walk.seen_in(scope)[0].before
    return next((each.arg for each in scope.args.args if each.arg in known and known[each.arg].what == "text"), "")
