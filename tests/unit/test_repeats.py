from __future__ import annotations

from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records import INCREMENT, cross_validated, experiment
from specweave_ml.analysis.comparison import Findings
from specweave_ml.analysis.repeats import find_repeats, is_seed
from specweave_ml.store.decision import Decision


def sets(*experiments) -> dict[str, tuple[str, ...]]:
    return {name: repeats.names for name, repeats in find_repeats(experiments).items()}


def seeded(name: str, seed: object, **said):
    params = {"lr": 0.1, "seed": seed, **said.pop("params", {})}
    return experiment(name, {"auc": 0.9}, params=params, **said)


@pytest.mark.parametrize(
    "param",
    ["seed", "random_seed", "Seed", "random_state", "model__random_state", "np.random.seed", "rng", "data-seed"],
)
def test_params_that_are_seeds(param):
    assert is_seed(param)


@pytest.mark.parametrize("param", ["speed", "n_seeds", "seed_words", "seedling", "state", "random", "linseed", "lr"])
def test_params_that_are_not(param):
    assert not is_seed(param)


def test_other_seeds_and_all_else_equal():
    assert sets(seeded("a", 1), seeded("b", 2), seeded("c", 3)) == {"a": ("a", "b", "c")}


def test_no_seed_logged_no_repeat():
    assert sets(experiment("a", params={"lr": 0.1}), experiment("b", params={"lr": 0.1})) == {}
    assert sets(seeded("a", None), seeded("b", 2)) == {}


def test_another_param_differs_or_is_missing():
    assert sets(seeded("a", 1), seeded("b", 2, params={"lr": 0.2})) == {}
    assert sets(seeded("a", 1), seeded("b", 2, params={"depth": 3})) == {}
    other_seed = experiment("b", params={"lr": 0.1, "random_state": 2})
    assert sets(seeded("a", 1), other_seed) == {}


def test_two_seeds_a_set_in_which_one_varies():
    one = seeded("a", 1, params={"split_seed": 0})
    other = seeded("b", 1, params={"split_seed": 7})
    assert sets(one, other) == {"a": ("a", "b")}


def test_the_same_seed_once_more_is_no_repeat():
    assert sets(seeded("a", 1), seeded("a-2", 1)) == {}
    assert sets(seeded("a", 1), seeded("a-2", 1), seeded("b", 2)) == {"a": ("a", "b")}


def test_a_seed_that_is_1_and_one_that_is_1_point_0_are_the_same():
    assert sets(seeded("a", 1), seeded("b", 1.0)) == {}


def test_where_a_seed_is_all_that_was_logged_the_names_must_agree():
    def only(name, seed):
        return experiment(name, params={"seed": seed})

    assert sets(only("xgb-seed1", 1), only("xgb-seed2", 2)) == {"xgb-seed1": ("xgb-seed1", "xgb-seed2")}
    assert sets(only("xgb", 1), only("lightgbm", 2)) == {}


def test_repeat_of_names_them_in_a_chain_and_in_a_circle():
    assert sets(experiment("a"), experiment("b", repeat_of="a"), experiment("c", repeat_of="b")) == {
        "a": ("a", "b", "c")
    }
    assert sets(experiment("a", repeat_of="b"), experiment("b", repeat_of="a")) == {"a": ("a", "b")}
    assert sets(experiment("a", repeat_of="a")) == {}


def test_repeat_of_one_that_did_not_finish():
    assert sets(experiment("b", repeat_of="failed"), experiment("c", repeat_of="failed")) == {"b": ("b", "c")}
    assert sets(experiment("b", repeat_of="failed")) == {}


def test_repeat_of_and_seeds_together():
    assert sets(seeded("a", 1), seeded("b", 2), experiment("c", repeat_of="b")) == {"a": ("a", "b", "c")}


def test_named_after_the_earliest():
    late = seeded("a", 1, started="2026-03-02T00:00:00Z")
    early = seeded("b", 2, started="2026-03-01T00:00:00Z")
    assert sets(late, early) == {"b": ("b", "a")}


def test_an_archived_namesake_is_another_experiment():
    live, archived = experiment("a", params={"x": 1}), experiment("a", params={"x": 2}, archived=True)
    assert sets(live, archived) == {}
    assert sets(live, archived, experiment("b", repeat_of="a")) == {"a": ("a", "b")}


def together(*experiments):
    (repeats,) = find_repeats(experiments).values()
    return repeats.as_experiment()


def test_as_one_experiment():
    made = together(
        experiment("a", {"auc": 0.8, "f1": 0.5}, params={"lr": 0.1, "seed": 1}, seconds=10, tags=["x"]),
        experiment("b", {"auc": 0.9}, params={"lr": 0.1, "seed": 2}, seconds=20, tags=["x", "y"]),
    )
    assert (made.name, made.status, made.duration_seconds, made.tags) == ("a", "finished", 15, ("x", "y"))
    assert made.metrics == pytest.approx({"auc": 0.85, "f1": 0.5})
    assert made.params == {"lr": 0.1, "seed": [1, 2]}
    assert made.counts == {}


def test_one_nan_is_the_nan_of_all():
    diverged = experiment("b", {"auc": nan}, repeat_of="a")
    found = Findings.of([experiment("a", {"auc": 0.9}), diverged, experiment("c", {"auc": 0.5})], INCREMENT)
    assert found.best == "c"
    assert found.rows[0].spread == {}


def test_folds_are_averaged_where_all_went_over_the_same():
    made = together(
        cross_validated("a", {"auc": [0.8, 0.7, 0.9]}),
        cross_validated("b", {"auc": [0.6, 0.9, 0.9]}, repeat_of="a"),
    )
    assert [fold.metrics["auc"] for fold in made.folds] == pytest.approx([0.7, 0.8, 0.9])
    assert made.folds[0].split == "split-0"
    other = cross_validated("b", {"auc": [0.6, 0.9, 0.9]}, split="other", repeat_of="a")
    assert together(cross_validated("a", {"auc": [0.8, 0.7, 0.9]}), other).folds == ()


def test_one_row_with_members_and_spread():
    found = Findings.of([seeded("b", 2), seeded("a", 1), experiment("tree", {"auc": 0.5})], INCREMENT)
    assert [row.name for row in found.rows] == ["a", "tree"]
    assert found.as_dict()["rows"][0] | {"tags": 0} == {
        "name": "a",
        "status": "finished",
        "metrics": {"auc": 0.9},
        "training_seconds": None,
        "tags": 0,
        "baseline": False,
        "reason": None,
        "members": ["a", "b"],
        "n": 2,
        "spread": {"auc": 0.0},
    }
    assert "members" not in found.as_dict()["rows"][1]
    assert found.table().rows == (("a", "2", "0.90 ± 0"), ("tree", "1", "0.50"))
    assert list(found.to_dataframe()["repeats"]) == [2, 1]
    assert len(found.finished) == 3


def test_a_baseline_or_a_choice_that_is_one_of_them():
    runs = [seeded("a", 1), seeded("b", 2), experiment("tree", {"auc": 0.5})]
    found = Findings.of(runs, INCREMENT, Decision(baseline="b", selected="b"))
    assert (found.baseline, found.selected, found.judged) == ("a", "b", "a")
    assert found.problems == ()


def test_the_mean_of_repeats_competes_and_not_the_luckiest():
    lucky = [
        experiment(f"net-{seed}", {"auc": auc}, params={"lr": 1, "seed": seed}) for seed, auc in [(1, 0.95), (2, 0.7)]
    ]
    assert Findings.of([*lucky, experiment("tree", {"auc": 0.9})], INCREMENT).best == "tree"


made = st.tuples(st.sampled_from([None, 1, 2, 3]), st.sampled_from([0.1, 0.2]), st.sampled_from([None, "e-0", "e-1"]))


@given(st.lists(made, max_size=7), st.randoms(use_true_random=False))
def test_the_order_of_the_experiments_changes_nothing(rows, random):
    experiments = [
        experiment(f"e-{at}", params={"lr": lr, "seed": seed}, repeat_of=repeat_of)
        for at, (seed, lr, repeat_of) in enumerate(rows)
    ]
    shuffled = [*experiments]
    random.shuffle(shuffled)
    assert sets(*experiments) == sets(*shuffled)
