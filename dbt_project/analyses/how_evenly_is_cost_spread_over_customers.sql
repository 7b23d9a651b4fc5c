-- How evenly is cost spread over customers?
-- By month: all customers, then each segment.
select
    period_start as month,
    coalesce(segment, 'all customers') as customers,
    billing_currency as currency,
    customer_count,
    cast(mean_cost as decimal(38, 2)) as mean_cost,
    cast(median_cost as decimal(38, 2)) as median_cost,
    cast(p90_cost as decimal(38, 2)) as p90_cost,
    cast(100 * top_10_percent_share as decimal(18, 1)) as top_10_percent_share
from {{ ref("average_customer_cost") }}
where period_grain = 'monthly'
order by month, currency, segment nulls first
