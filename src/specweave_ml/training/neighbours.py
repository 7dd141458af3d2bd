"""The names that neighbouring skills call, thin on the helpers beside them.

Their pages leave the data out (`train_baseline_model(strategies=[…])`) and go by four variables that stand around the
call: `X_train`, `y_train`, `X_test`, `y_test`. Where none is given, those are taken, and a line on stderr says so.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.multiclass import type_of_target

from specweave_ml.errors import UsageError
from specweave_ml.project import find_increment
from specweave_ml.store.replace import replace_file
from specweave_ml.training.comparing import compare_models

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

    from specweave_ml.reports import Comparison

_DATA = ("X_train", "y_train", "X_test", "y_test")
_SEED = 0

# One rule that is learnt, on one feature: Holte, "Very simple classification rules perform well on most commonly used
# datasets", Machine Learning 11, 1993. What the neighbours call popularity is the most frequent class.
_CLASSIFIERS: dict[str, Any] = {
    **dict.fromkeys(("random", "uniform"), DummyClassifier(strategy="uniform", random_state=_SEED)),
    **dict.fromkeys(("majority", "popularity", "most_frequent"), DummyClassifier(strategy="most_frequent")),
    "stratified": DummyClassifier(strategy="stratified", random_state=_SEED),
    "prior": DummyClassifier(strategy="prior"),
    "rule-based": DecisionTreeClassifier(max_depth=1, random_state=_SEED),
}
_REGRESSORS: dict[str, Any] = {
    "mean": DummyRegressor(strategy="mean"),
    "median": DummyRegressor(strategy="median"),
    "rule-based": DecisionTreeRegressor(max_depth=1, random_state=_SEED),
}


@dataclass(frozen=True, slots=True)
class ModelExperiment:
    """A model to be tried by `run_experiments`.

    Attributes:
        name: of its experiment.
        model: the class of the model.
        params: what the class is made with.
    """

    name: str
    model: Any
    params: Mapping[str, Any] = field(default_factory=dict)

    def made(self) -> Any:
        """The model, unfitted.

        Raises:
            UsageError: the class does not take these params.
        """
        try:
            return self.model(**self.params)
        except Exception as error:  # a stranger's constructor runs here, and may raise anything
            raise UsageError(
                f"{self.name}: {getattr(self.model, '__name__', self.model)} cannot be made with these params: {error}",
                received=dict(self.params),
                expected="params that its class takes",
            ) from error


def run_experiments(
    experiments: Iterable[ModelExperiment],
    increment: str | None = None,
    save_to: str | None = None,
    **options: Any,
) -> Comparison:
    """Train and test each model as an experiment, and compare them.

    Args:
        experiments: what to try.
        increment: `0042`, `42`, the full name, or None for the active one.
        save_to: a folder of the increment that gets a copy of the comparison; `experiments/` has it anyway.
        options: the data, `X_train`, `y_train`, `X_test`, `y_test`, and what else `compare_models` takes.

    Raises:
        UsageError: something given cannot be meant (said before anything is fitted), or every model failed.
    """
    tried = list(experiments)
    if not tried or not all(isinstance(each, ModelExperiment) for each in tried):
        raise UsageError(
            "these are no experiments to run", received=tried, expected="a list of ModelExperiment(name, Class, params)"
        )
    models = {each.name: each.made() for each in tried}
    if len(models) < len(tried):
        raise UsageError(
            "two experiments have one name", received=[each.name for each in tried], expected="a name of its own each"
        )
    folder = None if save_to is None else _folder_in(increment, save_to)
    params = {each.name: each.params for each in tried}
    given = _with_data(options, sys._getframe(1))
    comparison = compare_models(models, increment=increment, params=params, **given)
    if folder is not None:
        os.makedirs(folder, exist_ok=True)
        replace_file(f"{folder}/comparison.md", comparison.to_markdown().encode())
    return comparison


def train_baseline_model(
    strategies: Iterable[str] | Mapping[str, Any], increment: str | None = None, **options: Any
) -> Comparison:
    """Train and test baselines, each as the experiment `baseline-<strategy>`, which comparisons then refer to.

    Args:
        strategies: of classes `random`, `majority` (or `popularity`), `stratified`, `prior`, of numbers `mean`,
            `median`, and of both `rule-based`, which learns one rule on one feature; or name → estimator.
        increment: `0042`, `42`, the full name, or None for the active one.
        options: the data, `X_train`, `y_train`, `X_test`, `y_test`, and what else `compare_models` takes.

    Raises:
        UsageError: there is no such strategy, or something else given cannot be meant.
    """
    given = _with_data(options, sys._getframe(1))
    if not isinstance(strategies, Mapping):
        known = _REGRESSORS if type_of_target(given["y_train"]).startswith("continuous") else _CLASSIFIERS
        strategies = {
            name: _known(name, known) for name in ([strategies] if isinstance(strategies, str) else strategies)
        }
    models = {f"baseline-{name}": model for name, model in strategies.items()}
    return compare_models(models, increment=increment, **{**given, "tags": ["baseline", *given.get("tags", ())]})


def _known(strategy: str, known: Mapping[str, Any]) -> Any:
    if strategy in known:
        return known[strategy]
    raise UsageError(
        "there is no such baseline for this target",
        received=strategy,
        expected=f"one of {', '.join(known)}",
        next_step="give a rule of your own as name → estimator",
    )


def _with_data(options: Mapping[str, Any], around: FrameType) -> dict[str, Any]:
    """The options with the data: as given, or else the variables of these names around the call.

    Raises:
        UsageError: what is needed is in neither place.
    """
    given = dict(options)
    if not any(name in given for name in _DATA):
        variables = {**around.f_globals, **around.f_locals}
        found = {name: variables[name] for name in _DATA if variables.get(name) is not None}
        given |= found
        if found:
            print(f"specweave-ml: no data was given, so the variables {', '.join(found)} are used", file=sys.stderr)  # noqa: T201 - a notice, not a warning: nothing is wrong
    needed = _DATA[:2] if given.get("cv") is not None else _DATA
    missing = [name for name in needed if given.get(name) is None]
    if missing:
        raise UsageError(
            f"there is no {missing[0]} to work on",
            received=", ".join(name for name in _DATA if name in given) or "no data",
            expected=", ".join(f"{name}=…" for name in needed),
        )
    return given


def _folder_in(increment: str | None, save_to: str) -> str | None:
    """The folder of an increment that `save_to` names; None for the one where the comparison is anyway.

    Raises:
        UsageError: it leads out of the increment.
    """
    where = find_increment(increment)
    folder = os.path.normpath(os.path.join(where.path, save_to))
    if os.path.realpath(folder) == os.path.realpath(where.experiments):
        return None
    if not os.path.realpath(folder).startswith(os.path.realpath(where.path) + os.sep):
        raise UsageError(
            "save_to leads out of the increment", received=save_to, expected="a folder of it, such as 'reports'"
        )
    return folder
