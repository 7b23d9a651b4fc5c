{{ config(materialized="view", meta={"has_days": true}) }}
with
    members as (
        select *
        from {{ ref("shares_before_overhead") }}
        union all by name
        select *
        from {{ ref("overhead_shares") }}
    )

select * exclude (tail_customer_id), cast(null as bigint) as long_tail_customers
from members
where tail_customer_id is null
union all by name
select
    usage_date,
    share_set_id,
    customer_id,
    sum(usage_quantity) as usage_quantity,
    any_value(total_usage) as total_usage,
    sum(carried_cost) as carried_cost,
    any_value(total_carried_cost) as total_carried_cost,
    count(*) as long_tail_customers,
    cast(sum(share) as decimal(13, 12)) as share
from members
where tail_customer_id is not null
group by usage_date, share_set_id, customer_id
