# /// script
# requires-python = ">=3.11"
# dependencies = ["specweave-ml"]
# ///
"""Make a place for experiments in an increment: `specweave-ml init`, with its options and exit codes."""

from command import run

if __name__ == "__main__":
    run("init")
