"""Runs that another tool recorded, and what a source of them has to give. The store makes experiments of them.

A source reads; nothing of it is written. Every run has an id that never changes and a version that changes with its
content, so that pulling twice changes nothing and pulling later brings what is new.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

ForeignStatus = Literal["running", "finished", "failed", "killed"]


class ForeignPoint(NamedTuple):
    """One value of a metric: its step (None: none), and milliseconds since 1970 (None: not recorded)."""

    metric: str
    step: float | None
    value: float
    time: int | None


@dataclass(frozen=True, slots=True)
class ForeignRun:
    """One run of another tool in our words.

    Attributes:
        id: unique and stable, with the tool in front: `mlflow:4b1c…`.
        version: changes whenever anything of the run does.
        name: what it is called there; the experiment's name comes from it.
        status: in our terms.
        started: milliseconds since 1970.
        ended: the same; None while it runs.
        params: name → value.
        points: of all metrics, each metric's in the order in which they were logged.
        tags: words.
        notes: texts.
        data: data sets, as `log_dataset` records them.
        artifacts: name → a file to copy.
        facts: further keys of metadata.yaml, such as a description.
        left_out: what could not be carried over, each in a few words.
    """

    id: str
    version: str
    name: str
    status: ForeignStatus
    started: int
    ended: int | None
    params: Mapping[str, Any] = field(default_factory=dict)
    points: Iterable[ForeignPoint] = ()
    tags: Sequence[str] = ()
    notes: Sequence[str] = ()
    data: Sequence[Mapping[str, Any]] = ()
    artifacts: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    left_out: Sequence[str] = ()


class Unreadable(NamedTuple):
    """A file of a source that cannot be read: the others are imported all the same."""

    path: str
    why: str


class Source(Protocol):
    """Where runs come from: a folder, a database, a live tracker."""

    tool: str

    def versions(self) -> Mapping[str, str]:
        """The id and version of every run, found without reading the runs themselves."""

    def runs(self, ids: Sequence[str]) -> Iterator[ForeignRun | Unreadable]:
        """These runs, whole, one at a time."""
