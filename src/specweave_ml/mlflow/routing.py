"""Which increment a tracking URI means: `specweave://0042`, or the path of an increment's `experiments` folder."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from specweave_ml.errors import MissingDependency, UsageError, complain
from specweave_ml.project import INCREMENTS, find_increment

if TYPE_CHECKING:
    from specweave_ml.project import Increment

SCHEME = "specweave"
TESTED = ((3, 17), (4, 0))
"""The versions of MLflow that this was tested with: from the first on, below the second."""

_EXPERIMENTS = re.compile(rf"(?:(.*)/)?{re.escape(INCREMENTS)}/(.+)/experiments/*")


def increment_at(uri: str) -> Increment | None:
    """The increment of a path or `file:` URI; None where it is no `experiments` folder of an increment.

    Raises:
        NotFound, UsageError, Refused: as `find_increment`.
    """
    found = _EXPERIMENTS.fullmatch(_path(uri))
    if found is None:
        return None
    return find_increment(found[2], start=found[1] if found[1] is not None else None)


def increment_named(uri: str) -> Increment:
    """The increment of a `specweave:` URI: by its number or name, or by the folder of `configure_mlflow`.

    Raises:
        NotFound, UsageError, Refused: as `find_increment`.
    """
    parts = urlsplit(uri)
    if parts.scheme != SCHEME:
        raise UsageError("this is no URI of an increment", received=uri, expected=f"{SCHEME}://0042")
    if parts.netloc:
        return find_increment(unquote(parts.netloc))
    path = unquote(parts.path)
    found = _EXPERIMENTS.fullmatch(f"{path.rstrip('/')}/experiments")
    return find_increment(found[2], start=found[1] or "/") if found else find_increment(path.strip("/") or None)


def uri_of(increment: Increment) -> str:
    """The URI that means this increment from every folder, and in every process that inherits it."""
    from urllib.parse import quote

    return f"{SCHEME}://{quote(os.path.abspath(increment.path))}"


def check_installation() -> None:
    """MLflow is here, with the database that a store of runs needs; an untested version is said, and tried.

    Raises:
        MissingDependency: something of it is not installed.
    """
    from importlib.util import find_spec

    spec = find_spec("mlflow")
    if spec is None or spec.origin is None:
        raise MissingDependency("MLflow is not installed", next_step="pip install 'specweave-ml[mlflow]'")
    if find_spec("sqlalchemy") is None:
        raise MissingDependency(
            "this MLflow is mlflow-skinny alone, which has no database of its own",
            expected="the whole of MLflow",
            next_step="pip install 'specweave-ml[mlflow]'",
        )
    _say_untested()


def _say_untested() -> None:
    from mlflow.version import VERSION

    parts = tuple(int(part) for part in re.findall(r"\d+", VERSION)[:2])
    if not TESTED[0] <= parts < TESTED[1]:
        complain(f"MLflow {VERSION} was never tried with this version of specweave-ml (3.17 up to 4 were)")


def _path(uri: str) -> str:
    parts = urlsplit(uri)
    return unquote(parts.path) if parts.scheme == "file" else uri
