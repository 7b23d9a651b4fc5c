"""Revenue by customer and period."""

from __future__ import annotations

from orchestration.sources.source import Source, Table

REVENUE = Source(
    name="revenue",
    label="revenue",
    module="orchestration.sources.revenue.landing",
    tables=(
        Table("revenue", "One row per good row of the revenue files: customer, period, amount, currency."),
        Table(
            "revenue_quarantine", "One row per row of the revenue files that was rejected, and the reason."
        ),
    ),
)
