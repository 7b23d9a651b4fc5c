{{ config(materialized="view") }}
-- Bills come some days after the usage, and fees and taxes are dated ahead: usage says which days have come.
-- Without any charge for usage of a day (bills by month) all days of the billing months have.
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
