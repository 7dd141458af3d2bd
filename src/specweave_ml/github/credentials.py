"""The token for GitHub: read only when something is about to be sent, and shown nowhere."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from specweave_ml.errors import RemoteError

if TYPE_CHECKING:
    from specweave_ml.github.remote import Repository

_PLAIN = ("GH_TOKEN", "GITHUB_TOKEN")
_ENTERPRISE = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
# Anything else, HTTP libraries refuse with a message that repeats the token.
_SENDABLE = re.compile(r"[\x21-\x7e]+")
_PATIENCE = 10  # seconds for gh to answer


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and who gave it: the name of a variable, or `gh`."""

    value: str = field(repr=False)
    source: str


def find_token(repository: Repository) -> Token | None:
    """The token for the host of a repository: from the environment, else from the gh command, in its order.

    GH_TOKEN and GITHUB_TOKEN are for github.com, so another host gets them only where GITHUB_API_URL names it, as it
    does on that server's own runners. GH_HOST, where it is set, says which host the Enterprise tokens are for.

    Raises:
        RemoteError: a variable holds what cannot be a token.
    """
    for name in _variables(repository):
        value = os.environ.get(name, "").strip()
        if value and not _SENDABLE.fullmatch(value):
            raise RemoteError(f"{name} holds what cannot be a token", next_step=f"set {name} again, or unset it")
        if value:
            return Token(value, name)
    value = _of_gh(repository.host)
    return Token(value, "gh") if _SENDABLE.fullmatch(value) else None


def variables_for(repository: Repository) -> str:
    """The variables that would be looked at, in words."""
    return " or ".join(_variables(repository)[:2]) or "GH_HOST and GH_ENTERPRISE_TOKEN"


def _variables(repository: Repository) -> tuple[str, ...]:
    if not repository.is_enterprise:
        return _PLAIN
    own = _ENTERPRISE if os.environ.get("GH_HOST", repository.host) == repository.host else ()
    api = urlsplit(os.environ.get("GITHUB_API_URL", "")).netloc
    return (*own, *_PLAIN) if api == repository.host else own


def _of_gh(host: str) -> str:
    command = ["gh", "auth", "token", f"--hostname={host}"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""
