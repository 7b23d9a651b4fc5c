select cast(unnest(generate_series(min(usage_date), max(usage_date), interval 1 day)) as date) as usage_date
from
    (
        select usage_date
        from {{ ref("customer_totals_daily") }}
        union all
        select usage_date
        from {{ ref("customer_revenue_daily") }}
    )
