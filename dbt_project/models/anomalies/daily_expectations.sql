-- Each day is judged only by previous days, so its expectation does not change when more days arrive.
with
    ratios as (select *, cost / nullif(level, 0) as ratio from {{ ref("daily_levels", days_before=93) }}),

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
        -- Other weekdays than those of the batch are not compared with.
        where
            usage_date >= list_min(getvariable('batch_days')) - 56
            and isodow(usage_date) in list_transform(getvariable('batch_days'), lambda day:isodow(day))
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
