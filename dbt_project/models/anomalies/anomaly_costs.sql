{{ config(materialized="table") }}
-- Actual and expected cost of each anomaly. A drift is measured against the level it left.
with
    -- The newest day of a month that still runs may not have all its costs: it is not judged.
    complete as (
        select
            billed_through
            - case when last_day(billed_through) >= {{ run_day() }} then 1 else 0 end as last_day
        from {{ ref("billed_through") }}
    ),

    runs as (
        select
            * exclude (ended_at),
            least(ended_at, cast(complete.last_day + 1 as timestamp)) as ended_at,
            complete.last_day
        from {{ ref("anomaly_runs") }}
        cross join complete
        where detected_at < complete.last_day + 1
    ),

    series as (
        select distinct series_key, {{ series_columns() }}
        from {{ ref("anomaly_series_daily") }}
        where series_key in (select series_key from {{ ref("anomaly_runs") }})
    ),

    -- Usage of the streams whose unit cost is judged, in millions: unit cost × usage is money again.
    stream_usage as (
        select
            series.series_key,
            daily.usage_date,
            cast(sum(daily.usage_quantity) as double) / 1000000 as millions
        from series
        inner join {{ ref("usage_by_day") }} as daily on daily.stream = series.element
        where series.series_kind = 'unit_cost'
        group by all
    ),

    points as (
        select
            runs.test,
            runs.series_key,
            runs.direction,
            runs.started_at,
            case
                when millions is null
                then coalesce(daily.effective_cost, 0)
                else cast(cast(daily.effective_cost as double) * millions as decimal(38, 12))
            end as effective_cost,
            case
                when runs.test = 'drift'
                then scores.expected_cost * runs.older_level / nullif(scores.level, 0)
                else scores.expected_cost
            end
            * coalesce(millions, 1) as expected_cost
        from runs
        inner join
            {{ ref("daily_expectations") }} as scores
            on scores.series_key = runs.series_key
            and scores.usage_date between cast(runs.started_at as date) and cast(runs.last_at as date)
            and scores.usage_date <= runs.last_day
        -- A vanished cost has expectations and no rows.
        left join
            {{ ref("anomaly_series_daily") }} as daily
            on daily.series_key = scores.series_key
            and daily.usage_date = scores.usage_date
        left join
            stream_usage
            on stream_usage.series_key = scores.series_key
            and stream_usage.usage_date = scores.usage_date
        where runs.test <> 'hourly'
        union all
        select
            runs.test,
            runs.series_key,
            runs.direction,
            runs.started_at,
            hourly.effective_cost,
            scores.expected_cost
        from runs
        inner join
            {{ ref("anomaly_series_hourly") }} as hourly
            on hourly.series_key = runs.series_key
            and hourly.usage_hour between runs.started_at and runs.last_at
            and hourly.usage_date <= runs.last_day
        inner join
            {{ ref("hourly_scores") }} as scores
            on scores.series_key = hourly.series_key
            and scores.usage_hour = hourly.usage_hour
        where runs.test = 'hourly'
    ),

    sums as (
        select
            test,
            series_key,
            direction,
            started_at,
            sum(effective_cost) as actual_cost,
            -- Without an expectation, expected = actual.
            cast(
                sum(coalesce(cast(expected_cost as decimal(38, 12)), effective_cost)) as decimal(38, 12)
            ) as expected_cost
        from points
        group by all
    ),

    newest as (
        select series_key, cast(max(usage_date) as timestamp) as last_day
        from {{ ref("daily_expectations") }}
        where series_key in (select series_key from series)
        group by all
    )

select
    substr(
        md5(
            concat_ws(
                '|',
                runs.test,
                {%- for column in series_columns("series").split(", ") %}
                    coalesce({{ column }}, ''),
                {%- endfor %}
                strftime(runs.started_at, '%Y-%m-%dT%H')
            )
        ),
        1,
        16
    ) as anomaly_id,
    runs.test,
    case when runs.test = 'hourly' then 'hourly' else 'daily' end as granularity,
    {{ series_columns("series") }},
    runs.series_key,
    runs.direction,
    runs.started_at,
    runs.ended_at,
    runs.detected_at,
    runs.ended_at > least(newest.last_day, cast(runs.last_day as timestamp)) as is_ongoing,
    runs.score,
    runs.older_level,
    sums.expected_cost,
    cast(sums.actual_cost as decimal(38, 12)) as actual_cost,
    cast(sums.actual_cost - sums.expected_cost as decimal(38, 12)) as cost_impact,
    -- Compared periods for finding drivers: the same time in the four previous weeks (twice as many for
    -- anomalies longer than a week). The first window is the anomaly itself.
    7 * divide(date_diff('hour', runs.started_at, runs.ended_at) + 167, 168) as step_days,
    list_transform(
        range(5),
        lambda weeks_before: {
            'is_anomaly':weeks_before = 0,
            'weeks_before':weeks_before,
            'window_start':runs.started_at - to_days(cast(weeks_before * step_days as integer)),
            'window_end':runs.ended_at - to_days(cast(weeks_before * step_days as integer))
        }
    ) as windows
from runs
inner join sums using (test, series_key, direction, started_at)
inner join series using (series_key)
inner join newest using (series_key)
-- Drop runs whose net impact is zero or opposite; a lower unit cost needs no alarm.
where
    runs.direction * (sums.actual_cost - sums.expected_cost) > 0
    and (series.series_kind <> 'unit_cost' or runs.direction > 0)
