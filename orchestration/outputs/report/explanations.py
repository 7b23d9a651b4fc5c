"""The rules behind each customer's cost of the latest days; sentences only for the largest parts."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from orchestration.outputs.report.tables import Published, quoted

MART = "allocation_explanations"
LARGEST_EXPLAINED = 3000


def select_explanations(marts: duckdb.DuckDBPyConnection, published: Published) -> pa.Table:
    """One row per customer, rule, currency and element: its cost, and the sentence of its largest part.

    The mart is a view that builds a sentence per row read, ten times the work of the sums. So the sums come
    first, then the sentences of rows at least as large as the smallest that is shown.
    """
    names = [
        *("customer_id", "billing_currency", "allocation_rule", "rule_place", "method", "stream"),
        *("unallocated_reason", *published.dimensions[:2]),
    ]
    keys, explained, sentences = quoted(names), quoted(names, "explained"), quoted(names, "sentences")
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
    return marts.sql(
        f"""
        with
            sentences as (
                select {keys}, arg_max(explanation, (effective_cost, explanation)) as largest
                from {MART}
                where effective_cost >= {smallest if smallest is not None else 0}::decimal(38, 24)
                group by all
            )
        select
            explained.* exclude (largest_part, has_sentence),
            case when has_sentence then sentences.largest end as largest
        from explained
        left join sentences on row({explained}) is not distinct from row({sentences})
        order by explained.customer_id, explained.effective_cost desc, {explained}
        """
    ).to_arrow_table()
