"""One work of one contender in this process: `python -P -m benchmarks.work.run MODULE WORK [NUMBER ...]`.

Writes to the file that BENCHMARK_REPORT names, as JSON, the seconds of each `with timed:` block, what the work
returned, and the peak memory of the process.
"""

import importlib
import json
import os
import resource
import signal
import sys

from benchmarks.work.data import REPORT
from benchmarks.work.timed import Timed

WITH_STOPWATCH = {
    "short",
    "background",
    "points",
    "history",
    "renew",
    "look",
    "look_at_documents",
    "search",
    "folds",
    "tuned",
    "rounds",
    "xgboost_rounds",
    "lightgbm_rounds",
}


def main() -> None:
    """Does the work, writes the report, and after `points` dies as a crash would: no buffer is flushed."""
    module, work, *numbers = sys.argv[1:]
    timed = Timed()
    arguments = [timed] if work in WITH_STOPWATCH else []
    result = getattr(importlib.import_module(module), work)(*arguments, *map(int, numbers))
    if work == "read":  # building the rows is the work, sending 10,000 of them to the parent is not
        result = [len(result), result[0][0], result[-1][0]]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak_bytes = peak if sys.platform == "darwin" else peak * 1024
    with open(os.environ[REPORT], "w", encoding="utf-8") as file:
        json.dump({"laps": timed.laps, "result": result, "peak_bytes": peak_bytes}, file)
    if work == "points":
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
