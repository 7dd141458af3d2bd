"""The entries of `capture.missing`: what a record does not hold, why, and what a person can do about it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# What a step of the capture returns: the keys it found for its section of metadata.yaml, and the gaps.
Found = tuple[dict[str, object], list[dict[str, str]]]

_PENDING = "captured in the background; the process ended before it was done"


def gap(what: str, why: str, mend: str) -> dict[str, str]:
    """One entry: `what` is a key of metadata.yaml such as `code.dirty`."""
    return {"what": what, "why": why, "mend": mend}


def pending(what: str) -> dict[str, str]:
    """What the background part is still to fill in: true as it stands if the process is killed before."""
    return gap(what, _PENDING, "let the next run live for a second")


def is_pending(entry: Mapping[str, str]) -> bool:
    """Whether the entry was made by `pending`."""
    return entry["why"] == _PENDING
