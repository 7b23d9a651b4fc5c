{{
    config(
        materialized="incremental",
        incremental_strategy="append",
        pre_hook="{{ delete_changed_days() }}",
    )
}}
-- The cost that a stream divides ÷ the units of the stream. Overhead is not in it: it has no unit.
with
    stream_rules as (
        select distinct rule_name, stream from {{ ref("allocation_rules") }} where method = 'stream'
    ),

    costs as (
        select
            allocations.usage_date,
            pools.billing_currency,
            stream_rules.stream,
            {{ sum_of_cost_columns("allocations") }}
        from {{ ref("usage_allocations") }} as allocations
        inner join {{ ref("cost_pools") }} as pools using (pool_id, usage_date)
        inner join stream_rules on stream_rules.rule_name = pools.allocation_rule
        where {{ in_changed_days("allocations.usage_date") }}
        group by all
    ),

    usage as (
        select
            usage_date,
            stream,
            sum(usage_quantity) as usage_quantity,
            count(distinct customer_id) as customer_count
        from {{ ref("usage_daily") }}
        where {{ in_changed_days() }}
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
