-- What each customer carries before overhead. A customer whose credits exceed its costs carries nothing,
-- not less.
with
    allocated as (
        select pool_id, usage_date, customer_id, effective_cost
        from {{ ref("usage_allocations") }}
        union all
        select pool_id, usage_date, direct_customer_id as customer_id, effective_cost
        from {{ ref("cost_pools") }}
        where direct_customer_id is not null
    ),

    carried as (
        select
            cast(strftime(allocated.usage_date, '%Y%m%d') as bigint) * 1000000000 + dense_rank() over (
                partition by allocated.usage_date order by pools.billing_currency
            ) as carried_set_id,
            allocated.usage_date,
            pools.billing_currency,
            allocated.customer_id,
            sum(allocated.effective_cost) as carried_cost
        from allocated
        inner join {{ ref("cost_pools") }} as pools using (pool_id)
        group by allocated.usage_date, pools.billing_currency, allocated.customer_id
    ),

    carrying as (select * from carried where carried_cost > 0),

    set_currencies as (
        select distinct carried_set_id, usage_date as set_date, billing_currency from carrying
    ),

    in_whole_units as (
        with
            only_carrying as (select carried_set_id, usage_date, customer_id, carried_cost from carrying)
            {{
                shares_in_whole_units(
                    "only_carrying", "carried_set_id", "carried_cost", scale=12, digits=12
                )
            }}
    )

select in_whole_units.*, set_currencies.billing_currency
from in_whole_units
inner join set_currencies using (carried_set_id)
where in_whole_units.share_units > 0
