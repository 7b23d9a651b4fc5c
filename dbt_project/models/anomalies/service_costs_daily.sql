select
    usage_date,
    coalesce(service_name, 'no service') as service_name,
    coalesce(sub_account_id, 'no account') as sub_account_id,
    billing_currency,
    charge_category,
    x_usage_type,
    consumed_unit,
    sum(consumed_quantity) as consumed_quantity,
    sum(effective_cost) as effective_cost
from {{ ref("staged_costs") }}
group by all
