-- depends_on: {{ ref("stg_customers__customers") }}
select
    cast(date_trunc('month', costs.usage_date) as date) as usage_month,
    costs.billing_month,
    costs.customer_id,
    {{ dimension_columns("costs") }},
    costs.service_name,
    costs.allocation_kind,
    costs.unallocated_reason,
    costs.billing_currency,
    {{ sum_of_cost_columns("costs") }}
from {{ ref("customer_costs_daily") }} as costs
group by all
