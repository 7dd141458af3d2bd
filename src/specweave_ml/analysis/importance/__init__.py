"""Which params of a search matter, and whether its trials can say so: pure functions of recorded trials.

In the order in which they build on each other:

    trials.py      the trials that count, those of equal params as one
    axes.py        the params that were varied: their values, the scale they stand on, slices of them
    shares.py      parts of the variance, and which of them can be put in order
    grid.py        a full grid: exact shares, and whether the folds would give an effect by themselves
    forest.py      any other search: the shares of a random forest (fANOVA)
    importance.py  which of the two the trials allow, and what it says

scipy and scikit-learn are imported where they are needed, numpy with the two modules that need it.
"""
