"""What the issue says, as values: the facts of the increment's documents, and with them links, criteria and rules."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from specweave_ml.analysis.numbers import MISSING
from specweave_ml.analysis.params import param_text
from specweave_ml.analysis.repeats import is_seed
from specweave_ml.analysis.table import Table
from specweave_ml.analysis.targets import column_of
from specweave_ml.documents.chosen import choose
from specweave_ml.documents.facts import gather
from specweave_ml.errors import UsageError
from specweave_ml.escape import Escaped
from specweave_ml.github.due import judge, newest, said
from specweave_ml.record import ENDED
from specweave_ml.redact import redact_text, redact_value
from specweave_ml.store.layout import ARCHIVE, COMPARISON, DECISION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from specweave_ml.analysis.comparison import Findings
    from specweave_ml.documents.chosen import Chosen
    from specweave_ml.documents.examined import Examined
    from specweave_ml.documents.facts import Facts
    from specweave_ml.github.due import Verdict
    from specweave_ml.github.permalinks import Permalinks

MOST_METRICS = 6

_SAID_ALREADY = ("model", "recipe", "took", "notes")


@dataclass(frozen=True, slots=True)
class Linked:
    """Something with the link to it; None where what stands in the repository is not committed."""

    name: str
    link: Escaped | None


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier experiment, or several that repeat one another: links to each, and what came of them."""

    experiments: tuple[Linked, ...]
    outcome: str
    archived: bool
    selected: bool


def content(examined: Examined, permalinks: Permalinks, now: datetime) -> dict[str, Any]:
    """The values that the templates of the issue show, without what looks like a secret.

    Args:
        examined: the increment.
        permalinks: the links to what is committed of it.
        now: the moment to measure ages at.
    """
    comparison = examined.comparison
    facts, chosen = gather(comparison, examined.archived), choose(comparison)
    recipe = facts.recipe
    code = recipe.code if recipe else None
    values = {
        **{name: getattr(facts, name) for name in _SAID_ALREADY},
        "due": _due(comparison, chosen, now),
        "course": _course(comparison, chosen),
        "failures": tuple(failure for failure in facts.failures if failure.ended in ENDED),
        "params": tuple(each for each in facts.model.params if not is_seed(each[0])) if facts.model else (),
        "seeds": tuple(_seeds(chosen)) if chosen else (),
        "trained": _trained(chosen),
        "criteria": tuple(_criteria(comparison, facts)),
        "documents": tuple(_documents(examined, permalinks)),
        "earlier": tuple(_earlier(comparison, facts, permalinks)),
        "hidden": facts.conducted.hidden,
        "commit_link": permalinks.to_commit(code.commit, code.remote) if code else None,
        "model_linked": Linked(chosen.name, permalinks.to(chosen.name)) if chosen else None,
        "packages_link": permalinks.to(recipe.packages, "blob") if recipe and recipe.packages else None,
    }
    shown: dict[str, Any] = _redacted(values)
    return shown


def _due(comparison: Findings, chosen: Chosen | None, now: datetime) -> tuple[Verdict, ...]:
    """The reasons to train again that hold; what is not understood is no reason."""
    verdicts = []
    for rule in comparison.decision.retrain_when:
        try:
            verdicts += judge([rule], comparison, chosen, now)
        except UsageError:
            continue
    return tuple(verdict for verdict in verdicts if verdict.due)


def _course(comparison: Findings, chosen: Chosen | None) -> Table:
    """The metrics that matter: what is asked for, what was when the model was chosen, and what was recorded last."""
    primary = comparison.chosen.column
    targets = {column.name: each for each in comparison.targets if (column := column_of(each, comparison.columns))}
    columns = [each for each in comparison.columns if each is primary or each.name in targets]
    columns.sort(key=lambda column: column is not primary)
    if chosen is None or not columns:
        return Table((), ())
    last = newest(comparison, primary, chosen) if primary else chosen.run
    experiments = [chosen.run] if last.name == chosen.name else [chosen.run, last]
    words = ("Then: ", "Now: ") if len(experiments) > 1 else ("",)
    titles = ["Metric", *(["Target"] if targets else [])]
    titles += [word + said(each) for word, each in zip(words, experiments, strict=True)]
    rows = []
    for column in columns[:MOST_METRICS]:
        target = targets.get(column.name)
        asked = [target.text.removeprefix(target.metric).strip() if target else MISSING] if targets else []
        values = [comparison.formats[column.name](column.value(each)) for each in experiments]
        rows.append((column.title, *asked, *values))
    return Table(tuple(titles), tuple(rows))


def _seeds(chosen: Chosen) -> Iterator[tuple[str, str]]:
    recorded = chosen.run.value("seeds")
    seeds = {name: value for name, value in chosen.run.params.items() if is_seed(name)}
    for name, value in {**(recorded if isinstance(recorded, dict) else {}), **seeds}.items():
        yield str(name), param_text(value)


def _trained(chosen: Chosen | None) -> str:
    when = chosen and (chosen.run.ended or chosen.run.started)
    return str(when.date()) if when else ""


def _criteria(comparison: Findings, facts: Facts) -> Iterator[tuple[str, str]]:
    """What the new model has to reach, and where that is from."""
    for each in comparison.checked:
        had = f"; {facts.model.name} has {each.value}" if facts.model and each.value else ""
        yield each.target.text, f"spec.md{had}"
    primary = comparison.chosen.column
    value = facts.expected[0] if facts.expected and primary and facts.expected[0].title == primary.title else None
    if facts.model and value and facts.metric:
        spread = f" ± {value.spread} over {value.over}" if value.spread else ""
        bound = "at most" if facts.lower else "at least"
        yield f"{facts.metric} {bound} {value.value}", f"{facts.model.name} has {value.value}{spread}"


def _documents(examined: Examined, permalinks: Permalinks) -> Iterator[Linked]:
    for name in (COMPARISON, DECISION):
        link = permalinks.to(name, "blob")
        if link or os.path.isfile(f"{examined.where.experiments}/{name}"):
            yield Linked(name, link)


def _earlier(comparison: Findings, facts: Facts, permalinks: Permalinks) -> Iterator[Earlier]:
    for item in facts.conducted.items:
        repeats = None if item.archived else comparison.repeats.get(item.name)
        names: Sequence[str] = repeats.names if repeats else (item.name,)
        folder = f"{ARCHIVE}/" if item.archived else ""
        linked = tuple(Linked(name, permalinks.to(folder + name)) for name in names)
        yield Earlier(linked, item.outcome, item.archived, bool(item.selected))


def _redacted(value: Any) -> Any:
    """The same without what looks like a secret, wherever it stands."""
    if isinstance(value, Escaped):
        return value
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {key: _redacted(each) for key, each in value.items()}
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(each, str) for each in value):
        return redact_text(value[0]), redact_value(value[0], value[1])
    if isinstance(value, tuple):
        return tuple(map(_redacted, value))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _redacted(getattr(value, field.name)) for field in fields(value)})
    return value
