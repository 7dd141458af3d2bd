# /// script
# requires-python = ">=3.11"
# dependencies = ["specweave-ml"]
# ///
"""Say which frameworks and trackers the project in this folder speaks of, and where; `--json` for a document."""

import json
import os
import sys
from dataclasses import asdict

from command import load

found = load("specweave_ml.detection").detect(os.curdir)
if "--json" in sys.argv[1:]:
    print(json.dumps({"schema": 1, "tools": [asdict(tool) for tool in found]}))
else:
    for tool in found:
        print(f"{tool.kind} {tool.name}: {'; '.join(tool.evidence)}{'' if tool.importable else '; not installed here'}")
    print(f"found: {len(found)}")
