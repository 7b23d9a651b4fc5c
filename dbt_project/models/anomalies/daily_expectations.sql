-- Each day is judged only by previous days, so its expectation does not change when more days arrive.
-- Missing days are unknown, not 0, and left out of every window; except of a cost that vanished.
with
    given as (
        select series_key, usage_date, cast(effective_cost as double) as cost
        from {{ ref("anomaly_series_daily", days_before=28 + 93) }}
    ),

    present as (
        select
            series_key,
            usage_date,
            lead(usage_date) over (partition by series_key order by usage_date) as next_date,
            count(*) over (
                partition by series_key
                order by usage_date range between interval 41 days preceding and current row
            ) as day_count
        from given
    ),

    -- A series with cost on each day of six weeks, and then on none of two days, has vanished: from the
    -- second day on, for a week, it costs 0.
    costs as (
        select *
        from given
        union all
        select present.series_key, days.usage_date, 0 as cost
        from present
        inner join
            (select distinct usage_date from given) as days
            on days.usage_date between present.usage_date + 2 and present.usage_date + 8
            and days.usage_date < coalesce(present.next_date, days.usage_date + 1)
        where present.day_count = 42
    ),

    levels as (
        select
            *,
            lag(usage_date) over by_day as previous_date,
            -- Current level: the median of the last seven days or, if days are missing and a weekday could
            -- occur twice, of the last fourteen.
            case
                when count(*) over last_fourteen < 4 or min(usage_date) over last_seven < usage_date - 28
                then null
                when min(usage_date) over last_seven < usage_date - 7
                then median(cost) over last_fourteen
                else median(cost) over last_seven
            end as level,
            case
                when min(usage_date) over week_until_now < usage_date - 6
                then median(cost) over fortnight_until_now
                else median(cost) over week_until_now
            end as recent_level,
            -- The level a month earlier, for changes too slow for the level to show.
            case when count(*) over month_before >= 14 then median(cost) over month_before end as older_level
        from costs
        window
            by_day as (partition by series_key order by usage_date),
            last_seven as (
                partition by series_key order by usage_date rows between 7 preceding and 1 preceding
            ),
            last_fourteen as (
                partition by series_key order by usage_date rows between 14 preceding and 1 preceding
            ),
            week_until_now as (
                partition by series_key order by usage_date rows between 6 preceding and current row
            ),
            fortnight_until_now as (
                partition by series_key order by usage_date rows between 13 preceding and current row
            ),
            month_before as (
                partition by series_key
                order by usage_date range between interval 56 days preceding and interval 28 days preceding
            )
    ),

    ratios as (select *, cost / nullif(level, 0) as ratio from levels),

    weekdays as (
        select
            *,
            case
                when level = 0
                then 0
                when count(ratio) over same_weekday >= 3
                then median(ratio) over same_weekday
            end as weekday_ratio
        from ratios
        window
            same_weekday as (
                partition by series_key, isodow(usage_date)
                order by usage_date range between interval 56 days preceding and interval 1 day preceding
            )
    ),

    -- The first and last days of a month are compared with the same days of other months, numbered 1, 2, 3
    -- from the start and -1, -2, -3 from the end.
    month_days as (
        select
            series_key,
            usage_date,
            ratio,
            case
                when day(usage_date) <= 3
                then day(usage_date)
                when day(last_day(usage_date)) - day(usage_date) <= 2
                then day(usage_date) - day(last_day(usage_date)) - 1
            end::integer as month_boundary
        from ratios
        where month_boundary is not null
    ),

    month_ratios as (
        select
            *,
            median(ratio) over (
                partition by series_key, month_boundary
                order by usage_date range between interval 93 days preceding and interval 1 day preceding
            ) as month_ratio
        from month_days
    ),

    readings as (
        select
            weekdays.*,
            month_ratios.month_boundary,
            month_ratios.month_ratio,
            {{
                residual(
                    "weekdays.cost",
                    "weekdays.level * weekdays.weekday_ratio",
                    "weekdays.level",
                    0.01,
                )
            }} as weekday_residual,
            {{
                residual(
                    "weekdays.cost",
                    "weekdays.level * month_ratios.month_ratio",
                    "weekdays.level",
                    0.01,
                )
            }} as month_residual
        from weekdays
        left join month_ratios using (series_key, usage_date)
        where weekdays.usage_date in getvariable('batch_days')
    ),

    -- The smaller of two residuals. The first and last day of a month need another month to compare with.
    judged as (
        select
            *,
            case
                when abs(month_residual) < abs(weekday_residual) then month_ratio else weekday_ratio
            end as expected_ratio,
            coalesce(abs(month_boundary), 0) = 1 and month_ratio is null as is_unknown_boundary
        from readings
    )

select
    series_key,
    usage_date,
    previous_date,
    level,
    recent_level,
    older_level,
    expected_ratio,
    level * expected_ratio as expected_cost,
    case
        when not is_unknown_boundary then {{ residual("cost", "level * expected_ratio", "level", 0.01) }}
    end as residual,
    (recent_level - older_level) / greatest(abs(older_level), 0.01) as drift
from judged
