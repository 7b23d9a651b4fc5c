{{ config(meta={"dagster": {"ref": {"name": "resource_costs_daily"}}}) }}
-- Law: the resources of a day, service, account and usage type sum to its cost.
select usage_date, service_name, sub_account_id, usage_type, billing_currency
from
    (
        select * exclude (resource_id, resource_name)
        from {{ ref("resource_costs_daily") }}
        union all by name
        select
            usage_date,
            service_name,
            sub_account_id,
            usage_type,
            billing_currency,
            - effective_cost as effective_cost
        from {{ ref("service_costs_daily") }}
        where {{ is_newest_day("usage_date", var("resource_costs_days")) }}
    )
group by all
having sum(effective_cost) <> 0
