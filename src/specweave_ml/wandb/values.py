"""What W&B's items say: a name, often nested, and a value as JSON in which NaN and Infinity stand bare."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from specweave_ml.store.codec import holds_too_much, metric_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from specweave_ml.wire import Message

_KEY, _NESTED, _JSON = 1, 2, 16
_BOOLEAN, _INTEGER, _NUMBER, _TEXT, _OWN_JSON = 4, 5, 6, 7, 8  # of a history item, where newer versions write them
_DEEPEST = 20
_TYPE = "_type"


class Oddity(NamedTuple):
    """A value that is no scalar, and what it is: a media type of W&B's, `text`, `list`, …."""

    kind: str


def is_internal(name: str) -> bool:
    """Whether W&B keeps this for itself: `_wandb…`, `_runtime`, `_step`, `_timestamp`."""
    return name.startswith("_wandb") or name in {"_runtime", "_step", "_timestamp"}


def decode(item: Message) -> tuple[tuple[str, ...], Any]:
    """An item's name, part by part, and its value; an `Oddity` when it cannot be read."""
    path = tuple(item.texts(_NESTED)) or (item.text(_KEY),)
    if _JSON in item or _OWN_JSON in item:
        return path, _from_json(item.blobs(_JSON if _JSON in item else _OWN_JSON)[-1:])
    if _BOOLEAN in item:
        return path, bool(item.integer(_BOOLEAN))
    if _INTEGER in item:
        return path, item.zigzag(_INTEGER)
    if _NUMBER in item:
        return path, item.real(_NUMBER)
    return path, item.text(_TEXT) if _TEXT in item else None


def flat(items: Iterable[tuple[tuple[str, ...], Any]]) -> Iterator[tuple[str, Any]]:
    """Names joined by dots, as W&B shows them, and plain values; media as one `Oddity` each."""
    pairs = [pair for path, value in items for pair in _leaves(path, value)]
    media = {path[:-1]: value for path, value in pairs if path[1:] and path[-1] == _TYPE and isinstance(value, str)}
    for path, value in pairs:
        if not media or not any(path[:size] in media for size in range(1, len(path))):
            yield ".".join(path), value
    for path, kind in media.items():
        yield ".".join(path), Oddity(kind)


def scalar(value: Any) -> int | float | Oddity | None:
    """The number that a metric's value is; None for null."""
    if value is None or isinstance(value, Oddity):
        return value
    if isinstance(value, int | float):
        try:
            return metric_number("", int(value) if isinstance(value, bool) else value)
        except ValueError:
            return Oddity("number beyond any float")
    return Oddity("text" if isinstance(value, str) else type(value).__name__)


def _leaves(path: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not isinstance(value, dict) or not value:
        yield path, value
    elif len(path) > _DEEPEST:
        yield path, Oddity("mapping that is nested too deep")
    else:
        for key, inner in value.items():
            yield from _leaves((*path, key), inner)


def _from_json(blobs: list[bytes]) -> Any:
    number = blobs[0] if blobs else b""
    try:  # what nearly all are, five times as fast
        return int(number) if number.lstrip(b"-").isdigit() else float(number)
    except ValueError:
        pass
    try:
        if not blobs or holds_too_much(blobs[0]):
            return Oddity("value too large")
        return json.loads(blobs[0].decode())
    except (ValueError, RecursionError):
        return Oddity("value that cannot be read")
