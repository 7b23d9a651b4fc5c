with
    overhead_sets as (
        select distinct usage_date, share_set_id, billing_currency, minimum_share
        from {{ ref("pool_share_sets") }}
        where allocation_kind = 'overhead'
    ),

    -- Customers' costs before overhead, on days with overhead to divide.
    carried as (
        select
            pools.usage_date,
            pools.billing_currency,
            shares.customer_id,
            sum(pools.effective_cost * shares.share) as carried_cost
        from
            (
                select
                    cost_pools.usage_date,
                    cost_pools.billing_currency,
                    sets.share_set_id,
                    sum(cost_pools.effective_cost) as effective_cost
                from {{ ref("cost_pools") }} as cost_pools
                inner join {{ ref("pool_share_sets") }} as sets using (usage_date, pool_id)
                where usage_date in (select usage_date from overhead_sets)
                group by all
            ) as pools
        inner join {{ ref("shares_before_overhead") }} as shares using (usage_date, share_set_id)
        where shares.customer_id <> 'unallocated'
        group by all
    ),

    -- A customer whose credits exceed its costs gets no overhead, not a negative share.
    carried_by_set as (
        select
            sets.usage_date,
            sets.share_set_id,
            carried.customer_id,
            {{ carried_units("carried.carried_cost") }} as quantity
        from overhead_sets as sets
        inner join carried using (usage_date, billing_currency)
        where carried.carried_cost > 0
    ),

    divided as ({{ shares_of_quantities("carried_by_set", ["usage_date", "share_set_id"], "customer_id") }}),

    members as (
        select
            divided.usage_date,
            divided.share_set_id,
            -- The long tail of another rule stays in the long tail, however large its share.
            case
                when divided.share < sets.minimum_share then 'long tail' else divided.customer_id
            end as customer_id,
            {{ carried_money("divided.quantity") }} as carried_cost,
            {{ carried_money("divided.total") }} as total_carried_cost,
            case
                when divided.share < sets.minimum_share and divided.customer_id <> 'long tail' then 1
            end as in_tail,
            divided.share
        from divided
        inner join overhead_sets as sets using (share_set_id)
    )

select
    usage_date,
    share_set_id,
    customer_id,
    cast(null as varchar) as unallocated_reason,
    sum(carried_cost) as carried_cost,
    any_value(total_carried_cost) as total_carried_cost,
    cast(sum(in_tail) as bigint) as long_tail_customers,
    cast(sum(share) as decimal(13, 12)) as share
from members
group by usage_date, share_set_id, customer_id
union all by name
select
    usage_date,
    share_set_id,
    'unallocated' as customer_id,
    'no cost carried by customers' as unallocated_reason,
    cast(1 as decimal(13, 12)) as share
from overhead_sets
where share_set_id not in (select share_set_id from members)
