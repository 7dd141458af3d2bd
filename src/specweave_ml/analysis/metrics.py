"""What a metric's name says: which way is better, which split it was measured on, whether it is a cost, its title.

People choose these names freely. What a name does not say is None, never a guess: a metric of unknown direction
is shown, and wins nothing until somebody declares it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from specweave_ml.errors import UsageError

Direction = Literal["maximize", "minimize"]
Split = Literal["val", "test", "train"]
Cost = Literal["time", "size"]

PREFERENCE: tuple[str, ...] = (
    *("accuracy", "f1", "auc", "mcc", "kappa", "iou", "dice"),
    *("ndcg", "map", "mrr", "precision", "recall", "hit"),
    *("rmse", "mae", "mape", "mse", "r2"),
    *("bleu", "rouge", "wer", "cer", "psnr", "ssim"),
    *("reward", "log_loss", "perplexity", "loss", "error", "score"),
)
"""The families of metrics in the order in which one of them becomes the primary metric when nobody declared one."""

SPLIT_ORDER: dict[Split | None, int] = {"val": 0, "test": 1, None: 2, "train": 3}
"""Validation data first, as models are chosen on it; training data last."""

# Each entry is a family and its other spellings.
_HIGHER = (
    *("accuracy acc", "f1 fscore f_score fmeasure f_measure", "f2", "f05", "fbeta f_beta", "auc auroc", "auprc aucpr"),
    *("precision", "recall sensitivity", "specificity", "mcc matthews", "kappa", "iou miou jaccard", "dice", "gini"),
    *("tpr true_positive", "tnr true_negative", "ppv", "npv", "exact_match", "lift", "likelihood"),
    *("ndcg dcg", "map average_precision ap", "mrr reciprocal_rank", "hit hits hitrate"),
    *("r2 r_squared", "explained_variance", "pearson", "spearman", "kendall"),
    *("bleu", "rouge rougel", "meteor", "chrf", "psnr", "ssim", "silhouette", "v_measure", "fowlkes_mallows"),
    *("ari adjusted_rand rand_score", "nmi mutual_info", "ami adjusted_mutual_info", "completeness", "homogeneity"),
    *("reward", "win", "success", "throughput"),
)
_LOWER = (
    *("loss losses", "error errors err", "log_loss logloss crossentropy cross_entropy nll bce", "perplexity ppl"),
    *("rmse root_mean_squared_error", "mae mean_absolute_error", "mse mean_squared_error", "mape", "smape", "wape"),
    *("mase", "msle", "rmsle", "pinball", "brier", "hinge", "deviance", "divergence kl", "ece", "eer", "aic", "bic"),
    *("fpr false_positive", "fnr false_negative", "fdr", "misclassification", "wer", "cer", "fid", "regret", "cost"),
)
_FAMILY = {word: family.split()[0] for family in (*_HIGHER, *_LOWER) for word in family.split()}
_HIGHER_FAMILIES = frozenset(family.split()[0] for family in _HIGHER)
_TIME = frozenset(
    "time runtime latency duration seconds secs sec milliseconds ms microseconds minutes hours elapsed".split()
)
_SIZE = frozenset(
    "model_size file_size disk_size checkpoint_size artifact_size bytes kb mb gb kib mib gib "
    "memory flops macs num_params n_params param_count num_parameters n_parameters parameter_count".split()
)
# A word beside the measure that makes the number something else than the measure: its spread, its limit, a difference.
_NOT_THE_MEASURE = frozenset(
    "std stdev stddev sd var variance sem stderr ci low lower high upper count support gap diff difference delta "
    "change ratio threshold target limit minus inverse improvement reduction range spread noise weight scale "
    "coefficient start end".split()
)
# scikit-learn's convention: what it calls nothing but a score is better when higher.
_MERE_SCORE = frozenset("score mean best average avg final".split())
_SPLITS: dict[str, Split] = {
    **dict.fromkeys(("val", "valid", "validation", "dev", "cv", "oof", "eval", "evaluation"), "val"),
    **dict.fromkeys(("test", "holdout"), "test"),
    **dict.fromkeys(("train", "training"), "train"),
}
_LONGEST_FIRST = sorted(_FAMILY.keys() | _TIME | _SIZE, key=lambda word: (-len(word), word))
_WORD = re.compile(rf"(?<![^_])({'|'.join(_LONGEST_FIRST)})(?=\d*(?:_|$))")
_PER_TIME = frozenset("second seconds sec s minute hour ms".split())
_ABOUT_TRAINING = frozenset("train training fit".split())
_PLAIN_IN_A_TRAINING_TIME = _ABOUT_TRAINING | _TIME | frozenset("total mean wall clock in s model".split())
_TIME_UNITS = {
    "microseconds": 1e-6,
    **dict.fromkeys(("ms", "milliseconds"), 0.001),
    **dict.fromkeys(("s", "sec", "secs", "seconds"), 1.0),
    "minutes": 60.0,
    "hours": 3600.0,
}
_OF_LATENCY = frozenset("latency inference prediction predict response scoring time".split())
_A_ROW = frozenset("per row item sample prediction request".split())
_SAYS_NOTHING = frozenset("score rate value metric mean average avg overall final roc".split())

_DECLARED: dict[str, Direction] = {
    **dict.fromkeys(("maximize", "maximise", "max", "up", "higher", "increase"), "maximize"),
    **dict.fromkeys(("minimize", "minimise", "min", "down", "lower", "decrease"), "minimize"),
}


@dataclass(frozen=True, slots=True)
class MetricName:
    """A metric's name, understood.

    Attributes:
        key: the normalised name; two names of one key are the same metric.
        split: the part of the data it was measured on, if the name says so.
        family: the measure, such as `f1` for `val_macro_f1`; None when the name names none.
        direction: which way is better; None when the name does not say.
        cost: `time` or `size` when it measures what a model costs and not how good it is.
    """

    key: str
    split: Split | None
    family: str | None
    direction: Direction | None
    cost: Cost | None


def normalised(name: str) -> str:
    """One spelling for `Precision@10`, `precision@10` and `precision_at_10`."""
    text = unicodedata.normalize("NFKC", name).casefold().replace("@", "_at_")
    return re.sub(r"[\W_]+", "_", text).strip("_") or name


@lru_cache(maxsize=4096)
def understand(name: str) -> MetricName:
    """What the name of a metric says."""
    key = normalised(name)
    tokens = key.split("_")
    split = next((_SPLITS[token] for token in tokens if token in _SPLITS), None) if len(tokens) > 1 else None
    measured, *per = key.split("_per_", maxsplit=1)
    measured = measured.split("_at_", maxsplit=1)[0]
    word = _measure(measured)
    if word in _TIME:
        return MetricName(key, split, None, "minimize", "time")
    if word in _SIZE or key == "size":
        return MetricName(key, split, None, "minimize", "size")
    if word is None and per and per[0].split("_")[0] in _PER_TIME:
        return MetricName(key, split, "throughput", "maximize", None)
    if word is None and _is_mere_score(set(tokens) - _SPLITS.keys()):
        return MetricName(key, split, "score", "maximize", None)
    if tokens[-1] == "score" and "d2" in tokens:  # the share of an error that is explained, as r2 is of the squared one
        return MetricName(key, split, "d2", "maximize", None)
    if word is None:
        return MetricName(key, split, None, None, None)
    family = _FAMILY[word]
    higher = (family in _HIGHER_FAMILIES) != (measured.split("_")[0] in {"neg", "negative"})
    return MetricName(key, split, family, "maximize" if higher else "minimize", None)


def _measure(measured: str) -> str | None:
    """The word that names the measure: the last known one, as in `accuracy_loss`; None when it is not the measure."""
    found = list(_WORD.finditer(measured))
    if not found:
        return None
    last = found[-1]
    beside = f"{measured[: last.start()]}_{measured[last.end() :]}".split("_")
    return None if _NOT_THE_MEASURE & set(beside) else last[1]


def gist(name: str) -> tuple[str, frozenset[str]] | None:
    """What a name measures, and the words beside it that make it another measure; None when it names no measure.

    `f1`, `F1-score` and `test_f1` measure the same, `macro_f1` does not; neither do `latency` and `p95_latency`.
    """
    metric = understand(name)
    words = {word for word in metric.key.split("_") if word not in _SPLITS and word not in _SAYS_NOTHING}
    if metric.cost == "time":
        words -= _TIME_UNITS.keys()
        if training_seconds_per_unit(name) is not None:
            return "training time", frozenset()
        return ("latency", frozenset(words - _OF_LATENCY - _A_ROW)) if words & _OF_LATENCY - {"time"} else None
    measure = _measure(metric.key.split("_at_", maxsplit=1)[0])
    if measure is None or metric.family is None:
        return None
    return metric.family, frozenset(words - set(measure.split("_")))


def seconds_per_unit(name: str) -> float | None:
    """How many seconds one unit of a time is, when its name says so: `latency_ms` → 0.001; else None."""
    tokens = understand(name).key.split("_")
    return next((_TIME_UNITS[token] for token in tokens if token in _TIME_UNITS), None)


def _is_mere_score(tokens: set[str]) -> bool:
    return "score" in tokens and tokens <= _MERE_SCORE


def known_direction(text: str) -> Direction | None:
    """A declared direction; `max`, `up` and `higher` (and their opposites) are understood too. None for other words."""
    return _DECLARED.get(text.strip().lower()) if isinstance(text, str) else None


def parse_direction(text: str) -> Direction:
    """The same of a caller's word.

    Raises:
        UsageError: it is none of these words.
    """
    direction = known_direction(text)
    if direction is None:
        raise UsageError("a direction says which way is better", received=text, expected="maximize or minimize")
    return direction


def training_seconds_per_unit(name: str) -> float | None:
    """How many seconds one unit of this metric is, when it is the time that training took; else None."""
    tokens = understand(name).key.split("_")
    about = understand(name).cost == "time" and _ABOUT_TRAINING & set(tokens)
    if not about or not set(tokens) <= _PLAIN_IN_A_TRAINING_TIME:
        return None
    return seconds_per_unit(name) or 1.0


_UPPER = frozenset(
    "auc roc auroc auprc pr ap map f1 f2 fbeta r2 rmse mse mae mape smape wape mase msle rmsle ndcg dcg mrr mcc iou "
    "bleu rouge wer cer fid ece eer nll bce kl psnr ssim tpr fpr tnr fnr ppv npv ari nmi ami cv id gpu cpu aic "
    "bic".split()
)
_SPELLED = {"logloss": "Log Loss", "iou": "IoU", "miou": "mIoU", "crossentropy": "Cross-Entropy"}
_UNITS = {
    "microseconds": "µs",
    "ms": "ms",
    "milliseconds": "ms",
    "seconds": "s",
    "secs": "s",
    "sec": "s",
    "minutes": "min",
    "hours": "h",
}
_UNITS |= {"bytes": "bytes", "kb": "kB", "mb": "MB", "gb": "GB", "kib": "KiB", "mib": "MiB", "gib": "GiB"}
_AT = re.compile(r"_at_(\d+(?:_\d+)?|k)(?=_|$)")


def title(name: str) -> str:
    """A column's title: `f1` → F1, `roc_auc` → ROC AUC, `precision@10` → Precision@10, `latency_ms` → Latency (ms)."""
    key = _AT.sub(lambda match: "@" + match[1].replace("_", "."), understand(name).key)
    measured, per, one = key.partition("_per_")
    *words, last = measured.split("_")
    if words and last in _UNITS:
        return f"{_titled(words)} ({_UNITS[last]}{per and ' per '}{one.replace('_', ' ')})"
    return _titled(key.split("_")).strip() or name


def _titled(words: list[str]) -> str:
    return " ".join(_capital(word) for word in words)


def _capital(word: str) -> str:
    stem, at, rest = word.partition("@")
    if stem in _SPELLED:
        return _SPELLED[stem] + at + rest
    return (stem.upper() if stem in _UPPER else stem[:1].upper() + stem[1:]) + at + rest
