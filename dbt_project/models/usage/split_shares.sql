with
    splits as (
        select
            split_id,
            dimension,
            stream,
            when_no_usage,
            list(distinct element) filter (element is not null) as elements
        from {{ ref("split_rules") }}
        where method = 'stream'
        group by all
    ),

    by_filter as (
        select usage_date, stream, filter, json_keys(filter)[1] as dimension, sum(usage_quantity) as quantity
        from {{ ref("usage_by_day", days_before=30) }}
        where filter is not null and stream in (select stream from splits) and len(json_keys(filter)) = 1
        group by all
    ),

    -- Only usage for exactly one element decides a split; usage for several elements, or other dimensions
    -- as well, may not belong to the charge.
    by_element as (
        select
            usage_date,
            stream,
            dimension,
            json_extract_string(filter, '$.' || dimension || '[0]') as element,
            quantity
        from by_filter
        where json_array_length(filter, '$.' || dimension) = 1
    ),

    usage_of_splits as (
        select
            by_element.usage_date, splits.split_id, by_element.element, sum(by_element.quantity) as quantity
        from by_element
        inner join splits using (stream, dimension)
        where splits.elements is null or list_contains(splits.elements, by_element.element)
        group by all
    ),

    -- The day itself first, then the windows of `when_no_usage` in order.
    candidates as (
        select
            changed_days.usage_date,
            splits.split_id,
            unnest(list_prepend('day', splits.when_no_usage)) as usage_window,
            generate_subscripts(list_prepend('day', splits.when_no_usage), 1) as preference
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

    usage_in_windows as (
        select
            windows.usage_date,
            windows.split_id,
            windows.usage_window,
            windows.preference,
            usage_of_splits.element,
            cast(sum(usage_of_splits.quantity) * 1000000000 as hugeint) as quantity
        from windows
        inner join
            usage_of_splits
            on usage_of_splits.split_id = windows.split_id
            and usage_of_splits.usage_date
            between windows.usage_date - windows.lookback_days and windows.window_last_date
        group by all
    ),

    -- The first window with usage.
    element_usage as (
        select *
        from usage_in_windows
        qualify preference = min(preference) over (partition by usage_date, split_id)
    ),

    shares as ({{ shares_of_quantities("element_usage", ["usage_date", "split_id"], "element") }}),

    answers as (select distinct usage_date, split_id, usage_window, preference from element_usage),

    -- Days searched, successfully or not: late usage on any of them changes this day.
    looked_back as (
        select
            windows.usage_date,
            windows.split_id,
            max(answers.usage_window) as usage_window,
            max(windows.lookback_days) as lookback_days
        from windows
        left join answers using (usage_date, split_id)
        where answers.preference is null or windows.preference <= answers.preference
        group by all
    )

select
    looked_back.usage_date,
    looked_back.split_id,
    case
        when shares.element is not null
        then
            cast(
                row_number() over (
                    partition by looked_back.usage_date, looked_back.split_id order by shares.element
                ) as integer
            )
    end as part,
    shares.element,
    cast(cast(shares.quantity as decimal(38, 0)) * 0.000000001 as decimal(38, 9)) as usage_quantity,
    cast(cast(shares.total as decimal(38, 0)) * 0.000000001 as decimal(38, 9)) as total_usage,
    looked_back.usage_window,
    looked_back.lookback_days,
    shares.share
from looked_back
left join shares using (usage_date, split_id)
