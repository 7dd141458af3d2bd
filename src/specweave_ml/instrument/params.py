"""The params of a training that a script has names for: arguments, constants, mappings, models that tell theirs."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from specweave_ml.instrument.findings import HANDLE, Finding, quoted
from specweave_ml.instrument.kinds import METRIC, UNKNOWN, Kind, keywords, place
from specweave_ml.instrument.module import Function, constant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specweave_ml.instrument.bindings import Known
    from specweave_ml.instrument.flow import Seen
    from specweave_ml.instrument.training import Training

_MAPPING_NAME = re.compile(
    r"(?:^|_)(?:params?|parameters|hparams|hyperparameters|hyperparams|config|cfg|conf|settings)$", re.IGNORECASE
)
_CONSTANT_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_PLAIN = {"number", "literal", "text", "argument", "tuple", "mapping", "unknown", "path"}


class Params:
    """What can be said of params where an experiment starts, and behind later statements.

    Args:
        training: the script.
        start: the statement before which the experiment starts.
        fitted: the names of what is fitted in it.
    """

    def __init__(self, training: Training, start: Seen, fitted: set[str]) -> None:
        self._walk = training.walk
        self._start = start
        self._fitted = fitted
        self._models = {name for name, kind in start.before.items() if self._tells(name, kind)} | {
            name
            for seen in self._walk.seen_in(start.scope)
            if isinstance(seen.statement, ast.Assign) and seen.after is not None
            for name in [place(seen.statement.targets[0])]
            if name in seen.after and self._tells(name, seen.after[name])
        }
        self._told = {
            place(value)
            for node in self._walk.module.nodes
            if isinstance(node, ast.Call) and self._walk.module.origin(node.func) == "mlflow.log_param"
            for value in (*node.args, *keywords(node).values())
        }

    def at_start(self) -> Iterator[tuple[str, str]]:
        """Words and a line for each, where the experiment starts."""
        known = self._start.before
        for name, kind in known.items():
            if kind.what in {"args", "dataclass"}:
                yield f"params vars({name})", f"{HANDLE}.log_params(vars({name}))"
            elif kind.what == "training arguments" and keywords(kind.call):
                items = ", ".join(f'"{key}": {name}.{key}' for key in keywords(kind.call))
                yield f"params of {name}", f"{HANDLE}.log_params({{{items}}})"
            elif kind.what == "mapping" and self._holds_params(name, kind, known):
                yield f"params {name}", f"{HANDLE}.log_params({name})"
        scalars = [name for name in known if self._is_scalar(name)]
        if scalars:
            keys = [name.lower() if _CONSTANT_NAME.fullmatch(name) else name for name in scalars]
            items = ", ".join(f"{quoted(key)}: {name}" for key, name in zip(keys, scalars, strict=True))
            yield "params " + ", ".join(keys), f"{HANDLE}.log_params({{{items}}})"
        yield from (self._of_model(name, kind) for name, kind in known.items() if self._tells(name, kind))

    @property
    def model(self) -> str:
        """The class of the one model that is fitted, where it is known."""
        calls = [kind.call for name, kind in self._start.before.items() if self._tells(name, kind) and kind.call]
        return place(calls[0].func).rpartition(".")[2] if len(calls) == 1 else ""

    def behind(self, seen: Seen, later: Known) -> Iterator[Finding]:
        """What a statement that comes after the start, or stands in another function, adds.

        Args:
            seen: the statement.
            later: what is known where the next experiment starts, which tells of it itself.
        """
        if not isinstance(seen.statement, ast.Assign) or seen.after is None or len(seen.statement.targets) != 1:
            return
        name = place(seen.statement.targets[0])
        kind = seen.after.get(name)
        if kind is not None and kind.call is not None and later.get(name, UNKNOWN).call is kind.call:
            return
        if kind is not None and self._tells(name, kind):
            shows, line = self._of_model(name, kind)
            yield Finding(seen, shows, value=name, lines=(line,))
        elif kind is not None and kind.what == "mapping" and self._holds_params(name, kind, seen.after):
            yield Finding(seen, f"params {name}", value=name, lines=(f"{HANDLE}.log_params({name})",))

    def _tells(self, name: str, kind: Kind) -> bool:
        return kind.what == "optimizer" or (kind.what == "estimator" and kind.detail != "" and name in self._fitted)

    def _of_model(self, name: str, kind: Kind) -> tuple[str, str]:
        params = f"{name}.defaults" if kind.what == "optimizer" else f"{name}.get_params()"
        if len(self._models | {name}) > 1:
            params = f'{{f"{name}__{{key}}": value for key, value in {params}.items()}}'
        return f"params of {name}", f"{HANDLE}.log_params({params})"

    def _holds_params(self, name: str, kind: Kind, known: Known) -> bool:
        if METRIC in kind.parts or any(part.what not in _PLAIN for part in kind.parts):
            return False
        calls = [node for node in self._walk.module.nodes if isinstance(node, ast.Call)]
        spread = [call for call in calls if any(not each.arg and place(each.value) == name for each in call.keywords)]
        told = any(other.call in spread and self._tells(target, other) for target, other in known.items())
        if told and self._walk.module.loads(name) == 1:
            return False  # the estimator that takes them tells them all
        return bool(spread) or _MAPPING_NAME.search(name) is not None

    def _is_scalar(self, name: str) -> bool:
        """Whether a name is a constant of the script, or an argument of the function that trains."""
        module, scope = self._walk.module, self._start.scope
        if name in self._told or not module.loads(name) or name.startswith("_"):
            return False
        if isinstance(scope, Function) and name in _defaults(scope):
            is_plain = self._start.before[name].what in {"argument", "number", "text", "literal"}
            return is_plain or isinstance(constant(_defaults(scope)[name]), int | float | str)
        return name in module.constants


def _defaults(function: Function) -> dict[str, ast.expr | None]:
    """The arguments of a function with their defaults."""
    given = function.args
    named = [each.arg for each in (*given.posonlyargs, *given.args)]
    missing: list[ast.expr | None] = [None] * (len(named) - len(given.defaults))
    keyword_only = zip([each.arg for each in given.kwonlyargs], given.kw_defaults, strict=True)
    return dict(zip(named, [*missing, *given.defaults], strict=True)) | dict(keyword_only)
