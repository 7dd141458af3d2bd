"""What went into an experiment, and in which of it two experiments differ.

An ingredient is anything that may change a result: code, params, seeds, data, packages, the command line, the
hardware. Two experiments that differ in one ingredient are a fair test of it; in several, nobody can say which of
them made the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from specweave_ml.analysis.arguments import SCRIPT, arguments
from specweave_ml.analysis.params import sameness
from specweave_ml.analysis.repeats import is_seed
from specweave_ml.analysis.table import natural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from specweave_ml.record import Experiment

Verdict = Literal["one", "confounded", "none"]

_HARDWARE = ("os", "machine", "cpu", "gpu")
_PYTHON = ("python", "implementation")
_CODE = "code"
_INSTALLERS = frozenset({"pip", "uv", "wheel"})  # how packages got there, and no part of what ran


@dataclass(frozen=True, slots=True)
class Difference:
    """One ingredient and its two values; None where an experiment has none."""

    ingredient: str
    a: Any
    b: Any


@dataclass(frozen=True, slots=True)
class Differences:
    """In what two experiments differ, and what cannot be told.

    Attributes:
        a: the name of the first.
        b: the name of the second.
        differences: in the order code, data, python, hardware, command, seeds, params, packages.
        unknown: ingredient → why it cannot be compared.
    """

    a: str
    b: str
    differences: tuple[Difference, ...]
    unknown: Mapping[str, str]

    @property
    def verdict(self) -> Verdict:
        """`none` of what is recorded differs, `one` ingredient, or several: then the result is `confounded`."""
        return ("none", "one")[len(self.differences)] if len(self.differences) < 2 else "confounded"


@dataclass(frozen=True, slots=True)
class Recorded:
    """An experiment with its list of packages (None: not recorded), which is kept in a file beside it."""

    experiment: Experiment
    packages: Mapping[str, str] | None


def differences(a: Recorded, b: Recorded, *, same_commits: bool | None = None) -> Differences:
    """Compare two experiments ingredient by ingredient.

    A param and the argument that carries it are one difference; the name of an experiment is none, wherever it stands.

    Args:
        a: the first.
        b: the second.
        same_commits: whether the code of the two commits is the same although their names differ; None: not known.
    """
    unknown: dict[str, str] = {}
    found = [*_code(a.experiment, b.experiment, same_commits, unknown), *_data(a.experiment, b.experiment, unknown)]
    machines = [_section(each.experiment, "environment") for each in (a, b)]
    found += _values({"python": _PYTHON, "hardware": _HARDWARE}, *machines)
    params = list(_params(a.experiment, b.experiment))
    found += (each for each in _command(a.experiment, b.experiment) if not _is_carried(each, params))
    packages = _packages(a, b, unknown)
    return Differences(a.experiment.name, b.experiment.name, (*found, *params, *packages), unknown)


def _code(a: Experiment, b: Experiment, same_commits: bool | None, unknown: dict[str, str]) -> Iterator[Difference]:  # noqa: FBT001 - passed on
    codes = [_section(each, _CODE) for each in (a, b)]
    commits = [code.get("commit") for code in codes]
    patches = [_changes(code) for code in codes]
    if None in commits:
        unknown[_CODE] = "the commit was not recorded"
    if (commits[0] != commits[1] and not same_commits) or patches[0] != patches[1]:
        said = [_said(code, changes) for code, changes in zip(codes, patches, strict=True)]
        yield Difference(_CODE, *said)
    elif any(code.get("dirty") and not changes for code, changes in zip(codes, patches, strict=True)):
        unknown[_CODE] = "files differed from the commit, and how was not recorded"


def _changes(code: Mapping[str, Any]) -> str | None:
    """What identifies the changes on top of the commit, where they were recorded."""
    digests = [str((code.get(key) or {}).get("sha256") or "") for key in ("patch", "untracked")]
    return "+".join(digests) if any(digests) else None


def _said(code: Mapping[str, Any], changes: str | None) -> str | None:
    commit = code.get("commit")
    if commit is None:
        return None
    if changes:
        return f"{commit} with the changes {changes[:12].strip('+')}"
    return f"{commit} with changes" if code.get("dirty") else str(commit)


def _data(a: Experiment, b: Experiment, unknown: dict[str, str]) -> Iterator[Difference]:
    sets = [{str(data.get("name")): data for data in each.data} for each in (a, b)]
    for name in sorted(sets[0].keys() | sets[1].keys()):
        first, second = (each.get(name) for each in sets)
        if first is None or second is None:
            yield Difference(f"data {name}", *(data and _identity(data) for data in (first, second)))
            continue
        keys = [key for key in ("digest", "version", "uri", "shape") if first.get(key) and second.get(key)]
        # A digest says all there is to say; a location or a shape only that something changed.
        decisive = keys[:1] if keys[:1] == ["digest"] else keys
        if any(first[key] != second[key] for key in decisive):
            yield Difference(f"data {name}", _identity(first), _identity(second))
        elif not {"digest", "version"} & set(keys):
            unknown[f"data {name}"] = "neither a digest nor a version of it was recorded for both"
    declared = [each.value("data_version") for each in (a, b)]
    if declared[0] != declared[1]:
        yield Difference("data version", *declared)


def _identity(data: Mapping[str, Any]) -> str:
    said = data.get("digest") or data.get("version") or data.get("uri") or data.get("shape")
    return str(said) if said else "recorded without a version"


def _packages(a: Recorded, b: Recorded, unknown: dict[str, str]) -> Iterator[Difference]:
    if a.packages is None or b.packages is None:
        unknown["packages"] = "the list of packages was not recorded"
        return
    for name in sorted((a.packages.keys() | b.packages.keys()) - _INSTALLERS):
        if a.packages.get(name) != b.packages.get(name):
            yield Difference(f"package {name}", a.packages.get(name), b.packages.get(name))


def _values(
    ingredients: Mapping[str, tuple[str, ...]], a: Mapping[str, Any], b: Mapping[str, Any]
) -> Iterator[Difference]:
    """One difference an ingredient that is spread over several keys, where both recorded them."""
    for ingredient, keys in ingredients.items():
        changed = [key for key in keys if key in a and key in b and sameness(a[key]) != sameness(b[key])]
        if changed:
            yield Difference(ingredient, *({key: each[key] for key in changed} for each in (a, b)))


def _command(a: Experiment, b: Experiment) -> Iterator[Difference]:
    commands = [_section(each, "command") for each in (a, b)]
    given = [arguments(command.get("argv")) for command in commands]
    for name in sorted(given[0].keys() | given[1].keys(), key=natural):
        values = [each.get(name) for each in given]
        if values[0] != values[1] and not _are_names(values, a, b):
            yield Difference(SCRIPT if name == SCRIPT else f"{_kind(name, 'argument')} {name}", *values)
    yield from _values({"working directory": ("cwd",)}, *commands)
    variables = [command.get("env") or {} for command in commands]
    for name in sorted(variables[0].keys() | variables[1].keys()):
        values = [each.get(name) for each in variables]
        if values[0] != values[1]:
            yield Difference(f"variable {name}", *values)


def _params(a: Experiment, b: Experiment) -> Iterator[Difference]:
    seeds = [_section(each, "seeds") for each in (a, b)]
    for name in sorted(seeds[0].keys() & seeds[1].keys() - a.params.keys()):
        if sameness(seeds[0][name]) != sameness(seeds[1][name]):
            yield Difference(f"seed {name}", seeds[0][name], seeds[1][name])
    for name in sorted(a.params.keys() | b.params.keys(), key=natural):
        values = [each.params.get(name) for each in (a, b)]
        held = [name in each.params for each in (a, b)]
        if (held[0] != held[1] or sameness(values[0]) != sameness(values[1])) and not _are_names(values, a, b):
            yield Difference(f"{_kind(name, 'param')} {name}", *values)


def _kind(name: str, otherwise: str) -> str:
    return "seed" if is_seed(name.strip("-")) else otherwise


def _are_names(values: list[Any], a: Experiment, b: Experiment) -> bool:
    """Whether each value is the name of its experiment, as it was given or as its folder has it."""
    names = [{each.name, each.value("original_name") or each.value("name")} for each in (a, b)]
    return all(value in known for value, known in zip(values, names, strict=True))


def _is_carried(argument: Difference, params: list[Difference]) -> bool:
    """Whether an argument only hands over a param that differs too: by its name, or by both its values."""
    kind, _, name = argument.ingredient.partition(" ")
    if kind not in ("argument", "seed"):
        return False
    plain = _plain(name)
    for param in params:
        same_name = _plain(param.ingredient.partition(" ")[2]) in {plain, plain.rpartition(".")[2]}
        same_values = all(_is_text_of(text, value) for text, value in ((argument.a, param.a), (argument.b, param.b)))
        if same_name or same_values:
            return True
    return False


def _plain(name: str) -> str:
    return name.strip("-").replace("-", "_").lower()


def _is_text_of(text: Any, value: Any) -> bool:
    if text is None or value is None:
        return False
    if str(text) == str(value):
        return True
    try:
        return not isinstance(value, bool) and float(text) == float(value)
    except (TypeError, ValueError):
        return False


def _section(experiment: Experiment, key: str) -> Mapping[str, Any]:
    section = experiment.value(key)
    return section if isinstance(section, dict) else {}
