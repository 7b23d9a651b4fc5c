"""The rules behind each customer's cost of the latest days; sentences only for the largest parts."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from orchestration.outputs.report.tables import Published, quoted
from orchestration.outputs.sentences import allocation_sentence

MART = "allocation_explanations"
LARGEST_EXPLAINED = 3000
# What `allocation_sentence` needs of a part.
_FACTS = (
    *("effective_cost", "usage_date", "usage_hour", "pool_id", "share", "pool_cost", "allocation_kind"),
    *("usage_quantity", "total_usage", "usage_window", "carried_cost", "total_carried_cost"),
    *("long_tail_customers", "billing_currency", "unallocated_reason", "stream"),
)


def select_explanations(marts: duckdb.DuckDBPyConnection, published: Published) -> pa.Table:
    """One row per customer, rule, currency and element: its cost, and the sentence of its largest part."""
    names = [
        *("customer_id", "billing_currency", "allocation_rule", "rule_place", "method", "stream"),
        *("unallocated_reason", *published.dimensions[:2]),
    ]
    keys = quoted(names)
    facts = ", ".join(f"{name} := {name}" for name in _FACTS)
    table = marts.sql(
        f"""
        with
            groups as (
                select
                    {keys},
                    min(usage_date) as first_day,
                    max(usage_date) as last_day,
                    sum(effective_cost) as effective_cost,
                    sum(pool_cost)::decimal(38, 12) as pool_cost,
                    max(struct_pack({facts})) as largest
                from {MART}
                group by all
            ),
            ranked as (
                select *, row_number() over (order by effective_cost desc, {keys}) as place
                from groups
            )
        select * replace (case when place <= {LARGEST_EXPLAINED} then largest end as largest)
        from ranked
        order by customer_id, effective_cost desc, {keys}
        """
    ).to_arrow_table()
    sentences = [part and allocation_sentence(part) for part in table.column("largest").to_pylist()]
    return table.drop_columns(["largest", "place"]).append_column("largest", pa.array(sentences, pa.string()))
