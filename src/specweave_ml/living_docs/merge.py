"""Two changes of one body brought together, item by item: what people edited, and what the data changed.

Neighbours do not disturb each other: an edit in one row of a table and a new row beside it are two changes. Only the
same item changed by both is a clash, and then nothing is merged at all.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from specweave_ml.living_docs.items import Item, join_items, split_items

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Clash(Exception):
    """The same item was changed by both; the message names it."""


@dataclass(frozen=True, slots=True)
class _Changes:
    """What one side made of the base.

    Attributes:
        kept: the item that stands for each item of the base, by its number there; a removed one is missing.
        added: the items it added, by the number of the item of the base that they stand before.
    """

    kept: Mapping[int, Item]
    added: Mapping[int, Sequence[Item]]


def merge_bodies(base: str, edited: str, generated: str) -> str:
    """The edited body with what is new in the generated one.

    Args:
        base: what was generated last time, and then edited.
        edited: what stands there now.
        generated: what is generated now.

    Raises:
        Clash: both changed the same item, or their changes do not fit together.
    """
    old = split_items(base)
    theirs, ours = _changes(old, split_items(edited)), _changes(old, split_items(generated))
    added = _without_doubles(theirs, ours)
    merged: list[Item] = []
    for number in range(len(old) + 1):
        merged += _in_order(merged, theirs.added.get(number, ()), added[number])
        if number < len(old):
            merged += _survivor(old[number], theirs.kept.get(number), ours.kept.get(number))
    body = join_items(merged)
    # The pieces fit when they are read back as what they were, and not as parts of each other.
    if [(item.kind, item.meaning) for item in split_items(body)] != [(item.kind, item.meaning) for item in merged]:
        raise Clash("the edit and the new data do not fit together")
    return body


def _changes(base: Sequence[Item], other: Sequence[Item]) -> _Changes:
    kept: dict[int, Item] = {}
    added: defaultdict[int, list[Item]] = defaultdict(list)
    matcher = SequenceMatcher(None, [each.identity for each in base], [each.identity for each in other], autojunk=False)
    for tag, start, stop, other_start, other_stop in matcher.get_opcodes():
        here = start
        for item in other[other_start:other_stop]:
            # Where nameless items changed, the first of a kind stands for the first of that kind.
            partner = here if tag == "equal" else _nameless(base, range(here, stop), item)
            if partner is None:
                added[here].append(item)
            else:
                kept[partner] = item
                here = partner + 1
    return _Changes(kept, added)


def _nameless(base: Sequence[Item], numbers: range, item: Item) -> int | None:
    if item.name is not None:
        return None
    return next((number for number in numbers if base[number].kind == item.kind and base[number].name is None), None)


def _survivor(old: Item, theirs: Item | None, ours: Item | None) -> list[Item]:
    """What becomes of an item of the base: at most one of the two sides may have changed or removed it."""
    if _meaning(theirs) in (_meaning(ours), old.meaning):
        return [ours] if ours else []
    if _meaning(ours) == old.meaning:
        return [theirs] if theirs else []
    raise Clash(_described(old))


def _meaning(item: Item | None) -> object:
    return item and item.meaning


def _without_doubles(theirs: _Changes, ours: _Changes) -> defaultdict[int, list[Item]]:
    """What we add, less what people had already added in the same words."""
    known = {item.identity: item for items in theirs.added.values() for item in items}
    added: defaultdict[int, list[Item]] = defaultdict(list)
    for number, items in ours.added.items():
        for item in items:
            double = known.get(item.identity)
            if double is None:
                added[number].append(item)
            elif double.meaning != item.meaning:
                raise Clash(_described(item))
    return added


def _in_order(merged: Sequence[Item], theirs: Sequence[Item], ours: Sequence[Item]) -> list[Item]:
    """Additions at one place: ours first, unless theirs continue the table or list that stands before."""
    before = merged[-1].kind if merged else None
    if theirs and ours and theirs[0].kind == before != ours[0].kind:
        return [*theirs, *ours]
    return [*ours, *theirs]


def _described(item: Item) -> str:
    return item.name or " ".join(item.text.split())[:60]
