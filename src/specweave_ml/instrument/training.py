"""Which statements train, by themselves or through a function of the script."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from specweave_ml.instrument.kinds import place
from specweave_ml.instrument.module import Function, Scope, calls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from specweave_ml.instrument.findings import Finding
    from specweave_ml.instrument.flow import Seen, Walk

_WHOLE = re.compile(
    r"(?:xgboost|lightgbm)\.(?:train|cv)|sklearn\.model_selection\.(?:cross_\w+|learning_curve|validation_curve)|"
    r"fasttext\.train_\w+"
)
_FITTING = {"fit", "fit_predict", "fit_generator", "fit_resample", "train"}
_STEPPING = {
    "backward",
    "partial_fit",
    "train_on_batch",
    "minimize",
    "apply_gradients",
    "manual_backward",
    "fit_one_cycle",
}
_BUILT = {"estimator", "search", "optimizer", "keras", "booster", "lightning", "transformers"}


class Training:
    """Which statements train, and which functions.

    Attributes:
        walk: the script.
        findings: what was found to log.
    """

    def __init__(self, walk: Walk, findings: Iterable[Finding]) -> None:
        self.walk = walk
        self._found: dict[int, set[str]] = defaultdict(set)
        for each in findings:
            self._found[id(each.seen.statement)].add(each.name or (each.shows if each.is_curve else ""))
        self._active: dict[int, bool] = {}

    def completes(self, seen: Seen) -> bool:
        """Whether a statement trains a model from beginning to end."""
        for call in calls(seen.statement):
            if _WHOLE.fullmatch(self.walk.module.origin(call.func)):
                return True
            if isinstance(call.func, ast.Attribute) and call.func.attr in _FITTING:
                owner = self.walk.kinds.of(call.func.value, seen.before)
                own = self.walk.kinds.local(call, seen.before) is not None or owner.what in {"transformer", "object"}
                # `model.train()` alone is a mode of PyTorch's modules.
                mode = call.func.attr == "train" and not call.args and owner.what != "transformers"
                if not own and not mode:
                    return True
        return False

    def trains(self, seen: Seen) -> bool:
        """Whether a statement trains, if only by one step."""
        steps = (isinstance(call.func, ast.Attribute) and call.func.attr in _STEPPING for call in calls(seen.statement))
        return self.completes(seen) or any(steps)

    def counts(self, seen: Seen) -> bool:
        """Whether the experiment must have begun before this statement."""
        if self.trains(seen) or self.finds(seen):
            return True
        return any(self.is_active(each) for each in self.called(seen))

    def finds(self, seen: Seen) -> bool:
        """Whether a statement has something to log."""
        return id(seen.statement) in self._found

    def measured_in(self, scope: Scope) -> set[str]:
        """The names of the metrics that are found in a scope."""
        return set().union(*(self._found.get(id(each.statement), set()) for each in self.walk.seen_in(scope))) - {""}

    def called(self, seen: Seen) -> list[Function]:
        """The functions of the script that a statement calls, or hands to somebody who will."""
        if isinstance(seen.statement, Function | ast.ClassDef):
            return []
        functions = []
        for call in calls(seen.statement):
            local = self.walk.kinds.local(call, seen.before)
            handed = [each.id for each in call.args if isinstance(each, ast.Name)]
            handed = [name for name in handed if name not in self.walk.module.methods]
            functions += [local] if local else []
            functions += [self.walk.module.functions[name] for name in handed if name in self.walk.module.functions]
        return functions

    def is_active(self, scope: Scope) -> bool:
        """Whether anything that counts happens in a scope, or in what it calls."""
        if id(scope) not in self._active:
            self._active[id(scope)] = False  # of a function that calls itself
            self._active[id(scope)] = any(map(self.counts, self.walk.seen_in(scope)))
        return self._active[id(scope)]

    def is_whole(self, function: Function) -> bool:
        """Whether each call of a function is a training of its own: it completes one, or builds what it trains."""
        own = self.walk.seen_in(function)
        trained = any(self.trains(each) for each in own)
        return any(map(self.completes, own)) or (trained and any(map(self.builds, own)))

    def builds(self, seen: Seen) -> bool:
        """Whether a statement makes a model, or what trains one."""
        if not isinstance(seen.statement, ast.Assign) or seen.after is None:
            return False
        return self.walk.kinds.of(seen.statement.value, seen.before).what in _BUILT

    def reached(self, block: list[ast.stmt]) -> set[int]:
        """The functions that a block calls or names, at first or second hand."""
        waiting: list[ast.AST] = [*block]
        reached: set[int] = set()
        while waiting:
            for node in ast.walk(waiting.pop()):
                word = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
                for named in (self.walk.module.functions.get(word), self.walk.module.classes.get(word)):
                    if named is not None and id(named) not in reached:
                        reached.add(id(named))
                        waiting.append(named)
        return reached

    def fitted(self, statements: Iterable[ast.stmt]) -> set[str]:
        """The names of what is fitted in these statements."""
        names = set()
        for node in (node for each in statements for node in ast.walk(each)):
            match node:
                case ast.Assign(targets=[target], value=ast.Call(func=ast.Attribute(attr="fit"))):
                    names.add(place(target))
                case ast.Call(func=ast.Attribute(value=owner, attr=method)) if method in {*_FITTING, "partial_fit"}:
                    names.add(place(owner))
                case ast.Call(func=function, args=[first, *_]) if _WHOLE.fullmatch(self.walk.module.origin(function)):
                    names.add(place(first))
        return names
