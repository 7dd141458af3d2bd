"""What a format is, and how an object's library is told without importing it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from specweave_ml.errors import MissingDependency

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


class Format(NamedTuple):
    """One way of writing objects to files.

    Attributes:
        suffixes: the suffixes it writes.
        fits: whether it can hold an object.
        write: writes the object to exactly that path; the third argument is the suffix asked for.
        library: whose format it is, where the suffix alone does not tell (`.json` may be a dict or a model).
    """

    suffixes: tuple[str, ...]
    fits: Callable[[Any], bool]
    write: Callable[[Any, str, str], None]
    library: str = ""


def is_of(obj: object, library: str, *classes: str) -> bool:
    """Whether the object's class, or one it derives from, is one of these classes of the library."""
    return any(kind.__module__.partition(".")[0] == library and kind.__name__ in classes for kind in type(obj).__mro__)


def needed(module: str, package: str) -> ModuleType:
    """Import a module that only this format needs.

    Raises:
        MissingDependency: its package is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingDependency(
            f"{package} is needed for this and cannot be imported: {error}", next_step=f"pip install {package}"
        ) from error
