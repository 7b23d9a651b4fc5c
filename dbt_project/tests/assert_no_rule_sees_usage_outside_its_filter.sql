{{ config(meta={"dagster": {"ref": {"name": "shares"}}}) }}
-- Law: a rule never sees usage outside its pool's filter. A pool is divided by exactly the usage in its
-- window that has no filter, or one that names the pool's own element in each of its dimensions. The
-- matching filters are derived here independently, from the pools' elements.
with
    parts as (
        select distinct
            sets.share_set_id,
            [{{ dimension_columns("pools") }}] as elements,
            share_sets.stream,
            case when share_sets.usage_window = 'hour' then share_sets.stream_hour end as usage_hour,
            share_sets.window_first_date as first_day,
            share_sets.window_last_date as last_day
        from {{ ref("share_sets") }} as share_sets
        inner join {{ ref("pool_share_sets") }} as sets using (usage_date, share_set_id)
        inner join {{ ref("cost_pools") }} as pools using (usage_date, pool_id)
        where share_sets.weight = 1 and share_sets.stream is not null and share_sets.usage_window is not null
    ),

    -- Pools with the same elements see the same usage, so few windows cover many pools.
    windows as (select distinct elements, stream, usage_hour, first_day, last_day from parts),

    days_of_windows as (
        select
            *, cast(unnest(range(first_day, last_day + interval 1 day, interval 1 day)) as date) as usage_date
        from windows
    ),

    by_period as (
        select
            usage_date,
            stream,
            case when usage_granularity = 'hourly' then usage_period_start end as usage_hour,
            filter,
            sum(usage_quantity) as usage_quantity
        from {{ ref("usage_by_period", days_before=30) }}
        where usage_date in (select usage_date from days_of_windows)
        group by all
    ),

    by_hour_or_day as (
        select usage_date, stream, usage_hour, filter, usage_quantity
        from by_period
        where usage_hour is not null
        union all
        select usage_date, stream, null, filter, sum(usage_quantity)
        from by_period
        group by all
    ),

    named_elements as (
        select filters.filter, named.key as dimension, unnest(cast(named.value as varchar[])) as element
        from (select distinct filter from by_period where filter is not null) as filters
        cross join json_each(filters.filter) as named
    ),

    own_elements as (
        select
            elements,
            unnest(['{{ dimension_names() | join("', '") }}']) as dimension,
            unnest(elements) as element
        from (select distinct elements from windows)
    ),

    own_filters as (
        select own_elements.elements, named_elements.filter
        from own_elements
        inner join named_elements using (dimension, element)
        group by all
        having count(distinct named_elements.dimension) = len(json_keys(named_elements.filter))
    ),

    own_usage as (
        select
            windows.elements,
            windows.stream,
            windows.usage_hour,
            windows.first_day,
            windows.last_day,
            sum(usage.usage_quantity) as usage_quantity
        from days_of_windows as windows
        inner join
            by_hour_or_day as usage
            on usage.usage_date = windows.usage_date
            and usage.stream = windows.stream
            and usage.usage_hour is not distinct from windows.usage_hour
        left join own_filters on own_filters.elements = windows.elements and own_filters.filter = usage.filter
        where usage.filter is null or own_filters.filter is not null
        group by all
    ),

    divided_by as (
        select share_set_id, any_value(total_usage) as usage_quantity
        from {{ ref("shares") }}
        group by share_set_id
    )

select parts.*, own_usage.usage_quantity as own_usage, divided_by.usage_quantity as divided_by
from parts
left join
    own_usage
    on own_usage.elements = parts.elements
    and own_usage.stream = parts.stream
    and own_usage.usage_hour is not distinct from parts.usage_hour
    and own_usage.first_day = parts.first_day
    and own_usage.last_day = parts.last_day
left join divided_by using (share_set_id)
where own_usage.usage_quantity is distinct from divided_by.usage_quantity
