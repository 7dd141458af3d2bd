"""The params in which experiments differ."""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING, Any

from specweave_ml.analysis.numbers import MISSING
from specweave_ml.analysis.table import Table, natural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from specweave_ml.record import Experiment

MOST_ROWS = 12
"""Params of a table that has a column an experiment."""

MOST_COLUMNS = 8
"""Params of a table that has a row an experiment."""

_FEW = 6

Differing = dict[str, dict[str, Any]]


def differing_params(experiments: Sequence[Experiment]) -> Differing:
    """Param → experiment → value, only for params that are not the same everywhere.

    A param that some experiments do not have differs; those experiments are then missing from its mapping.
    Those that most experiments have come first.
    """
    values: Differing = {}
    for experiment in experiments:
        for param, value in experiment.params.items():
            values.setdefault(param, {})[experiment.name] = value
    total = len(experiments)
    differing = {
        param: by_name
        for param, by_name in values.items()
        if len(by_name) < total or len({sameness(value) for value in by_name.values()}) > 1
    }
    in_order = sorted(differing, key=lambda param: (-len(differing[param]), natural(param)))
    return {param: differing[param] for param in in_order}


def sameness(value: Any) -> str:
    """Equal for values that are the same to a person: 1 and 1.0 are, 1 and True and "1" are not; NaN is itself."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True, default=repr)


def param_text(value: Any) -> str:
    """A value as one would type it."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not isfinite(value):
        return json.dumps(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=repr)
    return repr(value)


def params_table(differing: Mapping[str, Mapping[str, Any]], experiments: Sequence[Experiment]) -> Table:
    """Only what differs: a column an experiment while they are few, else a row an experiment."""
    names = [experiment.name for experiment in experiments]
    few = len(names) <= _FEW
    params = list(differing)
    shown = params[: MOST_ROWS if few else MOST_COLUMNS]
    cells = [[_cell(differing[param], name) for name in names] for param in shown]
    if few:
        titles = ("Param", *names)
        rows = tuple((param, *row) for param, row in zip(shown, cells, strict=True))
    else:
        titles = ("Experiment", *shown)
        rows = tuple((name, *row) for name, row in zip(names, zip(*cells, strict=True), strict=True)) if shown else ()
    return Table(titles, rows, tuple(params[len(shown) :]))


def _cell(by_name: Mapping[str, Any], name: str) -> str:
    return param_text(by_name[name]) if name in by_name else MISSING
