"""Digests of data that lies in memory: numpy arrays, pandas frames and series."""

from __future__ import annotations

import hashlib
import sys
from typing import Any

LARGEST = 256 << 20
"""Bytes of an object up to which it is worth the time of whoever logs it: about a second."""


def digest_of_object(what: Any) -> dict[str, Any]:
    """`algorithm` and `digest` of an array or a frame; empty for what is larger, or of another kind.

    Types and column names count. pandas hashes the values, and may do so otherwise in another version, so that its
    version is a part of the algorithm's name: digests of different algorithms cannot be compared.
    """
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if pandas is not None and isinstance(what, pandas.DataFrame | pandas.Series):
        return _frame(what, pandas)
    if numpy is not None and isinstance(what, numpy.ndarray):
        return _array(what, numpy)
    return {}


def _array(what: Any, numpy: Any) -> dict[str, Any]:
    if what.nbytes > LARGEST or what.dtype.hasobject:
        return {}
    digest = hashlib.sha256(f"{what.dtype.str}{what.shape}".encode())
    digest.update(numpy.ascontiguousarray(what).data.cast("B") if what.size else b"")
    return {"algorithm": "sha256-of-array", "digest": digest.hexdigest(), "bytes": what.nbytes}


def _frame(what: Any, pandas: Any) -> dict[str, Any]:
    usage = what.memory_usage(deep=False)
    size = int(usage if isinstance(what, pandas.Series) else usage.sum())
    if size > LARGEST:
        return {}
    try:
        values = pandas.util.hash_pandas_object(what, index=True).to_numpy()
    except TypeError:  # a cell that has no hash, such as a list
        return {}
    titles = [str(what.name)] if isinstance(what, pandas.Series) else [str(column) for column in what.columns]
    types = [str(what.dtype)] if isinstance(what, pandas.Series) else [str(kind) for kind in what.dtypes]
    digest = hashlib.sha256(repr((titles, types)).encode("utf-8", "surrogatepass"))
    digest.update(values.astype("<u8").tobytes())
    return {"algorithm": f"pandas-{pandas.__version__}", "digest": digest.hexdigest(), "bytes": size}
