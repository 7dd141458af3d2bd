"""What was recorded in the cases of tests/golden/pictures/, and the pictures that are planned for them."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from records import INCREMENT, experiment
from specweave_ml.analysis.comparison import Findings
from specweave_ml.pictures.plan import histories_wanted, plan_pictures
from specweave_ml.record import History

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from specweave_ml.pictures.card import Picture
    from specweave_ml.record import Experiment

HOSTILE = (
    "<script>alert(1)</script>",
    "]](x) ![y](javascript:alert(1)) & \"q\" 'a'",
    "\u202egnp.exe\u2066\x00\x1b[31m\n--> <!-- specweave:picture v1 -->",
    "\ud800 \U0001f680\U0001f680\U0001f680 模型模型模型模型模型模型模型模型模型模型",
    "z\u0300\u0301\u0302\u0303\u0304 مرحبا " + "a" * 4000,
    "{{ 7 * 7 }} {% raw %} ]]> <![CDATA[ <?xml ?> <!ENTITY x SYSTEM 'file:///'>",
)


@dataclass(frozen=True)
class Case:
    """Experiments, and the histories they logged by (experiment, metric)."""

    experiments: Sequence[Experiment]
    histories: Mapping[tuple[str, str], History] = field(default_factory=dict)

    def pictures(self, reorder: Callable[[list[Experiment]], list[Experiment]] = list) -> dict[str, Picture]:
        findings = self.findings(reorder)
        logged = [(member.name, metric) for member, metric in histories_wanted(findings)]
        return plan_pictures(findings, {each: self.histories[each] for each in logged if each in self.histories})

    def findings(self, reorder: Callable[[list[Experiment]], list[Experiment]] = list) -> Findings:
        return Findings.of(reorder([*self.experiments]), INCREMENT)


def noise(*seed: object) -> float:
    """Between -0.5 and 0.5, and the same on every machine."""
    return int.from_bytes(sha256(repr(seed).encode()).digest()[:4], "big") / 2**32 - 0.5


def folded(name: str, value: float, spread: float, metric: str = "accuracy", **more: Any) -> Experiment:
    """An experiment of five folds; the models of one case have the same ones."""
    scores = [value + spread * (noise(name, fold) + noise(fold)) for fold in range(5)]
    folds = [
        {"i": fold, "repeat": 0, "n_train": 800, "n_test": 200, "split": f"s{fold}", "m": {metric: score}}
        for fold, score in enumerate(scores)
    ]
    metrics = {metric: sum(scores) / 5, **more.pop("metrics", {})}
    return experiment(name, metrics, folds=folds, **more)


def history(values: Sequence[float], steps: Sequence[float | None] | None = None) -> History:
    """The points of a metric, one a step."""
    steps = list(range(len(values))) if steps is None else steps
    return History("", steps, array("d", values), array("q", [0] * len(values)))


def falling(start: float, end: float, points: int, seed: int) -> list[float]:
    """A loss that falls and jitters."""
    course = (end + (start - end) * (1 - at / points) ** 3 for at in range(points))
    return [value * (1 + 0.1 * noise(seed, at // 3) + 0.05 * noise(seed, at, "")) for at, value in enumerate(course)]


def three() -> Case:
    return Case(
        [
            folded("exp-001-baseline", 0.71, 0.01, seconds=2, tags=["baseline"]),
            folded("exp-002-xgboost", 0.87, 0.01, seconds=45),
            folded("exp-003-lightgbm", 0.862, 0.02, seconds=32),
        ]
    )


def twenty() -> Case:
    models = [
        folded(f"xgboost-tuned-depth{number % 5 + 3}-trial-{number:03}", 0.9 - 0.004 * number, 0.02, seconds=7 * number)
        for number in range(1, 18)
    ]
    constant = folded("always-the-first-class", 0.31, 0.002, seconds=0.04)
    one_value = experiment("catboost-one-split", {"accuracy": 0.88}, seconds=4000)
    return Case([*models, constant, one_value, experiment("diverged", {"accuracy": float("nan")}, seconds=10)])


def forty_five() -> Case:
    return Case([folded(f"trial-{number:03}", 0.9 - 0.003 * number, 0.02, seconds=1 + number) for number in range(45)])


def repeated() -> Case:
    experiments, histories = [], {}
    for model, end in (("xgboost", 0.31), ("neural-net", 0.34)):
        for seed in range(1, 6):
            name = f"{model}-seed{seed}"
            values = falling(0.9, end, 60, seed)
            params = {"model": model, "seed": seed}
            started = f"2026-01-0{seed}T00:00:00Z"
            experiments.append(
                experiment(name, {"val_loss": values[-1]}, params=params, seconds=60 * seed, started=started)
            )
            histories[name, "val_loss"] = history(values)
    experiments.append(experiment("guess", {"val_loss": 0.69}, seconds=1))
    histories["guess", "val_loss"] = history([0.69])
    return Case(experiments, histories)


def one() -> Case:
    values = [round(1 - value, 6) for value in falling(0.8, 0.1, 5000, 3)]
    return Case(
        [experiment("exp-001-mlp", {"accuracy": values[-1]}, seconds=12)],
        {("exp-001-mlp", "accuracy"): history(values)},
    )


def many_curves() -> Case:
    names = [f"run-{number}" for number in range(8)]
    histories = {
        (name, "val_loss"): history(falling(2.4, 0.002 * 2**number, 3000, number)) for number, name in enumerate(names)
    }
    histories["run-1", "val_loss"] = history([2.4, 1.1, float("nan"), 0.4, float("inf"), 0.2, 0.004])
    experiments = [experiment(name, {"val_loss": histories[name, "val_loss"].values[-1]}, seconds=3) for name in names]
    return Case(experiments, histories)


def cross_validated_curves() -> Case:
    histories = {
        ("mlp", f"fold_{fold}/val_accuracy"): history(
            [1 - value for value in falling(0.7, 0.1 + 0.01 * fold, 40, fold)]
        )
        for fold in range(5)
    }
    last = {metric: points.values[-1] for (_, metric), points in histories.items()}
    return Case([experiment("mlp", {"val_accuracy": 0.88, **last}, seconds=3)], histories)


def one_value_each() -> Case:
    rows = {"exp-001-baseline": (0.65, 2), "exp-002-xgboost": (0.87, 45), "exp-003-lightgbm": (0.86, 32)}
    rows["exp-004-neural-net"] = (0.85, 320)
    return Case([experiment(name, {"accuracy": value}, seconds=seconds) for name, (value, seconds) in rows.items()])


def tiny_and_huge() -> Case:
    sizes = {"alpha": 1.2e9, "beta": 1.9e9, "gamma": 3.1e9}
    errors = {"alpha": 3.1e-7, "beta": 2.2e-7, "gamma": 2.1e-7}
    return Case([folded(name, errors[name], 4e-8, "rmse", metrics={"model_size_bytes": sizes[name]}) for name in sizes])


def hostile() -> Case:
    models = [
        folded(name, 0.9 - 0.01 * place, 0.02, "accuracy <b> & ]]> \u202e", seconds=3**place)
        for place, name in enumerate(HOSTILE)
    ]
    return Case(models)


CASES: dict[str, Callable[[], Case]] = {
    "three": three,
    "twenty": twenty,
    "forty-five": forty_five,
    "repeated": repeated,
    "one": one,
    "many-curves": many_curves,
    "cross-validated-curves": cross_validated_curves,
    "one-value-each": one_value_each,
    "tiny-and-huge": tiny_and_huge,
    "hostile": hostile,
}
