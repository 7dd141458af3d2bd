"""comparison.md with its pictures, the report of one experiment, and both for notebooks.

The pictures stand in `_pictures/` beside comparison.md. They are written before the document that names them, and only
a sync removes one, when no document names it any more.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import cached_property
from typing import TYPE_CHECKING

from specweave_ml.analysis.comparison import Findings
from specweave_ml.analysis.numbers import NumberFormat, duration
from specweave_ml.analysis.params import param_text
from specweave_ml.analysis.rows import reason
from specweave_ml.analysis.stages import stages_of
from specweave_ml.analysis.table import Table
from specweave_ml.errors import Refused, StoreError
from specweave_ml.escape import comment
from specweave_ml.pictures.plan import histories_wanted, plan_pictures
from specweave_ml.project import find_increment
from specweave_ml.record import ENDED
from specweave_ml.render import render
from specweave_ml.search_report import kept_finding
from specweave_ml.store.decision import read_decision
from specweave_ml.store.layout import COMPARISON, DECISION, journals
from specweave_ml.store.outcomes import read_outcomes
from specweave_ml.store.pictures import FOLDER as PICTURES
from specweave_ml.store.pictures import write_pictures
from specweave_ml.store.reader import experiment_folders, read_experiments
from specweave_ml.store.replace import replace_file
from specweave_ml.store.spec import read_spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from specweave_ml.pictures.card import Picture
    from specweave_ml.project import Increment
    from specweave_ml.record import Experiment

MOST_ROWS = 200
"""Finished experiments in the table of comparison.md: the best ones, when there are more."""

MOST_LISTED = 50
"""Experiments below the table, of each kind."""

MOST_REFRESHED = 200
"""The end of a training process refreshes comparison.md only where reading the increment costs it next to nothing."""

MOST_LOGGED = 16_000_000
"""Likewise, bytes of all its journals: learning curves are drawn from them."""

_FIRST_LINE = re.compile(rb"<!-- specweave:comparison v1 sha256=([0-9a-f]{16}) [^\n]*-->")


class Comparison(Findings):
    """The comparison of an increment's experiments, with its document.

    `.best`, `.recommended`, `.selected` and `.baseline` are names, `.primary` the metric that decides, `.rows` one row
    an experiment; see `Findings` for the rest.
    """

    @cached_property
    def pictures(self) -> Mapping[str, Picture]:
        """What there is to see, by the names of the files beside comparison.md; learning curves read the journals."""
        histories = {(each.name, metric): each.history(metric) for each, metric in histories_wanted(self)}
        return plan_pictures(self, histories)

    @property
    def picture_files(self) -> dict[str, str]:
        """The same as the texts of these files."""
        return {name: picture.svg for name, picture in self.pictures.items()}

    def to_markdown(self) -> str:
        """The text of comparison.md; its pictures are linked as they lie beside it."""
        shown = self.table(most_rows=MOST_ROWS)
        body = render(
            "comparison.md",
            comparison=self,
            title=increment_title(self.increment),
            shown=shown,
            hidden=len(self.models) - len(shown.rows),
            pictures=[picture.link(f"{PICTURES}/{name}") for name, picture in self.pictures.items()],
            params=self.params_table(most_rows=MOST_ROWS),
            most_listed=MOST_LISTED,
            ending=ending,
            reason=reason,
        )
        return f"<!-- specweave:comparison v1 sha256={_fingerprint(body.encode())} {self._in_a_line()} -->\n{body}"

    def _in_a_line(self) -> str:
        count = len(self.experiments)
        said = f"Increment {_id(self.increment)}: {count} experiment{'' if count == 1 else 's'}, "
        facts = self.rationale
        best = f"best {self.best} ({self.primary} {facts.value})" if facts else "no best model"
        if self.tradeoff:
            best += f", not told apart from {self.tradeoff.among - 1} more, recommended {self.recommended}"
        return comment(said + best, limit=200)

    def _repr_html_(self) -> str:
        return render("comparison.html", comparison=self, shown=self.table(most_rows=MOST_ROWS))


def compare_experiments(
    increment: str | None = None,
    *,
    metric: str | None = None,
    direction: str | None = None,
    archived: bool = False,
    write: bool = True,
) -> Comparison:
    """Compare the experiments of an increment and bring `experiments/comparison.md` and its pictures up to date.

    The document depends on nothing but the folders, decision.md and spec.md: `metric`, `direction` and `archived`
    shape what is returned, while a lasting choice belongs in decision.md.

    Args:
        increment: `0042`, `42`, the full name, or None for the active one.
        metric: the metric that decides; by default decision.md's, else the first that spec.md sets a target for, else
            the first of a documented list.
        direction: `maximize` or `minimize`, where the metric's name does not say.
        archived: also the experiments that were archived.
        write: False leaves the document as it is.

    Raises:
        NotFound: no project, no such increment, or no finished experiment logged `metric`.
        UsageError: `direction` is no direction.
        Refused: comparison.md was changed by hand, or a file that is not ours has the name of a picture; `write=False`
            still gives the comparison.
        StoreError: the folder cannot be read or written.
    """
    where = find_increment(increment)
    found = read_experiments(where.experiments, where.name, archived=archived)
    comparison = compared(found, where, metric, direction)
    if write:
        asked = metric is not None or direction is not None or archived
        _write(_of_the_document(found, where) if asked else comparison, where)
    return comparison


def refresh(root: str, increment: str) -> None:
    """Bring an increment's comparison.md and its pictures up to date when training ends, unless it is a large one.

    Args:
        root: the project's folder.
        increment: the increment's full name.

    Raises:
        SpecweaveError: it could not be done. The caller says so in one line; a script's exit is none of its business.
    """
    where = find_increment(increment, root)
    folders = experiment_folders(where.experiments)
    if len(folders) <= MOST_REFRESHED and _logged(folders) <= MOST_LOGGED:
        _write(_of_the_document(read_experiments(where.experiments, where.name), where), where)


def _logged(folders: Sequence[str]) -> int:
    return sum(os.path.getsize(f"{folder}/{name}") for folder in folders for *_, name in journals(folder))


def _of_the_document(found: Iterable[Experiment], where: Increment) -> Comparison:
    return compared([experiment for experiment in found if not experiment.archived], where)


def compared(
    found: Iterable[Experiment], where: Increment, metric: str | None = None, direction: str | None = None
) -> Comparison:
    """The comparison of experiments that were read already, with all that the increment's files say beside them.

    Raises:
        NotFound: no finished experiment logged `metric`.
        UsageError: `direction` is no direction.
    """
    decision = read_decision(f"{where.experiments}/{DECISION}")
    spec, problems = read_spec(where.path)
    comparison = Comparison.of(found, where.name, decision, metric=metric, direction=direction, spec=spec)
    column = comparison.chosen.column
    outcomes, unread = read_outcomes(comparison.ranked, column.names if column else ())
    return comparison.with_outcomes(outcomes, [*problems, *unread])


def _write(comparison: Comparison, where: Increment) -> bool:
    if not os.path.isdir(where.experiments):
        return False
    path = f"{where.experiments}/{COMPARISON}"
    new = comparison.to_markdown().encode()
    try:
        old = _present(path)
        if old not in {None, new} and not is_generated(old):
            raise Refused(
                "comparison.md was changed by hand, so it was left as it is",
                path=path,
                expected="the file as it was generated",
                next_step="move your words to decision.md beside it and delete comparison.md; it will be made again",
            )
        write_pictures(where.experiments, comparison.picture_files)
        return old != new and replace_file(path, new)
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"comparison.md cannot be written: {error.strerror or error}", path=path) from error


def _present(path: str) -> bytes | None:
    """What stands there, with the line ends as we write them: a checkout may have changed those."""
    try:
        with open(path, "rb") as file:
            return file.read().replace(b"\r\n", b"\n")
    except FileNotFoundError:
        return None


def is_generated(text: bytes) -> bool:
    """Whether this comparison.md, with LF line ends, is as it was generated."""
    first, _, rest = text.partition(b"\n")
    match = _FIRST_LINE.fullmatch(first)
    return match is not None and match[1].decode() == _fingerprint(rest)


def _fingerprint(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]


def _id(increment: str) -> str:
    return increment.split("-", 1)[0]


def increment_title(increment: str) -> str:
    """What an increment is called in headings: `Recommendation Model (Increment 0042)`."""
    number, _, slug = increment.partition("-")
    words = " ".join(word[:1].upper() + word[1:] for word in slug.split("-"))
    return f"{words} (Increment {number})" if words else f"Increment {number}"


def ending(experiment: Experiment) -> str:
    """How it ended, as documents say it: `finished`, `failed`, `killed` or `not finished`."""
    # Whether a process still lives is this moment's and this machine's affair, so a document does not say it.
    return experiment.status if experiment.status in ENDED else "not finished"


def experiment_report(experiment: Experiment) -> str:
    """A Markdown report of one experiment: what was tried and measured, what it left, and its notes last."""
    trials, stages = experiment.value("trials"), stages_of(experiment.stages, experiment.status)
    rows = tuple((stage.name, stage.state, stage.took, stage.said) for stage in stages)
    return render(
        "experiment.md",
        ending=ending(experiment),
        stages=stages,
        stage_rows=Table(("Stage", "State", "Took", "Said"), rows),
        trials=trials if isinstance(trials, int) else 0,
        finding=kept_finding(experiment),
        **_shown(experiment),
    )


def experiment_html(experiment: Experiment) -> str:
    """The same for a notebook, as a fragment of HTML."""
    return render("experiment.html", **_shown(experiment))


def _shown(experiment: Experiment) -> dict[str, object]:
    number = NumberFormat(".6g")
    seconds = experiment.duration_seconds
    return {
        "experiment": experiment,
        "reason": reason(experiment),
        "took": "" if seconds is None else duration(seconds),
        "params": _table("Param", "Value", ((name, param_text(value)) for name, value in experiment.params.items())),
        "metrics": _table(
            "Metric", "Last Value", ((name, number(value)) for name, value in experiment.metrics.items())
        ),
        "artifacts": _table(
            "Artifact", "Bytes", ((name, f"{facts.get('bytes', 0):,}") for name, facts in experiment.artifacts.items())
        ),
        "notes": "\n".join(experiment.notes),
    }


def _table(name: str, value: str, rows: Iterable[tuple[str, str]]) -> Table:
    return Table((name, value), tuple(rows))
