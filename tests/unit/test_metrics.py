from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specweave_ml.analysis.metrics import (
    PREFERENCE,
    gist,
    normalised,
    parse_direction,
    seconds_per_unit,
    title,
    training_seconds_per_unit,
    understand,
)
from specweave_ml.errors import UsageError

UP = """
accuracy acc val_accuracy test/accuracy balanced_accuracy top_5_accuracy Accuracy accuracy_score f1 f1_macro macro-F1
precision recall Precision@10 recall_at_5 recall_at_precision_90 auc roc_auc AUROC pr_auc average_precision map mAP@50
ndcg@10 mrr hit_rate hits@5 r2 R² r2_score explained_variance iou mIoU dice kappa mcc bleu rouge1 psnr exact_match
neg_log_loss neg_mean_squared_error log_likelihood reward win_rate score mean_test_score best_val_score
samples_per_second tokens_per_s true_positive_rate d2_absolute_error_score adjusted_rand_score completeness_score
""".split()
DOWN = """
loss val_loss train/loss loss_epoch accuracy_loss log_loss logloss binary_logloss validation_0-logloss cross_entropy
error error_rate word_error_rate mean_absolute_error rmse RMSE mse mae mape smape perplexity ppl brier_score wer cer fid
fpr false_positive_rate negative_log_likelihood calibration_error errors_per_image recall_loss
latency latency_ms inference_microseconds_per_row d2_loss inference_time training_seconds predict_ms runtime duration ms_per_token seconds_per_epoch
model_size size model_size_mb peak_memory n_params
""".split()
UNKNOWN = """
quux lr learning_rate epoch step accuracy_std auc_variance loss_ci_low f1_upper precision_support accuracy_gap
improvement_accuracy loss_weight loss_scale accuracy_threshold batch_size dataset_size vocab_size temperature coverage
anomaly_score z_score one_minus_auc grad_norm compression_ratio start_time time_limit score_std mapping lossless
""".split()


@pytest.mark.parametrize("name", UP)
def test_higher_is_better(name):
    assert understand(name).direction == "maximize"


@pytest.mark.parametrize("name", DOWN)
def test_lower_is_better(name):
    assert understand(name).direction == "minimize"


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_the_name_does_not_say_is_not_guessed(name):
    assert understand(name).direction is None


@pytest.mark.parametrize(
    ("name", "cost"),
    [
        ("latency_ms", "time"),
        ("training_time", "time"),
        ("seconds_per_epoch", "time"),
        ("size", "size"),
        ("model_size_mb", "size"),
        ("n_params", "size"),
        ("accuracy", None),
        ("loss", None),
        ("samples_per_second", None),
        ("quux", None),
    ],
)
def test_costs(name, cost):
    assert understand(name).cost == cost


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("val_loss", "val"),
        ("valid/acc", "val"),
        ("eval_accuracy", "val"),
        ("mean_cv_score", "val"),
        ("test_f1", "test"),
        ("f1_test", "test"),
        ("train_loss", "train"),
        ("training/loss", "train"),
        ("loss", None),
        ("train", None),
        ("valuable_loss", None),
    ],
)
def test_splits(name, split):
    assert understand(name).split == split


@pytest.mark.parametrize(
    ("spellings", "key"),
    [
        (["Precision@10", "precision@10", "precision_at_10", "precision at 10"], "precision_at_10"),
        (["val/loss", "val_loss", "Val Loss", "val.loss", "val:loss"], "val_loss"),
        (["ROC AUC", "roc_auc", "roc-auc"], "roc_auc"),
        (["точность"], "точность"),
        (["@"], "at"),
        (["!!"], "!!"),
    ],
)
def test_normalised(spellings, key):
    assert {normalised(name) for name in spellings} == {key}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", "Accuracy"),
        ("f1", "F1"),
        ("f1_macro", "F1 Macro"),
        ("inference_microseconds_per_row", "Inference (µs per row)"),
        ("rows_per_second", "Rows Per Second"),
        ("roc_auc", "ROC AUC"),
        ("precision@10", "Precision@10"),
        ("ndcg_at_k", "NDCG@k"),
        ("f1@0.5", "F1@0.5"),
        ("val/rmse", "Val RMSE"),
        ("log_loss", "Log Loss"),
        ("logloss", "Log Loss"),
        ("miou", "mIoU"),
        ("latency_ms", "Latency (ms)"),
        ("model_size_mb", "Model Size (MB)"),
        ("seconds", "Seconds"),
    ],
)
def test_titles(name, expected):
    assert title(name) == expected


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("training_time", 1.0),
        ("train_seconds", 1.0),
        ("fit_time_ms", 0.001),
        ("training_minutes", 60.0),
        ("train_runtime", 1.0),
        ("training_time_s", 1.0),
        ("mean_fit_time", 1.0),
        ("inference_time", None),
        ("train_time_per_epoch", None),
        ("train_step_time", None),
        ("train_loss", None),
        ("latency_ms", None),
    ],
)
def test_training_time(name, unit):
    assert training_seconds_per_unit(name) == unit


def test_every_preferred_family_is_one_that_names_lead_to():
    assert {understand(family).family for family in PREFERENCE} == set(PREFERENCE)


@pytest.mark.parametrize("said", ["maximize", "max", " UP ", "higher", "Maximise"])
def test_declared_up(said):
    assert parse_direction(said) == "maximize"


@pytest.mark.parametrize("said", ["minimize", "min", "down", "Lower"])
def test_declared_down(said):
    assert parse_direction(said) == "minimize"


@pytest.mark.parametrize("said", ["", "sideways", "best", None, 1])
def test_no_direction(said):
    with pytest.raises(UsageError, match="which way is better"):
        parse_direction(said)


@given(st.text(min_size=1, max_size=50))
def test_any_name_is_understood_alike_in_its_normalised_spelling(name):
    understood = understand(name)
    assert understand(understood.key).direction == understood.direction
    assert title(name).strip() or not name.strip()


@pytest.mark.parametrize(
    "names",
    [
        "f1 F1-score test_f1 val_f1_score mean_f1",
        "auc roc_auc AUC",
        "Precision@10 precision_at_10 test_precision@10",
        "latency latency_ms inference_time inference_ms response_time prediction_latency",
        "training_time fit_time_ms train_seconds",
        "hit_rate@10 hit@10",
        "mAP average_precision",
    ],
)
def test_names_of_one_gist(names):
    assert len({gist(name) for name in names.split()}) == 1
    assert gist(names.split()[0]) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("f1", "macro_f1"),
        ("accuracy", "balanced_accuracy"),
        ("precision@10", "precision@5"),
        ("precision", "precision@10"),
        ("latency", "p95_latency"),
        ("latency", "training_time"),
        ("loss", "log_loss"),
    ],
)
def test_names_of_another_gist(one, other):
    assert gist(one) != gist(other)


@pytest.mark.parametrize("name", ["quux", "accuracy_std", "model_size_mb", "duration", "score"])
def test_names_of_no_gist(name):
    assert gist(name) is None


def test_the_unit_of_a_time():
    assert [seconds_per_unit(name) for name in ("latency_ms", "latency_s", "fit_minutes", "latency")] == [
        0.001,
        1,
        60,
        None,
    ]
