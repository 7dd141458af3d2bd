"""The formats that belong to one model library each."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from specweave_ml.artifacts.formats import Format, is_of, needed
from specweave_ml.errors import UsageError


def model_suffix(model: object) -> str:
    """The suffix of a model's file when the caller gives no name: its library's own format, or `.pkl`."""
    for fits, suffix in ((_is_xgboost, ".ubj"), (_is_lightgbm, ".txt"), (_is_keras, ".keras"), (_is_torch, ".pt")):
        if fits(model):
            return suffix
    return ".pkl"


def _is_xgboost(obj: object) -> bool:
    return is_of(obj, "xgboost", "Booster", "XGBModel")


def _is_lightgbm(obj: object) -> bool:
    return is_of(obj, "lightgbm", "Booster", "LGBMModel")


def _is_keras(obj: object) -> bool:
    return is_of(obj, "keras", "Model") or is_of(obj, "tensorflow", "Model")


def _is_module(obj: object) -> bool:
    return is_of(obj, "torch", "Module")


def _is_torch(obj: object) -> bool:
    if isinstance(obj, Mapping):
        return bool(obj) and all(isinstance(key, str) and is_of(each, "torch", "Tensor") for key, each in obj.items())
    return _is_module(obj)


def _is_sklearn(obj: object) -> bool:
    return is_of(obj, "sklearn", "BaseEstimator")


def _is_onnx(obj: object) -> bool:
    return is_of(obj, "onnx", "ModelProto")


def _under_own_suffix(write: Callable[[str], object], path: str, suffix: str) -> None:
    """Call a writer that looks at the suffix of the path it is given, and bring the file to its place."""
    if path.endswith(suffix):
        write(path)
        return
    beside = path + suffix
    try:
        write(beside)
        os.replace(beside, path)
    finally:
        if os.path.exists(beside):
            os.unlink(beside)


def _write_xgboost(model: Any, path: str, suffix: str) -> None:
    _under_own_suffix(model.save_model, path, suffix)


def _write_keras(model: Any, path: str, suffix: str) -> None:
    _under_own_suffix(model.save, path, suffix)


def _write_lightgbm(model: Any, path: str, _suffix: str) -> None:
    booster = model.booster_ if is_of(model, "lightgbm", "LGBMModel") else model
    booster.save_model(path)


def _write_torch(obj: Any, path: str, _suffix: str) -> None:
    # A pickled module needs its class at the very same place when it is read; its state needs nothing.
    needed("torch", "torch").save(obj.state_dict() if _is_module(obj) else obj, path)


def _write_safetensors(obj: Any, path: str, _suffix: str) -> None:
    library = needed("safetensors.torch", "safetensors")
    if _is_module(obj):
        library.save_model(obj, path)  # unlike save_file it knows what to do with tensors that share memory
    else:
        library.save_file({name: tensor.contiguous() for name, tensor in obj.items()}, path)


def _write_skops(model: Any, path: str, _suffix: str) -> None:
    needed("skops.io", "skops").dump(model, path)


def _write_onnx(model: Any, path: str, _suffix: str) -> None:
    if not _is_onnx(model):
        model = _sklearn_as_onnx(model)
    with open(path, "wb") as file:
        file.write(model.SerializeToString())


def _sklearn_as_onnx(model: Any) -> Any:
    """The model as a graph whose one input, `X`, is a table of floats."""
    converter = needed("skl2onnx", "skl2onnx")
    table = needed("skl2onnx.common.data_types", "skl2onnx").FloatTensorType
    if not hasattr(model, "n_features_in_"):
        raise UsageError(
            f"this {type(model).__name__} is not fitted, so its ONNX inputs are not known",
            expected="a fitted model",
            next_step="fit it first, or save it as .pkl",
        )
    return converter.convert_sklearn(model, initial_types=[("X", table([None, model.n_features_in_]))])


def _is_onnx_or_sklearn(obj: object) -> bool:
    return _is_onnx(obj) or _is_sklearn(obj)


def _is_torch_or_tensor(obj: object) -> bool:
    return _is_torch(obj) or is_of(obj, "torch", "Tensor")


MODEL_FORMATS = (
    Format((".json", ".ubj"), _is_xgboost, _write_xgboost, "xgboost"),
    Format((".txt",), _is_lightgbm, _write_lightgbm, "lightgbm"),
    Format((".keras",), _is_keras, _write_keras),
    Format((".safetensors",), _is_torch, _write_safetensors),
    Format((".pt", ".pth"), _is_torch_or_tensor, _write_torch),
    Format((".onnx",), _is_onnx_or_sklearn, _write_onnx),
    Format((".skops",), _is_sklearn, _write_skops),
)
