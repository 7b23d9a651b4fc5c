-- Cost divided by a stream ÷ units of the stream. Excludes overhead, which has no unit.
with
    costs as (
        select
            pools.usage_date,
            pools.billing_currency,
            share_sets.stream,
            {%- for column in ["billed_cost", "effective_cost"] %}
                cast(
                    sum(pools.{{ column }} * share_sets.weight) as decimal(38, 24)
                ) as {{ column }}{{ "," if not loop.last }}
            {%- endfor %}
        from {{ ref("cost_pools") }} as pools
        inner join {{ ref("pool_share_sets") }} as sets using (usage_date, pool_id)
        inner join {{ ref("share_sets") }} as share_sets using (usage_date, share_set_id)
        where share_sets.stream is not null and share_sets.usage_window is not null
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
    {{ cost_of_one("costs.effective_cost", "usage.usage_quantity") }} as effective_unit_cost
from costs
inner join {{ ref("telemetry_streams") }} as streams using (stream)
left join usage on usage.usage_date = costs.usage_date and usage.stream = costs.stream
