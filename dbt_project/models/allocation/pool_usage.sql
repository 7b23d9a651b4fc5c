{%- set longest_lookback = 30 %}
with
    pool_hours as (
        select
            hours.pool_id,
            hours.usage_date,
            hours.usage_hour,
            hours.allocation_rule,
            rules.method,
            rules.stream,
            rules.weight,
            rules.granularity,
            rules.when_no_usage,
            {{ dimension_columns("hours") }}
        from {{ ref("cost_pool_hours") }} as hours
        inner join
            (
                -- A rule is one row per stream or fixed customer; only the streams say which usage.
                select distinct
                    rule_name,
                    method,
                    case when method = 'stream' then stream end as stream,
                    case when method = 'stream' then weight else 1 end as weight,
                    granularity,
                    when_no_usage
                from {{ ref("allocation_rules") }}
                where method in ('stream', 'even', 'fixed')
            ) as rules
            on rules.rule_name = hours.allocation_rule
    ),

    -- Which hours and days have usage at all, and with which filters.
    hours_with_usage as (
        select distinct stream, usage_hour as window_start, filter
        from {{ ref("usage_hourly") }}
        where usage_date in (select usage_date from pool_hours)
    ),

    needed_days as (
        select distinct
            usage_date - cast(unnest(range(0, {{ longest_lookback }} + 1)) as integer) as usage_date
        from pool_hours
    ),

    days_with_usage as (
        select distinct stream, usage_date, filter
        from {{ ref("usage_by_day", days_before=longest_lookback) }}
        where usage_date in (select usage_date from needed_days)
    ),

    -- Usage sent with a filter divides only the pools of the elements that it names.
    filters as (select distinct filter from days_with_usage where filter is not null),

    pools as (select distinct pool_id, {{ dimension_columns() }} from pool_hours),

    pool_filters as (
        select pools.pool_id, list(filters.filter order by filters.filter) as filters
        from pools
        inner join
            filters
            on len(
                list_filter(
                    json_keys(filters.filter),
                    lambda dimension:dimension not in (
                        {%- for name in dimension_names() %}
                            '{{ name }}'{{ ", " if not loop.last }}
                        {% endfor -%}
                    )
                )
            )
            = 0
            {%- for name in dimension_names() %}
                and (
                    not json_exists(filters.filter, '$.{{ name }}')
                    or list_contains(
                        cast(json_extract(filters.filter, '$.{{ name }}') as varchar[]), pools.{{ name }}
                    )
                )
            {%- endfor %}
        group by pools.pool_id
    ),

    questions as (
        select distinct
            pool_hours.usage_date,
            -- A stream that is counted by the day divides each hour by the usage of its day.
            case when pool_hours.granularity = 'hourly' then pool_hours.usage_hour end as usage_hour,
            pool_hours.stream,
            pool_hours.when_no_usage,
            coalesce(pool_filters.filters, []) as filters
        from pool_hours
        left join pool_filters using (pool_id)
        where pool_hours.method = 'stream'
    ),

    -- The hour (or day) itself first, then the windows of `when_no_usage` in their order.
    candidates as (
        select
            questions.*,
            unnest(
                list_prepend(
                    case when usage_hour is null then 'day' else 'hour' end,
                    case
                        when list_position(when_no_usage, 'unallocated') > 0
                        then list_slice(when_no_usage, 1, list_position(when_no_usage, 'unallocated') - 1)
                        else when_no_usage
                    end
                )
            ) as usage_window,
            generate_subscripts(
                list_prepend(
                    'itself',
                    case
                        when list_position(when_no_usage, 'unallocated') > 0
                        then list_slice(when_no_usage, 1, list_position(when_no_usage, 'unallocated') - 1)
                        else when_no_usage
                    end
                ),
                1
            ) as preference
        from questions
    ),

    windows as (
        select
            *,
            case
                usage_window
                when 'hour'
                then usage_hour
                when 'trailing_7_days'
                then cast(usage_date - 7 as timestamp)
                when 'trailing_30_days'
                then cast(usage_date - 30 as timestamp)
                else cast(usage_date as timestamp)
            end as window_start,
            case
                when usage_window like 'trailing%' then usage_date - 1 else usage_date
            end as window_last_date,
            case
                usage_window when 'trailing_7_days' then 7 when 'trailing_30_days' then 30 else 0
            end as lookback_days
        from candidates
    ),

    with_usage as (
        select windows.*
        from windows
        inner join
            hours_with_usage
            on hours_with_usage.stream = windows.stream
            and hours_with_usage.window_start = windows.window_start
        where
            windows.usage_window = 'hour'
            and (hours_with_usage.filter is null or list_contains(windows.filters, hours_with_usage.filter))
        union
        select windows.*
        from windows
        inner join
            days_with_usage
            on days_with_usage.stream = windows.stream
            and days_with_usage.usage_date
            between cast(windows.window_start as date) and windows.window_last_date
        where
            windows.usage_window <> 'hour'
            and (days_with_usage.filter is null or list_contains(windows.filters, days_with_usage.filter))
    ),

    answers as (
        select *
        from with_usage
        qualify
            row_number() over (
                partition by usage_date, usage_hour, stream, when_no_usage, filters order by preference
            )
            = 1
    ),

    -- How far back it was looked, found or not: late usage in those days changes this day.
    looked_back as (
        select
            windows.usage_date,
            windows.usage_hour,
            windows.stream,
            windows.when_no_usage,
            windows.filters,
            max(windows.lookback_days) as lookback_days
        from windows
        left join
            answers
            on answers.usage_date = windows.usage_date
            and answers.usage_hour is not distinct from windows.usage_hour
            and answers.stream = windows.stream
            and answers.when_no_usage = windows.when_no_usage
            and answers.filters = windows.filters
        where answers.preference is null or windows.preference <= answers.preference
        group by all
    ),

    divided as (
        select
            pool_hours.pool_id,
            pool_hours.usage_date,
            pool_hours.usage_hour,
            pool_hours.allocation_rule,
            pool_hours.method,
            pool_hours.stream,
            pool_hours.weight,
            coalesce(pool_filters.filters, []) as filters,
            case
                when pool_hours.method = 'stream'
                then answers.usage_window
                when pool_hours.method = 'fixed'
                then 'fixed shares'
                -- Evenly among the customers that used anything on the day: there may be none.
                when pool_hours.usage_date in (select usage_date from days_with_usage)
                then 'active customers of the day'
            end as usage_window,
            coalesce(answers.window_start, cast(pool_hours.usage_date as timestamp)) as window_start,
            coalesce(answers.window_last_date, pool_hours.usage_date) as window_last_date,
            coalesce(looked_back.lookback_days, 0) as lookback_days
        from pool_hours
        left join pool_filters using (pool_id)
        left join
            answers
            on answers.usage_date = pool_hours.usage_date
            and answers.usage_hour
            is not distinct from case when pool_hours.granularity = 'hourly' then pool_hours.usage_hour end
            and answers.stream = pool_hours.stream
            and answers.when_no_usage = pool_hours.when_no_usage
            and answers.filters = coalesce(pool_filters.filters, [])
        left join
            looked_back
            on looked_back.usage_date = pool_hours.usage_date
            and looked_back.usage_hour
            is not distinct from case when pool_hours.granularity = 'hourly' then pool_hours.usage_hour end
            and looked_back.stream = pool_hours.stream
            and looked_back.when_no_usage = pool_hours.when_no_usage
            and looked_back.filters = coalesce(pool_filters.filters, [])
    ),

    -- The part of the cost that each stream of the rule divides: cost × weight, cut at the last digit; the
    -- stream that
    -- weighs most takes the rest.
    weighted as (
        select
            divided.*,
            {%- for column in cost_columns() + ["share"] %}
                {{ money_units("hours." ~ column) }} as {{ column }}_units,
                {{
                    whole_quotient(
                        money_units("hours." ~ column) ~ " * cast(divided.weight * 1000000 as hugeint)",
                        1000000,
                    )
                }} as {{ column }}_cut,
            {%- endfor %}
            row_number() over (
                partition by divided.pool_id, divided.usage_hour order by divided.weight desc, divided.stream
            )
            = 1 as takes_the_rest
        from divided
        inner join
            {{ ref("cost_pool_hours") }} as hours
            on hours.pool_id = divided.pool_id
            and hours.usage_date = divided.usage_date
            and hours.usage_hour is not distinct from divided.usage_hour
    )

select
    pool_id,
    usage_date,
    usage_hour,
    allocation_rule,
    method,
    stream,
    filters,
    usage_window,
    window_start,
    window_last_date,
    lookback_days,
    weight,
    takes_the_rest,
    {%- for column in cost_columns() + ["share"] %}
        {{
            money(
                column
                ~ "_cut + case when takes_the_rest then "
                ~ column
                ~ "_units - sum("
                ~ column
                ~ "_cut) over (partition by pool_id, usage_hour) else 0 end"
            )
        }} as {{ column }},
    {%- endfor %}
    case
        when usage_window is not null
        then
            cast(strftime(usage_date, '%Y%m%d') as bigint) * 1000000000 + dense_rank() over (
                partition by usage_date
                order by
                    method,
                    stream,
                    usage_window,
                    window_start,
                    filters,
                    case when method = 'fixed' then allocation_rule end
            )
    end as usage_set_id
from weighted
