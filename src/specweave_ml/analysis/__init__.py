"""What the records say: pure functions of `Experiment` values, with no file and no clock.

In the order in which they build on each other:

    metrics.py            what a metric's name says: which way is better, which split, whether it is a cost
    numbers.py            numbers and durations as text
    table.py              which metrics become columns, and the cells
    params.py             the params that differ
    repeats.py            experiments that repeat one another, as one
    stages.py             the stages of a pipeline
    targets.py            what is asked of a metric, and whether it is met
    spec_targets.py       the targets in the text of a spec.md
    ranking.py            the primary metric, the baseline, the order

    moments.py            mean and standard deviation
    measured.py           a difference, its interval, its p-value
    corrected_t.py        two models on the same folds
    independent_runs.py   two models that were each run several times
    proportions.py        two proportions, unpaired or item by item
    holm.py               several comparisons at once
    samples.py            what an experiment recorded that one of these tests can work on
    evidence.py           which test the records allow, and what it says
    tradeoff.py           of models that cannot be told apart, the one that costs least
    stability.py          how much a model's own value varies

    rationale.py          the facts behind the best model
    standings.py          who competes, who comes first, and what that stands on
    rows.py               the experiments as rows, for programs
    comparison.py         all of it together, as one value

    importance/           which params of a search matter, as far as its trials can say

scipy is imported where a test is made, and nowhere else.
"""
