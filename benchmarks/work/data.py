"""What every contender logs: the same names and values."""

INCREMENTS = ".specweave/increments"
EXPERIMENTS = f"{INCREMENTS}/0001-bench/experiments"
MODELS = ".specweave/docs/internal/architecture/ml-models.md"
REPORT = "BENCHMARK_REPORT"  # an environment variable: an argument would be one more thing for us to record
SHORT_EXPERIMENTS = 20
SORTED_BY = "auc"

PARAMS = {
    "model": "xgboost",
    "objective": "binary:logistic",
    "n_estimators": 400,
    "max_depth": 6,
    "learning_rate": 0.05,
    "subsample": 0.8,
    "colsample_bytree": 0.75,
    "early_stopping": True,
    "seed": 42,
    "dataset": "events-2026-06",
}

METRICS = {
    "accuracy": 0.8731,
    "auc": 0.9142857142857143,
    "f1": 0.8422,
    "precision": 0.8617,
    "recall": 0.8236,
    "log_loss": 0.31846153846153846,
    "brier": 0.0972,
    "ndcg": 0.7113,
    "training_seconds": 41.7,
    "inference_ms": 2.35,
}


def metrics_of(number: int) -> dict[str, float]:
    """The metrics of experiment `number`: the sorting one differs in each, in an order that is not the names'."""
    return METRICS | {SORTED_BY: (number * 7919 % 100_003) / 100_003}


def series(rows: int, width: int) -> tuple[list[str], list[float]]:
    """`width` metric names, and enough values with all their digits for `rows` rows to differ."""
    names = ["loss"] if width == 1 else [f"class_{i:03d}_recall" for i in range(width)]
    return names, [1 / (i + 3) for i in range(rows + width)]
