"""The same result again: run a command as an experiment, see what two experiments differ in, run one again.

    metrics_file.py   metrics from a file or from lines that a command prints
    running.py        `run`: a command as an experiment, without a change to its code
    differing.py      `diff`: the ingredients of two experiments, side by side

    ingredients.py    what a re-run needs, and whether it is there; refuses before anything is spent
    worktree.py       the recorded code in a folder of its own, which always goes again
    environments.py   the recorded packages in an environment of their own
    again.py          `reproduce`: all of it, and the verdict

Re-running executes recorded code, so nothing here does it unasked.
"""
