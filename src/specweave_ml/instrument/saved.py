"""The files in which a script saves models, copied into the experiment behind the line that saves."""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING

from specweave_ml.instrument.kinds import keywords, place
from specweave_ml.instrument.module import calls
from specweave_ml.store import layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specweave_ml.instrument.flow import Seen, Walk

_SAVING = {"joblib.dump", "torch.save", "safetensors.torch.save_file"}  # the path comes second
_DUMPING = {"pickle.dump", "dill.dump", "cloudpickle.dump", "joblib.dump"}  # so does the file
_METHODS = {"save": ("keras",), "save_model": ("booster", "estimator", "transformers")}


def files(walk: Walk, seen: Seen, handle: str) -> Iterator[tuple[str, tuple[str, ...]] | str]:
    """Words and lines for each file that a statement saves; a sentence for what is not copied."""
    if seen.after is None:
        return
    if isinstance(seen.statement, ast.With):
        # `with open(path, "wb") as file: pickle.dump(model, file)`: the file is whole behind the block.
        within = [call for each in seen.statement.body for call in calls(each)]
        paths = [_opened(item.context_expr) for item in seen.statement.items]
        if not any(walk.module.origin(call.func) in _DUMPING for call in within):
            return
    else:
        paths = [_saved(walk, seen, call) for call in calls(seen.statement)]
    yield from (_copied(walk, seen, path, handle) for path in paths if path is not None)


def _saved(walk: Walk, seen: Seen, call: ast.Call) -> ast.expr | None:
    """The path in which a call saves a model."""
    origin = walk.module.origin(call.func)
    if origin in _SAVING and len(call.args) > 1:
        return call.args[1]
    if origin in _DUMPING and len(call.args) > 1:
        return _opened(call.args[1])
    if origin or not isinstance(call.func, ast.Attribute):
        return None
    if walk.kinds.of(call.func.value, seen.before).what in _METHODS.get(call.func.attr, ()):
        return call.args[0] if call.args else keywords(call).get("filepath", keywords(call).get("fname"))
    return None


def _opened(node: ast.expr) -> ast.expr | None:
    is_open = isinstance(node, ast.Call) and place(node.func) == "open" and len(node.args) > 1
    return node.args[0] if is_open and isinstance(node, ast.Call) else None


def _copied(walk: Walk, seen: Seen, path: ast.expr, handle: str) -> tuple[str, tuple[str, ...]] | str:
    if seen.loops and not (seen.outer and isinstance(seen.outer[-1], ast.If)):
        return "it is saved again and again in a loop; exp.log_artifact(path) behind the loop keeps the last one"
    name = _name(path, walk, seen)
    if name is None:
        return "it may be a folder, or no path at all; exp.log_artifact(path) copies it"
    return name, (f"{handle}.log_artifact({walk.module.source(path)})",)


def _name(path: ast.expr, walk: Walk, seen: Seen) -> str | None:
    """The name of the file, or of the variable that has its path; None where it may not be one that can be kept."""
    if isinstance(path, ast.Constant) and isinstance(path.value, str):
        name = os.path.basename(path.value)
        is_file = bool(os.path.splitext(name)[1]) and "://" not in path.value
        return name if is_file and name not in layout._NEAREST_FREE else None
    if "FileType" in walk.module.text:
        return None  # an argument may be an open file
    is_path = walk.kinds.of(path, seen.before).what in {"path", "argument", "text"}
    return walk.module.source(path) if is_path and walk.kinds.is_repeatable(path, seen.before) else None
