"""Whether a re-run gave the same metrics."""

from __future__ import annotations

from math import inf, nan

import pytest

from specweave_ml.analysis.rerun import is_reproduced, judge


def verdict(recorded: float, *now: float, seeded: bool = False, repeats: tuple[float, ...] = ()) -> str:
    reruns = [{"accuracy": value} for value in now]
    (found,) = judge({"accuracy": recorded}, reruns, seeded=seeded, repeats={"accuracy": repeats})
    return found.verdict


@pytest.mark.parametrize(
    ("recorded", "now", "seeded", "expected"),
    [
        (0.87, [0.87], True, "EXACT"),
        (0.87, [0.87, 0.87], False, "EXACT"),
        (nan, [nan], True, "EXACT"),
        (inf, [inf], True, "EXACT"),
        (0.0, [0.0], True, "EXACT"),
        (0.87, [0.87 * (1 + 5e-7)], True, "WITHIN"),
        (0.87, [0.87 * (1 + 5e-6)], True, "DRIFT"),
        (0.87, [nan], True, "DRIFT"),
        (nan, [0.87], False, "DRIFT"),
        (0.87, [0.88], False, "NOT COMPARABLE"),
        (0.87, [0.88, 0.86], False, "NOT COMPARABLE"),
        (0.87, [0.88, 0.86, 0.89], False, "WITHIN"),
        (0.97, [0.88, 0.86, 0.89], False, "DRIFT"),
    ],
)
def test_one_metric(recorded, now, seeded, expected):
    assert verdict(recorded, *now, seeded=seeded) == expected


def test_the_prediction_interval():
    # mean 10, s 1, n 4: t(0.975; 3) = 3.18245, so 10 ± 3.18245 · √1.25 = 10 ± 3.5581
    runs = (10 - 0.75**0.5 * 1.0, 10 + 0.75**0.5, 10 - 0.75**0.5, 10 + 0.75**0.5)
    assert verdict(13.55, *runs) == "WITHIN"
    assert verdict(13.56, *runs) == "DRIFT"


def test_recorded_repeats_are_a_spread_too():
    assert verdict(0.87, 0.88, repeats=(0.86, 0.87, 0.885)) == "WITHIN"
    assert verdict(0.87, 0.98, repeats=(0.86, 0.87, 0.885)) == "DRIFT"


def test_durations_are_never_compared():
    (found,) = judge({"fit_seconds": 1.0}, [{"fit_seconds": 1.0}], seeded=True)
    assert found.verdict == "NOT COMPARABLE"


def test_what_counts_as_reproduced():
    both = {"accuracy": 0.87, "fit_seconds": 1.0}
    assert is_reproduced(judge(both, [{"accuracy": 0.87, "fit_seconds": 2.0}], seeded=True))
    assert not is_reproduced(judge(both, [{"fit_seconds": 1.0}], seeded=True))
    assert not is_reproduced(judge({"fit_seconds": 1.0}, [{"fit_seconds": 1.0}], seeded=True))
    assert not is_reproduced(judge(both, [{"accuracy": 0.9, "fit_seconds": 1.0}], seeded=True))
    assert not is_reproduced(())
