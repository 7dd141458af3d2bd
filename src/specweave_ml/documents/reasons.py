"""What speaks for the chosen model, and what against it: facts, each from recorded values. The words are templates'.

Where a value is missing, so is the fact. What is said of a difference is as careful as its evidence: an interval where
there is one, "cannot be told apart" where a test says no more, and "one value each" where nothing can be tested.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from specweave_ml.analysis.metrics import gist
from specweave_ml.analysis.moments import standard_deviation
from specweave_ml.analysis.rationale import rationale
from specweave_ml.analysis.samples import CORRECTED_T, NEWCOMBE, WELCH_T
from specweave_ml.documents.against import against
from specweave_ml.documents.conducted import spread_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specweave_ml.analysis.comparison import Findings
    from specweave_ml.analysis.evidence import Evidence
    from specweave_ml.analysis.rationale import Rationale, TrainingRank
    from specweave_ml.analysis.targets import Checked
    from specweave_ml.analysis.tradeoff import Saving
    from specweave_ml.documents.against import Against
    from specweave_ml.documents.chosen import Chosen

_EXPLAINING = {
    "shap": "SHAP values",
    "feature_importance": "feature importance",
    "permutation": "permutation importance",
}


@dataclass(frozen=True, slots=True)
class Spread:
    """How much the metric that decides differs from fold to fold, or from repeat to repeat.

    Attributes:
        std: the standard deviation.
        over: `5 folds`, `3 repeats`.
        is_cross_validation: whether over folds.
        always_better: whether the chosen model beats the baseline's value in every single one of them.
    """

    std: str
    over: str
    is_cross_validation: bool
    always_better: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A target of spec.md: `Precision@10 > 0.25`, `met`, and the recorded value; empty where none is recorded."""

    text: str
    outcome: str
    value: str


@dataclass(frozen=True, slots=True)
class Reasons:
    """What can be said for the chosen model.

    Attributes:
        metric: the one that decides.
        value: the chosen model's.
        interval: the 95 % interval of that value; empty where there is none.
        interval_over: what that interval is over: `1000 items`, `3 repeats`.
        lower: whether lower is better.
        is_best: whether no other model has a better value.
        best_of: among how many models it was picked on the same data, which makes its value optimistic; 0 for none.
        is_only: whether nothing else has a number for that metric.
        equals: the models with the same value.
        is_baseline: whether it is itself what the others are measured against.
        baseline: the difference to the baseline.
        rival: the difference to the next best, or to the best where the chosen model is not.
        alike: the other models of the set that the test cannot tell apart, when the chosen model is in it.
        detectable: the difference below which nothing could have been seen there; empty where not known.
        tested_on: `5 folds`, `1000 test items`, …; empty where nothing was tested.
        together: how many pairs the intervals are widened for.
        savings: what it costs less than the best, when it is recommended for that.
        latency: of one inference, as recorded; may be empty.
        fast_enough: the target for it that is met; empty where there is none.
        training: how long it trained, and its place.
        spread: over folds or repeats.
        targets: the other ones of spec.md, and what became of them.
        explained_by: what explains it: a kind, and the name of the artifact.
    """

    metric: str
    value: str
    interval: str
    interval_over: str
    lower: bool
    is_best: bool
    best_of: int
    is_only: bool
    equals: tuple[str, ...]
    is_baseline: bool
    baseline: Against | None
    rival: Against | None
    alike: tuple[str, ...]
    detectable: str
    tested_on: str
    together: int
    savings: tuple[Saving, ...]
    latency: str
    fast_enough: str
    training: TrainingRank | None
    spread: Spread | None
    targets: tuple[Asked, ...]
    explained_by: tuple[tuple[str, str], ...]


def reasons_for(comparison: Findings, chosen: Chosen) -> Reasons | None:
    """The facts about the chosen model; None where it has no number for the metric that decides."""
    column, name = comparison.chosen.column, chosen.experiment.name
    facts = _facts(comparison, name)
    if column is None or facts is None:
        return None
    evidence = comparison.evidence
    best = comparison.ranked[0].name
    own = facts.stability
    checked = comparison.checked if comparison.judged == name else ()
    fast = next((each for each in checked if each.outcome == "met" and _is_latency(each)), None)
    return Reasons(
        metric=column.name,
        value=facts.value,
        interval=own.interval or "" if own else "",
        interval_over=f"{own.n} {own.over}" if own else "",
        lower=comparison.direction == "minimize",
        is_best=name == best or best in facts.equals,
        best_of=(facts.best_of or 0) if name == best else 0,
        is_only=facts.competitors == 1,
        equals=facts.equals,
        is_baseline=facts.is_reference,
        baseline=against(facts.against_baseline, name, comparison),
        rival=against(facts.against_second, name, comparison),
        alike=_alike(evidence, name),
        detectable=facts.detectable or "",
        tested_on=_tested_on(evidence),
        together=evidence.comparisons,
        savings=_savings(comparison, name),
        latency=facts.latency or "",
        fast_enough=fast.target.text if fast else "",
        training=facts.training,
        spread=_spread(comparison, chosen) if own and own.deviation else None,
        targets=tuple(Asked(each.target.text, each.outcome, each.value or "") for each in checked if each is not fast),
        explained_by=tuple(_explained_by(chosen)),
    )


def _facts(comparison: Findings, name: str) -> Rationale | None:
    """The facts behind a model, as `rationale` gives them for the first of a list, with its equals behind it."""
    column, ranked = comparison.chosen.column, comparison.ranked
    mine = next((model for model in ranked if model.name == name), None)
    if column is None or mine is None:
        return None
    values = {model.name: comparison.formats[column.name](column.value(model)) for model in ranked}
    return rationale(
        sorted(ranked, key=lambda model: (model is not mine, values[model.name] != values[name])),
        comparison._reference,
        comparison.chosen,
        comparison.columns,
        comparison.formats,
        comparison.time,
        comparison.repeats,
        comparison.evidence,
    )


def _alike(evidence: Evidence, name: str) -> tuple[str, ...]:
    names = evidence.indistinguishable
    return tuple(other for other in names if other != name) if name in names else ()


def _tested_on(evidence: Evidence) -> str:
    if evidence.test is None:
        return ""
    unit = {CORRECTED_T: "folds", WELCH_T: "repeats", NEWCOMBE: "test items each"}.get(evidence.test, "test items")
    return f"{evidence.size} {unit}"


def _savings(comparison: Findings, name: str) -> tuple[Saving, ...]:
    tradeoff = comparison.tradeoff
    return tradeoff.savings if tradeoff and tradeoff.recommended == name else ()


def _is_latency(checked: Checked) -> bool:
    return gist(checked.target.metric) == ("latency", frozenset())


def _spread(comparison: Findings, chosen: Chosen) -> Spread | None:
    column, reference = comparison.chosen.column, comparison._reference
    values, unit = chosen.samples(column) if column else ((), "")
    if column is None or not values:
        return None
    beaten = column.value(reference) if reference and reference.name != chosen.experiment.name else None
    lower = comparison.direction == "minimize"
    return Spread(
        std=spread_text(standard_deviation(values), comparison.formats[column.name]),
        over=f"{len(values)} {unit}",
        is_cross_validation=unit == "folds",
        always_better=beaten is not None and all(each < beaten if lower else each > beaten for each in values),
    )


def _explained_by(chosen: Chosen) -> Iterator[tuple[str, str]]:
    for artifact in chosen.run.artifacts:
        kind = next((said for word, said in _EXPLAINING.items() if word in artifact.lower()), None)
        if kind:
            yield kind, artifact
