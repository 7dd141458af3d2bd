"""What goes into a call: the arguments, and what the function uses from around it. Nothing here runs the function."""

from __future__ import annotations

import dis
import inspect
from types import CodeType
from typing import TYPE_CHECKING, Any

from specweave_ml.artifacts import model_suffix
from specweave_ml.store.codec import param_to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_MOST_ITEMS = 64
_LONGEST_TEXT = 1_000
_OF_ITSELF = {"self", "cls"}


class Ingredients:
    """What a call is made of, sorted.

    Attributes:
        params: name → value. A dict gives its own keys; a name that is taken with another value gets its owner before
            it, as in `params.max_depth`.
        data: arrays and tables, by the names of their variables.
        models: estimators and networks, likewise.
    """

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self.data: dict[str, Any] = {}
        self.models: dict[str, Any] = {}

    def add_arguments(self, arguments: inspect.BoundArguments) -> None:
        """Take the arguments of the call, defaults included; whatever is no data and no model is a param."""
        arguments.apply_defaults()
        for place, (name, value) in enumerate(arguments.arguments.items()):
            if place == 0 and name in _OF_ITSELF:
                continue
            kind = arguments.signature.parameters[name].kind
            for key, each in value.items() if kind is inspect.Parameter.VAR_KEYWORD else [(name, value)]:
                if not (kind is inspect.Parameter.VAR_POSITIONAL and not each):
                    self._add(key, each, whatever=True)

    def add_used(self, function: Callable[..., Any]) -> None:
        """Take what the code refers to outside itself, closure before globals, as far as it is plain data."""
        code = getattr(function, "__code__", None)
        if code is None:
            return
        cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
        around = {name: cell.cell_contents for name, cell in cells if not _is_empty(cell)}
        for name in dict.fromkeys([*around, *_global_names(code)]):
            if name in around or name in function.__globals__:
                self._add(name, around.get(name, function.__globals__.get(name)), whatever=False)

    def add_model(self, owner: str, model: Any) -> dict[str, Any]:
        """Take the params of a model; gives those that are new."""
        get_params = getattr(model, "get_params", None)
        return self.merge(
            owner, {"model": type(model).__name__, **(dict(get_params()) if callable(get_params) else {})}
        )

    def merge(self, owner: str, values: Mapping[Any, Any]) -> dict[str, Any]:
        """Take several params of one owner; gives those that are new."""
        new: dict[str, Any] = {}
        for key, value in values.items():
            name = str(key)
            if name in self.params and param_to_json(self.params[name]) != param_to_json(value):
                name = f"{owner}.{name}"
            if name not in self.params:
                new[name] = self.params[name] = value
        return new

    def _add(self, name: str, value: Any, *, whatever: bool) -> None:
        if is_model(value):
            self.models.setdefault(name, value)
        elif _is_data(value):
            self.data.setdefault(name, value)
        elif isinstance(value, dict) and value and is_plain(value):
            self.merge(name, value)
        elif whatever or is_plain(value):
            self.merge(name, {name: value})


def is_model(value: Any) -> bool:
    """Whether something can be fitted, or is a model of a library that has a format of its own."""
    if isinstance(value, type):
        return False
    fits = callable(getattr(value, "fit", None))
    predicts = any(callable(getattr(value, name, None)) for name in ("predict", "transform", "fit_predict"))
    return (fits and predicts) or model_suffix(value) != ".pkl"


def is_plain(value: Any, depth: int = 3) -> bool:
    """Whether something is data that a person would type: numbers, text, None, small containers of them."""
    if value is None or isinstance(value, bool | int | float):
        return True
    if isinstance(value, str):
        return len(value) <= _LONGEST_TEXT
    if isinstance(value, dict):
        return len(value) <= _MOST_ITEMS and all(isinstance(key, str) for key in value) and is_plain([*value.values()])
    if isinstance(value, list | tuple | set | frozenset):
        return depth > 0 and len(value) <= _MOST_ITEMS and all(is_plain(item, depth - 1) for item in value)
    return getattr(value, "shape", None) == () and hasattr(value, "item")  # a numpy scalar


def _is_data(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return len(value) > _MOST_ITEMS
    shape = getattr(value, "shape", None)
    return isinstance(shape, tuple) and len(shape) > 0


def _is_empty(cell: Any) -> bool:
    try:
        return cell.cell_contents is cell
    except ValueError:
        return True


def _global_names(code: CodeType) -> Iterator[str]:
    """The globals that the code and the functions inside it load; names of attributes are none."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in {"LOAD_GLOBAL", "LOAD_NAME"} and not instruction.argval.startswith("__"):
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _global_names(constant)
