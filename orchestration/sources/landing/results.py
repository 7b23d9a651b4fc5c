"""What Dagster shows of a landing: the parts that the sources' assets have in common.

What belongs here: results made of counts and reasons. What does not: which assets a source has (its own
`assets.py`), and the landing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import dagster as dg

from orchestration.sources.landing.versions import Changes


class SnapshotLanding(Protocol):
    """A landing of snapshots: what changed, what did not answer, and what of the files was set aside."""

    @property
    def path(self) -> Path:
        """The folder of the landed versions."""

    @property
    def changes(self) -> Changes:
        """What the snapshots added."""

    @property
    def failures(self) -> Sequence[str]:
        """What did not answer, a line each."""

    @property
    def files_read(self) -> Sequence[str]:
        """The files that were new."""

    @property
    def ignored(self) -> Sequence[str]:
        """What was found that is no file of snapshots."""

    @property
    def refused(self) -> Mapping[str, int]:
        """Rows of files that were refused, by reason."""


def listed(items: Iterable[str]) -> dg.MarkdownMetadataValue:
    """Lines as a Markdown list, or that there are none."""
    return dg.MetadataValue.md("\n".join(f"- {item}" for item in items) or "none")


def refused_rows(refused: Mapping[str, int]) -> dict[str, Any]:
    """Metadata of an asset of refused rows: how many, and the reasons."""
    reasons = [f"{count} rows: {reason}" for reason, count in refused.items()]
    return {"refused": sum(refused.values()), "reasons": listed(reasons)}


def warning_check(name: str, passed: bool, **metadata: Any) -> dg.AssetCheckResult:
    """The result of a check that warns and fails nothing."""
    return dg.AssetCheckResult(
        check_name=name, passed=passed, severity=dg.AssetCheckSeverity.WARN, metadata=metadata
    )


def results_of_snapshots(
    landing: SnapshotLanding,
    keys: tuple[dg.AssetKey, dg.AssetKey, dg.AssetKey],
    check_name: str,
    present: str,
    log: dg.DagsterLogManager,
    **more: Any,
) -> Iterator[dg.MaterializeResult[None]]:
    """The results of a landing's versions, snapshots and refused rows, in the order of their `keys`.

    `present` names what is counted; `more` is shown of the snapshots beside the rest. The check passes when
    everything answered and nothing was set aside.
    """
    versions, snapshots, refused = keys
    changes = landing.changes
    set_aside = [*landing.failures, *(f"late: {snapshot}" for snapshot in changes.late)]
    for failure in set_aside:
        log.warning(failure)
    yield dg.MaterializeResult(
        asset_key=versions,
        metadata={
            present: changes.present,
            "new": changes.new,
            "changed": changes.changed,
            "gone": changes.gone,
            "path": dg.MetadataValue.path(landing.path),
        },
    )
    passed = not set_aside and not landing.refused
    yield dg.MaterializeResult(
        asset_key=snapshots,
        metadata={
            **more,
            "set_aside": listed(set_aside),
            "files_read": list(landing.files_read),
            "ignored": list(landing.ignored),
        },
        check_results=[warning_check(check_name, passed, set_aside=listed(set_aside))],
    )
    yield dg.MaterializeResult(asset_key=refused, metadata=refused_rows(landing.refused))
