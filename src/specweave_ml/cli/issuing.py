"""`create-issue`: an issue that asks for a model to be trained again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from specweave_ml.cli import options
from specweave_ml.cli.output import hint, one_line, print_json, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specweave_ml.github.due import Verdict
    from specweave_ml.github.issues import Outcome
    from specweave_ml.github.request import Request

_MOST_OF_A_BODY = 2_500
"""Characters of it in JSON, which stays short; without --json all of it is shown."""


@click.command("create-issue")
@click.argument("title")
@click.option("-i", "--increment", metavar="INCREMENT", help="Which model, by its increment, such as 0042.")
@click.option("--label", "labels", multiple=True, metavar="LABEL", help="A label beside `retraining`; may be repeated.")
@click.option("--if-due", is_flag=True, help="Only if a reason to train again in decision.md holds.")
@click.option("--force", is_flag=True, help="Also where SpecWeave's settings say that no issues are opened.")
@options.dry_run
@options.as_json
def create_issue(
    title: str,
    increment: str | None,
    labels: tuple[str, ...],
    *,
    if_due: bool,
    force: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Open a GitHub issue that asks for a retraining.

    TITLE says which, such as "Retrain model with Q1 2024 data". The issue says why, which model was selected and how it
    was trained, what the new one has to reach and what failed before, with links to the earlier experiments. While it
    is open, the same title brings it up to date and opens no second.

    The token is that of GH_TOKEN, GITHUB_TOKEN or `gh auth login`; --dry-run shows the issue and needs none.
    """
    from datetime import UTC, datetime

    from specweave_ml.github.request import (
        check_labels,
        check_permission,
        check_rules,
        check_title,
        look_at,
        make_request,
    )
    from specweave_ml.project import find_increment

    title, all_labels, now = check_title(title), check_labels(labels), datetime.now(UTC)
    where = find_increment(increment)
    if not force:
        check_permission(where.root)
    examined = look_at(where)
    verdicts = check_rules(examined, now) if if_due else []
    if if_due and not any(verdict.due for verdict in verdicts):
        _say_not_due(title, verdicts, as_json=as_json)
        return 0
    request = make_request(examined, title, all_labels, now)
    if dry_run:
        _show(request, verdicts, as_json=as_json)
        return 0
    from specweave_ml.github.issues import create_issue as open_or_renew

    _report(open_or_renew(request), request, verdicts, as_json=as_json)
    return 0


def _say_not_due(title: str, verdicts: Sequence[Verdict], *, as_json: bool) -> None:
    if as_json:
        print_json(_document("not_due", None, None, title, checked=verdicts))
        return
    _say_verdicts(verdicts)
    say("not due: no issue was opened")


def _show(request: Request, verdicts: Sequence[Verdict], *, as_json: bool) -> None:
    place = {"repository": request.repository.full_name, "labels": list(request.labels)}
    if as_json:
        body = request.body()
        cut = {"body": body[:_MOST_OF_A_BODY], "truncated": len(body) > _MOST_OF_A_BODY}
        print_json(_document("planned", None, None, request.title, checked=verdicts, **place, **cut))
        return
    _say_verdicts(verdicts)
    say(f"Title: {request.title}")
    say(f"Labels: {', '.join(request.labels)}")
    say()
    say(request.body())
    say(f"would be opened in {request.repository.url}/issues, unless it is open already (dry run: nothing was sent)")


def _report(outcome: Outcome, request: Request, verdicts: Sequence[Verdict], *, as_json: bool) -> None:
    from specweave_ml.store.retraining_issues import RETRAINING_ISSUES

    issue = outcome.issue
    for warning in outcome.warnings:
        hint(f"warning: {warning}")
    if as_json:
        more = {"repository": request.repository.full_name, "why": outcome.why, "warnings": list(outcome.warnings)}
        print_json(_document(outcome.action, issue.number, issue.url, issue.title, checked=verdicts, **more))
        return
    _say_verdicts(verdicts)
    if outcome.recorded:
        say(f"recorded in {os.path.relpath(request.where.experiments, request.where.root)}/{RETRAINING_ISSUES}")
    did = "opened" if outcome.action == "created" else f"found ({outcome.why}):"
    say(f"{did} {issue.url}  {one_line(issue.title)}")


def _document(
    action: str, number: int | None, url: str | None, title: str, *, checked: Sequence[Verdict], **more: Any
) -> dict[str, Any]:
    rules = [{"rule": each.rule, "due": each.due, "why": each.why} for each in checked]
    return {
        "action": action,
        "number": number,
        "url": url,
        "title": title,
        **({"checked": rules} if rules else {}),
        **more,
    }


def _say_verdicts(verdicts: Sequence[Verdict]) -> None:
    words = {True: "due", False: "not due", None: "not checked"}
    for verdict in verdicts:
        say(one_line(f"{words[verdict.due]}: {verdict.rule} ({verdict.why})"))
