"""A request for a retraining: everything that is known of it before anything is sent."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from specweave_ml.documents.chosen import choose
from specweave_ml.documents.examined import examine
from specweave_ml.errors import NotFound, Refused, StoreError, UsageError
from specweave_ml.escape import in_one_line
from specweave_ml.github.body import Key, is_short_enough, key_of, new_body, region_of, render_parts
from specweave_ml.github.due import judge
from specweave_ml.github.facts import content
from specweave_ml.github.permalinks import find_permalinks
from specweave_ml.github.remote import find_repository
from specweave_ml.lifecycle import _json_object
from specweave_ml.redact import redact_text
from specweave_ml.store.layout import DECISION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import Any

    from specweave_ml.documents.examined import Examined
    from specweave_ml.github.due import Verdict
    from specweave_ml.github.remote import Repository
    from specweave_ml.project import Increment

LABEL = "retraining"
"""By which the issues are found again; every one has it."""

EXAMPLE = "Retrain model with Q1 2024 data"

_SPECWEAVE_OWNS = frozenset({"specweave", "increment"})
_LONGEST_TITLE = 256
_LONGEST_LABEL = 50
_LONGEST_URL = 7_500  # GitHub answers longer ones with an error
_INCREMENT = re.compile(r"#?[0-9]+[A-Za-z]?(?:-\S*)?(?:\.{3}|…)?|(?:\S*/)?\.specweave/increments/\S*")


@dataclass(frozen=True, slots=True)
class Request:
    """An issue as it would be opened.

    Attributes:
        where: the increment.
        repository: in which it is opened.
        title: the caller's words.
        labels: `retraining` and the caller's.
        key: by which it is found again.
        pushed: whether what its links lead to is on GitHub, as far as git here knows.
    """

    where: Increment
    repository: Repository
    title: str
    labels: tuple[str, ...]
    key: Key
    pushed: bool
    _values: dict[str, Any]

    def region(self, follows: int | None = None) -> str:
        """The text of our region of the body; `follows` is the number of the issue that it is the successor of."""
        return region_of(self._parts(follows), is_short_enough)

    def body(self, follows: int | None = None) -> str:
        """The body that the issue is opened with."""
        return new_body(self.region(follows), self.key)

    def prefilled(self) -> str:
        """The address of GitHub's form for a new issue, filled in with as much of it as an address can hold."""
        return self._address(region_of(self._parts(None), lambda region: len(self._address(region)) <= _LONGEST_URL))

    def _address(self, region: str) -> str:
        fields = {"title": self.title, "labels": ",".join(self.labels), "body": new_body(region, self.key)}
        return f"{self.repository.url}/issues/new?{urlencode(fields)}"

    def _parts(self, follows: int | None) -> list[str]:
        return render_parts({**self._values, "follows": follows})


def check_title(title: str) -> str:
    """The title as it is used.

    Raises:
        UsageError: it names an increment, is empty or too long, holds what nobody can see, brackets, or a secret.
    """
    words = title.strip()
    if _INCREMENT.fullmatch(words):
        number = words.rstrip("/").rpartition("/")[2].lstrip("#").partition("-")[0].rstrip(".…")
        raise UsageError(
            "this is an increment, and a request for a retraining needs a title in words",
            received=words,
            expected=f'a title such as "{EXAMPLE}"',
            next_step=f'specweave-ml create-issue "{EXAMPLE}" --increment {number}; '
            f"the issue of the increment itself is SpecWeave's: /sw:github-create {number}",
        )
    bad = None
    if in_one_line(title) != words:
        bad = "the title holds characters that nobody can see"
    elif not re.search(r"[^\W_]", words):
        bad = "the title holds no words"
    elif len(words) > _LONGEST_TITLE:
        bad = f"the title has more than {_LONGEST_TITLE} characters"
    elif "[" in words or "]" in words:
        bad = "the title holds brackets, which SpecWeave takes for its own marks"
    if bad:
        raise UsageError(bad, received=words[:_LONGEST_TITLE], expected=f'plain words, such as "{EXAMPLE}"')
    if redact_text(words) != words:
        raise UsageError("the title holds what looks like a secret", expected="a title that anybody may read")
    return words


def check_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """The labels of the issue: ours, then the caller's, each once.

    Raises:
        UsageError: one is no label, or belongs to SpecWeave.
    """
    said = [label.strip() for label in labels]
    for label, given in zip(said, labels, strict=True):
        if label.lower() in _SPECWEAVE_OWNS:
            raise UsageError("this label is SpecWeave's own", received=label, next_step="leave it out")
        if not label or in_one_line(given) != label or len(label) > _LONGEST_LABEL or "," in label:
            expected = f"1 to {_LONGEST_LABEL} characters that can be seen, and no comma"
            raise UsageError("this is no label", received=given[:_LONGEST_TITLE], expected=expected)
        if redact_text(label) != label:
            raise UsageError("a label holds what looks like a secret", expected="a label that anybody may read")
    ours = {LABEL: LABEL, **{label.lower(): label for label in said if label.lower() != LABEL}}
    return tuple(ours.values())


def check_permission(root: str) -> None:
    """Whether SpecWeave's settings let issues be opened for this project.

    Raises:
        Refused: they do not.
    """
    path = ".specweave/config.json"
    sync = _json_object(os.path.join(root, path)).get("sync")
    settings = sync.get("settings") if isinstance(sync, dict) else None
    if isinstance(settings, dict) and settings.get("canUpsertInternalItems") is False:
        raise Refused(
            "SpecWeave's settings say that no issues are opened for this project",
            path=path,
            expected="sync.settings.canUpsertInternalItems: true",
            next_step="change the setting, or say it again with --force",
        )


def look_at(where: Increment) -> Examined:
    """What is recorded in the increment.

    Raises:
        NotFound: nothing is.
        StoreError: it cannot be read, or its decision.md cannot.
    """
    examined = examine(where)
    if examined is None:
        raise NotFound(
            "this increment has no experiments that an issue could be about",
            received=where.name,
            next_step=f"specweave-ml list {where.id}",
        )
    problem = examined.comparison.decision.problem
    if problem:
        path = os.path.relpath(f"{where.experiments}/{DECISION}", where.root)
        raise StoreError(problem, path=path, next_step="mend it by hand")
    return examined


def check_rules(examined: Examined, now: datetime) -> list[Verdict]:
    """The reasons to train again that decision.md gives, and whether they hold.

    Raises:
        UsageError: there is none, one is not understood, or nothing that is recorded says anything of them.
    """
    comparison = examined.comparison
    rules = comparison.decision.retrain_when
    verdicts = judge(rules, comparison, choose(comparison), now)
    if any(verdict.due is not None for verdict in verdicts):
        return verdicts
    said = "; ".join(f"{verdict.rule}: {verdict.why}" for verdict in verdicts)
    path = os.path.relpath(f"{examined.where.experiments}/{DECISION}", examined.where.root)
    raise UsageError(
        "none of the reasons to train again could be checked" if rules else "decision.md has no reason to train again",
        received=said or None,
        path=path,
        expected="retrain_when: [accuracy below 0.8, older than 90d, data version changed]",
        next_step=f"say it in {path}",
    )


def make_request(examined: Examined, title: str, labels: tuple[str, ...], now: datetime) -> Request:
    """The issue as it would be opened. Nothing is sent.

    Args:
        examined: the increment.
        title: as `check_title` gives it.
        labels: as `check_labels` gives them.
        now: the moment to measure ages at.

    Raises:
        NotFound: the project has no remote.
        UsageError: the remote does not lead to GitHub.
    """
    where = examined.where
    repository = find_repository(where.root)
    permalinks = find_permalinks(where.root, repository, examined.experiments)
    values = content(examined, permalinks, now)
    return Request(where, repository, title, labels, key_of(where, title), permalinks.pushed, values)
