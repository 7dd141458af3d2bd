"""The recorded packages in an environment of their own: the list of what was installed, nothing resolved anew."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING
from urllib.parse import unquote

from specweave_ml.errors import Refused
from specweave_ml.provenance.environment import plain_name
from specweave_ml.store.shared import read_packages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from specweave_ml.reproduction.recipe import Recipe

OURS = "specweave-ml"
_SECONDS = 3600.0
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+!_-]*")
_NEVER = ("pip", "setuptools", "wheel", "uv")


def make_environment(recipe: Recipe, root: str, folder: str) -> str:
    """Make an environment in `folder`, and return its Python.

    Packages that were installed from a folder are not in any index: the project's own comes from the restored code,
    ours from where this one came from, and any other is a reason to refuse.

    Raises:
        Refused: the list is not there, or something in it cannot be installed.
    """
    packages = read_packages(recipe.experiment)
    if not packages:
        why = "the list of its packages is not recorded, or is gone"
        raise Refused(why, path=recipe.experiment.path, next_step="--env current runs it with what is installed here")
    editable = (recipe.experiment.value("environment") or {}).get("editable") or []
    requirements = [_requirement(name, version, editable, root) for name, version in _wanted(packages)]
    _run([*_maker(recipe), folder])
    python = f"{folder}/bin/python"
    listed = f"{folder}/requirements.txt"
    with open(listed, "x", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in requirements)
    _run([*_installer(python), "--no-deps", "-r", listed])
    return python


def _wanted(packages: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, version) for name, version in packages.items() if name not in _NEVER]


def _requirement(name: str, version: str, editable: Sequence[str], root: str) -> str:
    """A line for the installer, which would take an option or an address there as well."""
    if not (_NAME.fullmatch(name) and _VERSION.fullmatch(version)):
        raise Refused("the list of packages holds a line that names no package", received=f"{name}=={version}")
    if name == OURS:
        return _our_origin() or f"{name}=={version}"
    if name not in editable:
        return f"{name}=={version}"
    if _project_name(root) == name:
        return f"-e {root}"
    raise Refused(
        f"{name} was installed from a folder outside the project, so that its code is not known",
        received=f"{name} {version}",
        next_step="--env current runs with the one that is installed here",
    )


def _our_origin() -> str | None:
    """The folder that this specweave-ml was installed from; None where it came from an index."""
    try:
        text = distribution(OURS).read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    url = json.loads(text)["url"] if text else ""
    return unquote(url.removeprefix("file://")) if url.startswith("file://") else None


def _project_name(root: str) -> str | None:
    try:
        with open(f"{root}/pyproject.toml", "rb") as file:
            name = tomllib.load(file)["project"]["name"]
    except (OSError, LookupError, TypeError, ValueError):
        return None
    return plain_name(str(name))


def _maker(recipe: Recipe) -> list[str]:
    """Uv finds the recorded Python version, or gets it; venv makes an environment of the Python that runs this."""
    recorded = str((recipe.experiment.value("environment") or {}).get("python") or "")
    uv = shutil.which("uv")
    if uv and recorded:
        return [uv, "venv", "--quiet", "--python", recorded.rpartition(".")[0]]
    return [sys.executable, "-m", "venv"]


def _installer(python: str) -> list[str]:
    uv = shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--quiet", "--python", python]
    return [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]


def _run(command: Sequence[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False, env=environment)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"the recorded packages cannot be installed: {error}") from error
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        said = next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "no reason was given")
        raise Refused(
            f"the recorded packages cannot be installed: {said.strip()}",
            next_step="--env current runs it with what is installed here",
        )
