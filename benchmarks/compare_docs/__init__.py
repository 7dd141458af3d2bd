"""The cases of living documents, played by this package and by the tools people use instead."""

import sys
from pathlib import Path

# The cases, and our player of them, are those of the tests.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
