-- A residual is measured against the series' own past residuals.
with
    expectations as (select * from {{ ref("daily_expectations", days_before=28 + 84) }}),

    usual as (
        select
            *,
            case
                when count(residual) over two_months >= 14
                then quantile_cont(abs(residual), [0.5, 0.9]) over two_months
            end as residual_sizes,
            case
                when count(drift) over three_months >= 21 then median(abs(drift)) over three_months
            end as drift_size
        from expectations
        window
            two_months as (
                partition by series_key
                order by usage_date range between interval 56 days preceding and interval 1 day preceding
            ),
            three_months as (
                partition by series_key
                order by usage_date range between interval 84 days preceding and interval 1 day preceding
            )
    ),

    scores as (
        select
            unnest(
                [
                    {'test':'daily', 'score':residual / {{ residual_scale("residual_sizes") }}},
                    -- The medians of seven days and of a month vary by half of a day's noise; smaller
                    -- changes are ignored.
                    {
                        'test':'drift',
                        'score': case
                            when drift_size is not null
                            then
                                drift
                                / greatest(1.4826 * drift_size, 0.55 * {{ residual_scale("residual_sizes") }})
                        end
                    }
                ],
                recursive := true
            ),
            series_key,
            usage_date,
            cast(usage_date as timestamp) as started_at,
            cast(previous_date as timestamp) as previous_at,
            level
        from usual
        where usage_date >= list_min(getvariable('batch_days')) - 28
    ),

    tested as (select * from scores where score is not null)

select *
from ({{ alarms("tested", tail_days=28) }})
where usage_date in getvariable('batch_days')
