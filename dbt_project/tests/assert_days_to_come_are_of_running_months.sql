-- A month that is over has no days to come, and no day after the run is allocated.
select usage_date, billing_month, customer_id, unallocated_reason
from {{ ref("customer_costs_daily") }}
where
    case
        when unallocated_reason = 'day to come'
        then last_day(billing_month) < {{ run_day() }}
        else usage_date > {{ run_day() }}
    end
