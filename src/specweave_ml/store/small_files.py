"""What the small files of an experiment say, as bytes: the same for who writes them and for who checks them."""

from __future__ import annotations

import hashlib
import os

from specweave_ml.store.codec import encode, number_to_json
from specweave_ml.store.fold import RUNNING
from specweave_ml.store.layout import METADATA, METRICS, PARAMS, READ
from specweave_ml.store.metadata import dump_metadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from specweave_ml.store.fold import State

EMPTY = b"{}\n"


def small_files(state: State, digests: dict[str, dict[str, Any]], *, unsettled: bool) -> dict[str, bytes]:
    """File name → the bytes that a state gives.

    Args:
        state: what the journals say.
        digests: lines, bytes and sha256 of each journal, of an experiment that has ended; empty while it runs.
        unsettled: other processes may still write, so that readers must take the journals.
    """
    metadata = state.metadata()
    if unsettled:
        metadata["unsettled"] = True
    if digests:
        metadata["journals"] = digests
    else:
        metadata["status"] = RUNNING  # a status said in words does not end it: readers go on with the journals
    return {
        METADATA: dump_metadata(metadata),
        PARAMS: object_lines(state.params),
        METRICS: object_lines({name: number_to_json(value) for name, value in state.metrics.items()}),
    }


def object_lines(values: dict[str, Any]) -> bytes:
    """A JSON object with a line a key, which git diffs well."""
    if not values:
        return EMPTY
    if any(isinstance(value, dict | list) for value in values.values()):
        rows = b",\n  ".join(b"%s: %s" % (encode(name), encode(value)) for name, value in values.items())
    else:
        rows = encode(values, a_line_a_key=True)[1:-1]
    return b"{\n  %s\n}\n" % rows


def digest(path: str, size: int) -> dict[str, Any]:
    """Lines, bytes and sha256 of the first `size` bytes of a journal: what finds a flipped digit years later."""
    sha = hashlib.sha256()
    lines = done = 0
    descriptor = os.open(path, READ)
    try:
        while done < size and (piece := os.read(descriptor, min(1 << 20, size - done))):
            sha.update(piece)
            lines += piece.count(b"\n")
            done += len(piece)
    finally:
        os.close(descriptor)
    return {"lines": lines, "bytes": done, "sha256": sha.hexdigest()}
