with
    shares as (
        select
            carried_set_id as set_id,
            usage_date,
            billing_currency,
            customer_id,
            share_units,
            total_units,
            carried_cost as usage_quantity,
            total_usage
        from {{ ref("carried_cost_shares") }}
    ),

    share_sets as (select distinct set_id, usage_date, billing_currency from shares),

    parts as (
        select
            pools.*,
            cast(1 as decimal(38, 12)) as share,
            share_sets.set_id,
            'cost carried on the day' as usage_window
        from {{ ref("cost_pools") }} as pools
        inner join share_sets using (usage_date, billing_currency)
        where
            pools.allocation_rule
            in (select rule_name from {{ ref("allocation_rules") }} where method = 'allocated_cost')
    )

    {{ divide_pools("parts", "shares") }}
