{{ config(materialized="table") }}
-- Runs of consecutive weak alarms in one direction with at least one alarm. Runs that are close together
-- are merged.
with
    hours as (
        select
            'hourly' as test,
            series_key,
            usage_date,
            usage_hour as started_at,
            previous_hour as previous_at,
            level,
            score
        from {{ ref("hourly_scores") }}
        where score is not null
    ),

    points as (
        select *, sign(score) as direction
        from {{ ref("daily_alarms") }}
        union all
        select *, sign(score) as direction
        from ({{ alarms("hours", tail_days=14) }})
    ),

    begun as (
        select
            *,
            case
                when previous_at is not distinct from lag(started_at) over in_order then 0 else 1
            end as begins
        from points
        window in_order as (partition by test, series_key, direction order by started_at)
    ),

    points_in_runs as (
        select
            *,
            sum(begins) over (
                partition by test, series_key, direction order by started_at rows unbounded preceding
            ) as run_number
        from begun
    ),

    rows_of_alarms as (
        select
            test,
            series_key,
            direction,
            min(started_at) as started_at,
            max(started_at) as last_at,
            min(started_at) filter (is_alarm) as first_alarm_at,
            max(abs(score)) as score
        from points_in_runs
        group by test, series_key, direction, run_number
        having bool_or(is_alarm)
    ),

    joined as (
        select
            *,
            case
                when
                    started_at - lag(last_at) over in_order <= case
                        test
                        when 'hourly'
                        then interval 6 hours
                        when 'daily'
                        then interval 3 days
                        else interval 14 days
                    end
                then 0
                else 1
            end as begins
        from rows_of_alarms
        window in_order as (partition by test, series_key, direction order by started_at)
    ),

    joined_numbers as (
        select
            *,
            sum(begins) over (
                partition by test, series_key, direction order by started_at rows unbounded preceding
            ) as run_number
        from joined
    ),

    runs as (
        select
            test,
            series_key,
            direction,
            min(started_at) as started_at,
            max(last_at) as last_at,
            min(first_alarm_at) as first_alarm_at,
            max(score) as score
        from joined_numbers
        group by test, series_key, direction, run_number
    ),

    -- A drift starts before it is detectable: after the last day on which the series was within a tenth of
    -- the way from its former level.
    drift_days as (
        select
            runs.series_key,
            runs.started_at as detected_at,
            runs.direction,
            days.usage_date,
            days.recent_level,
            arg_max(days.older_level, days.usage_date) over run as older_level,
            arg_max(days.recent_level, days.usage_date) over run as detected_level
        from runs
        inner join
            {{ ref("daily_expectations") }} as days
            on days.series_key = runs.series_key
            and days.usage_date between cast(runs.started_at as date) - 28 and cast(runs.started_at as date)
        where runs.test = 'drift'
        window run as (partition by runs.series_key, runs.started_at, runs.direction)
    ),

    drift_starts as (
        select
            series_key,
            detected_at,
            direction,
            any_value(older_level) as older_level,
            min(cast(usage_date as timestamp)) as first_day,
            max(cast(usage_date as timestamp)) filter (
                direction * (recent_level - older_level) <= 0.1 * direction * (detected_level - older_level)
            ) as last_day_before
        from drift_days
        group by all
    )

select
    runs.test,
    runs.series_key,
    runs.direction,
    case
        when runs.test = 'drift'
        then coalesce(drift_starts.last_day_before + interval 1 day, drift_starts.first_day)
        else runs.started_at
    end as started_at,
    runs.last_at,
    runs.last_at + case when runs.test = 'hourly' then interval 1 hour else interval 1 day end as ended_at,
    runs.first_alarm_at as detected_at,
    runs.score,
    drift_starts.older_level
from runs
left join
    drift_starts
    on runs.test = 'drift'
    and drift_starts.series_key = runs.series_key
    and drift_starts.detected_at = runs.started_at
    and drift_starts.direction = runs.direction
