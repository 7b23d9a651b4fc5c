"""Handle deliveries with the same charges: one of them counts, or the run stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from orchestration.sources.billing import landed
from orchestration.sources.billing.counted_once import Name, copies, described, overlaps
from orchestration.sources.billing.errors import BillingError


@dataclass
class Counted:
    """`notes` on what does not count, `overlaps` on what counts twice, `restated` on what may."""

    notes: list[str] = field(default_factory=list)
    overlaps: list[str] = field(default_factory=list)
    restated: list[str] = field(default_factory=list)


def is_still_a_copy(landing: Path, same_as: str | None) -> bool:
    """Whether the delivery that counts instead is unchanged; also true if it is not a copy."""
    if same_as is None:
        return True
    source, delivery, version = same_as.split("/")
    state = landed.landed_deliveries(landing, source).get(delivery)
    return state is not None and state.version == version and state.same_as is None


def count_once(
    landing: Path,
    exports: Sequence[str],
    shown: Mapping[Name, str],
    on_overlap: Literal["refuse", "count"],
) -> Counted:
    """Count identical content once, and reject charges that are in two deliveries.

    An export no longer in the settings gives up its charges to the exports that have them now. Raises
    `BillingError` with the money of every overlap, and how to choose.
    """
    result = Counted()
    groups: dict[Name, list[Name]] = {}
    for copy, first in copies(landing):
        groups.setdefault(first, [first]).append(copy)
    for group in groups.values():
        kept, *others = sorted(group, key=lambda name: (name[0] not in exports, name))
        for name in others:
            if name[0] in exports:
                landed.mark_copy(landing, name, kept)
            else:
                landed.remove_delivery(landing, *name)
    result.notes.extend(_copies_now(landing, exports, shown))
    all_found = overlaps(landing)
    found = [overlap for overlap in all_found if overlap.is_certain]
    for overlap in found:
        for name in (overlap.first, overlap.second):
            if name[0] not in exports:
                landed.remove_delivery(landing, *name)
                result.notes.append(
                    f"{described(overlap, shown)}; the export {name[0]} is not in the settings any more"
                )
    found = [o for o in found if o.first[0] in exports and o.second[0] in exports]
    texts = [described(overlap, shown) for overlap in found]
    if texts and on_overlap == "refuse":
        raise BillingError(
            "; ".join(texts)
            + ". Nothing was published. Say in settings.yml which one counts: billing_exports, "
            'with an ignore of the files that do not (such as ignore: ["focus/*"]); or '
            "billing_overlaps: count, if both are to be paid"
        )
    result.overlaps.extend(f"{text}; both count, as the settings say" for text in texts)
    result.restated.extend(
        f"{described(overlap, shown)}; both count. If one restates the other, take the earlier one away, or "
        "name it in the export's ignore (settings.yml)"
        for overlap in all_found
        if not overlap.is_certain and overlap.first[0] in exports and overlap.second[0] in exports
    )
    return result


def _copies_now(landing: Path, exports: Sequence[str], shown: Mapping[Name, str]) -> list[str]:
    notes = []
    for source in exports:
        for delivery, state in landed.landed_deliveries(landing, source).items():
            if state.same_as is None:
                continue
            first, same, _ = state.same_as.split("/")
            name, other = (source, delivery), (first, same)
            notes.append(
                f"{shown.get(name, '/'.join(name))}: has the content of {shown.get(other, '/'.join(other))}, "
                "which counts once"
            )
    return notes
