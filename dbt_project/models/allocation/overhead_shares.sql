with
    overhead_sets as (
        select distinct usage_date, share_set_id, billing_currency, minimum_share
        from {{ ref("pool_share_sets") }}
        where allocation_kind = 'overhead'
    ),

    -- Customers' costs before overhead, on days with overhead to divide; those of the long tail separately.
    carried as (
        select
            pools.usage_date,
            pools.billing_currency,
            shares.customer_id,
            shares.tail_customer_id,
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
            {{ carried_units("sum(carried.carried_cost)") }} as quantity
        from overhead_sets as sets
        inner join carried using (usage_date, billing_currency)
        group by all
        having sum(carried.carried_cost) > 0
    ),

    divided as ({{ shares_of_quantities("carried_by_set", ["usage_date", "share_set_id"], "customer_id") }}),

    carried_in_tail as (
        select usage_date, billing_currency, tail_customer_id, {{ carried_units("carried_cost") }} as quantity
        from carried
        where tail_customer_id is not null and carried_cost > 0
    ),

    parts_of_tail as (
        {{ shares_of_quantities("carried_in_tail", ["usage_date", "billing_currency"], "tail_customer_id") }}
    ),

    -- The long tail of another rule stays in the long tail, however large its share. Its customers divide
    -- it by their cost, truncated to twelve digits, and the costliest gets the remainder.
    cut_parts as (
        select
            divided.usage_date,
            divided.share_set_id,
            parts.tail_customer_id,
            parts.quantity,
            divided.share,
            divided.quantity as tail_quantity,
            divided.total,
            {{
                share(
                    "divide("
                    ~ "cast(divided.share * 1000000000000 as hugeint)"
                    ~ " * cast(parts.share * 1000000000000 as hugeint), 1000000000000)"
                )
            }} as cut_share
        from divided
        inner join overhead_sets as sets using (share_set_id)
        inner join
            parts_of_tail as parts
            on parts.usage_date = divided.usage_date
            and parts.billing_currency = sets.billing_currency
        where divided.customer_id = 'long tail'
    ),

    shares_of_tail as (
        select
            *,
            share - sum(cut_share) over (partition by share_set_id) as missing_share,
            row_number() over (partition by share_set_id order by quantity desc, tail_customer_id) as place
        from cut_parts
    ),

    members as (
        select
            divided.usage_date,
            divided.share_set_id,
            case
                when divided.share < sets.minimum_share then 'long tail' else divided.customer_id
            end as customer_id,
            case when divided.share < sets.minimum_share then divided.customer_id end as tail_customer_id,
            {{ carried_money("divided.quantity") }} as carried_cost,
            {{ carried_money("divided.total") }} as total_carried_cost,
            divided.share
        from divided
        inner join overhead_sets as sets using (share_set_id)
        where divided.customer_id <> 'long tail'
        union all
        select
            usage_date,
            share_set_id,
            'long tail',
            tail_customer_id,
            -- Combined in one row.
            {{ carried_money("case when place = 1 then tail_quantity else 0 end") }},
            {{ carried_money("total") }},
            cut_share + case when place = 1 then missing_share else 0 end
        from shares_of_tail
    )

select
    usage_date,
    share_set_id,
    customer_id,
    tail_customer_id,
    cast(null as varchar) as unallocated_reason,
    sum(carried_cost) as carried_cost,
    any_value(total_carried_cost) as total_carried_cost,
    cast(sum(share) as decimal(13, 12)) as share
from members
group by usage_date, share_set_id, customer_id, tail_customer_id
having sum(share) > 0
union all by name
select
    usage_date,
    share_set_id,
    'unallocated' as customer_id,
    'no cost carried by customers' as unallocated_reason,
    cast(1 as decimal(13, 12)) as share
from overhead_sets
where share_set_id not in (select share_set_id from members)
