"""Looking at everything an experiment says, as reports and people do."""

from __future__ import annotations

from typing import Any

WORDS = (
    "status params metrics metadata description tags notes artifacts data error counts folds repeat_of started ended "
    "duration_seconds kind archived"
).split()


def everything(experiment: Any, *metrics: str) -> dict[str, Any]:
    """All values of an experiment, the histories of these metrics among them; raises what they raise."""
    said = {word: getattr(experiment, word) for word in WORDS}
    for metric in metrics:
        for shown in (False, True):
            history = experiment.history(metric, all=shown)
            said[f"history of {metric}, all={shown}"] = [(point.step, point.value, point.time) for point in history]
    said["problems"] = experiment.problems
    repr(experiment)
    return said
