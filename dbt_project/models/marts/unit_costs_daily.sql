-- Cost divided by usage ÷ units of the stream. Excludes overhead, which has no unit.
-- A customer's part of the long tail is its own cost here.
-- depends_on: {{ ref("stg_customers__customers") }}
with
    pools as (
        select
            pools.usage_date,
            pools.billing_currency,
            sets.share_set_id,
            sum(pools.billed_cost) as billed_cost,
            sum(pools.effective_cost) as effective_cost
        from {{ ref("cost_pools") }} as pools
        inner join {{ ref("pool_share_sets") }} as sets using (usage_date, pool_id)
        where sets.allocation_kind = 'usage'
        group by all
    ),

    members as (
        select usage_date, share_set_id, coalesce(tail_customer_id, customer_id) as customer_id, share
        from {{ ref("shares_before_overhead") }}
        where unallocated_reason is null
    ),

    sets as (select * from {{ ref("share_sets") }} where usage_window is not null),

    -- Where several streams divide, a customer's share is cut by what each stream adds to it.
    sets_of_several_streams as (select * from sets where weight < 1),

    quantities as (
        select
            usage_date,
            share_set_id,
            stream,
            weight,
            customer_id,
            cast(sum(usage_quantity) * 1000000000 as hugeint) as quantity
        from ({{ usage_of_sets("sets_of_several_streams") }})
        where usage_quantity > 0
        group by all
    ),

    parts as (
        select
            usage_date,
            share_set_id,
            customer_id,
            stream,
            cast(weight * 1000000000000 as hugeint) * {{ share_units("quantity", "total") }} as part,
            sum(part) over (
                partition by usage_date, share_set_id, customer_id
                order by stream
                rows between unbounded preceding and current row
            ) as part_until,
            sum(part) over (partition by usage_date, share_set_id, customer_id) as whole
        from
            (
                select *, sum(quantity) over (partition by usage_date, share_set_id, stream) as total
                from quantities
            )
    ),

    shares_by_stream as (
        select members.usage_date, members.share_set_id, members.customer_id, sets.stream, members.share
        from members
        inner join sets using (usage_date, share_set_id)
        where sets.weight = 1
        union all by name
        select
            members.usage_date,
            members.share_set_id,
            members.customer_id,
            parts.stream,
            {%- set units = "cast(members.share * 1000000000000 as hugeint)" %}
            {{
                share(
                    "divide("
                    ~ units
                    ~ " * parts.part_until, parts.whole)"
                    ~ " - divide("
                    ~ units
                    ~ " * (parts.part_until - parts.part), parts.whole)"
                )
            }} as share
        from members
        inner join parts using (usage_date, share_set_id, customer_id)
    ),

    costs as (
        select
            pools.usage_date,
            pools.billing_currency,
            shares.stream,
            shares.customer_id,
            {%- for column in ["billed_cost", "effective_cost"] %}
                cast(
                    sum(pools.{{ column }} * shares.share) as decimal(38, 24)
                ) as {{ column }}{{ "," if not loop.last }}
            {%- endfor %}
        from pools
        inner join shares_by_stream as shares using (usage_date, share_set_id)
        group by all
    ),

    -- All usage of the streams that divide cost, of customers without a part of it as well.
    usage as (
        select
            daily.usage_date,
            streams.billing_currency,
            daily.stream,
            daily.customer_id,
            sum(daily.usage_quantity) as usage_quantity
        from {{ ref("usage_by_day") }} as daily
        inner join
            (select distinct usage_date, stream, billing_currency from costs) as streams using (
                usage_date, stream
            )
        group by all
    )

select
    usage_date,
    stream,
    streams.unit,
    customer_id,
    billing_currency,
    cast(usage.usage_quantity as decimal(38, 9)) as usage_quantity,
    coalesce(costs.billed_cost, 0) as billed_cost,
    coalesce(costs.effective_cost, 0) as effective_cost,
    {{ cost_of_one("costs.effective_cost", "usage.usage_quantity") }} as effective_unit_cost
from costs
full join usage using (usage_date, stream, customer_id, billing_currency)
inner join {{ ref("telemetry_streams") }} as streams using (stream)
