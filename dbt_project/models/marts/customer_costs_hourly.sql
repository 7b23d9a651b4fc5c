select
    usage_hour,
    usage_date,
    billing_period,
    customer_id,
    {{ dimension_columns() }},
    service_name,
    provider_name,
    charge_category,
    allocation_kind,
    unallocated_reason,
    billing_currency,
    x_source_name,
    {{ cost_columns() | join(", ") }}
from {{ ref("customer_costs_by_hour") }}
