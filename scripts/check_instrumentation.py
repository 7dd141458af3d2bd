# /// script
# requires-python = ">=3.11"
# dependencies = ["specweave-ml"]
# ///
"""Check that a training script records itself: exit 0 yes, 1 not yet (with the diff), 5 it is not understood.

The arguments are those of `specweave-ml instrument`. Nothing is written.
"""

import contextlib
import io
import json
import sys

from command import load

main = load("specweave_ml.cli").main
arguments = [word for word in sys.argv[1:] if word not in {"--json", "--apply"}]
printed = io.BytesIO()
with contextlib.redirect_stdout(io.TextIOWrapper(printed, encoding="utf-8", write_through=True)):
    code = main(["instrument", "--json", *arguments])
text = printed.getvalue().decode()
said = json.loads(text) if text.startswith("{") else {}
planned = said.get("action") == "planned"
if planned and "--json" not in sys.argv:
    print(said["diff"], end="")
elif not said or "--json" in sys.argv:
    print(text, end="")
sys.exit(1 if planned else code)
