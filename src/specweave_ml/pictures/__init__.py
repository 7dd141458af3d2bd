"""Numbers to pictures: SVG from our own templates, the same bytes on every machine. Nothing is read or written here.

In the order in which they build on each other:

    lettering.py    names and numbers as they fit: nothing is measured, so no font changes a picture
    scale.py        where a value stands, round ticks, coordinates as text
    thinning.py     long histories to the few points that can be seen
    placing.py      where the numbers beside points stand
    axes.py         the axes of a metric and of a cost
    card.py         what all pictures share
    differences.py  the differences to the best model, with their intervals
    pareto.py       which models no other beats for less
    cost.py         how good against how expensive, with what nothing beats at both
    course.py       how a metric went: one history, or several by mean and range
    curves.py       learning curves, with a band over repeats or folds
    watched.py      which metrics have a learning curve, and whose histories it takes
    importance.py   how much each param of a search matters, and the means by its values
    plan.py         which of them an increment has something to show in
"""
