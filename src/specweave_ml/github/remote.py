"""The repository on GitHub that a project lives in, by its git remote.

A remote may hold a password or a token, so it is taken apart and put together again; what git says is never printed.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from specweave_ml.errors import NotFound, UsageError
from specweave_ml.provenance.git import NO_GIT, run_git

GITHUB = "github.com"

_SAME = {"www.github.com": GITHUB, "ssh.github.com": GITHUB}
_OTHER_FORGES = frozenset(
    "gitlab.com bitbucket.org codeberg.org gitea.com git.sr.ht huggingface.co dev.azure.com ssh.dev.azure.com".split()
)
_WEB = ("http", "https")
_SCHEMES = (*_WEB, "ssh", "git", "git+ssh", "git+https")
_SCP = re.compile(r"(?:[^@/]*@)?([^/:@]+):(?!/)([^\0]+)")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?")
_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_NAME = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_EXPECTED = "a GitHub repository, such as https://github.com/OWNER/NAME.git"


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on GitHub, or on an Enterprise server of its own `host`."""

    host: str
    owner: str
    name: str

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"

    @property
    def url(self) -> str:
        """Where people read it."""
        return f"https://{self.host}/{self.full_name}"

    @property
    def is_enterprise(self) -> bool:
        """Whether a server of its own holds it, and neither github.com nor a tenant of ghe.com."""
        return self.host != GITHUB and not self.host.endswith(".ghe.com")

    @property
    def api(self) -> str:
        """Where programs reach it; GITHUB_API_URL says it where it is set, as on GitHub's own runners.

        Raises:
            UsageError: that is no https address, and a token must not go over the wire in the clear.
        """
        said = os.environ.get("GITHUB_API_URL", "").rstrip("/")
        if said:
            return _safe(said)
        if self.is_enterprise:
            return f"https://{self.host}/api/v3"
        return f"https://api.{self.host}"


def find_repository(root: str) -> Repository:
    """The repository that `origin` names, or the only remote there is; `insteadOf` is applied, as git does.

    Raises:
        NotFound: no git, no repository, no remote, or several and none is called origin.
        UsageError: the remote does not lead to GitHub.
    """
    answer = run_git(root, "remote")
    if answer.code:
        mend = "install git" if answer.code == NO_GIT else "run git remote -v in the project"
        what = f"git does not say where this project lives: {answer.error}"
        raise NotFound(what, path=root, expected="a git repository with a remote on GitHub", next_step=mend)
    remotes = answer.output.decode(errors="replace").split()
    name = "origin" if "origin" in remotes else remotes[0] if len(remotes) == 1 else None
    if name is None:
        raise NotFound(
            "several remotes, and none is called origin" if remotes else "this repository has no remote",
            received=", ".join(remotes) or None,
            expected="a remote called origin that leads to GitHub",
            next_step="git remote add origin https://github.com/OWNER/NAME.git",
        )
    urls = run_git(root, "remote", "get-url", "--all", "--", name).output.decode(errors="replace").splitlines()
    repository = parse_remote(urls[0]) if urls else None
    if repository is None or repository.host in _OTHER_FORGES:
        where = f" (it is at {repository.host})" if repository else ""
        raise UsageError(
            f"the remote {name} does not lead to a repository on GitHub{where}",
            expected=_EXPECTED,
            next_step=f"git remote set-url {name} https://github.com/OWNER/NAME.git",
        )
    return repository


def parse_remote(url: str) -> Repository | None:
    """The repository of a remote: `https://…`, `ssh://…`, `git@host:owner/name.git`; None for anything else."""
    scp = None if "://" in url else _SCP.fullmatch(url)
    if scp:
        host, path = scp[1], scp[2]
    else:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return None
        if parts.scheme not in _SCHEMES or not parts.hostname:
            return None
        # The port of ssh is not the one of the API.
        host = f"{parts.hostname}:{port}" if port and parts.scheme in _WEB else parts.hostname
        path = parts.path
    host = _SAME.get(host.lower(), host.lower())
    owner, _, name = path.strip("/").removesuffix(".git").partition("/")
    if not (_HOST.fullmatch(host) and _OWNER.fullmatch(owner) and _NAME.fullmatch(name)):
        return None
    return Repository(host, owner, name)


def _safe(address: str) -> str:
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        host = None
    if host and (parts.scheme == "https" or (parts.scheme == "http" and host in {"localhost", "127.0.0.1"})):
        return address
    raise UsageError(
        "GITHUB_API_URL is no address that a token may be sent to",
        expected="https://api.github.com, or https://HOST/api/v3",
        next_step="unset GITHUB_API_URL",
    )
