"""The increment's own issue, in any of the shapes in which SpecWeave has kept it. They are read, and never written.

metadata.json   github.issue · github.issues[] · github.user_story_issues[] · externalLinks.github.issues{}
metadata.json or spec.md's front matter   external_ref: "github#owner/name#12"
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from specweave_ml.errors import StoreError
from specweave_ml.github.remote import parse_remote
from specweave_ml.lifecycle import _json_object
from specweave_ml.store.decision import find_front_matter
from specweave_ml.store.plain_yaml import parse_mapping
from specweave_ml.store.spec import SPEC_LIMIT, read_spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specweave_ml.github.remote import Repository
    from specweave_ml.project import Increment

_NUMBER = re.compile(r"#?([1-9][0-9]{0,9})")
_REFERENCE = re.compile(r"github#([^#\s]+/[^#\s]+)#([0-9]+)")
_URL = re.compile(r"(https?://[^\s?#]+)/issues/([0-9]+)")
_NUMBER_KEYS = ("number", "issueNumber", "issue_number", "issue")
_URL_KEYS = ("url", "issueUrl", "issue_url", "html_url")


@dataclass(frozen=True, slots=True)
class Parent:
    """The issue of an increment; `full_name` is of its repository, None for the project's own."""

    number: int
    full_name: str | None = None


def find_parent(where: Increment, repository: Repository) -> Parent | None:
    """The increment's own issue, the one for the whole of it first; None where SpecWeave has linked none.

    Args:
        where: the increment.
        repository: the project's own; an issue on another host is none that ours could stand below.
    """
    for found in _linked(where):
        parent = _parent(found, repository)
        if parent is not None:
            return parent
    return None


def _linked(where: Increment) -> Iterator[Any]:
    metadata = _json_object(f"{where.path}/metadata.json")
    github, links = _mapping(metadata.get("github")), _mapping(metadata.get("externalLinks"))
    if "issue" in github:
        yield {"number": github["issue"], "url": github.get("url")}
    yield metadata.get("external_ref")
    yield _in_front_matter(where)
    by_story = _mapping(links.get("github")).get("issues")
    for several in (github.get("issues"), github.get("user_story_issues"), by_story):
        yield from several.values() if isinstance(several, dict) else several if isinstance(several, list) else ()


def _parent(found: Any, repository: Repository) -> Parent | None:
    if isinstance(found, str) and (reference := _REFERENCE.fullmatch(found.strip())):
        return _of(repository, f"{repository.host}:{reference[1]}", int(reference[2]))
    if isinstance(found, dict):
        url = next((_URL.match(found[key]) for key in _URL_KEYS if isinstance(found.get(key), str)), None)
        if url:
            return _of(repository, url[1], int(url[2]))
        found = next((found[key] for key in _NUMBER_KEYS if key in found), None)
    number = _NUMBER.fullmatch(str(found).strip()) if isinstance(found, int | str) else None
    return Parent(int(number[1])) if number else None


def _of(repository: Repository, remote: str, number: int) -> Parent | None:
    there = parse_remote(remote)
    if there is None or there.host != repository.host:
        return None
    return Parent(number, None if there == repository else there.full_name)


def _in_front_matter(where: Increment) -> object:
    text, _ = read_spec(where.path)
    try:
        place = find_front_matter(text.encode())
        said = (
            parse_mapping(text.encode()[place], "the front matter of spec.md", size_limit=SPEC_LIMIT) if place else {}
        )
    except StoreError:  # SpecWeave's file: when damaged it says nothing, which is no error here
        return None
    return said.get("external_ref") or said.get("externalRef")


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
