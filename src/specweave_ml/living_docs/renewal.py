"""What becomes of one region that stands in a document: the rules, without the document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from specweave_ml.living_docs.items import render_the_same
from specweave_ml.living_docs.markers import fingerprint
from specweave_ml.living_docs.merge import Clash, merge_bodies
from specweave_ml.living_docs.text import readable_diff

if TYPE_CHECKING:
    from typing import Literal

    from specweave_ml.living_docs.regions import Live

    Outcome = Literal["created", "updated", "unchanged", "conflict", "pruned", "obsolete", "opted_out"]

DELETED = "a person deleted it; --restore brings it back"


@dataclass(frozen=True, slots=True)
class RegionChange:
    """What a sync does with one region.

    Attributes:
        id: the region.
        outcome: `opted_out` is one that a person deleted, which stays deleted; `obsolete` is one that nothing is
            generated for any more.
        why: in a few words.
        diff: from what stands there to what was generated, where there is a conflict.
    """

    id: str
    outcome: Outcome
    why: str
    diff: str = ""


def renew(live: Live, base: str | None, generated: str) -> tuple[str | None, RegionChange]:
    """The new body of a region, None to leave its lines alone, and what that is called.

    Args:
        live: the region as it stands.
        base: what was generated last time, as kept beside the document; None when that is not known.
        generated: the body that is generated now, in its normal form.
    """
    if live.sha256 == fingerprint(generated):
        why = "nothing new" if live.untouched else "edited by a person, and nothing new"
        return None, RegionChange(live.id, "unchanged", why)
    if live.untouched or live.body == generated or (base is not None and render_the_same(live.body, base)):
        return generated, RegionChange(live.id, "updated", "new data")
    if render_the_same(live.body, generated):
        return None, RegionChange(live.id, "unchanged", "formatted, and nothing new")
    if base is None or fingerprint(base) != live.sha256:
        lost = "what was generated before is not known (its file under .specweave/docs-sync is missing or another)"
        return None, _conflict(live, generated, f"edited by a person, and {lost}")
    try:
        merged = merge_bodies(base, live.body, generated)
    except Clash as clash:
        return None, _conflict(live, generated, f"a person and the new data changed the same: {clash}")
    return merged, RegionChange(live.id, "updated", "new data, and a person's edits kept")


def _conflict(live: Live, generated: str, why: str) -> RegionChange:
    diff = readable_diff(live.body, generated, f"{live.id} as it stands", f"{live.id} as generated")
    return RegionChange(live.id, "conflict", why, diff)
