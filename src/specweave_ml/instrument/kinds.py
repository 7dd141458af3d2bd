"""What an expression gives, as far as the script itself proves it.

A line that logs must never be the one that fails, so only what is sure to be one number is logged as a metric: the
scalar scores of scikit-learn, `.item()`, arithmetic of numbers, what a number format has printed. Anything else is
UNKNOWN.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from specweave_ml.instrument.module import constant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from specweave_ml.instrument.module import Function, Module

    Environment = Mapping[str, "Kind"]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value is.

    Attributes:
        what: a word, such as `number`, `metric` (a number that says how good something is), `estimator`.
        detail: the library of an estimator; the class of an object.
        parts: the items of a tuple or list, the values of a mapping.
        keys: the keys of a mapping.
        call: the call that made it, where its arguments matter.
    """

    what: str
    detail: str = ""
    parts: tuple[Kind, ...] = ()
    keys: tuple[str, ...] = ()
    call: ast.Call | None = field(default=None, compare=False)

    @property
    def is_number(self) -> bool:
        """Whether it is one number."""
        return self.what in {"number", "metric"}


UNKNOWN = Kind("unknown")
NUMBER = Kind("number")
METRIC = Kind("metric")
TEXT = Kind("text")
COVERED = Kind("covered")
"""One of several values that are logged together."""

METRIC_NAME = re.compile(
    r"(?:^|[\W_])(?:acc|accuracy|auc|auroc|roc|f1|f1score|fbeta|precision|recall|prec|rec|map|ndcg|mrr|rmse|mse|mae|mape|"
    r"rmsle|r2|r_squared|loss|losses|err|error|score|scores|metric|perplexity|ppl|bleu|rouge|wer|cer|iou|miou|dice|psnr|"
    r"ssim|fid|logloss|nll|kappa|mcc|reward|return|silhouette|brier|gini|ks)(?:$|[\W_\d])",
    re.IGNORECASE,
)
"""Names that people give to metrics."""

_SCALAR_SCORES = set(
    """accuracy_score adjusted_mutual_info_score adjusted_rand_score auc average_precision_score balanced_accuracy_score
    brier_score_loss calinski_harabasz_score cohen_kappa_score completeness_score d2_absolute_error_score
    d2_pinball_score davies_bouldin_score dcg_score explained_variance_score f1_score fbeta_score fowlkes_mallows_score
    hamming_loss hinge_loss homogeneity_score jaccard_score log_loss matthews_corrcoef max_error mean_absolute_error
    mean_absolute_percentage_error mean_gamma_deviance mean_pinball_loss mean_poisson_deviance mean_squared_error
    mean_squared_log_error median_absolute_error mutual_info_score ndcg_score normalized_mutual_info_score
    precision_score r2_score rand_score recall_score roc_auc_score root_mean_squared_error root_mean_squared_log_error
    silhouette_score top_k_accuracy_score v_measure_score zero_one_loss""".split()
)
_SKLEARN = r"(?:sklearn|imblearn)\.(?:\w+\.)*"
# What an imported class or function gives; the first pattern that fits counts.
_OBJECTS = [
    (what, re.compile(pattern))
    for what, pattern in (
        ("numbers", r"sklearn\.model_selection\.cross_val_score"),
        ("folds", r"sklearn\.model_selection\.cross_validate"),
        ("search", r"sklearn\.model_selection\.(?:GridSearchCV|RandomizedSearchCV)"),
        ("splitter", r"sklearn\.model_selection\.\w*(?:Fold|Split|LeaveOneOut|LeavePOut|LeaveOneGroupOut)"),
        ("transformer", r"sklearn\.(?:preprocessing|impute|decomposition|feature_extraction|feature_selection)\..*"),
        ("transformer", r"sklearn\.(?:compose|random_projection|manifold|kernel_approximation)\..*"),
        ("estimator", _SKLEARN + r"(?:[A-Z]\w+|make_pipeline)"),
        ("estimator", r"xgboost\.(?:sklearn\.)?XGB\w+|lightgbm\.(?:sklearn\.)?LGBM\w+"),
        ("estimator", r"catboost\.CatBoost(?:Classifier|Regressor|Ranker)?"),
        ("booster", r"(?:xgboost|lightgbm)\.train"),
        ("optimizer", r"torch\.optim\.(?:\w+\.)?[A-Z]\w+"),
        ("lightning", r"(?:lightning|pytorch_lightning)\.(?:\w+\.)*Trainer"),
        ("transformers", r"(?:transformers|trl|setfit|sentence_transformers)\.(?:\w+\.)*\w*Trainer"),
        ("training arguments", r"(?:transformers|trl)\.(?:\w+\.)*\w*TrainingArguments"),
        ("keras", r"(?:tensorflow\.|tf_)?keras\.(?:\w+\.)*(?:Sequential|Model|load_model|clone_model)"),
        ("keras", r"(?:tensorflow\.)?keras\.applications\.\w[\w.]*"),
        ("parser", r"argparse\.ArgumentParser"),
        ("args", r"argparse\.Namespace|types\.SimpleNamespace"),
        ("dataclass", r"pydantic\.BaseModel|pydantic_settings\.BaseSettings"),
        ("path", r"os\.path\.join|pathlib\.Path"),
    )
]
_REDUCING = {"mean", "median", "std", "var", "min", "max", "sum", "nanmean", "average"}
_SAME = {"sqrt", "abs", "exp", "log", "log10", "log2", "round", "float", "float32", "float64", "absolute"}


class Kinds:
    """Tells what expressions give, with what a walk knows of names at that point.

    Args:
        module: the script.
        result_of: what a function of the script returns.
    """

    def __init__(self, module: Module, result_of: Callable[[Function], Kind]) -> None:
        self.module = module
        self._result_of = result_of

    def of(self, node: ast.expr | None, known: Environment) -> Kind:
        """What an expression gives."""
        if isinstance(node, ast.Constant):
            return _of_constant(node.value)
        if isinstance(node, ast.JoinedStr):
            return TEXT
        if isinstance(node, ast.NamedExpr):
            return self.of(node.value, known)
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            return self._of_place(node, known)
        if isinstance(node, ast.UnaryOp):
            inner = self.of(node.operand, known)
            return inner if inner.is_number else UNKNOWN
        if isinstance(node, ast.BinOp):
            return self._of_operation(node, known)
        if isinstance(node, ast.IfExp):
            return joined(self.of(node.body, known), self.of(node.orelse, known))
        if isinstance(node, ast.Tuple | ast.List):
            return Kind("tuple", parts=tuple(self.of(each, known) for each in node.elts))
        if isinstance(node, ast.Dict):
            return self._of_mapping(node, known)
        return self._of_call(node, known) if isinstance(node, ast.Call) else UNKNOWN

    def local(self, call: ast.Call, known: Environment) -> Function | None:
        """The function or method of this script that a call calls, as far as the script shows."""
        name = place(call.func).rpartition(".")[2]
        if name not in self.module.functions:
            return None
        if isinstance(call.func, ast.Attribute):
            owner = call.func.value
            own = place(owner) == "self" or self.of(owner, known).what == "object"
            return self.module.functions[name] if own and name in self.module.methods else None
        return self.module.functions[name] if name not in self.module.methods else None

    def _of_place(self, node: ast.expr, known: Environment) -> Kind:
        name = place(node)
        if name and name in known:
            return UNKNOWN if re.split(r"[.\[]", name)[0] in self.module.rebound else known[name]
        if isinstance(node, ast.Attribute):
            owner = self.of(node.value, known)
            return _ATTRIBUTES.get((owner.what, node.attr), Kind("argument") if owner.what == "args" else UNKNOWN)
        if isinstance(node, ast.Subscript):
            owner = self.of(node.value, known)
            if owner.what in {"keras evaluation", "numbers"} and isinstance(constant(node.slice), int):
                return METRIC
            key = constant(node.slice)
            if owner.what in _COVERED:
                return COVERED
            if owner.what == "mapping" and key in owner.keys:
                return owner.parts[owner.keys.index(str(key))]
        return UNKNOWN

    def _of_operation(self, node: ast.BinOp, known: Environment) -> Kind:
        left, right = self.of(node.left, known), self.of(node.right, known)
        if left.is_number and right.is_number:
            return METRIC if METRIC in (left, right) else NUMBER
        if isinstance(node.op, ast.Div) and left.what == "path":
            return left
        return TEXT if left.what == "text" and isinstance(node.op, ast.Mod | ast.Add) else UNKNOWN

    def _of_mapping(self, node: ast.Dict, known: Environment) -> Kind:
        keys: list[str] = []
        parts: list[Kind] = []
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None and (inner := self.of(value, known)).what == "mapping":
                keys += inner.keys
                parts += inner.parts
            elif isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value:
                keys.append(key.value)
                parts.append(self.of(value, known))
            else:
                return UNKNOWN
        return Kind("mapping", parts=tuple(parts), keys=tuple(keys))

    def _of_call(self, node: ast.Call, known: Environment) -> Kind:
        origin = self.module.origin(node.func)
        if origin:
            return self._of_imported(origin, node, known)
        function = self.local(node, known)
        if function is not None:
            return self._result_of(function)
        if isinstance(node.func, ast.Name):
            return self._of_name(node.func.id, node, known)
        if isinstance(node.func, ast.Attribute):
            return self._of_method(node.func, node, known)
        return UNKNOWN

    def _of_imported(self, origin: str, node: ast.Call, known: Environment) -> Kind:
        name = origin.rpartition(".")[2]
        if origin.startswith("sklearn.metrics.") and name in _SCALAR_SCORES:
            return METRIC if _gives_one(node) else UNKNOWN
        if origin in {"sklearn.base.clone", "copy.deepcopy"} and node.args:
            return self.of(node.args[0], known)
        for what, pattern in _OBJECTS:
            if pattern.fullmatch(origin):
                return Kind(what, origin.partition(".")[0], call=node)
        if origin.partition(".")[0] in {"numpy", "math"} and node.args:
            return self._reduced(name, self.of(node.args[0], known), node)
        return UNKNOWN

    def _reduced(self, name: str, inner: Kind, node: ast.Call) -> Kind:
        if name in _SAME and inner.is_number:
            return inner
        whole = len(node.args) == 1 and not node.keywords
        if name in _REDUCING and whole:
            return METRIC if inner.what == "numbers" else NUMBER if name in {"mean", "nanmean"} else UNKNOWN
        return UNKNOWN

    def _of_name(self, name: str, node: ast.Call, known: Environment) -> Kind:
        if name in self.module.classes:
            return self._of_own_class(self.module.classes[name], node)
        if not self.module.is_builtin(name):
            return UNKNOWN
        inner = [self.of(each, known) for each in node.args]
        if name in {"float", "int", "abs", "round"} and inner:
            return inner[0] if inner[0].is_number else NUMBER if name in {"float", "int"} else UNKNOWN
        if name == "len":
            return NUMBER
        if name in {"min", "max", "sum"} and inner:
            if len(inner) == 1 and inner[0].what == "numbers":
                return METRIC
            return METRIC if len(inner) > 1 and all(each.is_number for each in inner) else UNKNOWN
        if name == "dict" and not node.args:
            named = [(each.arg, self.of(each.value, known)) for each in node.keywords if each.arg]
            if len(named) == len(node.keywords):
                return Kind("mapping", parts=tuple(kind for _, kind in named), keys=tuple(str(key) for key, _ in named))
        return Kind("params") if name == "vars" and inner and inner[0].what in {"args", "dataclass"} else UNKNOWN

    def _of_own_class(self, node: ast.ClassDef, call: ast.Call) -> Kind:
        for each in node.decorator_list:
            made = each.func if isinstance(each, ast.Call) else each
            if self.module.origin(made) == "dataclasses.dataclass":
                slotted = isinstance(each, ast.Call) and any(keyword.arg == "slots" for keyword in each.keywords)
                return UNKNOWN if slotted else Kind("dataclass")
        methods = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
        for base in node.bases if not methods & {"evaluate", "fit", "score", "train"} else []:
            for what, pattern in _OBJECTS:
                if what in {"keras", "transformers", "dataclass"} and pattern.fullmatch(self.module.origin(base)):
                    return Kind(what, call=call)
        return Kind("object", node.name)

    def _of_method(self, function: ast.Attribute, node: ast.Call, known: Environment) -> Kind:
        owner = self.of(function.value, known)
        name = function.attr
        if name == "item" and not node.args and not node.keywords:
            return COVERED if owner == COVERED else NUMBER
        if name == "fit":
            return _FITTED.get(owner.what, UNKNOWN) if owner.what == "keras" else owner
        if name == "score" and owner.what in {"estimator", "search"}:
            return METRIC
        if name in _REDUCING and owner.what == "numbers" and not node.args:
            return METRIC
        if name in {"parse_args", "parse_known_args"} and (owner.what == "parser" or self.module.uses("argparse")):
            return Kind("args") if name == "parse_args" else Kind("tuple", parts=(Kind("args"), UNKNOWN))
        if name == "evaluate" and owner.what in {"keras", "transformers"}:
            whole = owner.what == "keras" and any(each.arg == "return_dict" for each in node.keywords)
            return Kind(f"{owner.what} metrics" if whole or owner.what == "transformers" else "keras evaluation")
        if name == "get_params" and owner.what == "estimator":
            return Kind("params")
        return TEXT if name == "format" else UNKNOWN

    def is_repeatable(self, node: ast.expr, known: Environment) -> bool:
        """Whether evaluating this once more gives the same and changes nothing."""
        if isinstance(node, ast.Name | ast.Constant):
            return True
        if isinstance(node, ast.Attribute):
            return self.is_repeatable(node.value, known)
        if isinstance(node, ast.Subscript):
            return self.is_repeatable(node.value, known) and self.is_repeatable(node.slice, known)
        if isinstance(node, ast.BinOp | ast.UnaryOp | ast.Compare | ast.Tuple | ast.Slice):
            return all(self.is_repeatable(e, known) for e in ast.iter_child_nodes(node) if isinstance(e, ast.expr))
        if not isinstance(node, ast.Call) or not self._calls_repeatable(node, known):
            return False
        given = [*node.args, *(each.value for each in node.keywords)]
        return all(self.is_repeatable(each, known) for each in given)

    def _calls_repeatable(self, node: ast.Call, known: Environment) -> bool:
        origin = self.module.origin(node.func)
        name = origin.rpartition(".")[2]
        if origin.startswith("sklearn.metrics.") and name in _SCALAR_SCORES:
            return all(each.arg != "sample_size" for each in node.keywords)  # a sample draws random numbers
        if origin.partition(".")[0] in {"numpy", "math"}:
            return name in _REDUCING | _SAME
        if isinstance(node.func, ast.Name):
            return self.module.is_builtin(node.func.id) and node.func.id in {
                "abs",
                "float",
                "int",
                "len",
                "max",
                "min",
                "round",
                "sum",
            }
        if not isinstance(node.func, ast.Attribute) or not self.is_repeatable(node.func.value, known):
            return False
        owner = self.of(node.func.value, known)
        if node.func.attr in {"predict", "predict_proba", "decision_function", "score"}:
            guesses = any(each.startswith("sklearn.dummy.") for each in self.module.imports.values())
            return owner.what in {"estimator", "search"} and not guesses  # a dummy draws random numbers
        return node.func.attr in _REDUCING | {"item"} and not node.args


_FITTED = {"keras": Kind("history")}
_ATTRIBUTES = {
    ("search", "best_score_"): COVERED,
    ("search", "best_params_"): Kind("params"),
    ("search", "best_estimator_"): Kind("estimator", "sklearn"),
    ("keras", "history"): Kind("history"),
    ("lightning", "callback_metrics"): Kind("lightning metrics"),
}
_COVERED = {"keras metrics", "transformers metrics", "lightning metrics"}


def place(node: ast.expr) -> str:
    """A name, a dotted name or an item of one, as the key under which a walk keeps what it knows; else empty."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = place(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        inner = place(node.value)
        return f"{inner}[{node.slice.value!r}]" if inner else ""
    return ""


def joined(first: Kind, second: Kind) -> Kind:
    """What a value is that is one or the other."""
    if first == second:
        return first
    return NUMBER if first.is_number and second.is_number else UNKNOWN


def _of_constant(value: object) -> Kind:
    if isinstance(value, bool) or value is None:
        return Kind("literal")
    if isinstance(value, int | float):
        return Kind("number", "literal")
    return TEXT if isinstance(value, str) else UNKNOWN


def _gives_one(node: ast.Call) -> bool:
    """Whether a score of scikit-learn is one number, not one for each class or output."""
    given = {each.arg: each.value for each in node.keywords}
    if None in given:
        return False
    averaged = given.get("average")
    if averaged is not None and not (isinstance(averaged, ast.Constant) and isinstance(averaged.value, str)):
        return False
    outputs = given.get("multioutput")
    return outputs is None or (isinstance(outputs, ast.Constant) and outputs.value != "raw_values")


def keywords(call: ast.Call | None) -> dict[str, ast.expr]:
    """The keyword arguments of a call by name."""
    return {each.arg: each.value for each in call.keywords if each.arg} if call else {}


def literal_texts(node: ast.expr | None) -> Sequence[str]:
    """The strings of a literal string, list, tuple, set or dict (its keys); nothing where it is another expression."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    items = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", [])
    texts = [each.value for each in items if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return texts if len(texts) == len(items) else []
