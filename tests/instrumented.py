"""Scripts that tests make record themselves: where they are, and how they are run before and after."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden" / "instrument"
NEEDS_TORCH = ("hf_trainer.py", "lightning_module.py", "pytorch_loop.py")
NEEDS_MLFLOW = ("already_mlflow.py",)

_DURATION = re.compile(r"(?<=\W)\d+(?:\.\d+)?(?:ms|us|s)(?=\W)|(?:runtime|per_second)': '[^']*'")

# Several scripts share one interpreter, which has imported their libraries once; each is run as `python script` runs it.
_RUN_ALL = """
import contextlib, io, json, os, runpy, sys
printed = {}
for path in sys.argv[1:]:
    os.chdir(os.path.dirname(path))
    sys.argv[:] = [path]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            runpy.run_path(path, run_name="__main__")
            code = 0
        except SystemExit as ended:
            code = ended.code or 0
    printed[os.path.basename(path)] = [code, said.getvalue()]
json.dump(printed, sys.stdout)
"""


def run_all(scripts: list[Path], **environment: str) -> dict[str, tuple[int, str]]:
    """Exit code and output of each script by its name, times taken out."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN_ALL, *map(str, scripts)],
        env={**os.environ, "KERAS_BACKEND": "jax", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return {name: (code, _DURATION.sub("…", said)) for name, (code, said) in json.loads(done.stdout).items()}


def runnable(script: Path) -> Path:
    """The script, or what "run all" of a notebook comes to, its magics left out."""
    if script.suffix == ".py":
        return script
    cells = json.loads(script.read_text())["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    made = script.with_suffix(".py")
    made.write_text(re.sub(r"^[%!].*$", "", source, flags=re.MULTILINE))
    return made
