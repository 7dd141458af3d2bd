from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from records import INCREMENT, cross_validated, experiment
from specweave_ml.analysis.comparison import Findings
from specweave_ml.analysis.table import metric_columns
from specweave_ml.analysis.tradeoff import Cost, Saving, recommend

NOISY = [[0.87, 0.88, 0.85, 0.89], [0.86, 0.89, 0.84, 0.88], [0.85, 0.87, 0.86, 0.87]]


def findings(*said: dict[str, Any]) -> Findings:
    """Models a, b, c that cannot be told apart, a being the best."""
    models = [
        cross_validated(name, {"accuracy": scores}, **more)
        for name, scores, more in zip("abc", NOISY, said, strict=False)
    ]
    return Findings.of(models, INCREMENT)


def test_the_cheapest_is_recommended_and_the_best_is_still_the_best():
    found = findings({"seconds": 45}, {"seconds": 32}, {"seconds": 320})
    assert found.evidence.indistinguishable == ("a", "b", "c")
    assert (found.best, found.recommended) == ("a", "b")
    assert found.tradeoff.savings == (Saving("training time", "32s", "45s"),)
    assert found.tradeoff.within_one_error is True
    assert found.tradeoff.not_compared == ("latency", "size")
    assert found.as_dict()["recommended"] == "b"


def test_a_logged_size_and_a_time_a_row_are_costs():
    said = [{"inference_microseconds_per_row": us, "model_size_bytes": size} for us, size in ((9e4, 2e6), (30, 5e3))]
    found = findings(*({"metrics": metrics, "seconds": 10} for metrics in said))
    assert found.recommended == "b"
    assert found.tradeoff.savings == (Saving("latency", "<1ms", "90ms"), Saving("size", "5.00 kB", "2.00 MB"))


def test_outside_the_set_nothing_is_traded():
    cheap = cross_validated("cheap", {"accuracy": [0.5, 0.52, 0.51, 0.5]}, seconds=1)
    found = Findings.of([cross_validated("a", {"accuracy": NOISY[0]}, seconds=100), cheap], INCREMENT)
    assert (found.tradeoff, found.recommended) == (None, "a")


def test_one_value_each_recommends_the_best():
    found = Findings.of([experiment("a", {"auc": 0.9}, seconds=9), experiment("b", {"auc": 0.8}, seconds=1)], INCREMENT)
    assert (found.tradeoff, found.recommended) == (None, "a")


def test_a_cost_that_one_of_them_lacks_does_not_count():
    found = findings({"seconds": 45}, {}, {"seconds": 30})
    assert found.recommended == "a"
    assert found.tradeoff.not_compared == ("training time", "latency", "size")


def test_nothing_recorded_keeps_the_best():
    found = findings({}, {}, {})
    assert (found.recommended, found.tradeoff.savings, found.tradeoff.within_one_error) == ("a", (), None)


def test_what_reads_the_same_costs_the_same():
    assert findings({"seconds": 45.02}, {"seconds": 45.01}, {"seconds": 44.98}).recommended == "a"


def test_the_trade_off_is_written_out_where_no_model_is_cheaper_in_all():
    found = findings(
        {"seconds": 45, "metrics": {"latency_ms": 12.0}},
        {"seconds": 32, "metrics": {"latency_ms": 9.0}},
        {"seconds": 320, "metrics": {"latency_ms": 3.0}},
    )
    assert found.recommended == "b"
    assert found.tradeoff.cheaper_elsewhere == (("c", (Saving("latency", "3ms", "9ms"),)),)
    dominated = findings(
        {"seconds": 45, "metrics": {"latency_ms": 3.0}},
        {"seconds": 32, "metrics": {"latency_ms": 9.0}},
        {"seconds": 50, "metrics": {"latency_ms": 3.0}},
    )
    assert [name for name, _ in dominated.tradeoff.cheaper_elsewhere] == ["a"]


def test_latency_of_no_known_unit_and_sizes_as_they_were_logged():
    found = findings(*({"metrics": {"latency": 5.0 - at, "model_size_mb": 2.0 + at}} for at in range(3)))
    assert found.tradeoff.recommended == "c"
    assert found.tradeoff.savings == (Saving("Latency", "3.00", "5.00"),)
    assert found.tradeoff.cheaper_elsewhere[-1] == ("a", (Saving("Model Size (MB)", "2.00", "4.00"),))


def test_the_size_of_the_saved_model():
    sizes = [
        {"artifacts": {"model.pkl": {"bytes": size}, "plot.png": {"bytes": 1}}} for size in (2_500_000, 1_200, 900)
    ]
    found = findings(*sizes)
    assert found.recommended == "c"
    assert found.tradeoff.savings == (Saving("size", "900 bytes", "2.50 MB"),)
    assert findings({}, *sizes[1:]).recommended == "a"


def test_further_from_the_best_than_one_standard_error():
    wide = [0.80, 0.90, 0.70, 0.95, 0.85]
    low = [0.70, 0.92, 0.62, 0.90, 0.78]
    found = Findings.of(
        [cross_validated("a", {"auc": wide}, seconds=9), cross_validated("b", {"auc": low}, seconds=1)], INCREMENT
    )
    assert found.recommended == "b"
    assert found.tradeoff.within_one_error is False


costs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=7)


@given(costs)
def test_no_model_beats_the_recommended_one_in_every_cost(rows):
    models = [experiment(f"m{at}", {"auc": 0.9}) for at in range(len(rows))]
    names = [model.name for model in models]
    places = [dict(zip(names, column, strict=True)) for column in zip(*rows, strict=True)]
    given_costs = [
        Cost(title, {name: str(at) for name, at in by.items()}, by) for title, by in zip("xyz", places, strict=True)
    ]
    found = recommend(models, given_costs, metric_columns(models)[0], None)
    mine = rows[names.index(found.recommended)]
    assert mine == min(rows)
    front = {
        name
        for name, row in zip(names, rows, strict=True)
        if not any(all(a <= b for a, b in zip(other, row, strict=True)) and other != row for other in rows)
    }
    assert found.recommended in front
    assert {name for name, _ in found.cheaper_elsewhere} == {name for name in front if rows[names.index(name)] != mine}
