# /// script
# requires-python = ">=3.11"
# dependencies = ["specweave-ml"]
# ///
"""Bring the documents of an increment up to date: `specweave-ml sync-docs update`, with its options and exit codes."""

from command import run

if __name__ == "__main__":
    run("sync-docs", "update")
