"""The reasons to train again that people write into decision.md, checked against what is recorded.

    retrain_when:
      - accuracy below 0.8        the newest experiment that logged it
      - latency above 100 ms
      - older than 90d            since the model was trained; `selection older than 90d`: since it was selected
      - data version changed      the newest experiment that recorded its data, against the selected one
      - a new shop joins          words for people: they are shown, and never taken for a rule

A line that is nearly one of these is an error: a rule with a slip in it would else never come due.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from specweave_ml.analysis.metrics import gist, understand
from specweave_ml.analysis.spec_targets import _COMPARISON, _PHRASES, _SYMBOLS, _UNITS
from specweave_ml.analysis.targets import FRACTIONS, Sign, Target, check_target, column_of
from specweave_ml.documents.recipe import recipe_of
from specweave_ml.errors import UsageError
from specweave_ml.store.archive import cutoff

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from specweave_ml.analysis.comparison import Findings
    from specweave_ml.analysis.table import Column
    from specweave_ml.documents.chosen import Chosen
    from specweave_ml.record import Experiment

_OPPOSITE: dict[Sign, Sign] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_BESIDE_THE_METRIC = re.compile(
    r"^(?:if|when|the|its|our)\s+|\s+(?:is|are|was|falls?|drops?|goes|gets|rises?|stays?|remains?)$", re.IGNORECASE
)
_AGE = re.compile(
    r"(?:the\s+)?(?:(?:last\s+)?(?:model|training|(selection|decision))\s+)?(?:is\s+)?older\s+than\s+"
    r"([0-9]{1,4})\s*(d|w|m|y|days?|weeks?|months?|years?)\.?",
    re.IGNORECASE,
)
_DATA = re.compile(
    r"(?:the\s+)?data(?:set)?(?:\s+version)?\s+(?:is\s+|has\s+|was\s+)?(?:changed|changes|new)\.?|"
    r"(?:a\s+)?new\s+data(?:set)?(?:\s+version)?\.?",
    re.IGNORECASE,
)
_NEARLY_A_RULE = re.compile(r"\b(?:older|newer)\s+than\b|\bdata\b.*\b(?:version|chang\w+)\b", re.IGNORECASE)
_EXPECTED = "METRIC below NUMBER, METRIC above NUMBER, older than 90d, or data version changed; or words without a rule"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A reason to train again, and whether it holds.

    Attributes:
        rule: as it was written.
        due: None where the records do not say, or it is for a person to judge.
        why: in a few words, with the recorded values.
    """

    rule: str
    due: bool | None
    why: str


def judge(rules: Sequence[str], comparison: Findings, chosen: Chosen | None, now: datetime) -> list[Verdict]:
    """Check every rule.

    Args:
        rules: as people wrote them.
        comparison: of the increment's live experiments.
        chosen: the selected or recommended model.
        now: the moment to measure ages at.

    Raises:
        UsageError: a rule is nearly understood; the error names it.
    """
    return [_judge(rule, comparison, chosen, now) for rule in rules]


def _judge(rule: str, comparison: Findings, chosen: Chosen | None, now: datetime) -> Verdict:
    compared, age, data = _COMPARISON.search(rule), _AGE.fullmatch(rule), _DATA.fullmatch(rule)
    target = _target(rule, compared, comparison) if compared else None
    if not (target or age or data):
        if _NEARLY_A_RULE.search(rule):
            raise _not_understood(rule)
        return Verdict(rule, None, "a person has to judge that")
    if chosen is None:
        return Verdict(rule, None, "no model is selected or recommended")
    if target:
        return _of_metric(rule, target, comparison, chosen)
    if age:
        return _of_age(rule, f"{age[2]}{age[3][0].lower()}", comparison, chosen, now, of_selection=bool(age[1]))
    return _of_data(rule, comparison, chosen)


def _target(rule: str, compared: re.Match[str], comparison: Findings) -> Target | None:
    """What would have to hold for the rule not to be due; None where it only counts things: "3 more shops join"."""
    metric = " ".join(rule[: compared.start()].split())
    while metric != (shorter := _BESIDE_THE_METRIC.sub("", metric)):
        metric = shorter
    sign, unit = compared["sign"].lower(), (compared["unit"] or "").lower()
    opposite = _OPPOSITE[_SYMBOLS.get(sign) or _PHRASES[sign]]
    target = Target(metric, opposite, float(compared["number"]), _UNITS.get(unit, ""))
    is_metric = gist(metric) is not None or column_of(target, comparison.columns) is not None
    goes_on = bool(rule[compared.end() :].strip(" ."))
    if goes_on and not is_metric:
        return None
    in_percent = understand(metric).family in FRACTIONS and target.number > 1 and not unit
    if goes_on or in_percent or not metric:
        raise _not_understood(rule)
    return target


def _of_metric(rule: str, target: Target, comparison: Findings, chosen: Chosen) -> Verdict:
    column = column_of(target, comparison.columns)
    experiment = newest(comparison, column, chosen) if column else chosen.run
    checked = check_target(target, experiment, comparison.columns, comparison.formats, comparison.time)
    if column is None and checked.value is None:
        raise UsageError(
            f"no finished experiment logged {target.metric}, which a reason to train again is about",
            received=rule,
            expected=f"a metric that was logged: {', '.join(each.name for each in comparison.columns[:10]) or 'none'}",
            next_step="mend it in decision.md",
        )
    if checked.outcome == "not measured":
        return Verdict(rule, None, f"{target.metric} was not recorded")
    name = column.name if column else target.metric
    return Verdict(rule, checked.outcome == "missed", f"{name} is {checked.value} in {said(experiment)}")


def _of_age(rule: str, age: str, comparison: Findings, chosen: Chosen, now: datetime, *, of_selection: bool) -> Verdict:
    if of_selection:
        when, what = _day(comparison.decision.date or ""), f"{chosen.name} was selected"
    else:
        when, what = chosen.run.ended or chosen.run.started, f"{chosen.name} was trained"
    if when is None:
        return Verdict(rule, None, f"when {what} is not recorded")
    moment = when if when.tzinfo else when.replace(tzinfo=UTC)
    days = (now - moment).days
    return Verdict(rule, moment < cutoff(age, now), f"{what} {moment.date()}, {days} day{'s' * (days != 1)} ago")


def _of_data(rule: str, comparison: Findings, chosen: Chosen) -> Verdict:
    latest = _last((each for each in comparison.experiments if _data(each)), chosen)
    then, now = _data(chosen.run), _data(latest)
    if not then:
        return Verdict(rule, None, f"no data version is recorded for {chosen.name}")
    same = ""
    for name in sorted(then.keys() & now.keys()):
        # Like with like: a version against a version, else a digest against a digest.
        before, after = next(((a, b) for a, b in zip(then[name], now[name], strict=True) if a and b), ("", ""))
        if before != after:
            return Verdict(
                rule, due=True, why=f"{name} is {after} in {said(latest)}, and was {before} in {chosen.name}"
            )
        same = f"{name} is {before} in {said(latest)} too" if before else same
    if same:
        return Verdict(rule, due=False, why=same)
    return Verdict(rule, None, f"the data of {latest.name} cannot be compared with those of {chosen.name}")


def newest(comparison: Findings, column: Column, chosen: Chosen) -> Experiment:
    """The last finished experiment that logged a metric; the chosen one where none was started after it."""
    return _last((each for each in comparison.finished if column.value(each) is not None), chosen)


def _last(experiments: Iterable[Experiment], chosen: Chosen) -> Experiment:
    """The one of them that was started last, and after the chosen one; else the chosen one."""
    start = chosen.run.started
    later = [(each.started.timestamp(), each) for each in experiments if start and each.started]
    later = [(moment, each) for moment, each in later if start and moment > start.timestamp()]
    return max(later, key=lambda each: each[0])[1] if later else chosen.run


def said(experiment: Experiment) -> str:
    """`exp-009 (2026-06-02)`."""
    when = experiment.ended or experiment.started
    return f"{experiment.name} ({when.date()})" if when else experiment.name


def _data(experiment: Experiment) -> dict[str, tuple[str, str]]:
    """Version and digest of each data set."""
    data = recipe_of(experiment).data
    return {each.name: (each.version, each.digest) for each in data if each.version or each.digest}


def _day(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _not_understood(rule: str) -> UsageError:
    return UsageError(
        "a reason to train again is nearly a rule, and not understood",
        received=rule,
        expected=_EXPECTED,
        next_step="mend it in decision.md",
    )
