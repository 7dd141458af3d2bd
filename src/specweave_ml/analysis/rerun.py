"""Whether an experiment that ran again gave the same metrics.

Equal is equal. What is not equal is judged against a tolerance where a seed was recorded, and against the spread of
runs where none was: the recorded value must lie where one more such run would fall. That is the two-sided 95 %
prediction interval of n runs, mean ± t(0.975; n - 1) · s · √(1 + 1/n) (Student's t; Hahn and Meeker, Statistical
Intervals, 1991, section 4.7). A re-run within it "re-ran within tolerance"; nothing was proved to be reproducible.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isclose, isfinite, isnan, sqrt
from typing import TYPE_CHECKING, Literal

from specweave_ml.analysis.metrics import understand
from specweave_ml.analysis.moments import mean, standard_deviation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    MetricVerdict = Literal["EXACT", "WITHIN", "DRIFT", "NOT COMPARABLE"]

RELATIVE_TOLERANCE = 1e-6
"""By which a seeded re-run may differ: sums in another order do."""

_LEAST_RUNS = 3


@dataclass(frozen=True, slots=True)
class Rerun:
    """A metric then and now.

    Attributes:
        name: of the metric.
        recorded: its last value in the record.
        now: of the re-run; the mean of several.
        verdict: as the module says.
        why: by what it was judged, or why it was not.
    """

    name: str
    recorded: float
    now: float | None
    verdict: MetricVerdict
    why: str


def judge(
    recorded: Mapping[str, float],
    reruns: Sequence[Mapping[str, float]],
    *,
    seeded: bool,
    repeats: Mapping[str, Sequence[float]] | None = None,
) -> tuple[Rerun, ...]:
    """Judge every recorded metric.

    Args:
        recorded: name → last value.
        reruns: the same of each re-run; one at least.
        seeded: whether the experiment recorded a seed.
        repeats: name → values of recorded repeats of the experiment, itself among them.
    """
    return tuple(
        _judged(name, value, [run[name] for run in reruns if name in run], (repeats or {}).get(name, ()), seeded=seeded)
        for name, value in recorded.items()
    )


def is_reproduced(metrics: Sequence[Rerun]) -> bool:
    """Whether a metric could be judged, and none drifted or got lost."""
    verdicts = {each.verdict for each in metrics}
    lost = any(each.now is None for each in metrics)
    return bool(verdicts & {"EXACT", "WITHIN"}) and "DRIFT" not in verdicts and not lost


def _judged(name: str, value: float, now: list[float], repeats: Sequence[float], *, seeded: bool) -> Rerun:
    if not now:
        return Rerun(name, value, None, "NOT COMPARABLE", "the re-run did not log it")
    at = mean(now) if len(set(now)) > 1 else now[0]
    if understand(name).cost == "time":
        return Rerun(name, value, at, "NOT COMPARABLE", "a duration, which no two runs share")
    if all(each == value or (isnan(each) and isnan(value)) for each in now):
        return Rerun(name, value, at, "EXACT", "the same number")
    if not all(map(isfinite, (*now, value))):
        return Rerun(name, value, at, "DRIFT", "a number became none, or none a number")
    if seeded and all(isclose(each, value, rel_tol=RELATIVE_TOLERANCE) for each in now):
        return Rerun(name, value, at, "WITHIN", f"relative tolerance {RELATIVE_TOLERANCE:g}, seeded")
    if seeded:
        return Rerun(name, value, at, "DRIFT", f"beyond the relative tolerance {RELATIVE_TOLERANCE:g}, seeded")
    for runs, asked, whose in ((now, value, "re-runs"), (repeats, at, "recorded repeats")):
        if len(runs) >= _LEAST_RUNS:
            inside = _would_fall(asked, runs)
            said = f"{'within' if inside else 'beyond'} the spread of {len(runs)} {whose}"
            return Rerun(name, value, at, "WITHIN" if inside else "DRIFT", said)
    why = f"no seed was recorded, and {len(now)} re-run says nothing of the spread: --repeat {_LEAST_RUNS}"
    return Rerun(name, value, at, "NOT COMPARABLE", why)


def _would_fall(value: float, runs: Sequence[float]) -> bool:
    from scipy.special import stdtrit

    n = len(runs)
    reach = float(stdtrit(n - 1, 0.975)) * standard_deviation(runs) * sqrt(1 + 1 / n)
    return abs(value - mean(runs)) <= reach
