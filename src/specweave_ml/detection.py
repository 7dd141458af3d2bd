"""Which frameworks and trackers a project uses, with the evidence for each.

A tool is named when the project says so: a declared dependency, data that the tool left, or a variable of its
environment. Being installed is no evidence: a shared environment holds what other projects need. Nothing is imported
or run, reads are bounded, and no link is followed out of the project.
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib.machinery import PathFinder
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Kind = Literal["framework", "tracker"]

_LARGEST = 4 << 20  # bytes of a file that declares; a lock file of a thousand packages has about one million
_MOST_FILES = 50  # of one kind: requirements-*.txt
_MOST_ENTRIES = 2_000  # of a folder
_MOST_FOLDERS = 200  # and how deep, where event files may lie
_DEEPEST = 4
_MOST_EVIDENCE = 8


@dataclass(frozen=True, slots=True)
class Tool:
    """A framework or tracker that the project speaks of.

    Attributes:
        name: as people call it, such as `scikit-learn`.
        kind: `framework` or `tracker`.
        evidence: where the project says so, such as `declared in pyproject.toml`.
        importable: whether this interpreter finds it. Only then is the tool in use; otherwise it is to be installed.
    """

    name: str
    kind: Kind
    evidence: tuple[str, ...]
    importable: bool


# Name: kind, what can be imported, what can be declared (PyPI's and conda's names, in their normal form).
_KNOWN: dict[str, tuple[Kind, str, str]] = {
    "scikit-learn": ("framework", "sklearn", "scikit-learn sklearn"),
    "xgboost": ("framework", "xgboost", "xgboost xgboost-cpu py-xgboost py-xgboost-cpu py-xgboost-gpu"),
    "lightgbm": ("framework", "lightgbm", "lightgbm"),
    "catboost": ("framework", "catboost", "catboost"),
    "torch": ("framework", "torch", "torch pytorch pytorch-cpu pytorch-gpu"),
    "lightning": ("framework", "lightning pytorch_lightning", "lightning pytorch-lightning"),
    "transformers": ("framework", "transformers", "transformers"),
    "keras": ("framework", "keras", "keras"),
    "tensorflow": ("framework", "tensorflow", "tensorflow tensorflow-cpu tensorflow-gpu tensorflow-macos tf-nightly"),
    "mlflow": ("tracker", "mlflow", "mlflow mlflow-skinny"),
    "wandb": ("tracker", "wandb", "wandb"),
    "tensorboard": ("tracker", "tensorboard tensorboardX", "tensorboard tensorboardx"),
    "comet": ("tracker", "comet_ml", "comet-ml"),
    "neptune": ("tracker", "neptune", "neptune neptune-client"),
    "clearml": ("tracker", "clearml", "clearml"),
    "dvclive": ("tracker", "dvclive", "dvclive"),
}
_BY_DISTRIBUTION = {name: tool for tool, (_, _, names) in _KNOWN.items() for name in names.split()}

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_EGG = re.compile(r"#egg=([A-Za-z0-9][A-Za-z0-9._-]*)")
_CONDA = re.compile(r"\s*-\s*[\"']?(?:[\w./-]+::)?([A-Za-z0-9][A-Za-z0-9._-]*)")
_LOCKED = re.compile(r"^\s*(?:- )?name\s*[:=]\s*[\"']?([A-Za-z0-9][A-Za-z0-9._-]*)", re.MULTILINE)
_EVENT_FOLDERS = ("runs", "logs", "lightning_logs", "tb_logs", "tensorboard")


def detect(root: str) -> tuple[Tool, ...]:
    """The tools that the project at `root` speaks of, frameworks first.

    A file that cannot be read, is too large, is no text, or leads out of the project says nothing.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for path, names in _declarations(root):
        for tool in sorted({_BY_DISTRIBUTION[name] for name in map(_normal, names) if name in _BY_DISTRIBUTION}):
            found[tool].append(f"declared in {path}")
    for tool, evidence in (*_data(root), *_environment()):
        found[tool].append(evidence)
    tools = []
    for name, (kind, modules, _) in _KNOWN.items():
        if name in found:
            importable = any(_is_importable(module, root) for module in modules.split())
            tools.append(Tool(name, kind, tuple(found[name][:_MOST_EVIDENCE]), importable))
    return tuple(tools)


def _normal(name: str) -> str:
    """The normal form of a distribution's name (PyPA, name normalization)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_importable(module: str, root: str) -> bool:
    """Whether an installed package of that name is found.

    A file or folder of the project that happens to be called so is not it, and neither is a folder without code
    (`wandb/` with its data gives a namespace, which has no origin).
    """
    spec = PathFinder.find_spec(module, [entry for entry in sys.path if _holds_installed(entry, root)])
    return spec is not None and spec.origin is not None


def _holds_installed(entry: str, root: str) -> bool:
    if not entry:
        return False
    place = os.path.realpath(entry)
    if os.path.basename(place) in {"site-packages", "dist-packages"}:
        return True  # also that of a .venv inside the project
    return place != os.path.realpath(os.curdir) and not _is_inside(place, root)


def _is_inside(path: str, root: str) -> bool:
    return os.path.join(os.path.realpath(path), "").startswith(os.path.join(os.path.realpath(root), ""))


# What is declared


def _declarations(root: str) -> Iterator[tuple[str, Iterable[str]]]:
    """Each file that declares dependencies, relative to the project, and the names in it."""
    for pattern, names_in in _READERS.items():
        folder, _, file = pattern.rpartition("/")
        for name in _matching(root, folder, file):
            path = f"{folder}/{name}" if folder else name
            text = _text(root, path)
            if text is None:
                continue
            try:
                names = list(names_in(text))
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
            yield path, names


def _matching(root: str, folder: str, pattern: str) -> list[str]:
    """The names in a folder of the project that fit; none where there is no such folder."""
    if not _is_inside(os.path.join(root, folder), root):
        return []
    try:
        with os.scandir(os.path.join(root, folder)) as entries:
            names = sorted(entry.name for entry in islice(entries, _MOST_ENTRIES) if fnmatch(entry.name, pattern))
    except OSError:
        return []
    return names[:_MOST_FILES]


def _text(root: str, path: str) -> str | None:
    """A file's text, or None where it is not a plain text file of the project of a sensible size."""
    whole = os.path.realpath(os.path.join(root, path))
    if not _is_inside(whole, root):
        return None
    try:
        descriptor = os.open(whole, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            data = file.read(_LARGEST + 1)
    except OSError:
        return None
    if len(data) > _LARGEST or b"\0" in data:
        return None
    return data.decode("utf-8-sig", "replace").replace("\r\n", "\n")


def _required(lines: Any) -> Iterator[str]:
    """The names in PEP 508 requirements."""
    for line in lines if isinstance(lines, list) else []:
        if isinstance(line, str) and (name := _REQUIREMENT.match(line)):
            yield name[1]


def _table(value: Any, *keys: str) -> dict[str, Any]:
    """The table at a path of keys; an empty one where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _in_pyproject(text: str) -> Iterator[str]:
    whole = tomllib.loads(text)
    yield from _required(_table(whole, "project").get("dependencies"))
    groups = (
        _table(whole, "project", "optional-dependencies"),
        _table(whole, "dependency-groups"),
        _table(whole, "tool", "pdm", "dev-dependencies"),
        {"dev": _table(whole, "tool", "uv").get("dev-dependencies")},
    )
    for group in groups:
        for requirements in group.values():
            yield from _required(requirements)
    poetry = _table(whole, "tool", "poetry")
    for table in (poetry, *map(_table, _table(poetry, "group").values()), _table(whole, "tool", "pixi")):
        for key in ("dependencies", "dev-dependencies", "pypi-dependencies"):
            yield from _table(table, key)


def _in_requirements(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if egg := _EGG.search(line):
            yield egg[1]
        elif not line.lstrip().startswith(("#", "-")):
            yield from _required([line])


def _in_setup_cfg(text: str) -> Iterator[str]:
    import configparser

    settings = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        settings.read_string(text)
    except configparser.Error:
        return
    requirements = [settings.get("options", "install_requires", fallback="")]
    if settings.has_section("options.extras_require"):
        requirements += dict(settings["options.extras_require"]).values()
    for text_of_one in requirements:
        yield from _required(text_of_one.splitlines())


def _in_setup_py(text: str) -> Iterator[str]:
    """The literal strings after `install_requires=` and `extras_require=`; the file is read, never run."""
    import ast
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape in a stranger's file is not ours to tell
        tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in {"install_requires", "extras_require"}:
            strings = [each.value for each in ast.walk(node.value) if isinstance(each, ast.Constant)]
            yield from _required(strings)


def _in_conda(text: str) -> Iterator[str]:
    """The items below `dependencies:`, `pip:` ones too; channels have names of packages and are not among them."""
    inside = False
    for line in text.splitlines():
        if line[:1].isalpha():
            inside = line.startswith("dependencies:")
        elif inside and (name := _CONDA.match(line)):
            yield name[1]


def _in_pipfile(text: str) -> Iterator[str]:
    whole = tomllib.loads(text)
    yield from (*_table(whole, "packages"), *_table(whole, "dev-packages"))


def _in_pipfile_lock(text: str) -> Iterator[str]:
    whole = json.loads(text)
    yield from (*_table(whole, "default"), *_table(whole, "develop"))


def _in_lock(text: str) -> Iterator[str]:
    return (match[1] for match in _LOCKED.finditer(text))


_READERS: dict[str, Callable[[str], Iterable[str]]] = {
    "pyproject.toml": _in_pyproject,
    "requirements*.txt": _in_requirements,
    "requirements*.in": _in_requirements,
    "requirements/*.txt": _in_requirements,
    "setup.cfg": _in_setup_cfg,
    "setup.py": _in_setup_py,
    "environment*.y*ml": _in_conda,
    "Pipfile": _in_pipfile,
    "Pipfile.lock": _in_pipfile_lock,
    "uv.lock": _in_lock,
    "poetry.lock": _in_lock,
    "pdm.lock": _in_lock,
    "pylock*.toml": _in_lock,
    "conda-lock.yml": _in_lock,
    "pixi.lock": _in_lock,
}


# What tools left behind, and what the environment says


def _data(root: str) -> Iterator[tuple[str, str]]:
    runs = [name for name in _matching(root, "mlruns", "*") if _text(root, f"mlruns/{name}/meta.yaml") is not None]
    if runs:
        yield "mlflow", f"data in mlruns/{runs[0]}"
    if _matching(root, "", "mlflow.db"):
        yield "mlflow", "data in mlflow.db"
    sessions = _matching(root, "wandb", "*run-*")
    if sessions:
        yield "wandb", f"data in wandb/{sessions[0]}"
    for folder in _EVENT_FOLDERS:
        place = _with_events(root, folder)
        if place is not None:
            yield "tensorboard", f"data in {place}"


def _with_events(root: str, folder: str) -> str | None:
    """The first folder with event files, at this one or below, within bounds."""
    places = [folder]
    for place in places:
        if _matching(root, place, "*.tfevents.*"):
            return place
        if place.count("/") < _DEEPEST and len(places) < _MOST_FOLDERS:
            places += [f"{place}/{name}" for name in _matching(root, place, "*")]
    return None


def _environment() -> Iterator[tuple[str, str]]:
    """Variables by their names alone: their values may be secrets."""
    for name in sorted(os.environ):
        if name == "MLFLOW_TRACKING_URI":
            yield "mlflow", f"environment variable {name}"
        elif name.startswith("WANDB_"):
            yield "wandb", f"environment variable {name}"
