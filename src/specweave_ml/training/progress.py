"""A line on the terminal while a search runs; nothing where stderr is no terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from specweave_ml.training.trials import best_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from specweave_ml.training.scoring import Scoring
    from specweave_ml.training.trials import Trial


def shown(trials: Iterable[Trial], total: int, scoring: Scoring) -> Iterator[Trial]:
    """The trials as they come, counted on one line: `12 of 27 trials, best accuracy 0.8712`."""
    if not sys.stderr.isatty():
        yield from trials
        return
    best = None
    for count, trial in enumerate(trials, 1):
        best = best_of([trial] if best is None else [best, trial], scoring) or best
        so_far = "" if best is None else f", best {scoring.primary} {best['scores'][scoring.primary]:.4g}"
        end = "\n" if count == total else ""
        sys.stderr.write(f"\r{count} of {total} trials{so_far}\x1b[K{end}")
        sys.stderr.flush()
        yield trial
