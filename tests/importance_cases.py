"""Searches made in memory: what was recorded in the cases of tests/golden/importance/."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from picture_cases import HOSTILE, noise
from records import INCREMENT, InMemory
from specweave_ml.record import Experiment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


def trial(
    params: Mapping[str, Any],
    score: float | None = None,
    folds: Sequence[float] = (),
    *,
    metric: str = "accuracy",
    status: str = "finished",
) -> dict[str, Any]:
    """A trial as `Experiment.trials` gives it."""
    score = sum(folds) / len(folds) if folds else score
    scores = {} if score is None else {metric: score}
    return {"status": status, "params": dict(params), "scores": scores, "folds": {metric: [*folds]} if folds else {}}


def search(name: str, trials: Iterable[Mapping[str, Any]], folds: Sequence[Mapping[str, Any]] = ()) -> Experiment:
    """The experiment of a search."""
    rows = [{"number": number, **row} for number, row in enumerate(trials)]
    return Experiment(name, INCREMENT, InMemory("finished", {}, {}, {"folds": [*folds]}, rows), path=name)


def grid(
    space: Mapping[str, Any],
    effect: Callable[..., float],
    *,
    folds: int = 5,
    spread: float = 0.01,
    **how: Any,
) -> list[dict[str, Any]]:
    """Every combination, scored by its effect and noise that is the same on every machine."""
    rows = []
    for point in product(*space.values()):
        scores = [effect(*point) + spread * noise(repr(point), fold) + 0.03 * noise(fold) for fold in range(folds or 1)]
        params = dict(zip(space, point, strict=True))
        rows.append(trial(params, scores[0], scores if folds else (), **how))
    return rows


def drawn(
    size: int, effect: Callable[..., float], names: Sequence[str], *, spread: float = 0.05
) -> list[dict[str, Any]]:
    """A random search: every param from 0 to 1."""
    points = [[noise(number, name) + 0.5 for name in names] for number in range(size)]
    return [
        trial(dict(zip(names, point, strict=True)), effect(*point) + spread * noise(number, "score"))
        for number, point in enumerate(points)
    ]


def eighty_one() -> Experiment:
    space = {
        "learning_rate": [0.01, 0.1, 0.3],
        "max_depth": [3, 6, 9],
        "subsample": [0.6, 0.8, 1.0],
        "gamma": [0, 1, 5],
    }
    rows = grid(space, lambda rate, depth, part, gamma: 0.8 + 0.2 * rate + 0.008 * depth * (rate < 0.3) + 0.001 * gamma)
    sizes = [{"i": fold, "n_train": 800, "n_test": 200, "m": {}} for fold in range(5)]
    return search("xgboost-grid", [*rows, trial({"max_depth": 12}, status="failed")], sizes)


def values_of_all_kinds() -> Experiment:
    space = {"max_features": ["sqrt", 0.5, None], "layers": [[50, 50], [100], {"a": 1}], "bootstrap": [True, False]}
    return search("kinds", grid(space, lambda part, _, again: 0.8 + 0.1 * (part is None) + 0.02 * again))


def eight_params() -> Experiment:
    space = {f"p{number}": ["off", "on"] for number in range(8)}
    return search("eight", grid(space, lambda first, *others: 0.7 + 0.1 * (first == "on") + 0.01 * others.count("on")))


def hostile() -> Experiment:
    space = {name: [name, "</svg>|<b>"] for name in HOSTILE[:4]}
    metric = "accuracy <b> & ]]> \u202e"
    return search(HOSTILE[0], grid(space, lambda *point: 0.1 * point.count("</svg>|<b>"), metric=metric))


def long_names() -> Experiment:
    space = {
        "preprocessing__columntransformer__numeric__imputer__strategy": ["most_frequent" * 10, "mean"],
        "classifier__base_estimator__learning_rate_init": [1e-7, 0.1234567890123, 1e22],
    }
    return search("long", grid(space, lambda how, rate: 1e-6 * len(how) + 1e-4 * (rate > 0.1), spread=1e-5))


def two_out_of_many() -> Experiment:
    rows = grid({"a": range(12), "b": ["x", "y"]}, lambda a, b: 100 * a + 900 * (b == "x"), spread=300, metric="rmse")
    return search("two", rows)


def noise_alone() -> Experiment:
    return search("noise", grid({"a": [1, 2, 3], "b": [1, 2, 3]}, lambda *_: 0.8))


def one_value_each() -> Experiment:
    return search("holdout", grid({"a": [1, 2, 3], "b": [1, 2]}, lambda a, b: 0.1 * a + 0.01 * b, folds=0))


def one_missing() -> Experiment:
    rows = grid({"a": [1, 2, 3], "b": [1, 2, 3]}, lambda a, b: 0.1 * a + 0.01 * b)
    return search(
        "holes", [*rows[:-1], trial({"a": 3, "b": 3}, status="failed"), trial({"a": 3, "b": 3}, float("nan"))]
    )


def one_varied() -> Experiment:
    return search("alone", grid({"a": [1, 2, 3], "b": [7]}, lambda a, _: 0.1 * a))


def always_the_same() -> Experiment:
    return search("constant", [trial({"a": a}, 0.5) for a in range(5)])


def nothing_varied() -> Experiment:
    return search("again", [trial({"a": 1}, score) for score in (0.5, 0.6)])


CASES: dict[str, Callable[[], Experiment]] = {
    "eighty-one": eighty_one,
    "values-of-all-kinds": values_of_all_kinds,
    "eight-params": eight_params,
    "hostile": hostile,
    "long-names": long_names,
    "two-out-of-many": two_out_of_many,
    "noise-alone": noise_alone,
    "one-value-each": one_value_each,
    "one-missing": one_missing,
    "one-varied": one_varied,
    "always-the-same": always_the_same,
    "nothing-varied": nothing_varied,
}
