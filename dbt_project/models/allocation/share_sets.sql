with
    -- The others have one member, or are divided by other costs.
    pool_sets as (
        select *
        from {{ ref("pool_share_sets") }}
        where allocation_kind not in ('direct', 'overhead', 'unallocated')
    ),

    sets as (
        select share_set_id, day_set_id, usage_date, usage_hour, allocation_kind, allocation_rule, filters
        from pool_sets
        union
        -- The whole day's set is always built for a minimum share.
        select
            day_set_id,
            day_set_id,
            usage_date,
            cast(null as timestamp),
            allocation_kind,
            allocation_rule,
            filters
        from pool_sets
        where day_set_id is not null
    ),

    -- Rules have one row per stream or fixed customer; only streams have usage.
    streams as (
        select
            rule_name as allocation_rule,
            stream,
            weight,
            granularity,
            list_prepend(
                'itself',
                case
                    when list_position(when_no_usage, 'unallocated') > 0
                    then list_slice(when_no_usage, 1, list_position(when_no_usage, 'unallocated') - 1)
                    else when_no_usage
                end
            ) as usage_windows
        from {{ ref("allocation_rules") }}
        where method = 'stream'
    ),

    questions as (
        select
            sets.*,
            streams.stream,
            streams.weight,
            streams.usage_windows,
            -- A daily stream divides every hour by the day's usage.
            case when streams.granularity = 'hourly' then sets.usage_hour end as stream_hour
        from sets
        inner join streams using (allocation_rule)
    ),

    -- The hour (or day) itself first, then the windows of `when_no_usage` in order.
    candidates as (
        select
            share_set_id,
            stream,
            usage_date,
            stream_hour,
            filters,
            unnest(usage_windows) as usage_window,
            generate_subscripts(usage_windows, 1) as preference
        from questions
    ),

    windows as (
        select
            * replace (
                case
                    when usage_window <> 'itself'
                    then usage_window
                    when stream_hour is null
                    then 'day'
                    else 'hour'
                end as usage_window
            ),
            case
                usage_window when 'trailing_7_days' then 7 when 'trailing_30_days' then 30 else 0
            end as lookback_days,
            usage_date - lookback_days as window_first_date,
            case when lookback_days > 0 then usage_date - 1 else usage_date end as window_last_date
        from candidates
    ),

    hours_with_usage as (
        select distinct stream, usage_period_start as usage_hour, filter
        from {{ ref("usage_by_period") }}
        where usage_granularity = 'hourly'
    ),

    days_with_usage as (
        select distinct stream, usage_date, filter from {{ ref("usage_by_day", days_before=30) }}
    ),

    windows_with_usage as (
        select windows.share_set_id, windows.stream, windows.preference
        from windows
        inner join
            hours_with_usage as usage
            on usage.stream = windows.stream
            and usage.usage_hour = windows.stream_hour
        where windows.usage_window = 'hour' and {{ filter_is_of_set("usage.filter", "windows.filters") }}
        union all
        select windows.share_set_id, windows.stream, windows.preference
        from windows
        inner join
            days_with_usage as usage
            on usage.stream = windows.stream
            and usage.usage_date between windows.window_first_date and windows.window_last_date
        where windows.usage_window <> 'hour' and {{ filter_is_of_set("usage.filter", "windows.filters") }}
    ),

    answers as (
        select
            windows.share_set_id,
            windows.stream,
            windows.usage_window,
            windows.window_first_date,
            windows.window_last_date,
            first_with_usage.preference
        from windows
        inner join
            (
                select share_set_id, stream, min(preference) as preference
                from windows_with_usage
                group by all
            ) as first_with_usage using (share_set_id, stream, preference)
    ),

    -- Days searched, successfully or not: late usage on any of them changes this day.
    looked_back as (
        select windows.share_set_id, windows.stream, max(windows.lookback_days) as lookback_days
        from windows
        left join answers using (share_set_id, stream)
        where answers.preference is null or windows.preference <= answers.preference
        group by all
    )

select
    sets.share_set_id,
    sets.day_set_id,
    sets.usage_date,
    sets.usage_hour,
    sets.allocation_kind,
    sets.allocation_rule,
    sets.filters,
    questions.stream,
    coalesce(questions.weight, 1) as weight,
    questions.stream_hour,
    answers.usage_window,
    answers.window_first_date,
    answers.window_last_date,
    coalesce(looked_back.lookback_days, 0) as lookback_days
from sets
left join questions using (share_set_id)
left join answers using (share_set_id, stream)
left join looked_back using (share_set_id, stream)
