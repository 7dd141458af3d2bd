"""A planned sync carried out: each document is replaced whole, and only if it is still the one that was read.

The document goes first and its base files follow: a sync that dies between the two has lost nothing, because the
marker's hash tells the next one which base belongs there. Only where a region is removed does its base go first, or
the next sync would take the region for one that a person deleted.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from specweave_ml.errors import Refused, StoreError
from specweave_ml.living_docs.bases import FOLDER, base_content, base_path, mirrored
from specweave_ml.living_docs.files import back_up, blobs_in_git, is_as_read, is_blob, refuse_outside, replace_document
from specweave_ml.living_docs.plan import SyncPlan, plan_sync
from specweave_ml.store.replace import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from specweave_ml.living_docs.files import Found
    from specweave_ml.living_docs.plan import Change
    from specweave_ml.living_docs.wanted import Document

OVERTAKEN = "somebody else changed it after the sync had read it; sync again"

_BACKUPS = ".specweave/cache/docs-sync"
_PATIENCE = 10.0  # seconds for another sync to end
_ATTEMPTS = 3


def sync_documents(root: str, documents: Sequence[Document], *, prune: bool = False, restore: bool = False) -> SyncPlan:
    """Plan and apply, and again for what somebody else changed in between.

    Args:
        root: the project's folder.
        documents: what should stand where.
        prune: as for `plan_sync`.
        restore: as for `plan_sync`.

    Raises:
        Refused: another sync does not end.
        StoreError: a file cannot be read or written; documents before it are done, the others as they were.
    """
    done = apply_sync(plan_sync(root, documents, prune=prune, restore=restore))
    for _ in range(_ATTEMPTS):
        if not any(change.why == OVERTAKEN for change in done.changes):
            break
        with _alone(root):
            done = _carry_out(plan_sync(root, documents, prune=prune, restore=restore))
    return done


def apply_sync(plan: SyncPlan) -> SyncPlan:
    """Write what was planned, and return the plan as it went.

    A document that is no longer the one that was read becomes a conflict and stays as it is.

    Raises:
        Refused: another sync does not end.
        StoreError: a file cannot be written; documents before it are done, the others as they were.
    """
    if not any(change.data is not None or change.bases for change in plan.changes):
        return plan
    with _alone(plan.root):
        return _carry_out(plan)


@contextmanager
def _alone(root: str) -> Iterator[None]:
    """Hold off other syncs of this project; where the file system has no locks, comparing the files must do."""
    folder = f"{root}/{FOLDER}"
    try:
        os.makedirs(folder, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    give_up = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up:
                why = f"another sync of this project has been running for {_PATIENCE:g} s"
                raise Refused(why, next_step="wait for it, or end it") from None
            time.sleep(0.02)
        except OSError:
            return
        else:
            return


def _carry_out(plan: SyncPlan) -> SyncPlan:
    blobs = blobs_in_git(plan.root, [change.path for change in plan.changes if change.data is not None])
    return SyncPlan(plan.root, tuple(_apply(plan.root, change, blobs.get(change.path)) for change in plan.changes))


def _apply(root: str, change: Change, blob: str | None) -> Change:
    if change.found is None or (change.data is None and not change.bases):
        return change
    try:
        done = _write(root, change, change.found, blob)
    except OSError as error:
        raise _unwritable(change.path, error) from error
    return change if done else replace(change, action="conflict", why=OVERTAKEN, data=None, bases={})


def _write(root: str, change: Change, found: Found, blob: str | None) -> bool:
    if not is_as_read(found):
        return False
    paths = {f"{root}/{base_path(change.path, region)}": body for region, body in change.bases.items()}
    for path in [path for path, body in paths.items() if body is None]:
        with suppress(FileNotFoundError):
            os.unlink(path)
    if change.data is not None:
        if found.data is not None and not is_blob(found.data, blob):
            back_up(refuse_outside(root, f"{_BACKUPS}/{mirrored(change.path)}"), found)
        if not replace_document(found, change.data):
            return False
    for path, body in paths.items():
        if body is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            replace_file(path, base_content(body))
    return True


def _unwritable(path: str, error: OSError) -> StoreError:
    return StoreError(f"the sync cannot write: {error.strerror or error}", path=path)
