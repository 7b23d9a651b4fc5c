-- The only scan that sums charges without context; `charge_groups` sums them with it.
select
    usage_date,
    x_spread_from,
    x_source_name,
    billing_period,
    billing_currency,
    service_name,
    sub_account_id,
    charge_category,
    commitment_discount_status,
    x_split_part,
    x_usage_type,
    consumed_unit,
    count(*) as charge_count,
    sum(consumed_quantity) as consumed_quantity,
    {{ sum_of_cost_columns() }}
from {{ ref("charges") }}
group by all
