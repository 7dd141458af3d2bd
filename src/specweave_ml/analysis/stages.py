"""The stages of a pipeline as a graph to draw and a table to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from specweave_ml.analysis.numbers import NumberFormat, duration

if TYPE_CHECKING:
    from collections.abc import Sequence

_STATES = frozenset({"planned", "running", "finished", "failed", "killed", "skipped"})
_UNENDED = "not finished"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage.

    Attributes:
        key: a name for the graph, unique and harmless: `s0`, `s1`, ….
        name: as it was given.
        state: planned, running, finished, failed, killed, skipped, or `not finished`, when its process is gone.
        took: how long, as text; empty while it has not ended.
        needs: the keys of the stages it comes after.
        said: its metrics, and what it failed of, in a line.
    """

    key: str
    name: str
    state: str
    took: str
    needs: tuple[str, ...]
    said: str

    @property
    def look(self) -> str:
        """The class that colours it in the graph."""
        return self.state.replace(" ", "-")


def stages_of(rows: Sequence[dict[str, Any]], status: str) -> tuple[Stage, ...]:
    """The stages in the order in which they were planned or begun.

    Args:
        rows: as `Experiment.stages` has them.
        status: of the experiment.
    """
    keys = {str(row.get("name")): f"s{place}" for place, row in enumerate(rows)}
    return tuple(_stage(row, keys, alive=status == "running") for row in rows)


def _stage(row: dict[str, Any], keys: dict[str, str], *, alive: bool) -> Stage:
    name, status, seconds = str(row.get("name")), row.get("status"), row.get("seconds")
    gone = status not in _STATES or (status == "running" and not alive)
    needs = row.get("after")
    return Stage(
        keys[name],
        name,
        _UNENDED if gone else str(status),
        duration(seconds) if isinstance(seconds, int | float) else "",
        tuple(keys[str(need)] for need in needs if str(need) in keys) if isinstance(needs, list) else (),
        _said(row),
    )


def _said(row: dict[str, Any]) -> str:
    number = NumberFormat(".6g")
    metrics, error = row.get("metrics"), row.get("error")
    said = [
        f"{name} {number(value) if isinstance(value, int | float) else value}"
        for name, value in (metrics.items() if isinstance(metrics, dict) else ())
    ]
    if isinstance(error, dict):
        said.append(": ".join(str(error[key]) for key in ("type", "message") if error.get(key)))
    return ", ".join(said)
