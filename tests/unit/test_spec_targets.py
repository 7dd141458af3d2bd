from __future__ import annotations

import pytest

from records import experiment
from specweave_ml.analysis.spec_targets import read_targets
from specweave_ml.analysis.table import metric_columns


def texts(spec: str, *logged: str) -> list[str]:
    columns = metric_columns([experiment("a", dict.fromkeys(logged, 1.0))])
    return [target.text for target in read_targets(spec, columns)]


@pytest.mark.parametrize(
    ("line", "targets"),
    [
        ("- Success metrics: Precision@10 > 0.25, Recall@10 > 0.15", ["Precision@10 > 0.25", "Recall@10 > 0.15"]),
        ("- Latency: <100ms inference", ["Latency < 100 ms"]),
        ("- [ ] **AC-US1-01**: Accuracy ≥ 0.85 on the holdout set", ["Accuracy >= 0.85"]),
        ("- [x] **AC-US1-02**: Given a model, when it is scored, then `roc_auc` >= 0.9", ["roc_auc >= 0.9"]),
        ("* Model accuracy of at least 85%", ["accuracy >= 85%"]),
        ("p95 latency under 100 ms", ["p95 latency < 100 ms"]),
        ("Latency: &lt;100ms", ["Latency < 100 ms"]),
        ("| Precision@10 | > 0.25 |", ["Precision@10 > 0.25"]),
        ("| Recall@10 | 0.10 | > 0.15 | on the test set |", ["Recall@10 > 0.15"]),
        ("The model must achieve F1-score ≥ 0.8 and AUC > 0.9.", ["F1-score >= 0.8", "AUC > 0.9"]),
        ("Targets for v2: NDCG@10 > 0.3", ["NDCG@10 > 0.3"]),
        ("RMSE must be below 2.5", ["RMSE < 2.5"]),
        ("RMSE must be below 3.", ["RMSE < 3"]),
        ("Training time < 60 s", ["Training time < 60 s"]),
        ("Training time < 2 seconds", ["Training time < 2 s"]),
        ("Ensure that macro F1 is above 0.7", ["macro F1 > 0.7"]),
        ("MAPE < 15 %", ["MAPE < 15%"]),
        ("Precision at 10 > .25 (baseline 0.18)", ["Precision at 10 > 0.25"]),
        ("Error rate < 2%", ["Error rate < 2%"]),
        ("**Precision@10** > **0.25**", ["Precision@10 > 0.25"]),
        ("- ✅ Accuracy \\>= 90 percent", ["Accuracy >= 90%"]),
        ("R2 >= -0.5", ["R2 >= -0.5"]),
        ("Good ranking (ndcg@10 > 0.3)", ["ndcg@10 > 0.3"]),
    ],
)
def test_targets(line, targets):
    assert texts(line) == targets


PROSE = """\
increase revenue by 5%
Increase revenue by > 5%
Grow conversion to at least 3.5%
improve accuracy by at least 5%
improvement in accuracy of at least 5%
F1 gain > 0.02
accuracy drop < 2%
accuracy > 0.05 above baseline
RMSE < 0.9 x baseline
loss < 0.9 of baseline
latency < 2x of today
accuracy > 5 points
Retrain if accuracy < 0.8
Alert when latency > 200ms
If recall > 0.5, ship it
When recall@10 > 0.5 and precision@10 > 0.5 we stop
Accuracy should not be > 0.9
We do not need accuracy > 0.9
Baseline accuracy > 0.6
Baseline: accuracy > 0.6
Human accuracy > 0.95
The current recall > 0.1
We reached accuracy > 0.9 last year
The old model had an AUC > 0.7
Precision > 0.2 or recall > 0.5
For example: accuracy > 0.9
Accuracy over 5 folds
Accuracy on at least 3 folds
Recall at least 3 customers by phone
Loss < 5 customers
Accuracy > 5 baselines
Accuracy is more than 2 times better
uptime > 99.9%
packet loss < 1%
NPS score > 50
click-through rate > 2%
revenue > 5%
> 0.5 of users
accuracy -> 0.9
accuracy => 0.9
accuracy <- 0.9
accuracy < 0.9 is what we have
Latency < 0.1
Accuracy < 100 ms
latency < 100 minutes
Cost < 100
time < 5
model size < 50 MB
users > 1,000
RMSE < 1,000
accuracy > 1.2.3
errors < 5
the map > 3 regions
python >= 3.11
scikit-learn >= 1.4
p < 0.05
List<100>
Accuracy > 85
accuracy > 180%
precision@10=0.28 > 0.25
95% of users get recall > 3 items
"""


@pytest.mark.parametrize("line", PROSE.splitlines())
def test_prose_is_left_alone(line):
    assert texts(line) == []


def test_a_logged_name_is_a_metric_even_where_nothing_else_says_so():
    assert texts("quux >= 3 and Bar Baz < 2") == []
    assert texts("quux >= 3 and Bar Baz < 2", "quux", "bar_baz") == ["quux >= 3", "Bar Baz < 2"]
    assert texts("latency_ms < 100", "latency_ms") == ["latency_ms < 100"]


def test_parts_of_the_document_that_ask_for_nothing():
    spec = """---
goal: accuracy > 0.1
---
# Model

<!-- accuracy > 0.2
-->
```
accuracy > 0.3
~~~
accuracy > 0.3
```
Accuracy > 0.9

## Out of Scope
- Accuracy > 0.4
### Later
- Accuracy > 0.5

## Non-Goals
- F1 > 0.6

## Success Criteria
- Recall > 0.7
- Accuracy > 0.9
"""
    assert texts(spec) == ["Accuracy > 0.9", "Recall > 0.7"]
    assert texts(spec.replace("\n", "\r\n")) == ["Accuracy > 0.9", "Recall > 0.7"]


def test_what_is_endless_ends():
    for line in ("a>1 " * 250, "of to is " * 110 + "> 1", "|" * 990, "<!--" * 240, "accuracy > 0.5 " * 60):
        assert len(texts((line + "\n") * 20)) <= 50
    assert texts("accuracy > 0.5 " + "x" * 2000) == []
