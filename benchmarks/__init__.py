"""Side by side with a floor of the same run, and with other trackers: `python -m benchmarks --help`."""
