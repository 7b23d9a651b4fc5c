{{ config(materialized="view") }}
-- Bills lag usage by some days, while fees and taxes are dated ahead, so in a running month usage tells which
-- days have been billed. Without daily usage charges (monthly bills), they are the days that have come. In a
-- finished month no day is to come.
with
    months as (
        select
            billing_period,
            last_day(cast(billing_period || '-01' as date)) as last_day_of_month,
            max(usage_date) filter (where usage_row_count > 0) as last_usage_date
        from {{ source("landing", "billing_days") }}
        group by billing_period
        order by billing_period desc
        limit 2
    )

select
    case
        when count(last_usage_date) > 0
        then
            least(
                max(
                    case
                        when last_day_of_month < {{ run_day() }}
                        then greatest(last_day_of_month, last_usage_date)
                        else last_usage_date
                    end
                ),
                {{ run_day() }}
            )
        when count(*) > 0
        then least(max(last_day_of_month), {{ run_day() }})
    end as billed_through
from months
