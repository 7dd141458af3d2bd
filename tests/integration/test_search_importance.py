"""A search as a person runs it: which params matter stands beside it, in `show`, and in the living documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import EXPERIMENTS, CommandLine

sklearn_datasets = pytest.importorskip("sklearn.datasets")


@pytest.fixture
def searched(project: Path) -> Path:
    """The folder of a search in which the depth of a tree is all that matters."""
    from sklearn.tree import DecisionTreeClassifier

    from specweave_ml import track_hyperparameters

    rows, target = sklearn_datasets.load_digits(return_X_y=True)
    track_hyperparameters(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [1, 3, 8], "min_samples_leaf": [1, 2]},
        rows[:600],
        target[:600],
        increment="0042",
        name="tree",
        cv=5,
    )
    return project / EXPERIMENTS / "tree"


def test_what_matters_is_kept_beside_the_search_and_said_where_one_looks(searched: Path, run: CommandLine) -> None:
    finding = json.loads((searched / "importance.json").read_text())["finding"]
    assert finding.startswith("Most important for accuracy: max_depth (")
    document = (searched / "importance.md").read_text()
    assert "exact functional ANOVA of a full grid of 6 combinations" in document
    assert "6 finished trials with a number; sampler: grid." in document
    assert "](importance.svg)" in document
    assert (searched / "importance.svg").read_text().startswith("<!-- specweave:picture v1 -->")

    shown = run("show", "tree").out
    assert "  trials: 6\n" in shown
    assert f"  finding: {finding}\n" in shown
    experiment = run("show", "tree", "--json").json["experiment"]
    assert (experiment["trials"], experiment["finding"]) == (6, finding)

    run("sync-docs", "update", "0042")
    models = Path(".specweave/docs/internal/architecture/ml-models.md").read_text()
    hyperparameters = models.partition("### Hyperparameters (tree)")[2]
    assert "Most important for accuracy: max_depth (" in hyperparameters
    run("sync-docs", "update", "0042", "--check")
