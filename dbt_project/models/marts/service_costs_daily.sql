select
    usage_date,
    service_name,
    sub_account_id,
    x_usage_type as usage_type,
    billing_currency,
    {{ sum_of_cost_columns() }}
from {{ ref("staged_costs") }}
group by all
