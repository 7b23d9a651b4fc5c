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
    """One row per customer, rule, currency and element: its cost, and the sentence of its largest part.

    Sums first: the facts of every part take as long again, and only those of the largest are shown.
    """
    names = [
        *("customer_id", "billing_currency", "allocation_rule", "rule_place", "method", "stream"),
        *("unallocated_reason", *published.dimensions[:2]),
    ]
    keys, explained, parts = quoted(names), quoted(names, "explained"), quoted(names, "parts")
    facts = ", ".join(f"{name} := {name}" for name in _FACTS)
    marts.execute(
        f"""
        create or replace temp table explained as
        with
            groups as (
                select
                    {keys},
                    min(usage_date) as first_day,
                    max(usage_date) as last_day,
                    sum(effective_cost) as effective_cost,
                    sum(pool_cost)::decimal(38, 12) as pool_cost,
                    max(effective_cost) as largest_part
                from {MART}
                group by all
            )
        select
            *,
            row_number() over (order by effective_cost desc, {keys}) <= {LARGEST_EXPLAINED} as has_sentence
        from groups
        """
    )
    ((smallest,),) = marts.execute("select min(largest_part) from explained where has_sentence").fetchall()
    table = marts.sql(
        f"""
        with
            parts as (
                select {keys}, max(struct_pack({facts})) as largest
                from {MART}
                where effective_cost >= {smallest if smallest is not None else 0}::decimal(38, 24)
                group by all
            )
        select
            explained.* exclude (largest_part, has_sentence),
            case when has_sentence then parts.largest end as largest
        from explained
        left join parts on row({explained}) is not distinct from row({parts})
        order by explained.customer_id, explained.effective_cost desc, {explained}
        """
    ).to_arrow_table()
    sentences = [part and allocation_sentence(part) for part in table.column("largest").to_pylist()]
    return table.drop_columns(["largest"]).append_column("largest", pa.array(sentences, pa.string()))
