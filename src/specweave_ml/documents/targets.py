"""Which documents a project has, and where: the usual places, what is there already, and what its settings say.

    # .specweave/experiment-tracker.yaml
    documents:
      models: docs/models.md         # any path inside the project
      runbook: none                  # this one is not wanted
      markers: mdx                   # how the lines around generated parts are written; by default by the suffix

Keys: `models`, `experiments`, `runbook`, `records` (the folder of decision records), `record_names` (`number` or
`date`), `digest` (`none` or nothing), `markers` (`html` or `mdx`). Everything else in the file belongs to other parts
of the tracker.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, cast

from specweave_ml.errors import StoreError, UsageError
from specweave_ml.store.plain_yaml import parse_mapping

if TYPE_CHECKING:
    from specweave_ml.living_docs.adr import Form
    from specweave_ml.living_docs.markers import Style

SETTINGS = ".specweave/experiment-tracker.yaml"
SIZE_LIMIT = 64_000

_INTERNAL = ".specweave/docs/internal"
_MODELS = f"{_INTERNAL}/architecture/ml-models.md"
_EXPERIMENTS = f"{_INTERNAL}/architecture/ml-experiments.md"
_RUNBOOK = f"{_INTERNAL}/runbooks/model-training.md"
_SPECWEAVE_RUNBOOK = f"{_INTERNAL}/operations/runbook-model-training.md"
_RECORDS = f"{_INTERNAL}/architecture/adr"
_NOT_WANTED = frozenset({"none", "no", "off", "false"})
_SAYS_NOTHING = frozenset({"", "~", "null"})
_STYLES = ("html", "mdx")
_FORMS = ("number", "date")


@dataclass(frozen=True, slots=True)
class Targets:
    """Paths relative to the project's root, with `/`; None for a document that is not wanted.

    Attributes:
        models: the page with a section for each increment.
        experiments: another page with the same section, where the project has one.
        runbook: how to train the chosen models again.
        records: the folder of decision records.
        record_names: what they begin with; None for what the ones that are there have.
        digest: whether each increment gets a digest in its `reports/`.
        markers: how markers are written; None for what the suffix of each file asks for.
    """

    models: str | None = _MODELS
    experiments: str | None = None
    runbook: str | None = _RUNBOOK
    records: str | None = _RECORDS
    record_names: Form | None = None
    digest: bool = True
    markers: Style | None = None


def find_targets(root: str) -> Targets:
    """The documents of a project.

    Raises:
        UsageError: its settings name a document or a value that is not known, or a path that leads out.
        StoreError: the settings cannot be read.
    """
    said = _settings(root)
    there = {path for path in (_EXPERIMENTS, _RUNBOOK, _SPECWEAVE_RUNBOOK) if os.path.exists(f"{root}/{path}")}
    own = _SPECWEAVE_RUNBOOK in there and _RUNBOOK not in there
    return Targets(
        models=_path(said, "models", _MODELS),
        experiments=_path(said, "experiments", _EXPERIMENTS if _EXPERIMENTS in there else None),
        runbook=_path(said, "runbook", _SPECWEAVE_RUNBOOK if own else _RUNBOOK),
        records=_path(said, "records", _RECORDS),
        record_names=cast("Form | None", _one_of(said, "record_names", _FORMS)),
        digest=_is_wanted(said, "digest"),
        markers=cast("Style | None", _one_of(said, "markers", _STYLES)),
    )


def _settings(root: str) -> dict[str, str]:
    """The key `documents` of the settings; without what says nothing."""
    try:
        with open(f"{root}/{SETTINGS}", "rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StoreError(f"the settings cannot be read: {error.strerror or error}", path=SETTINGS) from error
    if not data.strip():
        return {}
    try:
        said = parse_mapping(data, "the file of settings", size_limit=SIZE_LIMIT, as_text=True).get("documents", {})
    except StoreError as error:
        error.path = SETTINGS
        raise
    if isinstance(said, str) and said in _SAYS_NOTHING:
        return {}
    if not isinstance(said, dict):
        raise _not_understood("documents", said, "keys such as models and runbook, one a line")
    known = [field.name for field in fields(Targets)]
    for key, value in said.items():
        if key not in known:
            raise _not_understood(
                f"documents.{key}", key, f"one of {', '.join(get_close_matches(key, known) or known)}"
            )
        if not isinstance(value, str):
            raise _not_understood(f"documents.{key}", value, "plain text")
    return {key: value.strip() for key, value in said.items() if value.strip().lower() not in _SAYS_NOTHING}


def _path(said: dict[str, str], key: str, default: str | None) -> str | None:
    path = said.get(key)
    if path is None:
        return default
    if path.lower() in _NOT_WANTED:
        return None
    clean = os.path.normpath(path)
    if clean.startswith(("/", "..")) or clean == "." or "\\" in clean or "\0" in clean:
        raise _not_understood(f"documents.{key}", path, "a path inside the project, such as docs/models.md, or none")
    return clean


def _is_wanted(said: dict[str, str], key: str) -> bool:
    if key in said and said[key].lower() not in _NOT_WANTED:
        raise _not_understood(f"documents.{key}", said[key], "none, or leave it out")
    return key not in said


def _one_of(said: dict[str, str], key: str, known: tuple[str, ...]) -> str | None:
    if key in said and said[key] not in known:
        raise _not_understood(f"documents.{key}", said[key], " or ".join(known))
    return said.get(key)


def _not_understood(key: str, value: object, expected: str) -> UsageError:
    return UsageError(
        f"the setting {key} is not understood",
        received=value,
        path=SETTINGS,
        expected=expected,
        next_step=f"mend it in {SETTINGS}",
    )
