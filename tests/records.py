"""`Experiment` values made in memory, for tests of what only reads them."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from specweave_ml.record import Experiment, History

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from specweave_ml.record import Kind

INCREMENT = "0042-recommendation-model"


@dataclass(frozen=True)
class InMemory:
    """A `Source` that has everything at hand."""

    state: str
    given_params: Mapping[str, Any] = field(default_factory=dict)
    given_metrics: Mapping[str, float] = field(default_factory=dict)
    given_metadata: Mapping[str, Any] = field(default_factory=dict)
    given_trials: Sequence[dict[str, Any]] = ()

    def status(self) -> str:
        return self.state

    def params(self) -> dict[str, Any]:
        return dict(self.given_params)

    def metrics(self) -> dict[str, float]:
        return dict(self.given_metrics)

    def metadata(self) -> dict[str, Any]:
        return dict(self.given_metadata)

    def value(self, key: str) -> Any:
        return self.given_metadata.get(key)

    def history(self, metric: str, *, all_sessions: bool) -> History:
        values = [self.given_metrics[metric]] if metric in self.given_metrics else []
        return History(metric, [None] * len(values), array("d", values), array("q", [0] * len(values)))

    def trials(self) -> tuple[dict[str, Any], ...]:
        return tuple(self.given_trials)

    def problems(self) -> tuple[str, ...]:
        return ()


def experiment(
    name: str,
    metrics: Mapping[str, float] | None = None,
    *,
    status: str = "finished",
    params: Mapping[str, Any] | None = None,
    seconds: float | None = None,
    tags: Sequence[str] = (),
    notes: Sequence[str] = (),
    error: Mapping[str, str] | None = None,
    kind: Kind = "experiment",
    archived: bool = False,
    **metadata: Any,
) -> Experiment:
    """One experiment as a reader would give it."""
    known = {
        "tags": list(tags),
        "notes": [{"text": text} for text in notes],
        "error": error,
        "duration_seconds": seconds,
        **metadata,
    }
    source = InMemory(
        status, params or {}, metrics or {}, {key: value for key, value in known.items() if value is not None}
    )
    return Experiment(name, INCREMENT, source, path=f"experiments/{name}", kind=kind, archived=archived)


def cross_validated(
    name: str,
    scores: Mapping[str, Sequence[float]],
    *,
    n_train: int | None = 800,
    n_test: int | None = 200,
    split: str | None = "split",
    **said: Any,
) -> Experiment:
    """An experiment with a fold for every score, and the mean as the metric's value, as `log_fold` would leave it.

    Folds of two experiments are the same where `split` is.
    """
    folds = [
        {
            "i": index,
            "repeat": 0,
            "m": dict(zip(scores, row, strict=True)),
            **({} if n_train is None else {"n_train": n_train}),
            **({} if n_test is None else {"n_test": n_test}),
            **({} if split is None else {"split": f"{split}-{index}"}),
        }
        for index, row in enumerate(zip(*scores.values(), strict=True))
    ]
    means = {metric: sum(values) / len(values) for metric, values in scores.items()}
    return experiment(name, {**means, **said.pop("metrics", {})}, folds=folds, **said)
