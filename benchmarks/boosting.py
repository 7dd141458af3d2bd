"""The rows of boosting: the floor is the same training without a callback."""

from collections.abc import Iterator
from statistics import median

from benchmarks.measure import Bench, Contender
from benchmarks.table import Line, in_unit
from benchmarks.work.boosting import ROUNDS

BOOSTING = Contender("ours", "benchmarks.work.boosting")
LIBRARIES = {"xgboost": "XGBoost", "lightgbm": "LightGBM"}
REACH = 1.03


def rounds(bench: Bench) -> Iterator[Line]:
    """Plain and tracked laps in turns, in fresh processes."""
    for library, name in LIBRARIES.items():
        samples = []
        for _ in range(bench.repeat):
            with bench.project() as folder:
                samples.append(bench.work(BOOSTING, f"{library}_rounds", folder))
        laps = [lap for sample in samples for lap in sample.laps]
        around = in_unit(median(sample.result for sample in samples), "ms")
        yield Line(
            row="rounds",
            work=f"{ROUNDS:,} rounds of {name} with our callback",
            unit="ms",
            floor=laps[0::2],
            ours=laps[1::2],
            reach=REACH,
            notes=[f"{name}: the experiment's start and end, with the model saved, take {around} more"],
        )
