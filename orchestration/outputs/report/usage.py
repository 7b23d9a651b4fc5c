"""Usage of every customer by stream, and the cost it divided, in the same periods as its costs."""

from __future__ import annotations

from orchestration.outputs.report.costs import Detail
from orchestration.outputs.report.tables import Published

_MART = "usage_daily"
_COSTS = "unit_costs_daily"


def select_usage(detail: Detail, published: Published) -> dict[str, str]:
    """Selects by customer, stream and day or month, and by day since `days_from`, by table name."""
    grain = "usage_date" if detail.grain == "day" else "date_trunc('month', usage_date)::date"
    periods = {"usage": (grain, "")}
    if detail.days_from is not None:
        periods["newest_usage"] = ("usage_date", f"where usage_date >= date '{detail.days_from}'")
    selects = {}
    for name, (period, where) in periods.items():
        if _MART in published.marts:
            selects[name] = _select(_MART, period, where, "unit", "usage_quantity", "decimal(38, 9)")
        if _COSTS in published.marts:
            costs = _select(_COSTS, period, where, "billing_currency", "effective_cost", "decimal(38, 24)")
            selects[f"{name}_costs"] = costs
    return selects


def _select(mart: str, period: str, where: str, of: str, amount: str, kind: str) -> str:
    return f"""
        select
            customer_id,
            stream,
            {of},
            {period} as period_start,
            sum({amount})::{kind} as {amount}
        from {mart}
        {where}
        group by all
        order by customer_id, stream, {of}, period_start
    """
