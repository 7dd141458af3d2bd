"""Which metrics have a learning curve worth a picture, and whose histories it takes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from specweave_ml.analysis.metrics import SPLIT_ORDER, Direction, normalised, title, understand
from specweave_ml.pictures.course import Course, course, has_steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from specweave_ml.analysis.comparison import Findings
    from specweave_ml.analysis.table import Column
    from specweave_ml.record import Experiment, History

MOST_READ = 20
"""Of more models, only the histories of the best are asked for: a journal may hold a million lines."""

# `fold_0/val_loss`, `val_loss-fold3`: one fold's history of a metric that has another name without it.
_FOLD = re.compile(r"(?:^|(?<=[/_.\- ]))fold[_-]?\d+(?:$|[/_.\- ])", re.IGNORECASE)
_LOSSES = frozenset({"loss", "log_loss", "perplexity"})


@dataclass(frozen=True, slots=True)
class Watched:
    """A metric that was logged again and again.

    Attributes:
        key: its normalised name.
        title: for people.
        direction: which way is better.
        logged_as: for each of its series the names it was logged by; several series are those of folds.
    """

    key: str
    title: str
    direction: Direction | None
    logged_as: tuple[tuple[str, ...], ...]

    @property
    def several(self) -> str:
        """What several histories of one model are."""
        return "folds" if len(self.logged_as) > 1 else "repeats"

    def names(self, experiment: Experiment) -> list[str]:
        """The metrics of an experiment that are it."""
        logged = experiment.metrics
        found = (next((name for name in names if name in logged), None) for names in self.logged_as)
        return [name for name in found if name is not None]


def watched(findings: Findings) -> tuple[Watched, ...]:
    """The metric that decides, and the first loss beside it: what is watched while a model is trained."""
    series: dict[str, list[Column]] = {}
    for column in findings.columns:
        key = normalised(_FOLD.sub("", column.name).strip("/_.- ") or column.name)
        series.setdefault(key, []).append(column)
    primary = findings.chosen.column
    primary_key = primary.metric.key if primary is not None else None
    losses = [key for key in series if understand(key).family in _LOSSES and key != primary_key]
    losses.sort(key=lambda key: (SPLIT_ORDER[understand(key).split], -max(each.count for each in series[key]), key))
    keys = [*([primary_key] if primary_key in series else []), *losses[:1]]
    return tuple(_watched(key, series[key], findings.direction if key == primary_key else None) for key in keys if key)


def _watched(key: str, columns: Sequence[Column], direction: Direction | None) -> Watched:
    folds = [column for column in columns if _FOLD.search(column.name)]
    # With two folds or more, the metric of the plain name is a summary of them.
    chosen = folds if len(folds) > 1 else [column for column in columns if column not in folds] or folds
    shown = title(key) if len(folds) > 1 else chosen[0].title
    return Watched(key, shown, direction or understand(key).direction, tuple(column.names for column in chosen))


def trained(findings: Findings) -> Iterator[tuple[Experiment, tuple[Experiment, ...]]]:
    """The best models, each with the experiments that trained it."""
    for model in findings.ranked[:MOST_READ]:
        repeats = findings.repeats.get(model.name)
        yield model, repeats.members if repeats else (model,)


def courses(
    metric: Watched,
    findings: Findings,
    histories: Mapping[tuple[str, str], History],
) -> list[Course]:
    """How the metric went in each of the best models, where there are two points of it."""
    logged: dict[str, list[History]] = {}
    for model, members in trained(findings):
        wanted = [(member.name, name) for member in members for name in metric.names(member)]
        logged[model.name] = [histories[each] for each in wanted if each in histories]
    stepped = all(has_steps(history) for several in logged.values() for history in several if len(history) > 1)
    went = (course(name, several, stepped=stepped) for name, several in logged.items())
    return [each for each in went if each is not None]
