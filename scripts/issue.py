# /// script
# requires-python = ">=3.11"
# dependencies = ["specweave-ml"]
# ///
"""Open a retraining issue: `specweave-ml create-issue`, with its options and exit codes."""

from command import run

if __name__ == "__main__":
    run("create-issue")
