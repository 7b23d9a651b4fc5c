"""What every asset has: owners, freshness where readers wait for it, and an automation condition.

Automation conditions do nothing until `default_automation_condition_sensor` is turned on: an alternative to
the schedule and the sensor `arrivals`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from orchestration.automation.schedules import DAILY

_FRESH = dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=30), fail_window=timedelta(hours=48))
_AWAITED = ("landing", "marts", "published")
# Daily; of the bills, the months that providers still change.
_DUE: dg.AutomationCondition[Any] = dg.AutomationCondition.cron_tick_passed(DAILY, "UTC")
_LANDING = dg.AutomationCondition.in_latest_time_window(timedelta(days=62)) & _DUE.since_last_handled()
_BEHIND = (
    dg.AutomationCondition.any_deps_updated().since_last_handled()
    & ~dg.AutomationCondition.any_deps_in_progress()
    & ~dg.AutomationCondition.in_progress()
)


def with_conventions(
    assets: Sequence[dg.AssetsDefinition | dg.AssetSpec], owners: Sequence[str]
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """The assets with what every asset has; those written by others are neither awaited nor automated."""
    written_by_others = {asset.key for asset in assets if isinstance(asset, dg.AssetSpec)}

    def completed(spec: dg.AssetSpec) -> dg.AssetSpec:
        if spec.key in written_by_others:
            return spec.replace_attributes(owners=owners)
        return spec.replace_attributes(
            owners=owners,
            freshness_policy=_FRESH if spec.group_name in _AWAITED else None,
            automation_condition=_LANDING if spec.group_name == "landing" else _BEHIND,
        )

    return list(dg.map_asset_specs(completed, assets))
