"""How one experiment was run, as far as it was recorded: code, command, environment, data, and what is missing."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from specweave_ml.analysis.metrics import normalised
from specweave_ml.analysis.params import param_text
from specweave_ml.store.layout import is_side_file_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specweave_ml.record import Experiment

_SAYS_WHICH_DATA = re.compile(r"data(?:set)?_(?:version|commit|revision|tag|url|uri|path|hash|digest)")
_SHORT_COMMIT = 7
_SHORT_DIGEST = 12


@dataclass(frozen=True, slots=True)
class Code:
    """Where the code is: empty texts for what is not recorded.

    Attributes:
        commit: whole.
        short: its first digits.
        branch: that was checked out.
        remote: where the repository lives.
        changed: whether files differed from the commit; None where that is not recorded.
    """

    commit: str
    short: str
    branch: str
    remote: str
    changed: bool | None


@dataclass(frozen=True, slots=True)
class Data:
    """A data set that was used; empty texts for what is not recorded."""

    name: str
    version: str
    uri: str
    digest: str


@dataclass(frozen=True, slots=True)
class Gap:
    """What a re-run lacks, why, and how to mend it."""

    what: str
    why: str
    mend: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything recorded that a new training needs.

    Attributes:
        code: None where nothing is known of it.
        script: the lines to type, from the project's root; empty where no command that can be run again is recorded.
        python: `3.11.7`, or empty.
        machine: `Linux 6.1 on x86_64`, or empty.
        packages: the file that lists them, relative to the experiments' folder; empty where there is none.
        package_count: how many it lists.
        data: the data sets, and whatever versions were recorded as params.
        gaps: what is missing.
    """

    code: Code | None
    script: str
    python: str
    machine: str
    packages: str
    package_count: int
    data: tuple[Data, ...]
    gaps: tuple[Gap, ...]


def recipe_of(experiment: Experiment) -> Recipe:
    """What an experiment's record says of how it was run; whatever has an odd shape is left out."""
    environment = _section(experiment.value("environment"))
    packages = _section(environment.get("packages"))
    gaps = tuple(_gaps(experiment))
    code = _code(_section(experiment.value("code")))
    runnable = not any(gap.what == "command" for gap in gaps)
    system, machine = _text(environment, "os"), _text(environment, "machine")
    count = packages.get("count")
    return Recipe(
        code=code,
        script=_script(code, _section(experiment.value("command"))) if runnable else "",
        python=_text(environment, "python"),
        machine=" on ".join(filter(None, (system, machine))),
        packages=file if is_side_file_name(file := _text(packages, "file")) else "",
        package_count=count if isinstance(count, int) else 0,
        data=(*_data_sets(experiment), *_versions_in_params(experiment)),
        gaps=gaps,
    )


def _section(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(section: dict[str, Any], key: str) -> str:
    value = section.get(key)
    return value if isinstance(value, str) else ""


def _code(section: dict[str, Any]) -> Code | None:
    commit, dirty = _text(section, "commit"), section.get("dirty")
    if not commit:
        return None
    return Code(
        commit=commit,
        short=commit[:_SHORT_COMMIT],
        branch=_text(section, "branch"),
        remote=_text(section, "remote"),
        changed=dirty if isinstance(dirty, bool) else None,
    )


def _script(code: Code | None, section: dict[str, Any]) -> str:
    argv, folder = section.get("argv"), _text(section, "cwd")
    if not isinstance(argv, list) or not argv or not all(isinstance(word, str) for word in argv):
        return ""
    variables = [f"{name}={shlex.quote(str(value))}" for name, value in _section(section.get("env")).items()]
    checkout = [f"git checkout {shlex.quote(code.commit)}"] if code else []
    enter = [f"cd {shlex.quote(folder)}"] if folder not in {"", "."} else []
    return "\n".join([*checkout, *enter, " ".join([*variables, shlex.join(argv)])])


def _data_sets(experiment: Experiment) -> Iterator[Data]:
    for facts in experiment.data:
        yield Data(
            name=_text(facts, "name"),
            version=_text(facts, "version"),
            uri=_text(facts, "uri"),
            digest=_text(facts, "digest")[:_SHORT_DIGEST],
        )


def _versions_in_params(experiment: Experiment) -> Iterator[Data]:
    version = experiment.value("data_version")
    if isinstance(version, str) and version and version not in {_text(facts, "version") for facts in experiment.data}:
        yield Data("data_version", version, "", "")
    for name, value in experiment.params.items():
        if _SAYS_WHICH_DATA.fullmatch(normalised(name)):
            yield Data(name, param_text(value), "", "")


def _gaps(experiment: Experiment) -> Iterator[Gap]:
    missing = _section(experiment.value("capture")).get("missing")
    for gap in missing if isinstance(missing, list) else ():
        if isinstance(gap, dict):
            yield Gap(_text(gap, "what"), _text(gap, "why"), _text(gap, "mend"))
