-- Expected cost of an hour: the day's expected cost × the hour's usual part of a day. The first and last
-- day of a month are monitored by day only: their hourly pattern occurs once a month.
with
    costs as (
        select
            hourly.series_key,
            hourly.usage_date,
            hourly.usage_hour,
            hourly.effective_cost,
            cast(hourly.effective_cost as double) as cost,
            daily.level,
            daily.expected_cost as expected_of_day,
            isodow(hourly.usage_date) >= 6 as is_weekend,
            day(hourly.usage_date) = 1 or hourly.usage_date = last_day(hourly.usage_date) as is_month_boundary
        from {{ ref("anomaly_series_hourly") }} as hourly
        inner join {{ ref("daily_expectations") }} as daily using (series_key, usage_date)
    ),

    parts as (
        select
            *,
            lag(usage_hour) over (partition by series_key order by usage_hour) as previous_hour,
            -- Summed as decimals: a sum of doubles depends on row order.
            cost / nullif(
                cast(sum(effective_cost) over (partition by series_key, usage_date) as double), 0
            ) as part_of_day
        from costs
    ),

    hour_parts as (
        select
            *,
            case
                when count(part_of_day) over same_hour >= 4 then median(part_of_day) over same_hour
            end as hour_part,
            -- Weekly events at the same hour.
            case
                when count(part_of_day) over same_hour_of_week >= 3
                then median(part_of_day) over same_hour_of_week
            end as week_part
        from parts
        window
            same_hour as (
                partition by series_key, is_weekend, hour(usage_hour)
                order by usage_date range between interval 28 days preceding and interval 1 day preceding
            ),
            same_hour_of_week as (
                partition by series_key, isodow(usage_date), hour(usage_hour)
                order by usage_date range between interval 42 days preceding and interval 1 day preceding
            )
    ),

    readings as (
        select
            *,
            {{ residual("cost", "expected_of_day * hour_part", "level / 24", 0.0005) }} as hour_residual,
            {{ residual("cost", "expected_of_day * week_part", "level / 24", 0.0005) }} as week_residual
        from hour_parts
    ),

    judged as (
        select
            *,
            expected_of_day * case
                when abs(week_residual) < abs(hour_residual) then week_part else hour_part
            end as expected_cost
        from readings
    ),

    residuals as (
        select
            *,
            case
                when is_month_boundary is not true
                then {{ residual("cost", "expected_cost", "level / 24", 0.0005) }}
            end as residual
        from judged
    ),

    days as (
        select series_key, usage_date, quantile_cont(abs(residual), [0.5, 0.9]) as residual_sizes
        from residuals
        group by all
    ),

    -- Hours of an unusual day are all unusual: require at least ten days, and their own spread.
    usual as (
        select
            series_key,
            usage_date,
            case
                when count(residual_sizes) over four_weeks >= 10
                then
                    [
                        median(residual_sizes[1]) over four_weeks,
                        greatest(
                            median(residual_sizes[2]) over four_weeks,
                            quantile_cont(residual_sizes[1], 0.9) over four_weeks
                        )
                    ]
            end as residual_sizes
        from days
        window
            four_weeks as (
                partition by series_key
                order by usage_date range between interval 28 days preceding and interval 1 day preceding
            )
    )

select
    residuals.series_key,
    residuals.usage_date,
    residuals.usage_hour,
    residuals.previous_hour,
    residuals.level,
    residuals.expected_cost,
    residuals.residual / {{ residual_scale("usual.residual_sizes") }} as score
from residuals
inner join usual using (series_key, usage_date)
