"""GitHub's API as this package uses it: what is tried again, what is uncertain, and every error in our words.

Reading is tried again; writing never is, because an answer that got lost may stand for something that was done. Who
opens an issue looks for it after an uncertain answer, and only then may try again.
"""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from github import (
    Auth,
    BadAttributeException,
    Github,
    GithubException,
    GithubRetry,
    IncompletableObject,
    RateLimitExceededException,
)
from requests import RequestException, Timeout
from requests.exceptions import RetryError

from specweave_ml.errors import RemoteError, SpecweaveError
from specweave_ml.redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from github.Issue import Issue as HubIssue

    from specweave_ml.github.credentials import Token
    from specweave_ml.github.remote import Repository

TIMEOUT = 20
"""Seconds to wait for an answer."""

SECONDS_BETWEEN_WRITES = 1.0
"""What GitHub asks of programs."""

_LONGEST_WAIT = 30  # seconds; where GitHub asks for more, a person decides
_ITEMS_A_PAGE = 100
_GONE, _TOO_MANY, _GATEWAY_TIMEOUT = 410, 429, 504
_NOT_THERE = (301, 404, _GONE)  # transferred, deleted

# Beside its own, PyGithub lets those of HTTP through, and raises these on answers that are not GitHub's: no JSON, other
# types than documented, another host or protocol.
_ERRORS = (
    GithubException,
    BadAttributeException,
    IncompletableObject,
    RequestException,
    AssertionError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
)


class Uncertain(Exception):
    """It is not known whether a request was carried out; `cause` is the error in our words."""

    def __init__(self, cause: RemoteError, *, may_still_come: bool) -> None:
        super().__init__(cause.what)
        self.cause = cause
        self.may_still_come = may_still_come


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue as it stands on GitHub."""

    number: int
    title: str
    body: str
    url: str
    is_open: bool
    labels: tuple[str, ...]
    _hub: HubIssue = field(repr=False)


class Hub:
    """A repository on GitHub, for the time of a `with` block.

    Every method raises `RemoteError` where GitHub cannot be reached, does not know the token, or refuses.
    """

    def __init__(self, repository: Repository, token: Token) -> None:
        self._repository = repository
        self._token = token

    def __enter__(self) -> Self:
        with ExitStack() as stack, self._said_clearly():
            self._client = stack.enter_context(closing(_client(self._repository.api, self._token)))
            self._hub = self._client.get_repo(self._repository.full_name)
            _check(self._hub.raw_data.get("full_name"), str)
            stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def issues(self, label: str) -> list[Issue]:
        """All issues that have a label, open and closed, with no pull request among them."""
        with self._said_clearly():
            found = self._hub.get_issues(state="all", labels=[label])
            # Asked for `pull_request`, which issues lack, PyGithub would fetch every one of them anew.
            return [_issue(each) for each in found if not each.html_url.rpartition("/")[0].endswith("/pull")]

    def issue(self, number: int) -> Issue | None:
        """An issue by its number; None where there is none any more."""
        with self._said_clearly():
            try:
                found = _issue(self._hub.get_issue(number))
            except GithubException as error:
                if error.status in _NOT_THERE:
                    return None
                raise
        return found if found.number == number else None  # one that was moved elsewhere is followed there

    def open_issue(self, title: str, body: str, labels: Sequence[str]) -> Issue:
        """Open an issue. It is sent once.

        Raises:
            Uncertain: it may have been opened all the same.
        """
        try:
            return _issue(self._hub.create_issue(title, body, labels=[*labels]))
        except _ERRORS as error:
            clear = _in_our_words(error, self._repository, self._token)
            if isinstance(error, GithubException) and error.status < 500:
                raise clear from error
            late = isinstance(error, Timeout) or getattr(error, "status", None) == _GATEWAY_TIMEOUT
            raise Uncertain(clear, may_still_come=late) from error

    def rewrite(self, issue: Issue, body: str) -> None:
        """Give an issue another body."""
        with self._said_clearly():
            issue._hub.edit(body=body)

    def label(self, issue: Issue, labels: Sequence[str]) -> None:
        """Add labels to an issue."""
        with self._said_clearly():
            issue._hub.add_to_labels(*labels)

    def put_below(self, issue: Issue, parent: int, full_name: str | None) -> None:
        """Make an issue a sub-issue of another, which may be in another repository on the same host."""
        with self._said_clearly():
            hub = self._client.get_repo(full_name, lazy=True) if full_name else self._hub
            hub.get_issue(parent).add_sub_issue(issue._hub.id)

    @contextmanager
    def _said_clearly(self) -> Iterator[None]:
        try:
            yield
        except SpecweaveError:
            raise
        except _ERRORS as error:
            raise _in_our_words(error, self._repository, self._token) from error


def _client(api: str, token: Token) -> Github:
    # By its default, PyGithub also repeats what writes, and one issue becomes two.
    retry = _Retry(total=3, backoff_factor=0.5, max_rate_limit_wait=_LONGEST_WAIT, allowed_methods=frozenset({"GET"}))
    return Github(
        auth=Auth.Token(token.value),
        base_url=api,
        timeout=TIMEOUT,
        retry=retry,
        per_page=_ITEMS_A_PAGE,
        user_agent="specweave-ml",
        seconds_between_requests=0,
        seconds_between_writes=SECONDS_BETWEEN_WRITES,
    )


class _Retry(GithubRetry):
    """Waits as long as GitHub asks, up to a limit."""

    def get_retry_after(self, response: Any) -> float | None:
        """Seconds that GitHub asks to wait.

        Raises:
            RemoteError: too many.
        """
        seconds = super().get_retry_after(response)
        if seconds and seconds > _LONGEST_WAIT:
            raise _asked_to_wait(f"{seconds:.0f} s")
        return seconds


def _issue(hub: HubIssue) -> Issue:
    _check(hub.number, int)
    labels = tuple(label.name for label in hub.labels)
    return Issue(hub.number, hub.title, hub.body or "", hub.html_url, hub.state == "open", labels, hub)


def _check(value: object, kind: type) -> None:
    """What another server answers holds nothing that GitHub's answers hold, and PyGithub gives None for it."""
    if not isinstance(value, kind):
        raise TypeError(kind)


def _in_our_words(error: Exception, repository: Repository, token: Token) -> RemoteError:
    """What went wrong; the token is in no message."""
    if isinstance(error, Timeout):
        return _unreachable(repository, f"no answer in {TIMEOUT:g} s")
    if isinstance(error, RetryError):
        return _unreachable(repository, "it keeps answering with errors of its own")
    if isinstance(error, RequestException):
        return _unreachable(repository, "no connection, or it broke")
    if isinstance(error, GithubException) and error.status:
        return _refusal(error, repository, token)
    if isinstance(error, AssertionError):
        what = f"the API at {repository.api} names another host in its answers, where the token is not sent"
        return RemoteError(what, next_step="set GITHUB_API_URL to the address by which that server calls itself")
    return RemoteError(
        f"what answers at {repository.api} is not the API of {repository.host}",
        expected="https://api.github.com, or https://HOST/api/v3",
        next_step="check the remote, and the variable GITHUB_API_URL",
    )


def _refusal(error: GithubException, repository: Repository, token: Token) -> RemoteError:
    status, said = error.status, _message(error)
    where, who = repository.full_name, f"the token of {token.source}"
    if status >= 500:
        return _unreachable(repository, f"it answers with error {status}")
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if status == _TOO_MANY or "retry-after" in headers or isinstance(error, RateLimitExceededException):
        return _asked_to_wait(f"{headers['retry-after']} s" if "retry-after" in headers else "a few minutes")
    what, mend = {
        401: (f"{repository.host} does not accept {who}", "gh auth login, or set a new token"),
        403: (f"{who} may not do this in {where}: {said}", "use a token that may write issues there"),
        404: (f"there is no {where} on {repository.host}, or {who} may not see it", "check the remote and the token"),
        _GONE: (f"{where} takes no issues: {said}", "switch them on in the settings of the repository"),
        422: (f"GitHub refused the issue as it is: {said}", "look at it with --dry-run"),
    }.get(status, (f"GitHub refused with status {status}: {said}", "try again later"))
    return RemoteError(what, next_step=mend)


def _message(error: GithubException) -> str:
    data = error.data if isinstance(error.data, dict) else {}
    details = [each.get("message") or each.get("code") for each in data.get("errors") or () if isinstance(each, dict)]
    texts = [data.get("message"), *details]
    return redact_text("; ".join(text for text in texts if isinstance(text, str)))[:300] or "it does not say why"


def _asked_to_wait(time: str) -> RemoteError:
    return RemoteError(f"GitHub asks to wait {time} before the next request", next_step="run it again after that")


def _unreachable(repository: Repository, why: str) -> RemoteError:
    return RemoteError(
        f"GitHub cannot be reached at {repository.api}: {why}",
        next_step="run it again: an issue that was opened all the same is found, and not opened twice",
    )
