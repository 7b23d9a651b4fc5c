{{ config(materialized="view") }}
-- Bills lag usage by some days, while fees and taxes are dated ahead, so usage tells how far a running month
-- is billed. A usage row that ends in the future (a month's subscription) only tells without other usage. In
-- a finished month no day is to come.
with
    months as (
        select
            billing_period,
            last_day(cast(billing_period || '-01' as date)) as last_day_of_month,
            last_day_of_month < {{ run_day() }} as is_finished,
            max(usage_date) as last_date,
            max(usage_date) filter (
                where usage_row_count > 0 and usage_date <= {{ run_day() }}
            ) as last_usage_date,
            sum(usage_row_count) > 0 as has_usage
        from {{ source("landing", "billing_days") }}
        group by billing_period
        order by billing_period desc
        limit 2
    ),

    through as (
        -- A month in local time can end on the first day of the next one.
        select least(greatest(last_day_of_month, last_date), {{ run_day() }}) as billed_through
        from months
        where is_finished
        union all
        select
            coalesce(
                max(last_usage_date),
                case
                    when bool_or(has_usage) or not (select bool_or(has_usage) from months)
                    then least(max(last_date), {{ run_day() }})
                end
            ) as billed_through
        from months
        where not is_finished
        having count(*) > 0
    )

select max(billed_through) as billed_through
from through
