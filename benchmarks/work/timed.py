"""The stopwatch that a work is given."""

from time import perf_counter


class Timed:
    """Each `with` block is one lap; `laps` are in seconds."""

    def __init__(self) -> None:
        self.laps: list[float] = []

    def __enter__(self) -> None:
        self._start = perf_counter()

    def __exit__(self, *error: object) -> None:
        self.laps.append(perf_counter() - self._start)
