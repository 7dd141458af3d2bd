"""What a script tells another tracker, told to ours in the line behind it; the other calls stay as they are."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from specweave_ml.instrument.kinds import keywords, literal_texts, place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specweave_ml.instrument.flow import Seen, Walk

_OUR_WORD = {"key": "name"}


def told(walk: Walk, seen: Seen) -> Iterator[tuple[str, str, str]]:
    """Name, value and step, as expressions, of each metric that a statement tells."""
    call = _call(seen)
    if call is None or seen.after is None:
        return
    method, given = place(call.func).rpartition(".")[2], keywords(call)
    if walk.module.origin(call.func) == "mlflow.log_metric" or method == "add_scalar":
        names = ("key", "value", "step") if method == "log_metric" else ("tag", "scalar_value", "global_step")
        values = [given.get(name, call.args[at] if at < len(call.args) else None) for at, name in enumerate(names)]
        if all(each is None or walk.kinds.is_repeatable(each, seen.before) for each in values):
            sources = [walk.module.source(each) if each is not None else "" for each in values]
            if sources[0] and sources[1]:
                yield sources[0], sources[1], sources[2]
    elif _is_wandb_log(walk, call) and call.args and isinstance(call.args[0], ast.Dict):
        step = given.get("step")
        said = walk.module.source(step) if step is not None and walk.kinds.is_repeatable(step, seen.before) else ""
        for key, value in zip(call.args[0].keys, call.args[0].values, strict=True):
            is_number = walk.kinds.of(value, seen.before).is_number and walk.kinds.is_repeatable(value, seen.before)
            if key is not None and is_number and literal_texts(key):
                yield walk.module.source(key), walk.module.source(value), said


def told_at_once(walk: Walk, seen: Seen, handle: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Words and lines for the mappings of metrics and the params that a statement tells MLflow, or W&B."""
    call = _call(seen)
    if call is None or seen.after is None:
        return
    origin = walk.module.origin(call.func)
    if origin in {"mlflow.log_metrics", "mlflow.log_params", "mlflow.log_param"}:
        given = [*call.args, *(each.value for each in call.keywords if each.arg in {"key", "value", "step"})]
        if given and len(given) == len(call.args) + len(call.keywords) and _are_repeatable(walk, seen, given):
            arguments = [walk.module.source(each) for each in call.args]
            arguments += [
                f"{_OUR_WORD.get(str(each.arg), each.arg)}={walk.module.source(each.value)}" for each in call.keywords
            ]
            method = origin.removeprefix("mlflow.")
            shows = f"{method.removeprefix('log_')} {arguments[0]}".replace('"', "")
            yield shows, (f"{handle}.{method}({', '.join(arguments)})",)
    elif origin == "wandb.init":
        config = keywords(call).get("config")
        if config is not None and walk.kinds.of(config, seen.before).what in {"mapping", "params"} and place(config):
            yield f"params {place(config)}", (f"{handle}.log_params({place(config)})",)


def _are_repeatable(walk: Walk, seen: Seen, given: list[ast.expr]) -> bool:
    whole = [each.values if isinstance(each, ast.Dict) else [each] for each in given]
    return all(walk.kinds.is_repeatable(each, seen.before) for part in whole for each in part)


def _is_wandb_log(walk: Walk, call: ast.Call) -> bool:
    if walk.module.origin(call.func) == "wandb.log":
        return True
    return walk.module.uses("wandb") and place(call.func).rpartition(".")[2] == "log"


def _call(seen: Seen) -> ast.Call | None:
    value = seen.statement.value if isinstance(seen.statement, ast.Expr | ast.Assign) else None
    return value if isinstance(value, ast.Call) else None
