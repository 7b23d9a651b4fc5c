with
    months as (
        select billing_month, last_day(billing_month) as last_day_of_month
        from {{ ref("customer_costs_monthly") }}
        group by billing_month
    ),

    -- Fees can be dated ahead, so usage tells how far the month is billed.
    days as (
        select
            date_trunc('month', usage_date) as usage_month,
            coalesce(
                max(usage_date) filter (where charge_category = 'Usage'), max(usage_date)
            ) as billed_through
        from {{ ref("customer_costs_daily") }}
        where {{ margin_side("unallocated_reason") }} <> 'cost to come'
        group by usage_month
    )

select
    billing_month,
    days.billed_through,
    -- Until its last day is over (UTC).
    {{ run_day() }} <= months.last_day_of_month as is_running
from months
left join days on days.usage_month = months.billing_month
