"""params.json, metrics.json and metadata.yaml, made from the journals."""

from __future__ import annotations

import os

from specweave_ml.store import liveness
from specweave_ml.store.forks import whole_import
from specweave_ml.store.layout import METADATA, journal_name, journals
from specweave_ml.store.replace import create, replace_files, write_all
from specweave_ml.store.small_files import EMPTY, digest, small_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from specweave_ml.store.fold import State


def project(
    folder: str, state: State | None, *, sync: bool, ended: bool, also: Callable[[], None] | None = None
) -> None:
    """Write the small files of an experiment.

    Args:
        folder: the experiment's folder.
        state: what the caller's own journal says; it is taken where that is the only one. None: read them all.
        sync: survive a power cut.
        ended: record size and digest of every journal, and look again afterwards: whoever wrote last also looked
            last, so no word falls between two processes and no lock is needed.
        also: see `replace_files`.

    Raises:
        OSError: a file cannot be written; the old ones stand.
    """
    while True:
        sizes = _sizes(folder)
        digests = {name: digest(f"{folder}/{name}", size) for name, size in sizes.items()} if ended else {}
        known = state if state is not None and len(sizes) == 1 else read(folder)
        settled = _write(folder, known, digests, sync=sync, also=also)
        # Where others still write there is no end to wait for: readers take the journals, and the last writer settles.
        if not ended or not settled or _sizes(folder) == sizes:
            return
        # Once: a journal that cannot be synced gets a line that says so, and would grow by one in every round.
        state = also = None


def write_first(folder: str, state: State) -> None:
    """metadata.yaml in a folder that was made this moment: nobody has an older one, so none is replaced.

    Raises:
        OSError: it cannot be written.
    """
    descriptor = create(f"{folder}/{METADATA}")
    try:
        write_all(descriptor, small_files(state, {}, unsettled=False)[METADATA])
    finally:
        os.close(descriptor)


def read(folder: str) -> State:
    """What the journals of an experiment say now.

    Raises:
        OSError: one cannot be read, so that nothing may be made from the others alone.
    """
    # Reading brings a parser and its imports, which an experiment that only one process wrote never needs.
    with whole_import:
        from specweave_ml.store.lines import Damage
        from specweave_ml.store.sessions import read_state

    damage = Damage()
    state = read_state(folder, damage)
    if damage.unread is not None:
        raise damage.unread
    return state


def _write(
    folder: str,
    state: State,
    digests: dict[str, dict[str, Any]],
    *,
    sync: bool,
    also: Callable[[], None] | None = None,
) -> bool:
    """Write the three files as one group; False when other processes may still write to the journals."""
    others = bool(digests) and _others_alive(folder, state.session, digests)
    files = small_files(state, digests, unsettled=others)
    if not digests:
        files = {name: data for name, data in files.items() if data != EMPTY}
    replace_files({f"{folder}/{name}": data for name, data in files.items()}, sync=sync, also=also)
    return not others


def _sizes(folder: str) -> dict[str, int]:
    return {name: os.stat(f"{folder}/{name}").st_size for _, _, name in journals(folder)}


def _others_alive(folder: str, session: int, digests: dict[str, dict[str, Any]]) -> bool:
    """Whether a writer beside the owner may still append: then readers must take the journals."""
    others = [name for name in digests if name != journal_name(max(session, 1))]
    if not others:
        return False
    return any(liveness.owner(f"{folder}/{name}") == liveness.ALIVE for name in others)
