"""Usage of every customer by stream, in the same periods as its costs."""

from __future__ import annotations

from orchestration.outputs.report.costs import Detail
from orchestration.outputs.report.tables import Published

_MART = "usage_daily"


def select_usage(detail: Detail, published: Published) -> str | None:
    """Usage by customer, stream and day or month; None if the snapshot has none."""
    if _MART not in published.marts:
        return None
    period = "usage_date" if detail.grain == "day" else "date_trunc('month', usage_date)::date"
    return _select(period, "")


def select_newest_usage(detail: Detail, published: Published) -> str | None:
    """Usage by customer, stream and day since `days_from`; None if all days are included anyway."""
    if _MART not in published.marts or detail.days_from is None:
        return None
    return _select("usage_date", f"where usage_date >= date '{detail.days_from}'")


def _select(period: str, where: str) -> str:
    return f"""
        select
            customer_id,
            stream,
            unit,
            {period} as period_start,
            sum(usage_quantity)::decimal(38, 9) as usage_quantity
        from {_MART}
        {where}
        group by all
        order by customer_id, stream, unit, period_start
    """
