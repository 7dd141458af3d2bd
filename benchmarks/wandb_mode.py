"""What an increment costs those who use Weights & Biases: our wrapper beside plain wandb, offline, run by run in turns.

    .venv/bin/python -m benchmarks.wandb_mode [--repeat 15]

Both live in one process, so what else the machine does strikes both alike. A run of ours ends as an experiment.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.measure import disk_folder
from benchmarks.mlflow_mode import INCREMENT, in_turns
from benchmarks.table import markdown

POINTS = 1_000
CONFIG = {f"param{number}": number / 7 for number in range(10)}


def whole_run(begin: Callable[..., Any], points: int) -> None:
    """`init`, some points, `finish`."""
    run = begin(config=CONFIG)
    for step in range(points):
        run.log({"loss": 1 / (step + 1), "auc": step / POINTS})
    run.finish()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=15, help="runs of each kind (15)")
    repeat = parser.parse_args().repeat
    folder = tempfile.mkdtemp(dir=disk_folder())
    os.chdir(folder)
    os.makedirs(INCREMENT)
    os.environ |= {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}
    try:
        import wandb as plain

        from specweave_ml import wandb as ours

        rows = []
        for points in (1, POINTS):
            jobs = {
                "plain": partial(whole_run, partial(plain.init, project="plain", dir=folder), points),
                "ours": partial(whole_run, partial(ours.init, increment="0042"), points),
            }
            in_turns(jobs, 1)
            times = in_turns(jobs, repeat)
            ratio = times["ours"] / times["plain"]
            work = f"`init`, {points:,} × `log`, `finish`"
            rows.append([work, f"{times['plain']:.3f} s", f"{times['ours']:.3f} s", f"{ratio:.2f} ×"])
        print(markdown(["work", "plain wandb", "with an increment", ""], rows))
    finally:
        os.chdir("/")
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
