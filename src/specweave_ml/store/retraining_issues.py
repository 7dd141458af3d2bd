"""retraining-issues.yaml: the issues that were opened for an increment. People own it: it is only ever added to.

acme/shop#7:
  key: retrain-model-with-q1-2024-data
  title: Retrain model with Q1 2024 data
  url: https://github.com/acme/shop/issues/7
  opened: 2026-06-02
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from specweave_ml.errors import Refused, StoreError
from specweave_ml.store.decide import _scalar
from specweave_ml.store.decision import no_link
from specweave_ml.store.layout import refuse_link
from specweave_ml.store.plain_yaml import parse_mapping
from specweave_ml.store.replace import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RETRAINING_ISSUES = "retraining-issues.yaml"

SIZE_LIMIT = 1_000_000
"""Bytes."""

_HEAD = "# Issues that ask for a retraining, opened by specweave-ml create-issue. What you add stays.\n"
_SURE_TO_FIT = "trial/trial#1"


def read_retraining_issues(experiments: str) -> dict[str, dict[str, str]]:
    """What is kept of each issue, by `owner/name#number`; nothing where there is no file.

    Raises:
        StoreError: it cannot be read, or is not such a file.
    """
    return _parsed(_present(experiments), experiments)


def record_retraining_issue(experiments: str, issue: str, facts: Mapping[str, str]) -> bool:
    """Add an issue at the end of the file; False where it is there already.

    Args:
        experiments: the folder of the increment's experiments.
        issue: `owner/name#number`.
        facts: what to keep of it.

    Raises:
        Refused: the file is written in a way in which nothing can be added to its end, or a link stands in its place.
        StoreError: it cannot be read or written.
    """
    data = _present(experiments)
    if issue in _parsed(data, experiments):
        return False
    path = f"{experiments}/{RETRAINING_ISSUES}"
    try:
        return replace_file(path, _added(data, issue, facts, experiments))
    except OSError as error:
        raise StoreError(f"{RETRAINING_ISSUES} cannot be written: {error.strerror or error}", path=path) from error


@contextmanager
def recording(experiments: str) -> Iterator[None]:
    """Hold off others who would open an issue for the same increment, and be sure that it can be recorded.

    Raises:
        Refused: another one is at it, or nothing can be added to the file as it is written.
        StoreError: the file cannot be read, or the folder is not there.
    """
    try:
        descriptor = os.open(experiments, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise StoreError(f"the experiments cannot be read: {error.strerror}", path=experiments) from error
    try:
        _lock(descriptor, experiments)
        _added(_present(experiments), _SURE_TO_FIT, {"key": "trial"}, experiments)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, experiments: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Any other error: the file system keeps no locks.
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            why = "an issue is being opened for this increment at this moment"
            raise Refused(why, path=experiments, next_step="run it again when that is done") from None


def _added(data: bytes, issue: str, facts: Mapping[str, str], experiments: str) -> bytes:
    """The bytes of the file with an issue at its end, and all else as it was."""
    known = _parsed(data, experiments)
    newline = "\r\n" if b"\r\n" in data else "\n"
    text = "".join(f"{line}\n" for line in [f"{issue}:", *(f"  {key}: {_scalar(facts[key])}" for key in facts)])
    before = data or _HEAD.encode()
    between = b"" if before.endswith(b"\n") else newline.encode()
    new = before + between + text.replace("\n", newline).encode()
    try:
        fits = _parsed(new, experiments) == {**known, issue: dict(facts)}
    except StoreError:
        fits = False
    if not fits:
        raise Refused(
            f"nothing can be added to the end of {RETRAINING_ISSUES} as it is written",
            path=f"{experiments}/{RETRAINING_ISSUES}",
            expected="one key a line, from the margin, such as acme/shop#7:",
            next_step="mend it by hand",
        )
    return new


def _present(experiments: str) -> bytes:
    path = f"{experiments}/{RETRAINING_ISSUES}"
    refuse_link(path, RETRAINING_ISSUES)
    try:
        with open(path, "rb", opener=no_link) as file:
            return file.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise StoreError(f"{RETRAINING_ISSUES} cannot be read: {error.strerror or error}", path=path) from error


def _parsed(data: bytes, experiments: str) -> dict[str, dict[str, str]]:
    if not re.search(rb"^[ \t]*[^ \t\r\n#]", data, re.MULTILINE):
        return {}
    try:
        found = parse_mapping(data, RETRAINING_ISSUES, size_limit=SIZE_LIMIT, as_text=True)
    except StoreError as error:
        error.path = f"{experiments}/{RETRAINING_ISSUES}"
        raise
    return {issue: facts for issue, facts in found.items() if isinstance(facts, dict)}
