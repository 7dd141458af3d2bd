"""`reproduce`: an experiment run again from its record, and what came of it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from specweave_ml.analysis.arguments import arguments
from specweave_ml.analysis.ingredients import Recorded, differences
from specweave_ml.analysis.repeats import find_repeats, is_seed
from specweave_ml.analysis.rerun import is_reproduced, judge
from specweave_ml.project import INCREMENTS
from specweave_ml.provenance.command import RECORDED_VARIABLES, interpreter
from specweave_ml.reproduction.environments import make_environment
from specweave_ml.reproduction.worktree import bring_data, checked_out
from specweave_ml.store.afterwards import add_lines
from specweave_ml.store.reader import read_experiments
from specweave_ml.store.shared import read_packages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from specweave_ml.analysis.ingredients import Differences
    from specweave_ml.analysis.rerun import Rerun
    from specweave_ml.record import Experiment
    from specweave_ml.reproduction.recipe import Recipe

Environment = Literal["current", "locked"]
Status = Literal["match", "drift", "unverifiable"]


@dataclass(frozen=True, slots=True)
class Ingredient:
    """An ingredient then and now."""

    name: str
    recorded: Any
    now: Any
    status: Status


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of running an experiment again.

    Attributes:
        ingredients: what went in, drifted ones first.
        metrics: what came out.
        failure: why there is no new result, or None.
    """

    ingredients: tuple[Ingredient, ...]
    metrics: tuple[Rerun, ...]
    failure: str | None = None

    @property
    def verdict(self) -> Literal["reproduced", "drifted"]:
        """Whether it re-ran within tolerance."""
        return "reproduced" if self.failure is None and is_reproduced(self.metrics) else "drifted"

    @property
    def only_difference(self) -> str | None:
        """The one ingredient that drifted, where exactly one did."""
        drifted = [each.name for each in self.ingredients if each.status == "drift"]
        return drifted[0] if len(drifted) == 1 else None


@dataclass(frozen=True, slots=True)
class _Result:
    """A re-run: the experiment it recorded, the digests of the data that it got, and why there is none, if so."""

    recorded: Recorded | None
    data: Mapping[str, str | None]
    failure: str | None = None


def reproduce(recipe: Recipe, *, repeat: int = 1, environment: Environment = "current") -> Reproduction:
    """Run an experiment again, `repeat` times, each time in a fresh worktree; a re-run that passes is recorded.

    Args:
        recipe: as `read_recipe` gives it.
        repeat: how often; three or more show a spread, by which an experiment without a seed can be judged.
        environment: `current` is the Python that runs this, `locked` a new one with the recorded packages.

    Raises:
        Refused: the code, a data set or the environment cannot be restored.
        StoreError: the worktree or the verdict cannot be written.
    """
    results: list[_Result] = []
    for _ in range(repeat):
        with checked_out(recipe) as root:
            data = bring_data(recipe, root)
            python = sys.executable
            if environment == "locked":
                python = make_environment(recipe, root, f"{os.path.dirname(os.path.realpath(root))}/.env")
            results.append(_run(recipe, root, python, data))
        if results[-1].failure:
            break
    found = _judged(recipe, results)
    if found.verdict == "reproduced":
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        verified = {"at": now, "commit": recipe.commit, "environment": environment, "runs": repeat}
        add_lines(str(recipe.experiment.path), [{"set": {"verified": verified}}])
    return found


def command_line(recipe: Recipe, python: str = "python") -> list[str]:
    """The command that runs again, with the Python of its environment."""
    folder = os.path.dirname(python)
    argv = [word.replace("<bin>", folder) if folder else word for word in recipe.argv]
    return [python, *argv[1:]] if interpreter(argv) and "/" not in argv[0] else argv


def _run(recipe: Recipe, root: str, python: str, data: Mapping[str, str | None]) -> _Result:
    argv = command_line(recipe, python)
    if recipe.wrapped is not None:
        argv = [sys.executable, "-m", "specweave_ml", "run", *_wrapping(recipe, recipe.wrapped), "--", *argv]
    experiments = f"{root}/{INCREMENTS}/{recipe.where.name}/experiments"
    before = set(os.listdir(experiments))
    cwd = os.path.join(root, recipe.cwd)
    try:
        # Its output is no part of the answer, so it goes where diagnostics go.
        done = subprocess.run(argv, cwd=cwd, env=_variables(recipe, root, python), stdout=sys.stderr, check=False)
    except OSError as error:
        return _Result(None, data, f"the command cannot be started: {error.strerror or error}")
    made = [each for each in read_experiments(experiments, recipe.where.name) if each.name not in before]
    again = _the_same(made, recipe.experiment)
    if done.returncode:
        why = f"the command ended with exit code {done.returncode}"
        return _Result(None, data, f"{why}; files that git does not hold come back only where they were logged as data")
    if again is None:
        names = ", ".join(each.name for each in made) or "none"
        return _Result(None, data, f"the command recorded no experiment called {recipe.experiment.name}, but {names}")
    if again.status != "finished":
        return _Result(None, data, f"the experiment of the re-run is {again.status}")
    _ = (again.params, again.metrics, again.metadata)  # read now: the folder is gone before they are looked at
    return _Result(Recorded(again, read_packages(again)), data)


def _wrapping(recipe: Recipe, told: Mapping[str, Any]) -> list[str]:
    """What `run` was told then, with paths as seen from where it ran."""
    words = ["--name", recipe.experiment.name]
    if told.get("metrics"):
        words += ["--metrics", str(told["metrics"])]
    for data in recipe.data:
        uri = str(data.get("uri") or "")
        words += ["--data", uri if data.get("kind") == "remote" else os.path.relpath(uri, recipe.cwd)]
    return words


def _the_same(made: Sequence[Experiment], experiment: Experiment) -> Experiment | None:
    """The new experiment of that name; its first name may have been taken then, and be free now."""
    stem, _, number = experiment.name.rpartition("-")
    names = [experiment.name, str(experiment.value("original_name")), stem if number.isdigit() else ""]
    by_name = {each.name: each for each in made}
    found = next((by_name[name] for name in names if name in by_name), None)
    return made[0] if found is None and len(made) == 1 else found


def _variables(recipe: Recipe, root: str, python: str) -> dict[str, str]:
    """Our environment, with the recorded variables in place of ours, and every path into the project led to `root`."""
    ours = {name: value for name, value in os.environ.items() if name not in RECORDED_VARIABLES}
    ours.pop("SPECWEAVE_MODE", None)
    ours.pop("PYTHONHOME", None)
    path = os.pathsep.join((os.path.dirname(python), ours.get("PATH", os.defpath)))
    search = os.pathsep.join(_search_path(recipe.where.root, root, ours.pop("PYTHONPATH", "")))
    also = {"PYTHONPATH": search} if search else {}
    return {**ours, **recipe.variables, **also, "PATH": path, "SPECWEAVE_INCREMENT": recipe.where.name}


def _search_path(here: str, there: str, given: str) -> list[str]:
    """An editable install, or PYTHONPATH, names the person's own files: the restored ones go before them."""
    inside = f"{os.path.realpath(here)}/"
    entries = [os.path.realpath(entry) for entry in (*sys.path, *given.split(os.pathsep)) if entry]
    ours = [entry for entry in dict.fromkeys(entries) if f"{entry}/".startswith(inside)]
    restored = [os.path.join(there, os.path.relpath(entry, inside)) for entry in ours if "-packages" not in entry]
    others = [entry for entry in given.split(os.pathsep) if entry and os.path.realpath(entry) not in ours]
    return [*filter(os.path.isdir, restored), *others]


def _judged(recipe: Recipe, results: Sequence[_Result]) -> Reproduction:
    last = results[-1]
    if last.recorded is None:
        return Reproduction(tuple(_data(recipe, last)), (), last.failure)
    recorded = Recorded(recipe.experiment, read_packages(recipe.experiment))
    found = differences(recorded, last.recorded)
    metrics = judge(
        recipe.experiment.metrics,
        [result.recorded.experiment.metrics for result in results if result.recorded],
        seeded=any(is_seed(name.lstrip("-")) for name in (*recipe.experiment.params, *arguments(list(recipe.argv)))),
        repeats=_repeats(recipe),
    )
    return Reproduction(tuple(_ingredients(recipe, found, last)), metrics)


def _repeats(recipe: Recipe) -> dict[str, list[float]]:
    """The values of recorded repeats, where the experiment has some."""
    everyone = read_experiments(recipe.where.experiments, recipe.where.name)
    finished = [each for each in everyone if each.status == "finished"]
    groups = find_repeats(finished).values()
    group = next((each for each in groups if recipe.experiment.name in each.names), None)
    return {} if group is None else {name: list(group.values(name)) for name in recipe.experiment.metrics}


def _ingredients(recipe: Recipe, found: Differences, last: _Result) -> list[Ingredient]:
    # The worktree holds the code by construction: what it was made from was checked before.
    changed = [each for each in found.differences if each.ingredient != "code"]
    rows = [Ingredient(each.ingredient, each.a, each.b, "drift") for each in changed]
    named = {row.name for row in rows}
    rows += [row for row in _data(recipe, last) if row.name not in named]
    rows.append(Ingredient("code", recipe.code, recipe.code, "match"))
    environment = recipe.experiment.value("environment") or {}
    if not any(name.startswith("package ") for name in named):
        count = (environment.get("packages") or {}).get("count")
        unknown = "packages" in found.unknown
        rows.append(Ingredient("packages", count, None if unknown else count, "unverifiable" if unknown else "match"))
    if "python" not in named:
        rows.append(Ingredient("python", environment.get("python"), environment.get("python"), "match"))
    return sorted(rows, key=lambda row: row.status != "drift")


def _data(recipe: Recipe, last: _Result) -> list[Ingredient]:
    """Data sets by their digests: of the files that were brought back, else as the re-run logged them itself."""
    again = last.recorded.experiment.data if last.recorded else ()
    logged = {str(data.get("name")): data.get("digest") for data in again}
    digests = logged | {name: digest for name, digest in last.data.items() if digest}
    rows = []
    for data in recipe.data:
        recorded, now = data.get("digest"), digests.get(str(data.get("name")))
        status: Status = "unverifiable" if not (recorded and now) else "match" if recorded == now else "drift"
        said = recorded or data.get("version") or data.get("uri")
        rows.append(Ingredient(f"data {data.get('name')}", said, now, status))
    return rows
