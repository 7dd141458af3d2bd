"""What the records say: pure functions of `Experiment` values, with no file, no clock and no other library.

In the order in which they build on each other:

    metrics.py      what a metric's name says: which way is better, which split, whether it is a cost
    numbers.py      numbers and durations as text
    table.py        which metrics become columns, and the cells
    ranking.py      the primary metric, the baseline, the order
    rationale.py    the facts behind the best model
    params.py       the params that differ
    comparison.py   all of it together, as one value
"""
