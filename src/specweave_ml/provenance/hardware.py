"""Which processor and which graphics cards: asked for off the main thread, since drivers take their time."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specweave_ml.provenance.gaps import Found

_GRAPHICS = ("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
_SECONDS = 5.0


def read_hardware() -> Found:
    """`cpu` with its model, and `gpu`: a list of name, memory and driver, where there is one."""
    model = _processor()
    values: dict[str, object] = {"cpu": {"count": os.cpu_count(), **({"model": model} if model else {})}}
    cards = [line.strip() for line in _output(_GRAPHICS).splitlines() if line.strip()]
    return values | ({"gpu": cards} if cards else {}), []


def _processor() -> str | None:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), None)
    except OSError:
        return _output(("sysctl", "-n", "machdep.cpu.brand_string")).strip() or None


def _output(command: tuple[str, ...]) -> str:
    """What a program prints; nothing where it is not there, fails or does not end."""
    program = shutil.which(command[0])
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, *command[1:]], capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
