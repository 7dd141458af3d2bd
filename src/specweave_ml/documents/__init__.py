"""The documents of a project, made from the records of its increments.

In the order in which they build on each other:

    chosen.py            the model they are about: the selected one, else the recommended one
    conducted.py         the list of experiments
    against.py           two models side by side
    reasons.py           what speaks for the model, and what against it
    recipe.py            how it was run, as far as that is recorded
    expected.py          what training it again should come to
    facts.py             all of that for one increment, as texts and numbers
    targets.py           which documents the project has, and where
    wording.py           its templates, or ours
    links.py             the way from one document to another
    pages.py             the text of every page of one increment
    decision_records.py  one record for each decision, found again by a line in it
    examined.py          an increment read and compared once; its comparison.md and pictures
    wanted.py            what should stand in which document
    sync.py              planned, then written

What stands in a document is put there by `living_docs`, which knows nothing of experiments.
"""
