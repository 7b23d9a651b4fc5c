-- depends_on: {{ ref("stg_customers__customers") }}
with costs as ({{ customer_costs(customer_cost_key()) }}), services as ({{ service_categories_by_day() }})

select
    costs.usage_date,
    cast(costs.billing_period || '-01' as date) as billing_month,
    costs.customer_id,
    {{ dimension_columns("costs") }},
    costs.service_name,
    coalesce(services.service_category, 'Other') as service_category,
    costs.provider_name,
    costs.charge_category,
    costs.charge_class,
    costs.allocation_kind,
    costs.unallocated_reason,
    costs.billing_currency,
    costs.billing_account_id,
    costs.x_source_name,
    {%- for column in cost_columns() %} costs.{{ column }}{{ "," if not loop.last }} {%- endfor %}
from costs
left join
    services
    on services.usage_date = costs.usage_date
    and services.service_name is not distinct from costs.service_name
