"""The seed's own snippets, word for word, with real objects for the names that they take for granted."""

# ruff: noqa: W293 - some empty lines of the seed hold spaces

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pandas
import pytest
import sklearn
from matplotlib.figure import Figure
from sklearn.datasets import load_breast_cancer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import specweave
from specweave import ExperimentMetadata, load_experiment, load_experiments, track_experiment

EXPERIMENTS = Path(".specweave/increments/0042-recommendation-model/experiments")

# The sections of the seed that these tests hold, as they stand there.
SEED = """
### Auto-Configuration

When you create an ML increment, the skill detects tracking tools:

```python
# No configuration needed - automatically detects and configures
from specweave import track_experiment

# Automatically logs to:
# .specweave/increments/0042.../experiments/exp-001/
with track_experiment("baseline-model") as exp:
    model.fit(X_train, y_train)
    exp.log_metric("accuracy", accuracy)
```

**Option 1: SpecWeave Built-in** (default, zero-config)
```python
from specweave import track_experiment

# Logs to increment folder automatically
with track_experiment("xgboost-v1") as exp:
    exp.log_param("n_estimators", 100)
    exp.log_metric("auc", 0.87)
    exp.save_model(model, "model.pkl")

# Creates:
# .specweave/increments/0042.../experiments/xgboost-v1/
# ├── params.json
# ├── metrics.json
# ├── model.pkl
# └── metadata.yaml
```

### Experiment Comparison

```python
from specweave import compare_experiments

# Compare all experiments in increment
comparison = compare_experiments(increment="0042")

# Generates:
# .specweave/increments/0042.../experiments/comparison.md
```

### 4. Artifact Management

```python
from specweave import track_artifacts

with track_experiment("xgboost-v1") as exp:
    # Training artifacts
    exp.save_artifact("preprocessor.pkl", preprocessor)
    exp.save_artifact("model.pkl", model)
    
    # Evaluation artifacts
    exp.save_artifact("confusion_matrix.png", cm_plot)
    exp.save_artifact("roc_curve.png", roc_plot)
    
    # Data artifacts
    exp.save_artifact("feature_importance.csv", importance_df)
    
    # Environment artifacts
    exp.save_artifact("requirements.txt", requirements)
    exp.save_artifact("conda_env.yaml", conda_env)
```

### 5. Experiment Metadata

```python
from specweave import ExperimentMetadata

metadata = ExperimentMetadata(
    name="xgboost-v3",
    description="XGBoost with feature engineering v2",
    tags=["production-candidate", "feature-eng-v2"],
    git_commit="a3b8c9d",
    data_version="v2024-01",
    author="[email protected]"
)

with track_experiment(metadata) as exp:
    # ... training ...
    pass
```

### 1. Name Experiments Clearly

```python
# ❌ Bad: Generic names
with track_experiment("exp1"):
    ...

# ✅ Good: Descriptive names
with track_experiment("xgboost-tuned-depth6-lr0.1"):
    ...
```

### 2. Log Everything

```python
# Log more than you think you need
exp.log_param("random_seed", 42)
exp.log_param("data_version", "2024-01")
exp.log_param("python_version", sys.version)
exp.log_param("sklearn_version", sklearn.__version__)

# Future you will thank present you
```

### 3. Document Failures

```python
try:
    with track_experiment("neural-net-attempt") as exp:
        model.fit(X_train, y_train)
except Exception as e:
    exp.log_note(f"FAILED: {str(e)}")
    exp.log_note("Reason: Out of memory, need smaller batch size")
    exp.set_status("failed")
    
# Failure documentation prevents repeating mistakes
```

### 4. Use Experiment Series

```python
# Related experiments in series
experiments = [
    "xgboost-baseline",
    "xgboost-tuned-v1",
    "xgboost-tuned-v2",
    "xgboost-tuned-v3-final"
]

# Track progression and improvements
```

### 5. Link to Data Versions

```python
with track_experiment("xgboost-v1") as exp:
    exp.log_param("data_commit", "dvc:a3b8c9d")
    exp.log_param("data_url", "s3://bucket/data/v2024-01")
    
# Enables exact reproduction
```

### Example 1: Baseline Experiments

```python
from specweave import track_experiment

baselines = ["random", "majority", "stratified"]

for strategy in baselines:
    with track_experiment(f"baseline-{strategy}") as exp:
        model = DummyClassifier(strategy=strategy)
        model.fit(X_train, y_train)
        
        accuracy = model.score(X_test, y_test)
        exp.log_metric("accuracy", accuracy)
        exp.log_note(f"Baseline: {strategy}")

# Generates baseline comparison report
```

2. **Tag production models** - `exp.add_tag("production")` for deployed models
"""


def snippet(section: str) -> str:
    """The code of a section."""
    found = re.search(rf"{re.escape(section)}.*?```python\n(.*?)```", SEED, re.DOTALL)
    assert found is not None
    return found[1]


def run(section: str, names: dict[str, Any]) -> dict[str, Any]:
    exec(compile(snippet(section), section, "exec"), names)  # noqa: S102 - the seed's words are to be run
    return names


@pytest.fixture
def names(project: Path) -> dict[str, Any]:
    """What the snippets take for granted: data, a model, plots, tables."""
    features, target = load_breast_cancer(return_X_y=True, as_frame=True)
    X_train, X_test, y_train, y_test = train_test_split(features, target, random_state=0)  # noqa: N806 - the seed's names
    model = RandomForestClassifier(n_estimators=5, random_state=0).fit(X_train, y_train)
    figure = Figure()
    figure.subplots().plot([0, 1])
    importance = pandas.DataFrame({"feature": features.columns, "importance": model.feature_importances_})
    return {
        "X_train": X_train,
        "X_test": X_test,
        "y_train": y_train,
        "y_test": y_test,
        "model": model,
        "accuracy": model.score(X_test, y_test),
        "preprocessor": StandardScaler().fit(X_train),
        "cm_plot": figure,
        "roc_plot": figure.axes[0],
        "importance_df": importance,
        "requirements": "numpy\nscikit-learn\n",
        "conda_env": {"name": "ml", "dependencies": ["python=3.11"]},
        "DummyClassifier": DummyClassifier,
        "sys": sys,
        "sklearn": sklearn,
        "track_experiment": track_experiment,
        "ExperimentMetadata": ExperimentMetadata,
    }


def test_auto_configuration(names):
    run("### Auto-Configuration", names)
    found = load_experiment("baseline-model")
    assert found.status == "finished"
    assert found.metrics == {"accuracy": names["accuracy"]}


def test_built_in_tracking_creates_these_files(names):
    run("**Option 1: SpecWeave Built-in**", names)
    listed = re.findall(r"# [├└]── (\S+)", snippet("**Option 1: SpecWeave Built-in**"))
    assert len(listed) == 4
    for file in listed:
        assert (EXPERIMENTS / "xgboost-v1" / file).is_file()
    found = load_experiment("xgboost-v1", increment="0042")
    assert (found.params, found.metrics) == ({"n_estimators": 100}, {"auc": 0.87})


def test_comparison(names):
    run("**Option 1: SpecWeave Built-in**", names)
    run("### Auto-Configuration", names)
    comparison = run("### Experiment Comparison", names)["comparison"]
    assert (EXPERIMENTS / "comparison.md").is_file()
    assert {row.name for row in comparison.rows} == {"xgboost-v1", "baseline-model"}


def test_artifact_management(names):
    run("### 4. Artifact Management", names)
    saved = re.findall(r'save_artifact\("([^"]+)"', snippet("### 4. Artifact Management"))
    found = load_experiment("xgboost-v1")
    assert list(found.artifacts) == saved
    for name, facts in found.artifacts.items():
        assert (EXPERIMENTS / "xgboost-v1" / name).stat().st_size == facts["bytes"] > 0
    table = pandas.read_csv(EXPERIMENTS / "xgboost-v1" / "feature_importance.csv")
    assert list(table["feature"]) == list(names["importance_df"]["feature"])


def test_experiment_metadata(names):
    run("### 5. Experiment Metadata", names)
    found = load_experiment("xgboost-v3")
    assert found.description == "XGBoost with feature engineering v2"
    assert found.tags == ("production-candidate", "feature-eng-v2")
    assert found.metadata["data_version"] == "v2024-01"
    assert found.metadata["author"] == "[email protected]"
    assert found.metadata["code"]["declared"] == "a3b8c9d"


def test_clear_names(names):
    run("### 1. Name Experiments Clearly", names)
    assert [found.name for found in load_experiments()] == ["exp1", "xgboost-tuned-depth6-lr0.1"]


def test_log_everything(names):
    with track_experiment("everything") as names["exp"]:
        run("### 2. Log Everything", names)
    assert load_experiment("everything").params == {
        "random_seed": 42,
        "data_version": "2024-01",
        "python_version": sys.version,
        "sklearn_version": sklearn.__version__,
    }


def test_document_failures(names):
    names["X_train"] = names["X_train"].head(3)  # as many rows as labels: that fails for a real reason
    run("### 3. Document Failures", names)
    found = load_experiment("neural-net-attempt")
    assert found.status == "failed"
    assert found.notes[0].startswith("FAILED: Found input variables with inconsistent numbers of samples")
    assert found.notes[1] == "Reason: Out of memory, need smaller batch size"
    assert found.error is not None
    assert found.error["type"] == "ValueError"


def test_a_failure_that_does_not_happen_is_finished(names):
    run("### 3. Document Failures", names)
    assert load_experiment("neural-net-attempt").status == "finished"


def test_series(names):
    series = run("### 4. Use Experiment Series", names)["experiments"]
    for number, name in enumerate(series):
        with track_experiment(name) as experiment:
            experiment.log_metric("auc", 0.8 + number / 100)
    assert [found.name for found in load_experiments()] == series


def test_data_versions(names):
    run("### 5. Link to Data Versions", names)
    assert load_experiment("xgboost-v1").params == {
        "data_commit": "dvc:a3b8c9d",
        "data_url": "s3://bucket/data/v2024-01",
    }


def test_baselines(names):
    """scikit-learn has no strategy called `random` or `majority`, so these two fail for a real reason and are kept."""
    from sklearn.exceptions import NotFittedError
    from sklearn.utils._param_validation import InvalidParameterError

    with pytest.raises((InvalidParameterError, NotFittedError, ValueError)):
        run("### Example 1: Baseline Experiments", names)
    (failed,) = load_experiments()
    assert (failed.name, failed.status) == ("baseline-random", "failed")


def test_baselines_where_the_strategies_exist(names):
    """The same loop with a classifier that knows the seed's words."""
    strategies = {"random": "uniform", "majority": "most_frequent", "stratified": "stratified"}
    names["DummyClassifier"] = lambda strategy: DummyClassifier(strategy=strategies[strategy], random_state=0)
    run("### Example 1: Baseline Experiments", names)
    found = load_experiments(status="finished")
    assert [each.name for each in found] == ["baseline-random", "baseline-majority", "baseline-stratified"]
    assert all(each.notes == (f"Baseline: {each.name.removeprefix('baseline-')}",) for each in found)
    assert all(0 < each.metrics["accuracy"] < 1 for each in found)


def test_tag_of_the_tips(names):
    with track_experiment("xgboost-v1") as names["exp"]:
        pass
    found = re.search(r"`(exp\.add_tag\([^)]+\))`", SEED)
    assert found is not None
    exec(found[1], names)  # noqa: S102 - the seed's words are to be run
    assert [each.name for each in load_experiments(tags="production")] == ["xgboost-v1"]


def test_the_names_are_importable_from_the_alias():
    for name in re.findall(r"from specweave import (\w+)", SEED):
        assert hasattr(specweave, name)
