"""What libraries keep of a training, and the lines that log it: histories, folds, searches."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from specweave_ml.instrument.kinds import UNKNOWN, Kind, keywords, literal_texts, place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specweave_ml.instrument.flow import Seen, Walk
    from specweave_ml.instrument.module import Module

    Lines = tuple[str, ...]

_EVALUATED = {"xgboost": "evals_result()", "lightgbm": "evals_result_", "catboost": "get_evals_result()"}


def left_by(walk: Walk, seen: Seen, handle: str) -> Iterator[tuple[str, Lines]]:
    """What a statement leaves to log: words for it, and its lines."""
    if seen.after is None:
        return
    if any(loop.folds for loop in seen.loops):
        return  # a curve for each fold is more than one experiment holds
    statement = seen.statement
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        name = place(statement.targets[0])
        yield from _assigned(walk, seen, name, seen.after.get(name, UNKNOWN), handle)
    call = statement.value if isinstance(statement, ast.Expr | ast.Assign) else None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)) or walk.kinds.local(call, seen.before):
        return
    owner = walk.kinds.of(call.func.value, seen.before)
    name = place(call.func.value) and walk.module.source(call.func.value)
    if not name and isinstance(statement, ast.Assign):
        name = place(statement.targets[0])  # `search = GridSearchCV(…).fit(…)`
    if name:
        yield from _called(walk, seen, owner, name, call, handle)


def _assigned(walk: Walk, seen: Seen, name: str, kind: Kind, handle: str) -> Iterator[tuple[str, Lines]]:
    module = walk.module
    if kind.what == "numbers" and kind.call is not None:
        metric, fold, score = _scored(kind.call), module.own("fold"), module.own("score")
        logged = f'    {handle}.log_fold({fold}, {{"{metric}": {score}}})'
        yield f"folds of {metric}", (f"for {fold}, {score} in enumerate({name}):", logged)
    elif kind.what == "folds":
        fold = module.own("fold")
        pairs = f'for key, scores in {name}.items() if key.startswith("test_")'
        scores = f'{{f"cv_{{key[5:]}}": scores[{fold}] {pairs}}}'
        loop = f'for {fold} in range(len({name}["fit_time"])):'
        yield "folds of every score", (loop, f"    {handle}.log_fold({fold}, {scores})")
    elif kind.what == "booster":
        curves = _curves_of(walk, seen, kind)
        if curves:
            yield "evaluation curves", _nested(module, curves, handle)
    elif kind.what == "history":
        yield "metrics of each epoch", _epochs(module, f"{name}.history", handle)
    elif kind.what in {"keras metrics", "transformers metrics"}:
        yield f"the numbers in {name}", (f"{handle}.log_metrics({_only_numbers(name)})",)


def _called(walk: Walk, seen: Seen, owner: Kind, name: str, call: ast.Call, handle: str) -> Iterator[tuple[str, Lines]]:
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if owner.what == "search" and method == "fit" and _has_best(owner.call):
        yield from _search(walk, name, owner, handle)
    elif owner.what == "estimator" and method == "fit" and _evaluates(walk, seen, call):
        yield "evaluation curves", _nested(walk.module, f"{name}.{_EVALUATED.get(owner.detail, '')}", handle)
    elif owner.what == "keras" and method == "fit":
        yield "params of the optimizer", (f"{handle}.log_params({name}.optimizer.get_config())",)
        if not isinstance(seen.statement, ast.Expr):
            return
        yield "metrics of each epoch", _epochs(walk.module, f"{name}.history.history", handle)
    elif owner.what == "lightning" and method in {"fit", "validate", "test"}:
        yield f"what trainer.{method} measured", (f"{handle}.log_metrics({name}.callback_metrics)",)
    elif owner.what == "transformers" and method == "train":
        row = walk.module.own("row")
        numbers = _only_numbers(row)
        yield (
            "metrics of each logged step",
            (f"for {row} in {name}.state.log_history:", f'    {handle}.log_metrics({numbers}, step={row}["step"])'),
        )
    elif owner.what == "transformers" and method == "evaluate" and isinstance(seen.statement, ast.Expr):
        yield "metrics of the evaluation", (f"{handle}.log_metrics({_only_numbers(f'{name}.state.log_history[-1]')})",)


def _search(walk: Walk, name: str, search: Kind, handle: str) -> Iterator[tuple[str, Lines]]:
    yield "best params of the search", (f"{handle}.log_params({name}.best_params_)",)
    scoring = keywords(search.call).get("scoring")
    if scoring is None or (isinstance(scoring, ast.Constant) and isinstance(scoring.value, str | None)):
        metric = _scored(search.call)
        fold = walk.module.own("fold")
        scores = f'{name}.cv_results_[f"split{{{fold}}}_test_score"][{name}.best_index_]'
        yield (
            f"folds of {metric}, of the best candidate",
            (f"for {fold} in range({name}.n_splits_):", f'    {handle}.log_fold({fold}, {{"{metric}": {scores}}})'),
        )
    else:
        yield "best score of the search", (f'{handle}.log_metric("best_score", {name}.best_score_)',)


def _has_best(call: ast.Call | None) -> bool:
    """Whether a search is sure to have a best candidate: with several scores only where one is named to refit by."""
    given = keywords(call)
    if call is None or len(given) < len(call.keywords):
        return False
    scoring, refit = given.get("scoring"), given.get("refit")
    one = scoring is None or (isinstance(scoring, ast.Constant) and isinstance(scoring.value, str | None))
    several = bool(literal_texts(scoring)) and not one
    if refit is None:
        return one
    return isinstance(refit, ast.Constant) and (one or (several and isinstance(refit.value, str)))


def _scored(call: ast.Call | None) -> str:
    names = literal_texts(keywords(call).get("scoring"))
    return f"cv_{names[0]}" if len(names) == 1 else "cv_score"


def _curves_of(walk: Walk, seen: Seen, booster: Kind) -> str:
    """The mapping that a booster's training filled with a value for each round."""
    given = keywords(booster.call)
    result = given.get("evals_result")
    if booster.detail == "xgboost" and result is not None and walk.kinds.of(result, seen.before).what == "mapping":
        return place(result)
    callbacks = given.get("callbacks")
    for each in callbacks.elts if isinstance(callbacks, ast.List | ast.Tuple) else []:
        if isinstance(each, ast.Call) and each.args and walk.module.origin(each.func).endswith(".record_evaluation"):
            return place(each.args[0])
    return ""


def _evaluates(walk: Walk, seen: Seen, call: ast.Call) -> bool:
    """Whether a `fit` is sure to have data to evaluate on."""
    given = walk.kinds.of(keywords(call).get("eval_set"), seen.before)
    return given.what == "tuple" and bool(given.parts)


def _nested(module: Module, curves: str, handle: str) -> Lines:
    data, scores, metric, values, step, value = map(module.own, ("data", "curves", "metric", "values", "step", "value"))
    return (
        f"for {data}, {scores} in {curves}.items():",
        f"    for {metric}, {values} in {scores}.items():",
        f"        for {step}, {value} in enumerate({values}):",
        f'            {handle}.log_metric(f"{{{data}}} {{{metric}}}", {value}, step={step})',
    )


def _epochs(module: Module, history: str, handle: str) -> Lines:
    metric, values, epoch, value = map(module.own, ("metric", "values", "epoch", "value"))
    return (
        f"for {metric}, {values} in {history}.items():",
        f"    for {epoch}, {value} in enumerate({values}):",
        f"        if isinstance({value}, (int, float)):",
        f"            {handle}.log_metric({metric}, {value}, step={epoch})",
    )


def _only_numbers(mapping: str) -> str:
    return f"{{key: value for key, value in {mapping}.items() if isinstance(value, float)}}"
