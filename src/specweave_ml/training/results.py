"""What comes out of a call: numbers, models, and what is neither, under the names that the code gives them."""

from __future__ import annotations

import ast
import inspect
import textwrap
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from specweave_ml.store.codec import metric_number
from specweave_ml.training.calls import is_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import CodeType, FrameType

# Around a value these change how it is written, not what it is.
_CASTS = {"float", "int", "round"}
NAMELESS = "result"


@dataclass
class Results:
    """What was given back, sorted.

    Attributes:
        metrics: name → number.
        models: name → model.
        unknown: what is neither, each in words.
    """

    metrics: dict[str, float] = field(default_factory=dict)
    models: dict[str, Any] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def add(self, name: str | None, value: Any, inside: str = "") -> None:
        """Sort in one value; None says nothing and is left out. Nested dicts have the way `inside` as their names."""
        number = _number(value)
        if number is not None:
            self.metrics[_free(name or NAMELESS, self.metrics)] = number
        elif is_model(value):
            self.models[_free(name or "model", self.models)] = value
        elif isinstance(value, dict) and value and all(isinstance(key, str) for key in value):
            for key, each in value.items():
                self.add(f"{inside}{key}", each, f"{inside}{key}/")
        elif value is not None:
            self.unknown.append(f"{name} (a {type(value).__name__})" if name else f"a {type(value).__name__}")


def results_of(value: Any, function: Callable[..., Any], frame: FrameType | None) -> Results:
    """Sort what a function returned, or yields at this moment.

    Args:
        value: a number, a dict of numbers, a model, or a tuple of such.
        function: whose value it is.
        frame: of the call, whose variables and place in the code tell the names; None where it is not known.
    """
    results = Results()
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    parts: Sequence[Any] = value if isinstance(value, tuple) else [value]
    written = _written(getattr(function, "__code__", None), frame, len(parts) if isinstance(value, tuple) else None)
    variables = {} if frame is None else dict(frame.f_locals)
    for place, part in enumerate(parts):
        said = _name(written[place]) if written else None
        results.add(said or _variable(part, variables), part)
    return results


def _number(value: Any) -> float | None:
    if value is None or isinstance(value, bool | str | bytes | dict | list | tuple):
        return None
    if not isinstance(value, int | float) and not hasattr(value, "item"):
        return None
    try:
        plain = metric_number("", value.item() if hasattr(value, "item") else value)
    except Exception:  # noqa: BLE001 - an array of several, a tensor of objects: every library says it differently
        return None
    return None if isinstance(plain, bool) else plain


def _free(name: str, taken: Mapping[str, Any]) -> str:
    number = 2
    free = name
    while free in taken:
        free = f"{name}_{number}"
        number += 1
    return free


def _variable(value: Any, variables: Mapping[str, Any]) -> str | None:
    """The one local variable that holds this very object; small numbers are shared, so several may."""
    names = [name for name, held in variables.items() if held is value]
    return names[0] if len(names) == 1 else None


def _written(code: CodeType | None, frame: FrameType | None, parts: int | None) -> Sequence[ast.expr] | None:
    """The expressions after the `return` or `yield` that the call stands at; None where they cannot be told."""
    found, first = _given_back(code) if code is not None else ((), 0)
    if frame is not None:
        here = frame.f_lineno - first + 1
        found = [each for each in found if each.lineno <= here <= (each.end_lineno or each.lineno)] or found
    if len(found) != 1:
        return None
    if parts is None:
        return found
    match found[0]:
        case ast.Tuple(elts=several) if len(several) == parts:
            return None if any(isinstance(each, ast.Starred) for each in several) else several
    return None


@lru_cache(maxsize=256)
def _given_back(code: CodeType) -> tuple[Sequence[ast.expr], int]:
    """The expressions of all `return` and `yield` of a function, and the line on which its source begins."""
    try:
        lines, first = inspect.getsourcelines(code)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):  # typed into a prompt, or made by a program
        return (), 0
    nodes = [node for node in _own_nodes(tree.body[0]) if isinstance(node, ast.Return | ast.Yield)]
    return [node.value for node in nodes if node.value is not None], first


def _own_nodes(function: ast.AST) -> list[ast.AST]:
    """The nodes of a function without those of the functions inside it."""
    own: list[ast.AST] = []
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            own += [child, *_own_nodes(child)]
    return own


def _name(expression: ast.expr) -> str | None:
    """What a reader would call it: `score`, `model.score(X, y)`, `metrics["auc"]`, `float(score)`."""
    match expression:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            return key
        case ast.Call(func=ast.Attribute(value=inner, attr="item")):
            return _name(inner)
        case ast.Call(func=ast.Name(id=cast), args=[inner, *_]) if cast in _CASTS:
            return _name(inner)
        case ast.Call(func=called):
            return _name(called)
        case ast.Await(value=inner):
            return _name(inner)
    return None
