"""Experiments that tests track: when what goes on behind them is over."""

from __future__ import annotations

from specweave_ml.tracking import capture


def wait_for_the_capture() -> None:
    """What is found out in the background has been said to every experiment."""
    capture.wait()
