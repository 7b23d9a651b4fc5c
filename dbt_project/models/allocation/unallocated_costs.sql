{{ config(materialized="view", meta={"has_days": true}) }}
-- What no customer carries stays in sight, with the reason.
with
    rules as (select distinct rule_name, method from {{ ref("allocation_rules") }}),

    days_with_carried_cost as (
        select distinct usage_date, billing_currency from {{ ref("carried_cost_shares") }}
    ),

    reasons as (
        select
            pools.*,
            cast(1 as decimal(38, 12)) as share,
            case
                when not pools.cost_of_goods_sold
                then 'not cost of goods sold'
                when pools.allocation_rule is null
                then 'no rule'
                when rules.method = 'none'
                then 'rule: none'
                when rules.method = 'to' and pools.direct_customer_id is null
                then 'no customer named'
                when rules.method = 'allocated_cost' and days_with_carried_cost.usage_date is null
                then 'no cost carried by customers'
            end as reason
        from {{ ref("cost_pools") }} as pools
        left join rules on rules.rule_name = pools.allocation_rule
        left join
            days_with_carried_cost
            on days_with_carried_cost.usage_date = pools.usage_date
            and days_with_carried_cost.billing_currency = pools.billing_currency
    )

select pool_id, usage_date, reason, {{ cost_columns() | join(", ") }}, share
from reasons
where reason is not null
union all
-- Of a pool that is divided by usage, the hours and streams without any.
select pool_id, usage_date, 'no usage' as reason, {{ sum_of_cost_columns() }}, sum(share) as share
from {{ ref("pool_usage") }}
where usage_set_id is null
group by pool_id, usage_date
