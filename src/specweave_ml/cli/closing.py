"""What is asked before an increment is closed, answered from its records.

experiments logged    any finished, none that ended without a word
best model saved      the selected model, else the recommended one
metrics documented    comparison.md
success criteria      the targets of spec.md
docs in sync          what a sync would change
artifacts             every saved file

SpecWeave closes an increment on these answers, so one that the records do not give is never a yes: what was not
measured is not met. Where nothing was measured at all there is no best model, and none is asked for.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from specweave_ml.analysis.numbers import data_size
from specweave_ml.cli.checks import Check, listed
from specweave_ml.cli.output import count
from specweave_ml.cli.saved import Files, check_files
from specweave_ml.cli.verdict import why_nobody
from specweave_ml.errors import SpecweaveError
from specweave_ml.store.layout import COMPARISON

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from specweave_ml.living_docs import Change
    from specweave_ml.project import Increment
    from specweave_ml.record import Experiment
    from specweave_ml.reports import Comparison

_BEST = "best model saved"
_DOCUMENTED = "metrics documented"
_IN_SYNC = "docs in sync"
_WHAT_BECAME = {"changed": "is not the file that was saved", "gone": "is not here", "unreadable": "cannot be read"}


def of_closing(where: Increment, experiments: Sequence[Experiment]) -> Iterator[Check]:
    """The answers, from the experiments of an increment, archived ones too."""
    from specweave_ml.reports import compared

    live = [each for each in experiments if not each.archived]
    if not any(each.kind == "experiment" for each in live):
        yield Check("experiments logged", ok=True, why="nothing to check: they are archived, or another tool's")
        return
    comparison = compared(live, where)
    chosen = _chosen(comparison)
    files = Files([each for each in experiments if each.kind == "experiment"], {each.name for each in chosen})
    yield _logged(comparison, where)
    yield _best_model(comparison, where, chosen, files)
    yield from _documents(where)
    yield _success_criteria(comparison, where)
    yield check_files(where, files)


def _logged(comparison: Comparison, where: Increment) -> Check:
    experiments = comparison.experiments
    name = "experiments logged"
    mute = [each.name for each in experiments if each.status == "failed" and not (each.error or each.notes)]
    stale = [each.name for each in experiments if each.status == "stale"]
    endings = Counter(each.status for each in comparison.unfinished)
    others = ", ".join(f"{number} {status}" for status, number in endings.items())
    said = f"{len(comparison.finished)} of {count(len(experiments), 'experiment')} finished"
    said += f" ({others})" if others else ""
    if stale:
        mend = f"specweave-ml status {stale[0]} killed -i {where.id}"
        return Check(name, ok=False, why=f"{said}; gone without a word: {listed(stale)}", next=mend)
    if mute:
        mend = f'specweave-ml note {mute[0]} "why it failed" -i {where.id}'
        return Check(name, ok=False, why=f"{said}; failed, and nobody says why: {listed(mute)}", next=mend)
    if not comparison.finished:
        return Check(name, ok=False, why=said, next="let one finish, or archive what is not wanted")
    return Check(name, ok=True, why=said)


def _chosen(comparison: Comparison) -> list[Experiment]:
    """The selected experiment, else the recommended one with its repeats; none where nobody can be named."""
    names = {comparison.selected}
    if comparison.selected is None and comparison.judged is not None:
        repeats = comparison.repeats.get(comparison.judged)
        names = {*(repeats.names if repeats else (comparison.judged,))}
    return [each for each in comparison.finished if each.name in names]


def _best_model(comparison: Comparison, where: Increment, chosen: Sequence[Experiment], files: Files) -> Check:
    if comparison.selected is not None and not chosen:
        why = f"decision.md selects {comparison.selected}, which is no finished experiment here"
        return Check(_BEST, ok=False, why=why, next=f'specweave-ml select {where.id} NAME --because "…"')
    if not chosen and not any(each.metrics for each in comparison.finished):
        return Check(_BEST, ok=True, why="nothing to choose by: no finished experiment logged a metric")
    if not chosen:
        why = f"which is best is not known: {why_nobody(comparison)}"
        return Check(_BEST, ok=False, why=why, next=f'specweave-ml select {where.id} NAME --because "…"')
    found = [(each, name, kept) for each in chosen for name, kept in files.models(each)]
    role = "selected" if comparison.selected else "recommended"
    if not found:
        why = f"{chosen[0].name} ({role}) saved no model"
        return Check(_BEST, ok=False, why=why, next="train it once more with exp.save_model(model), or select another")
    well = [each for each in found if each[2] not in _WHAT_BECAME]
    experiment, name, kept = (well or found)[0]
    said = f"{experiment.name}/{name} ({role}, {data_size(experiment.artifacts[name].get('bytes', 0))})"
    if not well:
        mend = "bring the file back, or train it once more"
        return Check(_BEST, ok=False, why=f"{said} {_WHAT_BECAME[kept]}", next=mend)
    return Check(_BEST, ok=True, why=f"{said}, {'as it was saved' if kept == 'intact' else 'of the size it was saved'}")


def _documents(where: Increment) -> Iterator[Check]:
    from specweave_ml.documents.sync import plan_sync

    try:
        changes = plan_sync([where.path], start=where.root).changes
    except SpecweaveError as error:
        for name in (_DOCUMENTED, _IN_SYNC):
            yield Check(name, ok=False, why=f"it cannot be said: {error.what}", next=error.next_step)
        return
    own = [change for change in changes if change.path.endswith(f"/experiments/{COMPARISON}")]
    others = [change for change in changes if change not in own]
    yield _unchanged(_DOCUMENTED, own, f"{COMPARISON} says what the folders give", f"specweave-ml compare {where.id}")
    mend = f"specweave-ml sync-docs update {where.id}"
    yield _unchanged(_IN_SYNC, others, f"{count(len(others), 'document')} up to date", mend)


def _unchanged(name: str, changes: Sequence[Change], well: str, mend: str) -> Check:
    words = {"created": "is missing", "updated": "is outdated", "pruned": "is outdated"}
    found = [
        f"{os.path.basename(each.path)} {words.get(each.action) or f'waits for a person: {each.why}'}"
        for each in changes
        if each.action != "unchanged"
    ]
    return Check(name, ok=not found, why=listed(found) if found else well, next=mend if found else None)


def _success_criteria(comparison: Comparison, where: Increment) -> Check:
    name = "success criteria"
    unread = [problem for problem in comparison.problems if problem.startswith("spec.md")]
    if unread:
        return Check(name, ok=False, why=unread[0], next="make spec.md a readable file, and look again")
    checked = comparison.checked
    if not checked:
        return Check(name, ok=True, why="spec.md sets no target that names a metric and a number")
    missed = [f"{each.target.text} (is {each.value})" for each in checked if each.outcome == "missed"]
    unmeasured = [each.target.text for each in checked if each.outcome == "not measured"]
    said = f"{len(checked) - len(missed) - len(unmeasured)} of {count(len(checked), 'target')} met"
    said += f" by {comparison.judged}" if comparison.judged else ""
    said += f"; missed {listed(missed)}" if missed else ""
    said += f"; not measured {listed(unmeasured)}" if unmeasured else ""
    mend = None
    if missed:
        mend = f"try another model, or agree on another target in spec.md; specweave-ml compare {where.id} shows all"
    elif unmeasured:
        mend = "log what is not measured, under the name that spec.md uses"
    return Check(name, ok=not (missed or unmeasured), why=said, next=mend)
