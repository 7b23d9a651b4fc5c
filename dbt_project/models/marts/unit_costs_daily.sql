-- The cost that a stream divides ÷ the units of the stream. Overhead is not in it: it has no unit.
with
    costs as (
        select
            pool_usage.usage_date,
            pools.billing_currency,
            pool_usage.stream,
            {{ sum_of_cost_columns("pool_usage") }}
        from {{ ref("pool_usage") }} as pool_usage
        inner join {{ ref("cost_pools") }} as pools using (pool_id, usage_date)
        where pool_usage.stream is not null and pool_usage.usage_set_id is not null
        group by all
    ),

    usage as (
        select
            usage_date,
            stream,
            sum(usage_quantity) as usage_quantity,
            count(distinct customer_id) as customer_count
        from {{ ref("usage_by_day") }}
        group by all
    )

select
    costs.usage_date,
    costs.stream,
    streams.unit,
    costs.billing_currency,
    cast(usage.usage_quantity as decimal(38, 9)) as usage_quantity,
    coalesce(usage.customer_count, 0) as customer_count,
    costs.billed_cost,
    costs.effective_cost,
    {{
        money(
            whole_quotient(
                money_units("costs.effective_cost") ~ " * 1000000000",
                "nullif(cast(usage.usage_quantity * 1000000000 as hugeint), 0)",
            )
        )
    }} as effective_unit_cost
from costs
inner join {{ ref("telemetry_streams") }} as streams using (stream)
left join usage on usage.usage_date = costs.usage_date and usage.stream = costs.stream
