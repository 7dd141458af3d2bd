"""YAML that people wrote, read within limits: no tags, no aliases, no depth, no size that could hurt."""

from __future__ import annotations

from specweave_ml.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_DEPTH_LIMIT = 40
_EVENT_LIMIT = 50_000
_PLAIN_LIMIT = 4_096  # YAML reads 1:1:1:… as one number, in quadratic time


def parse_mapping(data: bytes, what: str, *, size_limit: int, as_text: bool = False) -> dict[str, Any]:
    """The values of a YAML mapping; dates come as the text that JSON would have held.

    Args:
        data: the document.
        what: what it is, for the error's words.
        size_limit: in bytes.
        as_text: every scalar stays the text that was written, so that a name such as `0042` or `1.10` is no number.

    Raises:
        StoreError: too large, too deep, an alias in it, or not a YAML mapping.
    """
    import yaml

    if len(data) > size_limit:
        raise StoreError(f"{what} is too large", received=f"{len(data)} bytes", expected=f"at most {size_limit}")
    kind = "BaseLoader" if as_text else "SafeLoader"
    loader = getattr(yaml, f"C{kind}", None) or getattr(yaml, kind)
    try:
        _check(yaml.parse(data, Loader=loader), what)
        values = yaml.load(data, Loader=loader)  # noqa: S506 - a safe loader, chosen above
    except (yaml.YAMLError, ValueError) as error:
        raise StoreError(f"{what} is not YAML: {_reason(error)}") from None
    if not isinstance(values, dict):
        raise StoreError(f"{what} is not a mapping", received=type(values).__name__)
    return {str(key): _plain(value) for key, value in values.items()}


def _check(events: Iterable[Any], what: str) -> None:
    """Refuse before anything is built from it; counted in C, so a bomb costs no more than its bytes."""
    import yaml

    depth = 0
    for number, event in enumerate(events):
        if isinstance(event, yaml.AliasEvent):
            raise StoreError(f"{what} holds a YAML alias, which is not read", expected="plain YAML")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEPTH_LIMIT or number > _EVENT_LIMIT:
            raise StoreError(
                f"{what} is nested too deeply or holds too much", expected=f"{_DEPTH_LIMIT} levels at most"
            )
        if isinstance(event, yaml.ScalarEvent) and event.implicit[0] and len(event.value) > _PLAIN_LIMIT:
            raise StoreError(f"{what} holds an unquoted value of {len(event.value)} characters", expected="quoted text")


def _reason(error: Exception) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    text = str(problem or error) if mark is None else f"{problem} in line {mark.line + 1}"
    return " ".join(text.split())[:200]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | set | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value
