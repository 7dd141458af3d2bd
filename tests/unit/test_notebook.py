"""What a notebook ran is kept beside the verdict that it cannot be run again."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys, types

class Shell:
    kernel = object()
    user_ns = {"In": ["", "x = 1", "token = 'ghp_%s'" % ("a1B2" * 9), "train(x)"]}

sys.modules["IPython"] = types.SimpleNamespace(get_ipython=Shell)
from specweave_ml import track_experiment, load_experiment
with track_experiment("explored") as exp:
    exp.log_metric("auc", 0.8)
found = load_experiment("explored")
print((found.path / "cells.py").read_text())
print([gap["why"] for gap in found.metadata["capture"]["missing"] if gap["what"] == "command"])
"""


def test_cells_in_the_order_they_ran(tmp_path):
    (tmp_path / ".specweave" / "increments" / "0042-model").mkdir(parents=True)
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == (
        "# %% [1]\nx = 1\n\n# %% [2]\ntoken = '[redacted]'\n\n# %% [3]\ntrain(x)\n\n\n"
        "['not re-runnable: the code came from the cells of a notebook']\n"
    )
