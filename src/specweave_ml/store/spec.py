"""The text of an increment's spec.md, which is SpecWeave's: read for its targets, never written."""

from __future__ import annotations

from specweave_ml.errors import StoreError
from specweave_ml.store.reader import read_small_file

SPEC_LIMIT = 256_000
"""Bytes; a larger one is not read."""


def read_spec(increment: str) -> tuple[str, list[str]]:
    """The text, empty where there is none, and why it could not be read.

    Args:
        increment: the increment's folder.
    """
    try:
        return read_small_file(f"{increment}/spec.md", SPEC_LIMIT).decode(errors="replace"), []
    except FileNotFoundError:
        return "", []
    except OSError as error:
        why = error.what if isinstance(error, StoreError) else error.strerror
        return "", [f"spec.md was not read for targets: {why}"]
