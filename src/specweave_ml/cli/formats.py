"""Rows of an export as CSV, JSON lines or Parquet. A row is a flat mapping; not every row has every column."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from specweave_ml.errors import MissingDependency
from specweave_ml.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    FlatRow = Mapping[str, Any]

_GROUPS = ("metric.", "param.")


def columns(rows: Iterable[FlatRow]) -> list[str]:
    """Every column that some row has: the plain ones first, then the metrics, then the params."""
    names = dict.fromkeys(name for row in rows for name in row)
    return sorted(
        names, key=lambda name: next((at for at, group in enumerate(_GROUPS, 1) if name.startswith(group)), 0)
    )


def csv_text(rows: Sequence[FlatRow]) -> str:
    """A header and a line a row; an absent value is empty, NaN and the infinities have the record's names.

    What nobody can see is written as an escape, as on a terminal; JSON and Parquet keep it exactly.
    """
    import csv

    text = io.StringIO()
    names = columns(rows)
    table = csv.writer(text, lineterminator="\n")
    table.writerow(map(visible, names))
    table.writerows([visible(_as_text(row.get(name))) for name in names] for row in rows)
    return text.getvalue()


def _as_text(value: Any) -> str:
    from specweave_ml.analysis.params import param_text

    return "" if value is None else param_text(value)


def json_lines(rows: Iterable[Any]) -> bytes:
    """A JSON value a line."""
    from specweave_ml.cli.output import encode

    return b"".join(encode(row) + b"\n" for row in rows)


def parquet(rows: Sequence[FlatRow]) -> bytes:
    """A Parquet file. A column whose values are of several types, or are no plain values, becomes text.

    Raises:
        MissingDependency: pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependency(
            "Parquet needs pyarrow", expected="the extra [parquet]", next_step="pip install 'specweave-ml[parquet]'"
        ) from error
    table = pyarrow.table(
        {_encodable(name): _arrow_column([row.get(name) for row in rows], pyarrow) for name in columns(rows)}
    )
    buffer = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, buffer)
    data: bytes = buffer.getvalue().to_pybytes()
    return data


def _encodable(text: str) -> str:
    """The text with what UTF-8 cannot hold, a lone surrogate, as an escape."""
    return text.encode("utf-8", "backslashreplace").decode()


def _arrow_column(values: list[Any], pyarrow: Any) -> Any:
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and len(kinds) == 2:
        values = [None if value is None else float(value) for value in values]
    elif not (len(kinds) == 1 and kinds <= {int, float, bool, str}):
        values = [None if value is None else _as_text(value) for value in values]
    if kinds == {int} and any(value is not None and value.bit_length() > 63 for value in values):
        values = [None if value is None else str(value) for value in values]
    return pyarrow.array([_encodable(value) if isinstance(value, str) else value for value in values])
