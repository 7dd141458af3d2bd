"""Tracking: `track_experiment` and the live handle that training code holds.

start.py     a name becomes a folder and a handle
handle.py    what can be said to a running experiment
endings.py   how a process ends, and what the record says of it
backends.py  other places that get what is logged, where one is registered
backends.py  other places that get what is logged, where one is registered
capture.py   provenance, completed in the background
"""

from __future__ import annotations

from specweave_ml.tracking.endings import register
from specweave_ml.tracking.handle import TrackedExperiment
from specweave_ml.tracking.start import track_artifacts, track_experiment, track_model

__all__ = ["TrackedExperiment", "register", "track_artifacts", "track_experiment", "track_model"]
