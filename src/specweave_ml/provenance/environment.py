"""The Python, the machine, and the packages that an experiment runs with."""

from __future__ import annotations

import os
import sys

from specweave_ml.provenance.command import other_interpreter
from specweave_ml.provenance.gaps import gap
from specweave_ml.provenance.git import find_repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from specweave_ml.provenance.gaps import Found

_INSTALLED = (".dist-info", ".egg-info")
_LOCKS = (
    "uv.lock poetry.lock pdm.lock pylock.toml Pipfile.lock conda-lock.yml requirements.lock requirements.txt "
    "environment.yml environment.yaml"
).split()


def read_machine() -> Found:
    """Python's version and implementation, operating system, machine type and number of processors."""
    system = os.uname()
    return {
        "python": sys.version.split()[0],
        "implementation": sys.implementation.name,
        "os": f"{system.sysname} {system.release}",
        "machine": system.machine,
        "cpu": {"count": os.cpu_count()},
    }, []


def read_packages(root: str) -> Found:
    """What is installed: `packages` (the side file's name, its sha256, the count, and its content), and `editable`.

    The text has one line `name==version` a package, names as in PEP 503, sorted. It is read from the names of the
    `.dist-info` and `.egg-info` folders on `sys.path`, of which the first counts, as it does for an import.
    """
    import hashlib

    versions: dict[str, str] = {}
    editable: dict[str, str] = {}
    about, search_path = _other_python()
    for folder, entry in _metadata_folders(search_path):
        name, version = _name_and_version(folder, entry)
        if name and version and name not in versions:
            versions[name] = version
            source = _editable_source(folder, entry)
            if source is not None:
                editable[name] = source
    text = "".join(f"{name}=={version}\n" for name, version in sorted(versions.items()))
    digest = hashlib.sha256(text.encode()).hexdigest()
    packages = {"file": f".env/{digest[:16]}.txt", "sha256": digest, "count": len(versions), "content": text.encode()}
    repository = find_repository(root)
    covered = os.path.join(os.path.realpath(repository.top if repository else root), "")
    gaps = [
        gap(
            f"environment.editable.{name}",
            "it is installed from a folder outside this repository, so its version does not say what its code was",
            f"install a release of {name}, or note its commit",
        )
        for name, source in sorted(editable.items())
        if not os.path.join(os.path.realpath(source), "").startswith(covered)
    ]
    return {**about, "packages": packages, "editable": sorted(editable)}, gaps


def read_lock(root: str) -> Found:
    """`lock`: the file at the project's root that says which packages are meant, the most exact kind first."""
    from specweave_ml.provenance.data import describe_files

    for name in _LOCKS:
        if os.path.isfile(f"{root}/{name}"):
            return {"lock": {"file": name, "sha256": describe_files(f"{root}/{name}")["digest"]}}, []
    why = "no lock file says which packages are meant; a re-run takes the list of what was installed"
    return {}, [gap("environment.lock", why, "uv lock, or pip freeze > requirements.lock")]


def _other_python() -> tuple[dict[str, object], list[str]]:
    """What another interpreter says of itself, where the program runs under one, and where to look for packages."""
    import json
    import subprocess

    program = other_interpreter()
    if program is None:
        return {}, sys.path
    asked = "import json, sys; print(json.dumps([sys.version.split()[0], sys.implementation.name, sys.path[1:]]))"
    done = subprocess.run([program, "-c", asked], capture_output=True, text=True, timeout=10, check=True)
    python, implementation, search_path = json.loads(done.stdout)
    return {"python": python, "implementation": implementation}, search_path


def _metadata_folders(search_path: list[str]) -> Iterator[tuple[str, str]]:
    for folder in dict.fromkeys(search_path):
        try:
            entries = sorted(os.listdir(folder or "."))
        except OSError:  # an archive, or a folder that does not exist
            continue
        for entry in entries:
            if entry.endswith(_INSTALLED):
                yield folder, entry


def _name_and_version(folder: str, entry: str) -> tuple[str, str]:
    """Of `my_pkg-1.0.dist-info` or `my_pkg-1.0-py3.11.egg-info`; of `my_pkg.egg-info` the version is in the file."""
    name, _, rest = entry.rpartition(".")[0].partition("-")
    version = rest.partition("-")[0] or _version_line(os.path.join(folder, entry, "PKG-INFO"))
    return ("" if name.startswith("~") else plain_name(name)), version  # "~": what a broken pip uninstall leaves behind


def plain_name(name: str) -> str:
    """The name of a package as PEP 503 normalises it."""
    plain = name.lower().replace("_", "-").replace(".", "-")
    while "--" in plain:
        plain = plain.replace("--", "-")
    return plain


def _version_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as lines:
            return next((line[9:].strip() for line in lines if line.startswith("Version: ")), "")
    except OSError:
        return ""


def _editable_source(folder: str, entry: str) -> str | None:
    """The folder an editable install points to, or None for an ordinary one."""
    import json
    from urllib.parse import unquote

    if entry.endswith(".egg-info"):
        return None if folder.endswith("-packages") else folder
    try:
        with open(os.path.join(folder, entry, "direct_url.json"), encoding="utf-8") as file:
            origin = json.load(file)
        return unquote(origin["url"]).removeprefix("file://") if origin["dir_info"]["editable"] else None
    except (OSError, ValueError, KeyError, TypeError):  # none, or not as the standard says
        return None
