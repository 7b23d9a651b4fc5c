{{ config(materialized="view") }}
-- Bills lag usage by some days, while fees and taxes are dated ahead, so usage tells which days have been
-- billed. Without daily usage charges (monthly bills), all days of the billing months count as billed.
with
    months as (
        select billing_period, max(usage_date) filter (where usage_row_count > 0) as last_usage_date
        from {{ source("landing", "billing_days") }}
        group by billing_period
        order by billing_period desc
        limit 2
    )

select coalesce(max(last_usage_date), last_day(cast(max(billing_period) || '-01' as date))) as billed_through
from months
