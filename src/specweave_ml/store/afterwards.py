"""Words on an experiment from outside the process that runs it, or after its end."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from specweave_ml.errors import SpecweaveWarning, StoreError
from specweave_ml.store.projections import project
from specweave_ml.store.writer import Sibling, has_ended

if TYPE_CHECKING:
    from collections.abc import Sequence


def add_lines(folder: str, lines: Sequence[dict[str, Any]], *, ends: bool = False) -> None:
    """Write lines to a journal of our own, and let the small files follow where nobody else will make them.

    Args:
        folder: the experiment's folder.
        lines: as a journal has them.
        ends: they end an experiment whose process is gone and will never do it.

    Raises:
        StoreError: they are not all on disk.
        OSError: the experiment cannot be written.
    """
    with warnings.catch_warnings(record=True) as troubles:
        # In training a word that the disk refuses is a warning. Here it is all that was asked for.
        warnings.simplefilter("always", SpecweaveWarning)
        sibling = Sibling(folder)
        for line in lines:
            sibling.append(line)
        sibling.leave()
        if ends and not has_ended(folder):
            project(folder, None, sync=True, ended=True)
    if troubles:
        raise StoreError(
            f"it is not recorded whole: {troubles[0].message}",
            path=folder,
            next_step="specweave-ml doctor, then say it again",
        )
