"""Stages of a pipeline: what a call says as a journal line."""

from __future__ import annotations

from specweave_ml.errors import UsageError
from specweave_ml.redact import redact_text, redact_value
from specweave_ml.store.codec import check_name, metric_number, number_to_json, param_to_json
from specweave_ml.store.fold import RUNNING, iso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

STATUSES = ("planned", RUNNING, "finished", "failed", "killed", "skipped")


def stage_line(
    name: str,
    status: str,
    now: int,
    *,
    after: Iterable[str] = (),
    seconds: float | None = None,
    params: Mapping[str, Any] | None = None,
    metrics: Mapping[str, Any] | None = None,
    artifacts: Iterable[str] = (),
) -> dict[str, Any]:
    """What a journal keeps of a stage; what is empty or unknown is left out.

    Args:
        name: what it is called.
        status: one of `STATUSES`.
        now: in milliseconds since 1970; a stage that begins keeps it.
        after: the stages that it needs.
        seconds: how long it took.
        params: its own ones.
        metrics: its own ones, name → last value.
        artifacts: the names of what it saved.

    Raises:
        UsageError: it has no name, a metric is no number, or the status is none.
    """
    if status not in STATUSES:
        raise UsageError("a stage has no such status", received=status, expected=f"one of {', '.join(STATUSES)}")
    row = {
        "name": redact_text(check_name("stage", name)),
        "after": [redact_text(need) for need in after],
        "status": status,
        "started": iso(now) if status == RUNNING else None,
        "seconds": None if seconds is None else round(seconds, 3),
        "params": {key: redact_value(key, param_to_json(value)) for key, value in (params or {}).items()},
        "metrics": {key: number_to_json(metric_number(key, value)) for key, value in (metrics or {}).items()},
        "artifacts": list(artifacts),
    }
    return {key: value for key, value in row.items() if value is not None and value not in ({}, [])}
