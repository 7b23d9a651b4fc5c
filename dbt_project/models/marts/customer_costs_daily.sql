select
    pools.usage_date,
    pools.billing_period,
    allocations.customer_id,
    {{ dimension_columns("pools") }},
    pools.service_name,
    pools.provider_name,
    pools.charge_category,
    allocations.allocation_kind,
    allocations.reason as unallocated_reason,
    pools.billing_currency,
    pools.x_source_name,
    {{ sum_of_cost_columns("allocations") }}
from {{ ref("allocations") }} as allocations
inner join {{ ref("cost_pools") }} as pools using (pool_id, usage_date)
group by all
