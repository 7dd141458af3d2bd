"""Reading: data comes back as data, and nothing that can run code is loaded unless the caller trusts it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from specweave_ml.artifacts.formats import needed
from specweave_ml.errors import NotFound, Refused, SpecweaveError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

_PLAIN_TEXT = {"txt", "md", "html", "svg", "log", "rst", "toml", "ini", "cfg", "in", "xml", "py"}


def read_object(path: str | os.PathLike[str], *, trusted: bool = False, format: str | None = None) -> Any:  # noqa: A002 - the record's own word
    """What an artifact file holds.

    A table comes back as a DataFrame, an array as an array (`.npz`: a dict of arrays), `.json` and `.yaml` as dicts
    and lists, text as str, XGBoost and LightGBM models as Boosters, a torch file as its state dict, a picture or
    anything unknown as bytes.

    Args:
        path: the file.
        trusted: load formats that can run code when they are loaded: pickle, joblib, torch, skops, Keras, and arrays
            of Python objects. Only for files whose writer you know.
        format: the format as recorded with the artifact; by default the suffix says it.

    Raises:
        NotFound: there is no such file.
        Refused: loading it can run code, and it is not trusted.
        StoreError: the file is damaged, or is not what its suffix says.
        MissingDependency: its library is not installed.
    """
    file = os.fspath(path)
    if not os.path.isfile(file):
        raise NotFound("there is no such artifact", path=file, next_step="list the artifacts of its experiment")
    kind = format or os.path.splitext(file)[1].lower().removeprefix(".")
    if kind in _RUNS_CODE and not trusted:
        raise _not_trusted(file, kind)
    try:
        if kind in {"npy", "npz"}:
            return _array(file, trusted=trusted)
        return (_READERS | _RUNS_CODE).get(kind, _bytes)(file)
    except (SpecweaveError, OSError, MemoryError):
        raise
    except Exception as error:  # every library has exceptions of its own for a damaged file
        raise StoreError(
            f"this cannot be read as {kind or 'text'}: {error}",
            path=file,
            expected="a whole file of the kind its name says",
            next_step="restore the file, or run the experiment again",
        ) from error


def _not_trusted(file: str, kind: str) -> Refused:
    return Refused(
        f"loading this {kind} file can run any code that its writer put in",
        path=file,
        expected="trusted=True, for a file whose writer you know",
        next_step="read_object(path, trusted=True)",
    )


def _bytes(file: str) -> bytes:
    with open(file, "rb") as stream:
        return stream.read()


def _text(file: str) -> str:
    return _bytes(file).decode("utf-8")


def _json(file: str) -> Any:
    return json.loads(_bytes(file))


def _yaml(file: str) -> Any:
    import yaml

    return yaml.load(_bytes(file), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe


def _table(file: str) -> Any:
    return needed("pandas", "pandas").read_csv(file, sep="\t" if file.lower().endswith(".tsv") else ",")


def _parquet(file: str) -> Any:
    needed("pyarrow", "pyarrow")
    return needed("pandas", "pandas").read_parquet(file)


def _array(file: str, *, trusted: bool) -> Any:
    numpy = needed("numpy", "numpy")
    try:
        with open(file, "rb") as stream:
            loaded = numpy.load(stream, allow_pickle=trusted)
            return {name: loaded[name] for name in loaded.files} if hasattr(loaded, "files") else loaded
    except ValueError as error:
        if trusted or "allow_pickle" not in str(error):
            raise
        raise _not_trusted(file, "array") from error


def _xgboost(file: str) -> Any:
    booster = needed("xgboost", "xgboost").Booster()
    booster.load_model(file)
    return booster


def _lightgbm(file: str) -> Any:
    return needed("lightgbm", "lightgbm").Booster(model_file=file)


def _safetensors(file: str) -> Any:
    return needed("safetensors.torch", "safetensors").load_file(file)


def _onnx(file: str) -> Any:
    # A model may keep its weights in other files, at paths of its writer's choice: those are not followed.
    return needed("onnx", "onnx").load(file, load_external_data=False)


def _pickle(file: str) -> Any:
    import pickle

    with open(file, "rb") as stream:
        return pickle.load(stream)  # noqa: S301 - reached only with trusted=True


def _joblib(file: str) -> Any:
    return needed("joblib", "joblib").load(file)


def _torch(file: str) -> Any:
    return needed("torch", "torch").load(file, map_location="cpu", weights_only=False)


def _skops(file: str) -> Any:
    io = needed("skops.io", "skops")
    return io.load(file, trusted=io.get_untrusted_types(file=file))


def _keras(file: str) -> Any:
    return needed("keras", "keras").saving.load_model(file, safe_mode=False)


_READERS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(_PLAIN_TEXT, _text),
    "json": _json,
    "yaml": _yaml,
    "yml": _yaml,
    "csv": _table,
    "tsv": _table,
    "parquet": _parquet,
    "xgboost": _xgboost,
    "ubj": _xgboost,
    "lightgbm": _lightgbm,
    "safetensors": _safetensors,
    "onnx": _onnx,
}
_RUNS_CODE: dict[str, Callable[[str], Any]] = {
    "pkl": _pickle,
    "pickle": _pickle,
    "joblib": _joblib,
    "pt": _torch,
    "pth": _torch,
    "skops": _skops,
    "keras": _keras,
    "h5": _keras,
}
