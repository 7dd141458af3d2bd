"""Where a project lives, who we are there, and what of it can be linked to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from command_line import EXPERIMENTS, INCREMENT
from repositories import commit_all, git, make_repository
from specweave_ml.errors import NotFound, RemoteError, UsageError
from specweave_ml.github.credentials import find_token
from specweave_ml.github.parent import Parent, find_parent
from specweave_ml.github.permalinks import find_permalinks
from specweave_ml.github.remote import Repository, find_repository, parse_remote
from specweave_ml.project import find_increment

SHOP = Repository("github.com", "acme", "shop")
ENTERPRISE = Repository("ghe.example.com", "acme", "shop")
VARIABLES = "GH_TOKEN GITHUB_TOKEN GH_ENTERPRISE_TOKEN GITHUB_ENTERPRISE_TOKEN GH_HOST GITHUB_API_URL".split()


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GH_CONFIG_DIR", str(tmp_path / "no-login"))


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/shop.git",
        "https://github.com/acme/shop",
        "https://github.com/acme/shop/",
        "https://user:p@ss@github.com/acme/shop.git",
        "https://token@GitHub.com/acme/shop.git",
        "http://www.github.com/acme/shop.git",
        "git@github.com:acme/shop.git",
        "github.com:acme/shop",
        "org-123@github.com:acme/shop.git",
        "ssh://git@github.com/acme/shop.git",
        "ssh://git@github.com:22/acme/shop.git",
        "ssh://git@ssh.github.com:443/acme/shop.git",
        "git+ssh://git@github.com/acme/shop.git",
        "git://github.com/acme/shop.git",
    ],
)
def test_every_way_to_write_it(url: str) -> None:
    assert parse_remote(url) == SHOP


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://github.com/a/b", "https://api.github.com"),
        ("git@ghe.example.com:a/b.git", "https://ghe.example.com/api/v3"),
        ("https://ghe.example.com:8443/a/b.git", "https://ghe.example.com:8443/api/v3"),
        ("ssh://git@ghe.example.com:2222/a/b.git", "https://ghe.example.com/api/v3"),
        ("https://tenant.ghe.com/a/b", "https://api.tenant.ghe.com"),
    ],
)
def test_where_programs_reach_it(url: str, api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = parse_remote(url)
    assert repository.api == api
    monkeypatch.setenv("GITHUB_API_URL", "https://proxy.example.com/api/v3/")
    assert repository.api == "https://proxy.example.com/api/v3"


@pytest.mark.parametrize("address", ["http://ghe.example.com/api/v3", "ftp://x", "ghe.example.com", "https://[x"])
def test_a_token_goes_nowhere_in_the_clear(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_API_URL", address)
    with pytest.raises(UsageError):
        _ = SHOP.api


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/srv/git/shop.git",
        "../shop",
        "file:///srv/git/acme/shop.git",
        "C:\\git\\shop",
        "https://github.com/acme",
        "https://github.com/acme/shop/tree/main",
        "https://[redacted]@github.com/acme/shop",
        "https://github.com/acme/..",
        "https://-oProxyCommand=touch/acme/shop",
        "--upload-pack=touch canary:acme/shop",
        "ext::sh -c touch% canary",
        "git@github.com:acme/shop\nSet-Cookie: x",
        "git@evil.example\n.github.com:acme/shop",
        "s3://bucket/acme/shop",
    ],
)
def test_what_is_no_repository(url: str) -> None:
    assert parse_remote(url) is None


@pytest.mark.parametrize(
    ("remotes", "error"),
    [
        ({}, NotFound),
        ({"a": "https://github.com/x/y", "b": "https://github.com/acme/shop"}, NotFound),
        ({"origin": "https://u:hunter2@gitlab.com/acme/shop"}, UsageError),
        ({"origin": "u:hunter2@nowhere"}, UsageError),
    ],
)
def test_the_remote_is_said_to_be_wrong_and_not_shown(
    tmp_path: Path, remotes: dict[str, str], error: type[Exception]
) -> None:
    make_repository(tmp_path)
    for name, url in remotes.items():
        git(tmp_path, "remote", "add", name, url)
    with pytest.raises(error) as raised:
        find_repository(str(tmp_path))
    assert "hunter2" not in str(raised.value)


def test_the_remote_is_origin_or_the_only_one_with_insteadof(tmp_path: Path) -> None:
    make_repository(tmp_path)
    git(tmp_path, "remote", "add", "upstream", "gh:acme/shop.git")
    git(tmp_path, "config", "url.ssh://git@github.com/.insteadOf", "gh:")
    assert find_repository(str(tmp_path)) == SHOP
    git(tmp_path, "remote", "add", "origin", "git@github.com:acme/fork.git")
    assert find_repository(str(tmp_path)).name == "fork"


def test_a_folder_without_git(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        find_repository(str(tmp_path))


def test_links_lead_to_what_is_committed_and_to_nothing_else(project: Path) -> None:
    """The project is a folder inside the repository."""
    make_repository(project.parent)
    root, folder = str(project), project / EXPERIMENTS
    for name in ("exp 1", "_archive/old", "new"):
        (folder / name).mkdir(parents=True)
        (folder / name / "params.json").write_text("{}")
    (folder / "comparison.md").write_text("x")
    (folder / "new" / "params.json").rename(project / "elsewhere")
    head = commit_all(project.parent)
    links = find_permalinks(root, SHOP, str(EXPERIMENTS))
    base = f"https://github.com/acme/shop/tree/{head}/project/{EXPERIMENTS}"
    assert links.to("exp 1") == f"{base}/exp%201"
    assert links.to("_archive/old") == f"{base}/_archive/old"
    assert links.to("comparison.md", "blob") == f"{base}/comparison.md".replace("/tree/", "/blob/")
    assert links.to("new") is None
    assert not links.pushed
    assert links.to_commit(head, "") == f"https://github.com/acme/shop/commit/{head}"
    assert links.to_commit("0" * 40, "") is None
    assert links.to_commit("0" * 40, "git@github.com:acme/shop.git") is not None
    assert links.to_commit("--output=canary", "https://github.com/acme/shop") is None


def test_without_a_commit_there_is_no_link(project: Path) -> None:
    git(project, "init", "--quiet")
    assert find_permalinks(str(project), SHOP, str(EXPERIMENTS)).to("comparison.md") is None


@pytest.mark.parametrize(
    ("repository", "variables", "source"),
    [
        (SHOP, {"GITHUB_TOKEN": "b", "GH_TOKEN": "a"}, "GH_TOKEN"),
        (SHOP, {"GITHUB_TOKEN": "b", "GH_TOKEN": " "}, "GITHUB_TOKEN"),
        (SHOP, {"GH_ENTERPRISE_TOKEN": "c"}, None),
        (ENTERPRISE, {"GH_TOKEN": "a", "GITHUB_TOKEN": "b"}, None),
        (ENTERPRISE, {"GITHUB_ENTERPRISE_TOKEN": "d", "GH_ENTERPRISE_TOKEN": "c"}, "GH_ENTERPRISE_TOKEN"),
        (ENTERPRISE, {"GITHUB_ENTERPRISE_TOKEN": "d"}, "GITHUB_ENTERPRISE_TOKEN"),
        (ENTERPRISE, {"GH_ENTERPRISE_TOKEN": "c", "GH_HOST": "other.example.com"}, None),
        (ENTERPRISE, {"GH_TOKEN": "a", "GITHUB_API_URL": "https://ghe.example.com/api/v3"}, "GH_TOKEN"),
        (Repository("tenant.ghe.com", "a", "b"), {"GH_TOKEN": "a"}, "GH_TOKEN"),
    ],
)
def test_whose_token(
    repository: Repository, variables: dict[str, str], source: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    token = find_token(repository)
    assert (token and token.source) == source


def test_gh_is_asked_for_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = tmp_path / "gh"
    command.write_text('#!/bin/sh\n[ "$*" = "auth token --hostname=ghe.example.com" ] && echo from-gh\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    assert find_token(ENTERPRISE).value == "from-gh"
    assert find_token(SHOP) is None


def test_a_token_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GH_TOKEN", "hunter2")
    assert "hunter2" not in repr(find_token(SHOP))
    monkeypatch.setenv("GH_TOKEN", "hunter2\nX-Evil: 1")
    with pytest.raises(RemoteError) as raised:
        find_token(SHOP)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("metadata", "parent"),
    [
        ('{"github": {"issue": 12, "url": "https://github.com/acme/shop/issues/12"}}', Parent(12)),
        ('{"github": {"issue": "#12", "issues": [{"number": 7}]}}', Parent(12)),
        (
            '{"github": {"issues": [{"userStory": "US-1", "number": 7}]}, "external_ref": "github#a/b#3"}',
            Parent(3, "a/b"),
        ),
        ('{"github": {"issue": 12, "url": "https://github.com/acme/other/issues/12"}}', Parent(12, "acme/other")),
        ('{"github": {"issue": 12, "url": "https://ghe.example.com/acme/shop/issues/12"}}', None),
        ('{"external_ref": "jira#SHOP-12"}', None),
        ('{"github": {"issue": true, "issues": ["x", null, {}, 0, -1]}}', None),
        ('{"github": [], "externalLinks": {"github": {"issues": {"a": {"issueNumber": "9"}}}}}', Parent(9)),
        ("{", None),
    ],
)
def test_the_issue_of_the_increment(project: Path, metadata: str, parent: Parent | None) -> None:
    (project / INCREMENT / "metadata.json").write_text(metadata)
    assert find_parent(find_increment("0042"), SHOP) == parent
