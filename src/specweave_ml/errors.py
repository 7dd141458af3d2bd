"""Every error of this package, as one tree.

    SpecweaveError                exit code
    ├── UsageError                2   the caller's mistake (also a ValueError)
    ├── MissingDependency         3   an extra is not installed (also an ImportError)
    ├── NotFound                  4   project, increment, experiment or artifact (also a LookupError)
    ├── Refused                   5   going on would lose something
    ├── RemoteError               6   a remote service or its authentication
    └── StoreError                7   the experiment folder cannot be read or written (also an OSError)

An error says what happened, the value received, the path, what was expected, and the next step.
The command line prints exactly these parts and exits with the code; the library raises them.
"""

from __future__ import annotations

import sys
import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class SpecweaveError(Exception):
    """Base of all errors raised on purpose by this package.

    Args:
        what: one sentence naming the thing that went wrong.
        received: the value the caller gave, if one did.
        path: the file or folder concerned, relative to the project where possible.
        expected: what would have been accepted.
        next_step: the command or the change that mends it.
    """

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        received: object = None,
        path: object = None,
        expected: str | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.received = received
        self.path = None if path is None else str(path)
        self.expected = expected
        self.next_step = next_step

    def __str__(self) -> str:
        parts = [self.what]
        if self.received is not None:
            parts.append(f"received: {self.received!r}")
        if self.path is not None:
            parts.append(f"path: {self.path}")
        if self.expected is not None:
            parts.append(f"expected: {self.expected}")
        if self.next_step is not None:
            parts.append(f"next: {self.next_step}")
        return "\n  ".join(parts)

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions pickle by args alone, which would lose the parts on the way back from a worker process.
        return (_rebuild, (type(self), self.what, self.received, self.path, self.expected, self.next_step))

    def as_dict(self) -> dict[str, object]:
        """The JSON form that the command line prints under `--json` (without its `schema` key)."""
        return {
            "error": self.what,
            "received": self.received if isinstance(self.received, str | int | float | None) else repr(self.received),
            "expected": self.expected,
            "path": self.path,
            "next": self.next_step,
        }


def _rebuild(
    kind: type[SpecweaveError],
    what: str,
    received: object,
    path: str | None,
    expected: str | None,
    next_step: str | None,
) -> SpecweaveError:
    return kind(what, received=received, path=path, expected=expected, next_step=next_step)


class UsageError(SpecweaveError, ValueError):
    """The caller asked for something that cannot be meant."""

    exit_code = 2


class MissingDependency(SpecweaveError, ImportError):
    """An optional dependency is needed and absent; `next_step` is the install command."""

    exit_code = 3


class NotFound(SpecweaveError, LookupError):
    """A project, increment, experiment or artifact is not there, or the name fits several."""

    exit_code = 4


class Refused(SpecweaveError):
    """Going on would lose somebody's work; nothing was changed."""

    exit_code = 5


class RemoteError(SpecweaveError):
    """A remote service failed, refused, or has no credentials."""

    exit_code = 6


class StoreError(SpecweaveError, OSError):
    """An experiment folder cannot be read or written."""

    exit_code = 7


class SpecweaveWarning(UserWarning):
    """Something was not recorded; training goes on."""


def first_few(names: Sequence[str], most: int) -> str:
    """Names in a sentence: `a, b, c`; beyond `most` of them, how many more."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def complain(message: str) -> None:
    """Say on the warnings channel what was not recorded; never an exception, also under `-W error`."""
    try:
        warnings.warn(message, SpecweaveWarning, stacklevel=3)
    except SpecweaveWarning:
        print(f"SpecweaveWarning: {message}", file=sys.stderr)  # noqa: T201 - the last channel left
