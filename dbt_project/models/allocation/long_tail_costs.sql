-- Each customer's part of the long tail; the parts sum to its cost, to the last digit.
with
    pools as (
        select
            cost_pools.usage_date,
            cost_pools.billing_period,
            cost_pools.billing_currency,
            sets.share_set_id,
            sum(cost_pools.effective_cost) as effective_cost
        from {{ ref("cost_pools") }} as cost_pools
        inner join {{ ref("pool_share_sets") }} as sets using (usage_date, pool_id)
        group by all
    ),

    members as (
        select usage_date, share_set_id, tail_customer_id, share
        from {{ ref("shares_before_overhead") }}
        union all
        select usage_date, share_set_id, tail_customer_id, share
        from {{ ref("overhead_shares") }}
    )

select
    pools.usage_date,
    pools.billing_period,
    members.tail_customer_id as customer_id,
    pools.billing_currency,
    cast(sum(pools.effective_cost * members.share) as decimal(38, 24)) as effective_cost
from pools
inner join members using (usage_date, share_set_id)
where members.tail_customer_id is not null
group by all
