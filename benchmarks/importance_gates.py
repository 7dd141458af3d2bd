"""How often hyperparameter importance is right, and how often it finds something in noise: what its gates stand on.

    .venv/bin/python -m benchmarks.importance_gates      under two minutes; the tables of docs/importance.md

The truth is known: four params drawn from 0 to 1, each with a straight effect of a known share of the variance, and
noise on top.
"""

import argparse
from collections.abc import Iterable
from itertools import product

import numpy

from benchmarks.table import markdown
from specweave_ml.analysis.importance.axes import varied
from specweave_ml.analysis.importance.forest import forest_shares
from specweave_ml.analysis.importance.grid import examine_grid
from specweave_ml.analysis.importance.importance import NAMED, importance
from specweave_ml.analysis.importance.shares import Share, ranked
from specweave_ml.analysis.importance.trials import complete_trials

SHARES = {
    "clear: .76 .19 .05 0": (0.76, 0.19, 0.05, 0.0),
    "close: .41 .29 .23 .07": (0.41, 0.29, 0.23, 0.07),
    "equal: .45 .45 .05 .05": (0.45, 0.45, 0.05, 0.05),
    "pure noise": (0.0, 0.0, 0.0, 0.0),
}
NOISE = 0.2
SIZES = (9, 20, 40, 80)
GRIDS = ((2, 2), (3, 3), (2, 10), (3, 3, 3), (3, 3, 3, 3))
FOLDS = 5

Row = dict[str, object]


def random_search(shares: tuple[float, ...], size: int, seed: int) -> list[Row]:
    """Trials of a random search; without shares their scores are noise alone."""
    random = numpy.random.RandomState(seed)
    params = random.rand(size, len(shares))
    signal = (12**0.5 * (params - 0.5)) @ numpy.sqrt(shares)
    scores = (1 - NOISE) ** 0.5 * signal + (NOISE if sum(shares) else 1) ** 0.5 * random.randn(size)
    names = [f"p{number}" for number in range(len(shares))]
    return [
        trial(dict(zip(names, map(float, row), strict=True)), float(y)) for row, y in zip(params, scores, strict=True)
    ]


def grid_search(levels: tuple[int, ...], effects: Iterable[float], seed: int) -> list[Row]:
    """Trials of a full grid over folds: effects of the params, in the unit of the noise of one fold."""
    random = numpy.random.RandomState(seed)
    scales = [numpy.linspace(-1, 1, count) / numpy.linspace(-1, 1, count).std() for count in levels]
    rows = []
    for point in product(*map(range, levels)):
        signal = sum(effect * scale[at] for effect, scale, at in zip(effects, scales, point, strict=True))
        folds = signal + random.randn(FOLDS)
        rows.append(trial({f"p{at}": value for at, value in enumerate(point)}, float(folds.mean()), folds.tolist()))
    return rows


def trial(params: dict[str, object], score: float, folds: list[float] | None = None) -> Row:
    """A trial as `Experiment.trials` gives it."""
    return {"status": "finished", "params": params, "scores": {"y": score}, "folds": {"y": folds} if folds else {}}


def is_right(order: tuple[tuple[str, ...], ...], shares: tuple[float, ...]) -> bool:
    """Whether every param that is put before others has a larger true share than each of them."""
    truth = {f"p{number}": share for number, share in enumerate(shares)}
    for end in range(1, len(order) + 1):
        first = {name for params in order[:end] for name in params}
        if min(truth[name] for name in first) <= max(truth[name] for name in truth if name not in first):
            return False
    return True


def searched(truth: str, size: int, seed: int) -> tuple[float, ...]:
    """One random search: first and first three right, largest share, R², first wrong behind R² alone, said, wrongly."""
    rows = random_search(SHARES[truth], size, 1000 * seed + size)
    trials, _ = complete_trials(rows, "y")
    forest = forest_shares(varied(trials, {}), trials)
    names = [each.params[0] for each in forest.shares if each.params]
    by_r2_alone = forest.r2 >= NAMED.r2 and names[0] != "p0"
    said = importance(rows, "y").order
    right = names[0] == "p0", names[:3] == ["p0", "p1", "p2"]
    return *right, forest.shares[0].value, forest.r2, by_r2_alone, bool(said), not is_right(said, SHARES[truth])


def forests(repeats: int) -> list[list[str]]:
    """A line for each truth and size: what a forest finds, and what is said behind the gates."""
    lines = []
    for truth, size in product(SHARES, SIZES):
        found = numpy.array([searched(truth, size, seed) for seed in range(repeats)])
        columns = found.mean(axis=0)
        columns[3] = found[:, 3].max()
        lines.append([truth, str(size), *(f"{column:.2f}" for column in columns)])
    return lines


def by_spread_alone(rows: list[Row]) -> bool:
    """Whether some params of a grid would be put in order where spreads that do not overlap were enough."""
    trials, _ = complete_trials(rows, "y")
    mains = [each for each in examine_grid(varied(trials, {}), trials).shares if len(each.params) == 1]
    return bool(ranked(mains, len(mains), Share.is_beyond))


def grids(repeats: int) -> list[list[str]]:
    """A line for each grid: how often params are put in order that are equal, by the spreads alone and by the tests."""
    lines = []
    for levels in GRIDS:
        found = []
        for seed in range(repeats):
            noise, equal, double = (
                grid_search(levels, [first, *([others] * (len(levels) - 1))], seed)
                for first, others in ((0, 0), (1, 1), (2, 1))
            )
            orders = [importance(rows, "y").order for rows in (noise, equal, double)]
            right = orders[2][:1] == (("p0",),)
            found.append([by_spread_alone(noise), bool(orders[0]), by_spread_alone(equal), bool(orders[1]), right])
        lines.append([" × ".join(map(str, levels)), *(f"{column:.2f}" for column in numpy.mean(found, axis=0))])
    return lines


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.importance_gates", description=main.__doc__)
    parser.add_argument("--repeat", metavar="N", type=int, default=30, help="searches of each kind (30); of grids, 5 N")
    repeats = parser.parse_args().repeat
    head = ["truth", "trials", "first right", "first three right", "largest share", "highest R²"]
    head += ["R² ≥ 0.3, first wrong", "said", "said wrongly"]
    print(markdown(head, forests(repeats)))
    head = ["grid", "noise: by spreads alone", "noise: said", "equal: by spreads alone", "equal: said", "double: said"]
    print("\n" + markdown(head, grids(5 * repeats)))


if __name__ == "__main__":
    main()
