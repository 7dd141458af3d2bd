"""Issues that ask for a model to be trained again.

In the order in which they build on each other:

    remote.py      the repository on GitHub that the project's git remote names
    permalinks.py  lasting links to what is committed
    credentials.py the token, and where it comes from
    client.py      the API: what is tried again, and its errors in our words
    due.py         the reasons to train again, checked against what is recorded
    facts.py       what the issue says, as values
    body.py        the text of the issue, in parts of which the last go first where there is no room
    parent.py      the increment's own issue, as SpecWeave keeps it
    request.py     what is asked for, all of it known before anything is sent
    issues.py      found, opened or renewed, and recorded

Only `client.py` knows PyGithub. What stands in `documents` is used, not said again in other words.
"""
