"""The experiments of a comparison as rows, for programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any

from specweave_ml.analysis.ranking import is_baseline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from specweave_ml.analysis.repeats import Repeats
    from specweave_ml.record import Experiment


@dataclass(frozen=True, slots=True)
class Row:
    """One experiment in a comparison, or several that repeat one another.

    Attributes:
        name: of repeats, the earliest one's.
        status: `finished` competes; `running`, `stale`, `failed` and `killed` do not.
        training_seconds: the logged training time, else the experiment's duration; None when neither is recorded.
        is_baseline: whether tag or name says so.
        reason: why it ended without finishing, as recorded; None when nothing is.
        members: the names of the repeats, of which `metrics` and `training_seconds` are the means; else empty.
        spread: the standard deviation of each metric over the repeats.
    """

    name: str
    status: str
    metrics: dict[str, float]
    training_seconds: float | None
    tags: tuple[str, ...]
    is_baseline: bool
    reason: str | None
    members: tuple[str, ...] = ()
    spread: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form; only repeats have members, their number and a spread."""
        repeats = {"members": list(self.members), "n": len(self.members), "spread": jsonable(dict(self.spread))}
        return {
            "name": self.name,
            "status": self.status,
            "metrics": jsonable(self.metrics),
            "training_seconds": jsonable(self.training_seconds),
            "tags": list(self.tags),
            "baseline": self.is_baseline,
            "reason": self.reason,
            **(repeats if self.members else {}),
        }


def row_of(experiment: Experiment, training_seconds: float | None, repeats: Repeats | None) -> Row:
    """The row of an experiment, or of several that repeat one another."""
    return Row(
        name=experiment.name,
        status=experiment.status,
        metrics=experiment.metrics,
        training_seconds=training_seconds,
        tags=experiment.tags,
        is_baseline=is_baseline(experiment),
        reason=reason(experiment),
        members=repeats.names if repeats else (),
        spread=repeats.spreads() if repeats else {},
    )


def reason(experiment: Experiment) -> str | None:
    """Why an experiment did not finish: the first line of its error as `Type: message`; None when none is recorded."""
    error = experiment.error or {}
    said = [str(error[key]).strip() for key in ("type", "message") if error.get(key)]
    return ": ".join(said).partition("\n")[0] or None


def jsonable(value: Any) -> Any:
    """NaN and the infinities as the strings they are in the record; what JSON has no word for by its repr."""
    if isinstance(value, dict):
        return {key: jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")
    return value if isinstance(value, str | int | float | None) else repr(value)
