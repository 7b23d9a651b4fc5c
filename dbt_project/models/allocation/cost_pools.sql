select
    pool_id,
    usage_date,
    x_source_name,
    billing_period,
    billing_currency,
    provider_name,
    billing_account_id,
    {{ dimension_columns() }},
    service_name,
    charge_category,
    charge_class,
    cost_of_goods_sold,
    allocation_rule,
    direct_customer_id,
    cast(sum(charge_count) as bigint) as charge_count,
    {{ sum_of_cost_columns() }}
from {{ ref("cost_pool_hours") }}
group by all
