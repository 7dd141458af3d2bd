"""A retraining issue found, opened once or renewed, and recorded: what is asked for, carried out on GitHub."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from specweave_ml.errors import RemoteError, StoreError
from specweave_ml.github.body import renewed
from specweave_ml.github.client import Hub, Uncertain
from specweave_ml.github.credentials import find_token, variables_for
from specweave_ml.github.parent import find_parent
from specweave_ml.github.request import LABEL
from specweave_ml.living_docs.bases import base_content, base_folder, read_bases
from specweave_ml.living_docs.files import refuse_outside
from specweave_ml.living_docs.text import normal_body
from specweave_ml.store.replace import replace_file
from specweave_ml.store.retraining_issues import (
    RETRAINING_ISSUES,
    read_retraining_issues,
    record_retraining_issue,
    recording,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specweave_ml.github.client import Issue
    from specweave_ml.github.request import Request

PAUSES = (2.0, 4.0, 8.0)
"""Seconds before looking for an issue after an uncertain answer, an attempt each: GitHub's lists lag behind."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a request.

    Attributes:
        action: `created`, or `found` where it was open already.
        issue: as it stands on GitHub.
        why: what became of its body, where it was found.
        recorded: whether it was recorded now.
        warnings: what could not be done beside that.
    """

    action: Literal["created", "found"]
    issue: Issue
    why: str
    recorded: bool
    warnings: tuple[str, ...]


def create_issue(request: Request) -> Outcome:
    """Open the issue, unless it is open: then bring our part of it up to date.

    Raises:
        RemoteError: there is no token, or GitHub cannot be reached, or refuses.
        Refused: another process is at it, or retraining-issues.yaml cannot be added to.
        StoreError: a file cannot be read or written.
    """
    repository = request.repository
    token = find_token(repository)
    if token is None:
        raise RemoteError(
            f"there is no token for {repository.host}",
            expected=f"{variables_for(repository)} in the environment, or gh logged in",
            next_step=f"gh auth login --hostname {repository.host}, or open the issue by hand: {request.prefilled()}",
        )
    with recording(request.where.experiments), Hub(repository, token) as hub:
        return _Work(request, hub).done()


class _Work:
    """One request on its way."""

    def __init__(self, request: Request, hub: Hub) -> None:
        self._request = request
        self._hub = hub
        where = request.where
        self._document = os.path.relpath(f"{where.experiments}/{RETRAINING_ISSUES}", where.root)
        self._bases = refuse_outside(where.root, base_folder(self._document))
        self._warnings: list[str] = []
        if not request.pushed:
            self._warnings.append("the commit that is checked out is not on GitHub: the links work after git push")

    def done(self) -> Outcome:
        matches = self._matches()
        standing = [issue for issue in matches if issue.is_open]
        closed = max((issue.number for issue in matches if not issue.is_open), default=None)
        if len(standing) > 1:
            numbers = ", ".join(f"#{issue.number}" for issue in standing)
            self._warnings.append(f"{numbers} have the same key: close all but one")
        if standing:
            issue = standing[0]
            closed = max((each.number for each in matches if each.number < issue.number), default=None)
            why = self._renew(issue, closed)
        else:
            issue, why = self._open(closed), "new"
        recorded = self._record(issue, closed)
        return Outcome("found" if standing else "created", issue, why, recorded, tuple(self._warnings))

    def _matches(self) -> list[Issue]:
        """The issues of the same key, by number: those with our label, and the one that is recorded."""
        issues = {each.number: each for each in self._hub.issues(LABEL) if self._request.key.is_in(each.body)}
        recorded = self._recorded()
        if recorded and recorded not in issues and (issue := self._hub.issue(recorded)):
            issues[recorded] = issue
        return [issues[number] for number in sorted(issues)]

    def _recorded(self) -> int | None:
        """The number of the last issue of the same key that is recorded for this repository."""
        kept = read_retraining_issues(self._request.where.experiments)
        place = f"{self._request.repository.full_name}#"
        numbers = [
            issue.removeprefix(place)
            for issue, facts in kept.items()
            if issue.startswith(place) and facts.get("key") == self._request.key.slug
        ]
        return max((int(number) for number in numbers if number.isdecimal()), default=None)

    def _open(self, follows: int | None) -> Issue:
        title, labels, body = self._request.title, self._request.labels, self._request.body(follows)
        issue = self._open_once(title, body, labels)
        if missing := self._missing_labels(issue):
            self._warnings.append(f"GitHub did not set {', '.join(missing)}: the token may not label issues")
        self._keep_base(issue, self._request.region(follows))
        return issue

    def _open_once(self, title: str, body: str, labels: Sequence[str]) -> Issue:
        """Open an issue. After an uncertain answer it is looked for, and opened again only where it is missing."""
        still_coming = False
        for pause in PAUSES:
            # What GitHub may still be at work on is waited for: a second try would make two issues of it.
            if not still_coming:
                try:
                    return self._hub.open_issue(title, body, labels)
                except Uncertain as uncertain:
                    cause, still_coming = uncertain.cause, uncertain.may_still_come
            time.sleep(pause)
            opened = [issue for issue in self._matches() if issue.is_open]
            if opened:
                return opened[0]
        raise cause

    def _renew(self, issue: Issue, follows: int | None) -> str:
        """Bring our region up to date, and set the labels that are missing."""
        region = self._request.region(follows)
        base = read_bases(self._request.where.root, self._document).get(_base_name(issue))
        renewal = renewed(issue.body, region, base)
        if renewal.body is not None:
            self._hub.rewrite(issue, renewal.body)
            self._keep_base(issue, region)
        elif renewal.left:
            self._warnings.append(f"#{issue.number} was left as it is: {renewal.why}")
        if missing := self._missing_labels(issue):
            self._hub.label(issue, missing)
        return renewal.why

    def _missing_labels(self, issue: Issue) -> list[str]:
        there = {label.lower() for label in issue.labels}
        return [label for label in self._request.labels if label.lower() not in there]

    def _record(self, issue: Issue, follows: int | None) -> bool:
        """Put it below the increment's own issue and record it, where that was not done yet."""
        name = f"{self._request.repository.full_name}#{issue.number}"
        experiments = self._request.where.experiments
        if name in read_retraining_issues(experiments):
            return False
        self._put_below(issue)
        facts = {
            "key": self._request.key.slug,
            "title": self._request.title,
            "url": issue.url,
            "opened": time.strftime("%Y-%m-%d", time.gmtime()),
        }
        if follows is not None:
            facts["follows"] = f"{self._request.repository.full_name}#{follows}"
        return record_retraining_issue(experiments, name, facts)

    def _put_below(self, issue: Issue) -> None:
        parent = find_parent(self._request.where, self._request.repository)
        if parent is None or (parent.number == issue.number and parent.full_name is None):
            return
        try:
            self._hub.put_below(issue, parent.number, parent.full_name)
        except RemoteError as error:
            place = f"{parent.full_name or ''}#{parent.number}"
            self._warnings.append(f"it could not be made a sub-issue of {place}: {error.what}")

    def _keep_base(self, issue: Issue, region: str) -> None:
        """Keep what our region is now, as it is kept for the regions of documents: the base of the next merge."""
        path = f"{self._bases}/{_base_name(issue)}.md"
        try:
            os.makedirs(self._bases, exist_ok=True)
            replace_file(path, base_content(normal_body(region)))
        except OSError as error:
            raise StoreError(f"what was generated cannot be kept: {error.strerror}", path=path) from error


def _base_name(issue: Issue) -> str:
    return f"issue-{issue.number}"
