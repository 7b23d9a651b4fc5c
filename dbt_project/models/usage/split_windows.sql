-- The day itself first, then the windows of `when_no_usage` in their order.
with
    splits as (
        select distinct split_id, list_prepend('day', when_no_usage) as usage_windows
        from {{ ref("split_rules") }}
        where method = 'stream'
    ),

    candidates as (
        select
            changed_days.usage_date,
            splits.split_id,
            unnest(splits.usage_windows) as usage_window,
            generate_subscripts(splits.usage_windows, 1) as preference
        from {{ ref("changed_days") }} as changed_days
        cross join splits
    ),

    windows as (
        select
            *,
            case
                usage_window when 'trailing_7_days' then 7 when 'trailing_30_days' then 30 else 0
            end as lookback_days,
            case
                when usage_window like 'trailing%' then usage_date - 1 else usage_date
            end as window_last_date
        from candidates
    ),

    answers as (
        select windows.usage_date, windows.split_id, min(windows.preference) as preference
        from windows
        inner join
            {{ ref("split_usage", days_before=30) }} as split_usage
            on split_usage.split_id = windows.split_id
            and split_usage.usage_date
            between windows.usage_date - windows.lookback_days and windows.window_last_date
        group by all
    )

select
    windows.usage_date,
    windows.split_id,
    max(windows.usage_window) filter (windows.preference = answers.preference) as usage_window,
    max(windows.usage_date - windows.lookback_days) filter (
        windows.preference = answers.preference
    ) as window_first_date,
    max(windows.window_last_date) filter (windows.preference = answers.preference) as window_last_date,
    -- How far back it was looked, found or not: late usage in those days changes this day.
    max(windows.lookback_days) filter (
        answers.preference is null or windows.preference <= answers.preference
    ) as lookback_days
from windows
left join answers using (usage_date, split_id)
group by windows.usage_date, windows.split_id
