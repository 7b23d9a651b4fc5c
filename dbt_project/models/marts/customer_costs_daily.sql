select
    usage_date,
    billing_period,
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
from ({{ customer_costs(customer_cost_key()) }})
