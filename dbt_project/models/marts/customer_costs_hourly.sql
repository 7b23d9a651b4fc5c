-- depends_on: {{ ref("stg_customers__customers") }}
-- The query of customer_costs_daily grouped by hour as well, for the latest days.
select
    cost_hour as usage_hour,
    usage_date,
    cast(billing_period || '-01' as date) as billing_month,
    customer_id,
    {{ dimension_columns() }},
    service_name,
    provider_name,
    charge_category,
    charge_class,
    allocation_kind,
    unallocated_reason,
    billing_currency,
    billing_account_id,
    x_source_name,
    {{ cost_columns() | join(", ") }}
from ({{ customer_costs(["cost_hour"] + customer_cost_key()) }})
