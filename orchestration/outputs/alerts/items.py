"""Alert items: which anomalies of the published marts to report, and their texts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from orchestration.outputs.read_only import open_published, rows_of
from orchestration.outputs.sentences import anomaly_sentence
from orchestration.settings import Settings

# The first anomaly of each cause, if it is material, not judged, and recent: switching alerts on, or a year
# of bills, must not alert about the past. And what is still undelivered.
ALERT_ITEMS = """
select *
from cost_anomalies
where
    (
        same_cause_as is null
        and is_material
        and verdict is null
        and ended_at > (select max(usage_date) from customer_totals_daily) + 1 - $recent_days
        and ($lowest_rank is null or impact_rank <= $lowest_rank)
    )
    or anomaly_id in (select unnest($waiting::varchar[]))
order by impact_rank
"""
DRIVERS = """
select driver_kind, driver, cost_impact, detail, happened_at
from cost_anomaly_drivers
where anomaly_id = $anomaly_id
order by driver_kind, abs(cost_impact) desc, driver
"""
_SERIES = ("series_kind", "customer_id", "element", "service_name", "sub_account_id", "billing_currency")


@dataclass(frozen=True)
class AlertItem:
    """An anomaly to alert about. `series` is where it was found and its direction; `content` is everything
    the marts say about it, ready for JSON (amounts as exact texts).
    """

    anomaly_id: str
    series: str
    started_at: str
    ended_at: str
    explanation: str
    content: Mapping[str, Any]

    @property
    def title(self) -> str:
        """Subject line, on a single line whatever the names contain."""
        what = self.content["element"] or self.content["service_name"]
        of = self.content["customer_name"] or self.content["customer_id"] or self.content["sub_account_id"]
        impact = Decimal(self.content["cost_impact"])
        amount = f"{impact:+,.2f} {self.content['billing_currency']}"
        return " ".join(f"Cost anomaly: {what}{f', {of}' if of else ''}, {amount}".split())


def read_alert_items(settings: Settings, waiting: Collection[str] = ()) -> list[AlertItem]:
    """New anomalies in the current snapshot, plus those in `waiting` that it still has.

    Raises `NotReadableError` if nothing has been published yet.
    """
    with open_published(settings) as marts:
        found = rows_of(
            marts,
            ALERT_ITEMS,
            {
                "recent_days": settings.alert_recent_days,
                "lowest_rank": settings.alert_lowest_rank,
                "waiting": sorted(waiting),
            },
        )
        return [
            _alert_item(anomaly, rows_of(marts, DRIVERS, {"anomaly_id": anomaly["anomaly_id"]}))
            for anomaly in found
        ]


def _alert_item(anomaly: dict[str, Any], drivers: list[dict[str, Any]]) -> AlertItem:
    direction = "more" if anomaly["cost_impact"] > 0 else "less"
    explanation = anomaly_sentence(anomaly, drivers)
    content = {name: _plain(value) for name, value in anomaly.items()} | {"explanation": explanation}
    content["drivers"] = [{name: _plain(value) for name, value in row.items()} for row in drivers]
    return AlertItem(
        anomaly_id=anomaly["anomaly_id"],
        series="|".join([*(anomaly[name] or "" for name in _SERIES), direction]),
        started_at=content["started_at"],
        ended_at=content["ended_at"],
        explanation=explanation,
        content=content,
    )


def _plain(value: Any) -> Any:
    """Value for JSON; amounts become text, because many readers parse JSON numbers as floats."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else value
