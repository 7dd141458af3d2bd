"""Experiments that repeat one another: one row, one competitor, and what their spread says of noise."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any

from specweave_ml.analysis.metrics import normalised
from specweave_ml.analysis.moments import mean, standard_deviation
from specweave_ml.analysis.params import sameness
from specweave_ml.analysis.table import natural
from specweave_ml.record import Experiment, History

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from specweave_ml.record import Fold

_SEED = re.compile(r"(?:.+_)?(?:seed|randomseed|random_state|randomstate|rng)")
_NUMBERS = re.compile(r"[^A-Za-z]+|seed", re.IGNORECASE)


@dataclass(frozen=True)
class Repeats:
    """Experiments that did the same again, the earliest first.

    As a `Source` it says of one experiment what is true of all of them: params they share, and the means of their
    numbers, fold by fold where all went over the same folds. What belongs to each alone (counts, notes, files) it
    leaves out.
    """

    members: tuple[Experiment, ...]

    @property
    def name(self) -> str:
        """The name of the earliest member, by which all of them go."""
        return self.members[0].name

    @property
    def names(self) -> tuple[str, ...]:
        """The members' names, the earliest first."""
        return tuple(member.name for member in self.members)

    def values(self, *spellings: str) -> tuple[float, ...]:
        """What the members that logged a metric last said, in their order, each in the first spelling it used."""
        logged = ((member.metrics[name] for name in spellings if name in member.metrics) for member in self.members)
        return tuple(value for of_one in logged if isinstance(value := next(of_one, None), int | float))

    def spread(self, *spellings: str) -> float | None:
        """The standard deviation of a metric over the members, in its unit; None for fewer than two numbers.

        It is the noise floor: a smaller difference to another model is not an improvement.
        """
        values = self.values(*spellings)
        spread = standard_deviation(values) if len(values) > 1 and all(map(isfinite, values)) else None
        return spread if spread is None or isfinite(spread) else None

    def spreads(self) -> dict[str, float]:
        """The spread of every metric that has one, by its name."""
        spreads = {metric: self.spread(metric) for metric in self.metrics()}
        return {metric: spread for metric, spread in spreads.items() if spread is not None}

    def as_experiment(self) -> Experiment:
        """All of them as one experiment."""
        first = self.members[0]
        return Experiment(first.name, first.increment, self, path=str(first.path), archived=first.archived)

    def status(self) -> str:
        """Only finished ones compete, so only finished ones are put together."""
        return "finished"

    def params(self) -> dict[str, Any]:
        """A param's value where all agree, else the list of their values."""
        names = dict.fromkeys(name for member in self.members for name in member.params)
        return {name: self._shared(name) for name in names}

    def _shared(self, name: str) -> Any:
        values = [member.params[name] for member in self.members if name in member.params]
        agree = len(values) == len(self.members) and len(set(map(sameness, values))) == 1
        return values[0] if agree else values

    def metrics(self) -> dict[str, float]:
        """The means; one member's NaN is the NaN of all of them, as leaving it out would be choosing."""
        names = dict.fromkeys(name for member in self.members for name in member.metrics)
        return {name: mean(values) for name in names if (values := self.values(name))}

    def metadata(self) -> dict[str, Any]:
        """The few keys that a comparison asks for."""
        return self._together

    @cached_property
    def _together(self) -> dict[str, Any]:
        seconds = [member.duration_seconds for member in self.members if member.duration_seconds is not None]
        return {
            "started": self.members[0].value("started"),
            "description": self.members[0].description,
            "tags": [*dict.fromkeys(tag for member in self.members for tag in member.tags)],
            "duration_seconds": mean(seconds) if seconds else None,
            "incomplete": any(member.value("incomplete") for member in self.members),
            "folds": [_mean_fold(same) for same in self._folds()],
        }

    def _folds(self) -> list[tuple[Fold, ...]]:
        """Each fold as the members scored it; none where they did not all go over the same ones."""
        folds = [member.folds for member in self.members]
        same = {tuple(f"{f.repeat} {f.index} {f.split} {f.n_train} {f.n_test}" for f in of) for of in folds}
        return [*zip(*folds, strict=True)] if len(same) == 1 else []

    def value(self, key: str) -> Any:
        """One of these keys, else None."""
        return self._together.get(key)

    def history(self, metric: str, *, all_sessions: bool) -> History:
        """The history of the earliest member."""
        return self.members[0].history(metric, all=all_sessions)

    def trials(self) -> tuple[dict[str, Any], ...]:
        """None: each search has its own."""
        return ()

    def problems(self) -> tuple[str, ...]:
        """What was found broken in any of them."""
        return tuple(problem for member in self.members for problem in member.problems)


def find_repeats(finished: Sequence[Experiment]) -> dict[str, Repeats]:
    """The sets of experiments that repeat one another, by their names.

    Repeats are what `repeat_of` says, and a set in which every one logged the same seed-like params with different
    values while all other params are equal. Where no seed was logged, nothing is a repeat. Where a seed is all that
    was logged, the names must be the same but for their numbers: nothing else says that the models are.
    """
    keys = {experiment.name: _key(experiment) for experiment in sorted(finished, key=_archived_first)}
    roots: dict[str, str] = {}
    for experiment in finished:
        if experiment.repeat_of is not None:
            _unite(roots, keys.get(experiment.repeat_of, experiment.repeat_of), _key(experiment))
    for alike in _alike_but_for_the_seed(finished):
        for other in alike[1:]:
            _unite(roots, _key(alike[0]), _key(other))
    sets: dict[str, list[Experiment]] = {}
    for experiment in sorted(finished, key=_start_order):
        sets.setdefault(_root(roots, _key(experiment)), []).append(experiment)
    repeats = [Repeats(tuple(members)) for members in sets.values() if len(members) > 1]
    return {repeat.name: repeat for repeat in sorted(repeats, key=lambda repeat: natural(repeat.name))}


def one_row_each(finished: Sequence[Experiment], repeats: Iterable[Repeats]) -> tuple[Experiment, ...]:
    """The finished experiments, each set of repeats as one of them, in the order of their names."""
    sets = [*repeats]
    members = {member for repeat in sets for member in repeat.members}
    rows = [experiment for experiment in finished if experiment not in members]
    rows += [repeat.as_experiment() for repeat in sets]
    return tuple(sorted(rows, key=lambda row: (natural(row.name), row.archived)))


def _mean_fold(same: Sequence[Fold]) -> dict[str, Any]:
    """The means of one fold, as metadata.yaml holds a fold."""
    shared = [name for name in same[0].metrics if all(isinstance(f.metrics.get(name), int | float) for f in same)]
    fold = same[0]
    return {
        "i": fold.index,
        "repeat": fold.repeat,
        "n_train": fold.n_train,
        "n_test": fold.n_test,
        "split": fold.split,
        "m": {name: mean([fold.metrics[name] for fold in same]) for name in shared},
    }


def is_seed(param: str) -> bool:
    """Whether a param says which random numbers were drawn: `seed`, `random_state`, `model__random_state`, `rng`."""
    return _SEED.fullmatch(normalised(param)) is not None


def _alike_but_for_the_seed(finished: Iterable[Experiment]) -> Iterable[list[Experiment]]:
    alike: dict[object, dict[tuple[str, ...], Experiment]] = {}
    for experiment in sorted(finished, key=_start_order):
        seeds = {
            name: value for name, value in sorted(experiment.params.items()) if is_seed(name) and value is not None
        }
        if not seeds:
            continue
        others = sorted((name, sameness(value)) for name, value in experiment.params.items() if name not in seeds)
        model = tuple(others) or "".join(_NUMBERS.split(experiment.name)).casefold()
        drawn = tuple(sameness(value) for value in seeds.values())
        # The same seed once more is the same numbers once more, not another draw: only the first of them counts.
        alike.setdefault((*seeds, model), {}).setdefault(drawn, experiment)
    return [[*drawn.values()] for drawn in alike.values()]


def _start_order(experiment: Experiment) -> tuple[str, object]:
    return str(experiment.value("started") or "~"), natural(experiment.name)


def _archived_first(experiment: Experiment) -> bool:
    return not experiment.archived


def _key(experiment: Experiment) -> str:
    """An archived experiment and a live one may share a name, and are two."""
    return experiment.name + "\0" * experiment.archived


def _root(roots: Mapping[str, str], key: str) -> str:
    while roots.get(key, key) != key:
        key = roots[key]
    return key


def _unite(roots: dict[str, str], one: str, other: str) -> None:
    # The smaller name becomes the root, so the order in which they are found changes nothing.
    first, second = sorted((_root(roots, one), _root(roots, other)), key=natural)
    roots[second] = first
