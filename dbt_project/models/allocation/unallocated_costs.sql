{{ config(materialized="view") }}
-- What no customer carries stays in sight, with the reason.
with
    rules as (select distinct rule_name, method from {{ ref("allocation_rules") }}),

    hours as (
        select hours.*, rules.method, pool_usage.usage_set_id
        from {{ ref("cost_pool_hours") }} as hours
        left join rules on rules.rule_name = hours.allocation_rule
        left join
            {{ ref("pool_usage") }} as pool_usage
            on pool_usage.pool_id = hours.pool_id
            and pool_usage.usage_hour is not distinct from hours.usage_hour
    ),

    days_with_carried_cost as (
        select distinct usage_date, billing_currency from {{ ref("carried_cost_shares") }}
    ),

    reasons as (
        select
            hours.*,
            case
                when not hours.cost_of_goods_sold
                then 'not cost of goods sold'
                when hours.allocation_rule is null
                then 'no rule'
                when hours.method = 'none'
                then 'rule: none'
                when hours.method = 'to' and hours.direct_customer_id is null
                then 'no customer named'
                when hours.method in ('stream', 'even', 'fixed') and hours.usage_set_id is null
                then 'no usage'
                when hours.method = 'allocated_cost' and days_with_carried_cost.usage_date is null
                then 'no cost carried by customers'
            end as reason
        from hours
        left join
            days_with_carried_cost
            on days_with_carried_cost.usage_date = hours.usage_date
            and days_with_carried_cost.billing_currency = hours.billing_currency
    )

select pool_id, usage_date, reason, {{ sum_of_cost_columns() }}, sum(share) as share
from reasons
where reason is not null
group by pool_id, usage_date, reason
