"""Writing: the first format that has the suffix and can hold the object."""

from __future__ import annotations

import pickle
from typing import Any

from specweave_ml.artifacts.formats import Format, is_of, needed
from specweave_ml.artifacts.models import MODEL_FORMATS
from specweave_ml.artifacts.plain import is_array, is_plain, write_json, write_lines, write_text, write_yaml
from specweave_ml.errors import MissingDependency, UsageError


def write_object(obj: Any, path: str, suffix: str) -> str:
    """Write an object to exactly `path`, in the format that `suffix` (such as `.png`) asks for.

    `path` may end in anything: the store lets objects be written beside their place. When the object cannot be
    written, what stands at `path` by then is undefined and for the caller to remove.

    Returns:
        The format's name, as `read_object` takes it: the suffix without its dot, or a library (`xgboost`).

    Raises:
        UsageError: the suffix cannot hold this object; the error names those that can.
        MissingDependency: the format needs a library that is not installed.
    """
    suffix = suffix.lower()
    for form in _FORMATS:
        if suffix in form.suffixes and form.fits(obj):
            form.write(obj, path, suffix)
            return form.library or suffix.removeprefix(".")
    # Text and bytes go under any other suffix too, as they are; text not under one that promises something else.
    if _is_bytes(obj):
        _write_bytes(obj, path, suffix)
    elif _is_text(obj) and suffix not in _BINARY:
        write_text(obj, path, suffix)
    else:
        raise _cannot_hold(obj, suffix)
    return suffix.removeprefix(".") or "file"


def _cannot_hold(obj: object, suffix: str) -> UsageError:
    able = {known: None for form in _FORMATS if form.fits(obj) for known in form.suffixes}
    kind = type(obj)
    return UsageError(
        f"an object of type {kind.__name__} cannot be saved as {suffix or 'a file without a suffix'}",
        received=f"{kind.__module__}.{kind.__qualname__}",
        expected="one of " + " ".join(able),
        next_step=f"give the file a name that ends in {next(iter(able))}",
    )


def _is_bytes(obj: object) -> bool:
    return isinstance(obj, bytes | bytearray)


def _is_text(obj: object) -> bool:
    return isinstance(obj, str)


def _write_bytes(data: bytes, path: str, _suffix: str) -> None:
    with open(path, "wb") as file:
        file.write(data)


def _figure(obj: Any) -> Any:
    """What can `savefig`: a Matplotlib figure, or that of its axes, of a scikit-learn display, of a seaborn grid."""
    for candidate in (obj, getattr(obj, "figure", None), getattr(obj, "figure_", None)):
        if callable(getattr(candidate, "savefig", None)):
            return candidate
    return None


def _has_figure(obj: Any) -> bool:
    return _figure(obj) is not None


def _write_figure(obj: Any, path: str, suffix: str) -> None:
    _figure(obj).savefig(path, format=suffix[1:], bbox_inches="tight")


def _is_plotly(obj: object) -> bool:
    return is_of(obj, "plotly", "BaseFigure")


def _write_plotly(obj: Any, path: str, suffix: str) -> None:
    write_text(obj.to_html() if suffix == ".html" else obj.to_json(pretty=True), path, suffix)


def _write_plotly_picture(obj: Any, path: str, suffix: str) -> None:
    needed("kaleido", "kaleido")
    _write_bytes(obj.to_image(format=suffix[1:]), path, suffix)


def _is_table(obj: object) -> bool:
    return is_of(obj, "pandas", "DataFrame", "Series")


def _write_table(obj: Any, path: str, suffix: str) -> None:
    """The index becomes columns, unless it only counts the rows."""
    frame = _frame(obj)
    counts_rows = is_of(frame.index, "pandas", "RangeIndex") and frame.index.name is None
    frame = frame if counts_rows else frame.reset_index()
    if suffix == ".json":
        frame.to_json(path, orient="records", indent=2)
    elif suffix == ".html":
        frame.to_html(path, index=False)
    else:
        frame.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",", lineterminator="\n")


def _write_parquet(obj: Any, path: str, _suffix: str) -> None:
    try:
        _frame(obj).to_parquet(path)
    except ImportError as error:
        raise MissingDependency(
            "a table needs pyarrow to be saved as .parquet", next_step='pip install "specweave-ml[parquet]"'
        ) from error


def _frame(obj: Any) -> Any:
    if is_of(obj, "pandas", "Series"):
        return obj.to_frame("value" if obj.name is None else obj.name)
    return obj


def _is_flat_array(obj: Any) -> bool:
    return is_array(obj) and 1 <= obj.ndim <= 2 and not obj.dtype.hasobject


def _is_array_without_objects(obj: Any) -> bool:
    return is_array(obj) and not obj.dtype.hasobject  # objects inside an array would be pickled


def _write_array(obj: Any, path: str, suffix: str) -> None:
    numpy = needed("numpy", "numpy")
    with open(path, "wb") as file:
        if suffix == ".npz":
            numpy.savez_compressed(file, obj)
        else:
            numpy.save(file, obj, allow_pickle=False)


def _write_rows(obj: Any, path: str, suffix: str) -> None:
    # "%s" writes each number as short as it can be without losing a digit; the default writes 25 characters.
    needed("numpy", "numpy").savetxt(path, obj, fmt="%s", delimiter="," if suffix == ".csv" else " ", encoding="utf-8")


def _are_lines(obj: object) -> bool:
    return isinstance(obj, list | tuple) and all(isinstance(line, str) for line in obj)


def _write_pickle(obj: Any, path: str, _suffix: str) -> None:
    with open(path, "wb") as file:
        _pickled(obj, lambda: pickle.dump(obj, file, protocol=5))


def _write_joblib(obj: Any, path: str, _suffix: str) -> None:
    joblib = needed("joblib", "joblib")
    _pickled(obj, lambda: joblib.dump(obj, path))


def _pickled(obj: object, dump: Any) -> None:
    try:
        dump()
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"a {type(obj).__name__} that holds something of the moment cannot be pickled: {error}",
            received=f"{type(obj).__module__}.{type(obj).__qualname__}",
            expected="an object whose class and parts can be imported (no lambda, no open file, no lock)",
            next_step="save the part that matters, such as its parameters as .json",
        ) from error


def _anything(obj: object) -> bool:
    return not _is_bytes(obj)  # bytes are a file's content already


_PICTURES = (".png", ".svg", ".pdf", ".jpg", ".jpeg", ".webp")
_TEXT = (".txt", ".md", ".csv", ".tsv", ".html", ".log", "")
_FORMATS = (
    *MODEL_FORMATS,
    Format(_PICTURES, _has_figure, _write_figure),
    Format((".html", ".json"), _is_plotly, _write_plotly),
    Format(_PICTURES, _is_plotly, _write_plotly_picture),
    Format((".csv", ".tsv", ".json", ".html"), _is_table, _write_table),
    Format((".parquet",), _is_table, _write_parquet),
    Format((".npy", ".npz"), _is_array_without_objects, _write_array),
    Format((".csv", ".txt"), _is_flat_array, _write_rows),
    Format(_TEXT, _are_lines, write_lines),
    Format(_TEXT, _is_text, write_text),
    Format((".json",), is_plain, write_json),
    Format((".yaml", ".yml"), is_plain, write_yaml),
    Format((".pkl", ".pickle"), _anything, _write_pickle),
    Format((".joblib",), _anything, _write_joblib),
)
_BINARY = {
    ".png",
    ".pdf",
    ".jpg",
    ".jpeg",
    ".webp",
    ".parquet",
    ".npy",
    ".npz",
    ".ubj",
    ".keras",
    ".safetensors",
    ".pt",
    ".pth",
    ".onnx",
    ".skops",
}
