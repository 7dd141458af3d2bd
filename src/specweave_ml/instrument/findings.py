"""What is to be logged, and behind which statement: metrics that the script holds or prints.

results.py adds what libraries keep (histories, folds, searches), trackers.py what the script tells another tracker,
saved.py the files of models.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from specweave_ml.instrument import results, saved, trackers
from specweave_ml.instrument.bindings import stored
from specweave_ml.instrument.kinds import METRIC, METRIC_NAME, UNKNOWN, place
from specweave_ml.instrument.module import Function, Scope, blocks, calls, constant
from specweave_ml.instrument.printed import printed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specweave_ml.instrument.flow import Seen, Walk

HANDLE = "\0"
"""Stands for the handle's name in lines to come."""

_LONGEST_NAME = 40
_NO_METRIC = {"argument", "covered", "literal", "mapping", "text"}
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to log.

    Attributes:
        seen: the statement behind which its lines go.
        shows: what it is, in words, such as `metric accuracy`.
        name: of one metric, as a Python expression; empty where `lines` say it all.
        value: its value, as one.
        step: its step, as one; empty without.
        lines: what logs it; empty for one metric, which may share a line with others.
        before: it goes before the statement instead, which ends the block.
        weight: of several findings of one value the heaviest stays.
        is_curve: whether its lines log metrics, and not params or files.
    """

    seen: Seen
    shows: str
    name: str = ""
    value: str = ""
    step: str = ""
    lines: tuple[str, ...] = ()
    before: bool = False
    weight: int = 0
    is_curve: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that is not recorded, and why."""

    line: int
    what: str
    why: str
    is_metric: bool = True


def find(walk: Walk) -> tuple[list[Finding], list[LeftOut]]:
    """Everything to log in a script, in the order of the text, and what is left out."""
    found: list[Finding] = []
    left_out: list[LeftOut] = []
    for scope in walk.module.scopes:
        bound: Counter[str] = Counter()  # the same name with another value is another thing to log
        own: list[tuple[Finding, object]] = []
        for seen in walk.seen_in(scope):
            if not [*blocks(seen.statement)]:
                bound.update(stored(seen.statement))
            for each in _in_statement(walk, seen, left_out):
                names = _WORD.findall(each.value or "".join(each.lines))
                own.append((each, tuple((name, bound[name]) for name in names)))
        found += _once(own)
    return found, left_out


def _in_statement(walk: Walk, seen: Seen, left_out: list[LeftOut]) -> Iterator[Finding]:
    mirrored = [*trackers.told(walk, seen)]
    for name, value, step in mirrored:
        yield Finding(seen, f"metric {_word(name)}", name, value, step, weight=3)
    for shows, lines in trackers.told_at_once(walk, seen, HANDLE):
        yield Finding(seen, shows, lines=lines, is_curve=shows.startswith("metrics"))
    for shows, lines in results.left_by(walk, seen, HANDLE):
        yield Finding(seen, shows, lines=lines, is_curve="params" not in shows)
    for each in saved.files(walk, seen, HANDLE):
        if isinstance(each, str):
            left_out.append(LeftOut(seen.statement.lineno, "a saved model", each, is_metric=False))
        else:
            yield Finding(seen, "artifact " + each[0], lines=each[1])
    if not mirrored:
        shown = [*_shown(walk, seen, left_out)]
        yield from (replace(each, weight=2 * (len(shown) > 1)) for each in shown)
        yield from (*_assigned(walk, seen), *_returned(walk, seen))


def _assigned(walk: Walk, seen: Seen) -> Iterator[Finding]:
    """Numbers that a statement gives a name that says what they measure."""
    statement = seen.statement
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or seen.after is None:
        return
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    for target in targets:
        for each, value in _pairs(target, statement.value):
            if value is not None and place(value):
                continue  # another name for what has one
            kind = seen.after.get(place(each), UNKNOWN)
            computed = kind.is_number and kind.detail != "literal"
            if kind == METRIC or (computed and METRIC_NAME.search(place(each))):
                yield replace(_metric(walk, seen, each, ""), weight=1)
            elif kind.what == "mapping" and METRIC in kind.parts and all(part.is_number for part in kind.parts):
                source = walk.module.source(each)
                step = f", step={_step(seen)}" if _step(seen) else ""
                lines = (f"{HANDLE}.log_metrics({source}{step})",)
                yield Finding(
                    seen, "metrics " + ", ".join(kind.keys), value=source, lines=lines, weight=1, is_curve=True
                )


def _pairs(target: ast.expr, value: ast.expr | None) -> list[tuple[ast.expr, ast.expr | None]]:
    """Each target with its value, where that is written beside it."""
    if not isinstance(target, ast.Tuple | ast.List):
        return [(target, value)]
    same = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
    values = value.elts if same and isinstance(value, ast.Tuple | ast.List) else [None] * len(target.elts)
    return [*zip(target.elts, values, strict=True)]


def _shown(walk: Walk, seen: Seen, left_out: list[LeftOut]) -> Iterator[Finding]:
    """Numbers that a statement prints."""
    for label, shown, is_proven in printed(seen.statement):
        value = _unwrapped(shown)
        kind = walk.kinds.of(value, seen.before)
        named = bool(METRIC_NAME.search(f"{place(value)} {_slug(label)}"))
        if kind.what in _NO_METRIC or kind.detail == "literal" or _only_counts(seen, value):
            continue
        if not (is_proven and (place(value) or _slug(label))) and kind != METRIC and not (kind.is_number and named):
            if named and kind.what == "unknown":
                why = "nothing proves that it is one number; print it in a number format such as {x:.4f}"
                left_out.append(LeftOut(seen.statement.lineno, walk.module.source(value), why))
        elif walk.kinds.is_repeatable(value, seen.before):
            yield _metric(walk, seen, value, label)
        else:
            why = "it has no name; assign it to one before it is printed"
            left_out.append(LeftOut(seen.statement.lineno, walk.module.source(value), why))


def _only_counts(seen: Seen, value: ast.expr) -> bool:
    """Whether a value is made of the numbers of turns and of constants alone."""
    steps = {loop.step for loop in seen.loops}
    names = [node.id for node in ast.walk(value) if isinstance(node, ast.Name)]
    return all(name in steps or seen.before.get(name, METRIC).detail == "literal" for name in names)


def _unwrapped(value: ast.expr) -> ast.expr:
    """The named number that is only rounded to be printed, or the value itself."""
    if isinstance(value, ast.Call) and place(value.func) in {"round", "float", "str"} and value.args:
        return value.args[0] if place(value.args[0]) else value
    return value


def _returned(walk: Walk, seen: Seen) -> Iterator[Finding]:
    """A score that a function returns, or a cell of a notebook shows, without naming it."""
    value = seen.statement.value if isinstance(seen.statement, ast.Return | ast.Expr) else None
    if value is None or place(value) or walk.kinds.of(value, seen.before) != METRIC:
        return
    if walk.kinds.is_repeatable(value, seen.before):
        yield replace(_metric(walk, seen, value, ""), before=True)


def _metric(walk: Walk, seen: Seen, value: ast.expr, label: str) -> Finding:
    name = _name(walk, value, label)
    source = walk.module.source(value)
    fold = seen.loops[-1] if seen.loops and seen.loops[-1].folds and _step(seen) else None
    if fold is None:
        return Finding(seen, f"metric {name}", quoted(name), source, _step(seen))
    train, test = fold.sizes or ("", "")
    sizes = f", n_train=len({train}), n_test=len({test})" if train else ""
    lines = (f"{HANDLE}.log_fold({fold.step}, {{{quoted(name)}: {source}}}{sizes})",)
    return Finding(seen, f"folds of {name}", value=source, lines=lines, is_curve=True)


def _step(seen: Seen) -> str:
    """The name that counts the turns of the loop around a statement, while it still is a number."""
    step = (seen.loops[-1].step or "") if seen.loops else ""
    return step if seen.before.get(step, UNKNOWN).is_number else ""


def _name(walk: Walk, value: ast.expr, label: str) -> str:
    """What to call a metric: its variable, its key, the words printed before it, or the score's function."""
    if isinstance(value, ast.Name):
        return value.id
    if isinstance(value, ast.Attribute):
        return value.attr.strip("_") or value.attr
    key = constant(value.slice) if isinstance(value, ast.Subscript) else None
    if isinstance(key, str) and key:
        return key
    if _slug(label):
        return _slug(label)
    if isinstance(value, ast.Call):
        function = place(value.func).rpartition(".")[2]
        own = isinstance(value.func, ast.Attribute) and not walk.module.origin(value.func)
        owner = value.func.value if own and isinstance(value.func, ast.Attribute) else None
        if function in {"item", "float", "round"}:
            return _name(walk, owner or value.args[0], "")
        if owner is not None and function != "score":
            return f"{_name(walk, owner, '')}_{function}"
        return function.removesuffix("_score")
    return _slug(walk.module.source(value)) or "value"


def _slug(label: str) -> str:
    """The words before a number, as a name: of `Epoch 3, val loss: ` it is `val_loss`."""
    last = re.split(r"[,;|\n]|%\S*|(?<=\w)[:=](?=.*\w)", label.strip(" :=\t\n,;|-([{"))[-1]
    words = re.findall(r"[^\W_]+|@", unicodedata.normalize("NFKC", last))
    return "_".join(words).lower() if words and len("_".join(words)) <= _LONGEST_NAME else ""


def _once(found: list[tuple[Finding, object]]) -> list[Finding]:
    """Each value of a scope once: where it is told to a tracker, is printed beside others, is made, or is printed."""
    best: dict[object, Finding] = {}
    for each, bound in found:
        key = (each.value or each.lines, bound, tuple(id(loop.node) for loop in each.seen.loops))
        if key not in best or each.weight > best[key].weight:
            best[key] = each
    return sorted(best.values(), key=lambda each: position(each.seen))


def position(seen: Seen) -> tuple[int, int]:
    """Where a statement stands in the text."""
    return seen.statement.lineno, seen.statement.col_offset


def drop_returned(walk: Walk, found: list[Finding], homes: list[Scope]) -> list[Finding]:
    """Without what other functions return: whoever calls them has it, and logs it there."""
    kept = []
    for each in found:
        scope = each.seen.scope
        if isinstance(scope, Function) and scope not in homes and each.value:
            returns = [node for node in ast.walk(scope) if isinstance(node, ast.Return) and node.value is not None]
            names = {place(part) for node in returns for part in ast.walk(node) if isinstance(part, ast.expr)}
            if (each.before or each.value in names) and not _is_ignored(walk, scope):
                continue
        kept.append(each)
    return kept


def _is_ignored(walk: Walk, function: Function) -> bool:
    """Whether the script calls a function and never takes what it returns."""
    taken = [
        isinstance(seen.statement, ast.Expr) and seen.statement.value is node
        for seen in walk.seen
        if not isinstance(seen.statement, Function | ast.ClassDef)
        for node in calls(seen.statement)
        if walk.kinds.local(node, seen.before) is function
    ]
    return bool(taken) and all(taken)


def quoted(text: str) -> str:
    """A Python string of plain ASCII."""
    plain = ascii(text)
    return plain if '"' in plain else f'"{plain[1:-1]}"'


def _word(name: str) -> str:
    return name.strip("\"'")
