"""The live handle: what can be said to an experiment while it runs, and after."""

from __future__ import annotations

import os

from specweave_ml.errors import SpecweaveError, UsageError, complain
from specweave_ml.redact import redact_text, redact_value
from specweave_ml.store.codec import check_name, encode, metric_number, number_to_json, param_to_json, step_number
from specweave_ml.store.fold import STATUSES
from specweave_ml.store.writer import Writer, milliseconds
from specweave_ml.tracking import endings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from types import ModuleType, TracebackType
    from typing import Any, Self, TypeVar

    T = TypeVar("T")

_MISSING = object()


class TrackedExperiment:
    """An experiment in the making. Made by `track_experiment`, never directly.

    Every call is on its way to disk when it returns. A mistake of the caller (a metric that is no number, a reserved
    file name) raises at once; a failure of the disk after the start is said once, counted in the record, and training
    goes on. Safe to use from threads, forked children and (pickled) worker processes.

    Attributes:
        name: the folder's name, unique in the increment.
        increment: the increment's full name.
    """

    def __init__(self, writer: Writer, increment: str, *, root: str) -> None:
        self.name = os.path.basename(writer.folder)
        self.increment = increment
        self._root = root
        self._writer = writer
        self._changed: set[str] = set()

    # Values

    def log_param(self, name: str, value: Any) -> None:
        """Record a param. The same value again is silent; another one stands from now on, with one warning."""
        self.log_params({check_name("param", name): value})

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Record several params, `model.get_params()` for instance; what is no JSON value is kept by its repr.

        Raises:
            UsageError: a name is not a non-empty string.
        """
        new: dict[str, Any] = {}
        known = self._writer.state.params
        for name, value in params.items():
            plain = redact_value(check_name("param", name), param_to_json(value))
            old = known.get(name, _MISSING)
            if old is not _MISSING and encode(old) == encode(plain):
                continue
            if old is not _MISSING and name not in self._changed:
                self._changed.add(name)
                complain(f"param {name!r} of {self.name} changes from {old!r} to {plain!r}; the journal keeps both")
            new[name] = plain
        if new:
            self._writer.append({"p": new})

    def log_metric(self, name: str, value: Any, step: Any = None, *, n: int | None = None) -> None:
        """Record one point of a metric.

        Args:
            name: any non-empty string, such as `precision@10`.
            value: a Python, numpy, torch or jax scalar; NaN and the infinities are kept as such.
            step: the epoch, the iteration; points are ordered by it.
            n: the count behind a proportion (test rows for an accuracy), which an interval needs.

        Raises:
            UsageError: the value is not one number.
        """
        if n is None:
            self._writer.metric(name, value, step)
        else:
            self.log_metrics({check_name("metric", name): value}, step, n=n)

    def log_metrics(
        self, metrics: Mapping[str, Any], step: Any = None, *, n: int | Mapping[str, int] | None = None
    ) -> None:
        """Record several metrics of one step; `n` is the count behind all of them, or one for each.

        Raises:
            UsageError: a value is not one number, or a count not a positive integer.
        """
        if not metrics:
            return
        if n is None:
            self._writer.metrics(metrics, step)
        else:
            counts = n if hasattr(n, "items") else dict.fromkeys(metrics, n)
            self._writer.metrics(metrics, step, {name: _count(name, count) for name, count in counts.items()})

    def log_fold(
        self,
        fold: int,
        metrics: Mapping[str, Any],
        *,
        n_train: int | None = None,
        n_test: int | None = None,
        split_id: str | None = None,
        repeat: int = 0,
        fit_seconds: float | None = None,
        score_seconds: float | None = None,
    ) -> None:
        """Record the scores of one cross-validation fold; the metric's value becomes the mean over its folds.

        Args:
            fold: its index, from 0.
            metrics: name → score on this fold.
            n_train: rows trained on; a corrected test needs it.
            n_test: rows tested on; a corrected test needs it too.
            split_id: a hash of the test rows' indices: only equal ones are "the same fold".
            repeat: which repetition of the cross-validation, from 0.
            fit_seconds: spent on fitting.
            score_seconds: spent on scoring.

        Raises:
            UsageError: a score is not one number, or a size not a positive integer.
        """
        if not metrics:
            raise UsageError("a fold without a score", received=metrics, expected="a mapping such as {'auc': 0.91}")
        row: dict[str, Any] = {"i": _index("fold", fold), "repeat": _index("repeat", repeat)}
        for key, size in (("n_train", n_train), ("n_test", n_test)):
            if size is not None:
                row[key] = _count(key, size)
        if split_id is not None:
            row["split"] = str(split_id)
        for key, seconds in (("fit_seconds", fit_seconds), ("score_seconds", score_seconds)):
            if seconds is not None:
                row[key] = number_to_json(metric_number(key, seconds))
        scores = {
            check_name("metric", name): number_to_json(metric_number(name, value)) for name, value in metrics.items()
        }
        self._writer.append({"fold": row, "m": scores, "t": milliseconds()})

    def log_trial(
        self,
        params: Mapping[str, Any],
        *,
        scores: Mapping[str, Any] | None = None,
        folds: Mapping[str, Iterable[Any]] | None = None,
        fit_seconds: float | None = None,
        score_seconds: float | None = None,
        status: str = "finished",
        error: BaseException | Mapping[str, str] | str | None = None,
        trial: int | None = None,
        values: Mapping[Any, Any] | Iterable[Sequence[Any]] = (),
    ) -> None:
        """Record one point of a search.

        Args:
            params: what was tried.
            scores: metric → its value, the mean over the folds where there are any.
            folds: metric → a score a fold, in the order of the folds.
            fit_seconds: spent on fitting, all folds together.
            score_seconds: spent on scoring.
            status: `finished`, `failed` or `pruned`.
            error: what made it fail: the exception, its type and message, or a sentence.
            trial: its number, from 0; one that is logged again replaces the earlier. None: the next one.
            values: step → intermediate value, of a trial that was pruned.

        Raises:
            UsageError: a score is not one number, a name is empty, or the status is none of these.
        """
        from specweave_ml.store.trials import trial_line

        seconds = {"fit_seconds": fit_seconds, "score_seconds": score_seconds}
        line = trial_line(params, status, scores or {}, folds or {}, seconds, values)
        if trial is not None:
            line = {"number": _index("trial", trial), **line}
        if error is not None:
            line["error"] = endings.briefly(error, self._root)
        self._writer.append({"trial": line, "t": milliseconds()})

    def log_stage(self, name: str, status: str, *, error: BaseException | None = None, **about: Any) -> None:
        """Record that a stage of a pipeline is planned, runs, or ended; `about` it: after, seconds, params, metrics, ….

        Raises:
            UsageError: it has no name, or there is no such status.
        """
        from specweave_ml.store.stages import stage_line

        now = milliseconds()
        line = stage_line(name, status, now, **about)
        if error is not None:
            line["error"] = endings.briefly(error, self._root)
        self._writer.append({"stage": line, "t": now})

    def log_outcomes(self, metric: str, ids: Iterable[Any], values: Iterable[Any]) -> None:
        """Record the outcome of every test item (right or wrong, an error), which a paired test needs.

        Raises:
            UsageError: as many ids as values are needed, and every value must be one number.
        """
        check_name("metric", metric)
        file = self._with_files(lambda files: files.write_outcomes(self._writer, metric, list(ids), list(values)))
        if file is not None:
            self._writer.append({"outcomes": {"metric": metric, "file": file}})

    # Files

    def save_model(self, model: Any, name: str | None = None) -> str | None:
        """Save a fitted model; the suffix of `name` says in which format. Without a name the model's usual one.

        Raises:
            UsageError: the suffix cannot hold this model.
            MissingDependency: the format needs a library that is not installed.
        """
        if isinstance(model, str) and name is not None and not isinstance(name, str):
            model, name = name, model
        return self._with_files(lambda files: files.save_model(self._writer, model, name))

    def register_model(self, model: Any = None, name: str = "model", *, auto_version: bool = True) -> str | None:
        """Save a model as the next version of its name, in `models/<name>-v<N>/` of the increment; gives that folder.

        Raises:
            UsageError: there is no model, or no format can hold it.
            Refused: with `auto_version=False`, the name is taken.
        """
        from specweave_ml.tracking.models import register

        return self._with_files(
            lambda _: register(self._writer, self.increment, model, name, auto_version=auto_version)
        )

    def save_artifact(self, name: Any, value: Any = _MISSING) -> str | None:
        """Save an object under a file name: figure, DataFrame, text, dict, array, or anything by pickle.

        `(name, object)` and `(object, name)` both work; a single argument is an existing file. Returns the path, or
        None when the disk refused it.

        Raises:
            UsageError: the suffix cannot hold the object, or the name is not safe.
            Refused: the name belongs to the record.
            NotFound: the single argument is not an existing file.
        """
        if value is _MISSING:
            return self.log_artifact(name)
        if not isinstance(name, str) and isinstance(value, str):
            name, value = value, name
        return self._with_files(lambda files: files.save_object(self._writer, name, value))

    def log_artifact(self, path: str | os.PathLike[str], name: str | None = None) -> str | None:
        """Copy an existing file (or every file of a folder) into the experiment.

        Raises:
            NotFound: there is no such file.
        """
        return self._with_files(lambda files: files.copy_path(self._writer, os.fspath(path), name))

    def save_report(self, name: str, text: str | None = None) -> str | None:
        """Save a Markdown report; without `text` a report of this experiment as it stands."""
        if text is None:
            text = endings.call("report", self.read())
        return self.save_artifact(name, text)

    def log_dataset(self, name: str, uri_or_object: Any, version: str | None = None) -> None:
        """Record which data was used: a path, a URI (`s3://…`, `dvc:a3b8c9d`), or the object itself.

        Files, folders, arrays and frames get a digest, by which a re-run finds out whether they are still the same; of
        more than 4 MB on disk a thread computes it.
        """
        self._with_files(lambda files: files.log_dataset(self._writer, name, uri_or_object, version, self._root))

    def _with_files(self, work: Callable[[ModuleType], T]) -> T | None:
        """Do what needs the disk before a line can be written; what the disk refuses is counted, not raised."""
        try:
            from specweave_ml.tracking import files

            return work(files)
        except SpecweaveError:
            raise
        except OSError as error:
            self._writer.drop(error)
            return None

    # Words

    def log_note(self, text: str) -> None:
        """Record a sentence; also after the block."""
        self._writer.append({"note": redact_text(str(text)), "t": milliseconds()})

    def add_tag(self, tag: str) -> None:
        """Record a word to find it by, such as `production`; also after the block."""
        if not isinstance(tag, str) or not tag.strip():
            raise UsageError("a tag is a non-empty string", received=tag, expected="a word such as 'production'")
        self._writer.append({"tag": redact_text(tag)})

    def set_status(self, status: str) -> None:
        """Say how it went; survives a clean exit, and works after the block.

        Raises:
            UsageError: not one of finished, failed, killed, running.
        """
        if not isinstance(status, str) or status not in STATUSES:
            raise UsageError(
                "there is no such status", received=status, expected=f"one of {', '.join(sorted(STATUSES))}"
            )
        self._writer.append({"status": status, "t": milliseconds()})

    # Ending

    def finish(self, status: str | None = None) -> None:
        """End it: everything synced, the small files complete. A second call does nothing.

        Raises:
            UsageError: not one of finished, failed, killed.
        """
        if status is not None and (not isinstance(status, str) or status not in STATUSES - {"running"}):
            raise UsageError(
                "an experiment cannot end like that", received=status, expected="finished, failed or killed"
            )
        if status is not None:
            self.set_status(status)
        endings.end(self, status)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        endings.end_by(self, error)

    # Looking at it

    @property
    def path(self) -> Path:
        """The experiment's folder."""
        from pathlib import Path

        return Path(self._writer.folder)

    @property
    def status(self) -> str:
        """What was said or recorded so far."""
        return self._writer.state.status

    @property
    def params(self) -> dict[str, Any]:
        """What this process logged so far."""
        return self._writer.state.readable_params()

    @property
    def metrics(self) -> dict[str, float]:
        """The last values that this process logged."""
        return dict(self._writer.state.metrics)

    def read(self) -> Any:
        """This experiment as it stands on disk (an `Experiment`)."""
        from specweave_ml.store.reader import read_experiment

        return read_experiment(self._writer.folder, self.increment)

    def __repr__(self) -> str:
        return f"<TrackedExperiment {self.name} ({self.status}) of {self.increment}>"

    def _repr_html_(self) -> str:
        return str(endings.call("html", self.read()))

    def __reduce__(self) -> tuple[Any, ...]:
        from specweave_ml.tracking.start import attach

        return attach, (self._writer.folder, self.increment, self._root)


def _count(name: str, value: Any) -> int:
    number = metric_number(name, value)
    if isinstance(number, int) and not isinstance(number, bool) and number > 0:
        return number
    raise UsageError(
        f"the count of {name!r} is not a positive integer", received=value, expected="how many items there were"
    )


def _index(name: str, value: Any) -> int:
    number = step_number(value)
    if isinstance(number, int) and number >= 0:
        return number
    raise UsageError(f"{name} is not an index", received=value, expected="0, 1, 2, …")
