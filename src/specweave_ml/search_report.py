"""What a search says about its params, as a document and a picture: importance.md and importance.svg."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from specweave_ml.analysis.importance.importance import importance
from specweave_ml.analysis.importance.shares import Share
from specweave_ml.analysis.metrics import PREFERENCE, understand
from specweave_ml.analysis.numbers import MISSING, NumberFormat
from specweave_ml.analysis.samples import LEAST_FOLDS
from specweave_ml.analysis.table import Table, natural
from specweave_ml.escape import Escaped
from specweave_ml.pictures.importance import importance_picture, mean_format
from specweave_ml.pictures.lettering import counted, cut
from specweave_ml.render import render
from specweave_ml.store.reader import read_small_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from specweave_ml.analysis.importance.importance import Importance
    from specweave_ml.record import Experiment

_RECORD, _DOCUMENT, _PICTURE = "importance.json", "importance.md", "importance.svg"

MOST_PAIRS = 10
"""Interactions in the table, the largest ones."""

_NAME_CELLS = 40
_MOST_NAMES = 8
_SPREAD_OUT = frozenset({"grid", "random", "bruteforce", "qmc"})


@dataclass(frozen=True, slots=True)
class SearchReport:
    """What a search says about its params.

    Attributes:
        found: all of it, as values.
        finding: in one sentence, as plain text.
        markdown: the text of importance.md.
        svg: the text of importance.svg; None where nothing was varied.
    """

    found: Importance
    finding: str
    markdown: str
    svg: str | None

    @property
    def artifacts(self) -> dict[str, Any]:
        """What is kept with the search, by the names of the files."""
        picture = {} if self.svg is None else {_PICTURE: self.svg}
        return {_RECORD: {"finding": self.finding, **asdict(self.found)}, _DOCUMENT: self.markdown, **picture}


def search_report(
    experiment: Experiment,
    metric: str | None = None,
    *,
    sampler: str = "",
    log_params: Mapping[str, bool] | None = None,
) -> SearchReport | None:
    """Which params of a search matter, as far as its trials can say; None where no trial has a score.

    It is made once, when the search ends, and kept: a forest's numbers depend on the version of the library.

    Args:
        experiment: the search, with its trials.
        metric: the name their scores were logged by; by default the one that most of them have.
        sampler: how the params were drawn: `grid`, `random`, `TPESampler`, …
        log_params: for each param whether it was drawn on a log scale; what is missing is judged by its values.
    """
    metric = metric or _most_scored(experiment)
    if metric is None:
        return None
    found = importance(
        experiment.trials, metric, sampler=sampler, log_params=log_params, ratio=_test_to_train(experiment)
    )
    finding, *method = _in_words(found)
    picture = importance_picture(found, finding, method)
    markdown = render(
        "importance.md",
        name=experiment.name,
        metric=metric,
        finding=finding,
        method=method,
        picture=picture.link(_PICTURE) if picture else None,
        shares=_shares(found),
        means=_means(found),
    )
    return SearchReport(found, finding, markdown, picture.svg if picture else None)


class Finding(NamedTuple):
    """What was kept of a search: the sentence, and whether it says what is most important."""

    sentence: str
    ranks: bool


def kept_finding(experiment: Experiment) -> Finding | None:
    """What was found when a search ended; None for what is no search, and where it cannot be read."""
    if _RECORD not in experiment.artifacts:
        return None
    try:
        kept = json.loads(read_small_file(str(experiment.path / _RECORD)))
    except (OSError, ValueError, RecursionError):
        return None
    sentence = kept.get("finding") if isinstance(kept, dict) else None
    return Finding(sentence, bool(kept.get("order"))) if isinstance(sentence, str) else None


def _most_scored(experiment: Experiment) -> str | None:
    counts = Counter(name for trial in experiment.trials for name in trial["scores"])
    place = {family: number for number, family in enumerate(PREFERENCE)}
    return min(
        counts,
        key=lambda name: (-counts[name], place.get(understand(name).family or "", len(place)), natural(name), name),
        default=None,
    )


def _test_to_train(experiment: Experiment) -> float | None:
    """n_test / n_train of the folds, where all of them have their sizes."""
    sizes = [(fold.n_test, fold.n_train) for fold in experiment.folds]
    if not sizes or not all(isinstance(size, int) and size > 0 for pair in sizes for size in pair):
        return None
    return sum(test or 0 for test, _ in sizes) / sum(train or 0 for _, train in sizes)


def _in_words(found: Importance) -> list[str]:
    """The finding in a sentence, then how it was found in some more; plain text, which nothing made safe yet."""
    largest = found.mains[0].value if found.mains else 0.0
    values = {
        "f": found,
        "finished": _plain(counted(found.n, "finished trial")),
        "different": _plain(counted(found.combinations, "different combination")),
        "largest": [each.params[0] for each in found.mains if each.value >= largest / 2],
        "part": {each.params[0]: Escaped(each.text) for each in found.mains}.get,
        "r2": Escaped("" if found.r2 is None else f"{found.r2:.2f}"),
        "mostly_together": bool(found.order) and sum(each.value for each in found.mains) < 0.5,
        "seeks": bool(found.sampler) and found.sampler.lower().removesuffix("sampler") not in _SPREAD_OUT,
        "least_folds": LEAST_FOLDS,
        "plain": _plain,
        "names": _names,
    }
    texts = (render(f"importance-{part}.txt", **values) for part in ("finding", "method"))
    return [line for text in texts for line in text.splitlines() if line]


def _plain(text: str) -> Escaped:
    return Escaped(cut(text, _NAME_CELLS))


def _names(params: Sequence[str]) -> Escaped:
    more = len(params) - _MOST_NAMES
    shown = ", ".join(cut(name, _NAME_CELLS) for name in params[:_MOST_NAMES])
    return Escaped(f"{shown} and {more} more" if more > 0 else shown)


def _shares(found: Importance) -> Table:
    pairs = [each for each in found.shares if len(each.params) == 2]
    rest = [each for each in found.shares if not each.params]
    shown = [*found.mains, *pairs[:MOST_PAIRS]]
    rows = [(" × ".join(each.params), each.text, each.reach or MISSING) for each in shown]
    if len(pairs) > MOST_PAIRS:
        rest = [Share((), max(0.0, 1 - sum(each.value for each in shown)))]
    rows += [("other interactions" if pairs else "interactions", each.text, each.reach or MISSING) for each in rest]
    return Table(("Param", "Share", "Spread"), tuple(rows))


def _means(found: Importance) -> Table:
    slices = [(marginal.param, each) for marginal in found.marginals for each in marginal.slices]
    number = mean_format(found.marginals) if slices else NumberFormat()
    rows = [
        (param, each.label, number(each.mean), f"{number(each.low)} to {number(each.high)}", str(each.n))
        for param, each in slices
    ]
    return Table(("Param", "Value", "Mean", "Range", "Trials"), tuple(rows))
