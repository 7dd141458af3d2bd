"""Experiments as the JSON that `list`, `show` and `export` print."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from specweave_ml.store.codec import number_to_json, param_to_json
from specweave_ml.store.decision import read_decision
from specweave_ml.store.layout import DECISION

if TYPE_CHECKING:
    from specweave_ml.project import Increment
    from specweave_ml.record import Experiment
    from specweave_ml.store.decision import Decision

# Keys of metadata.yaml that `show` adds where an experiment has them.
_SOMETIMES = ("author", "repeat_of", "original_name", "command", "counts", "outcomes", "stages", "trials", "folds")
_TROUBLE = ("sessions", "dropped", "incomplete", "sync_failed")


def decision_of(where: Increment) -> Decision:
    """What the increment's decision.md says."""
    return read_decision(f"{where.experiments}/{DECISION}")


def row(experiment: Experiment, selected: str | None) -> dict[str, Any]:
    """One experiment of a list. `kind`, `archived` and `verified` are there only where they say something."""
    return {
        "name": experiment.name,
        "status": experiment.status,
        "started": experiment.value("started"),
        "duration_seconds": experiment.duration_seconds,
        "params": {name: param_to_json(value) for name, value in experiment.params.items()},
        "metrics": {name: number_to_json(value) for name, value in experiment.metrics.items()},
        "tags": list(experiment.tags),
        "selected": experiment.name == selected,
        **({"kind": experiment.kind} if experiment.kind != "experiment" else {}),
        **({"archived": True} if experiment.archived else {}),
        **({"verified": verified} if (verified := experiment.value("verified")) else {}),
    }


def details(experiment: Experiment, where: Increment, selected: str | None) -> dict[str, Any]:
    """Everything that is known of one experiment."""
    metadata = param_to_json(experiment.metadata)
    known = {
        **row(experiment, selected),
        "kind": experiment.kind,
        "archived": experiment.archived,
        "increment": where.name,
        "path": os.path.relpath(experiment.path, where.root),
        "ended": metadata.get("ended"),
        "description": experiment.description,
        "notes": metadata.get("notes", []),
        "artifacts": experiment.artifacts,
        "code": metadata.get("code"),
        "environment": metadata.get("environment"),
        "data": metadata.get("data", []),
        "error": metadata.get("error"),
        "capture": metadata.get("capture"),
    }
    extra = {key: metadata[key] for key in (*_SOMETIMES, *_TROUBLE) if metadata.get(key)}
    files = {"files": metadata["files"]} if experiment.kind != "experiment" and metadata.get("files") else {}
    problems = {"problems": list(experiment.problems)} if experiment.problems else {}
    return {**known, **extra, **_finding(experiment), **files, **problems}


def _finding(experiment: Experiment) -> dict[str, str]:
    """What a search says of its params, in a sentence."""
    if not experiment.value("trials"):
        return {}
    from specweave_ml.search_report import kept_finding

    found = kept_finding(experiment)
    return {"finding": found.sentence} if found else {}
