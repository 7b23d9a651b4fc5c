-- Applies the operations: within a stream, period, customer and filter, the last `replace` or `delete`
-- cancels everything before it; every `sum` after it is added. Records are matched by customer id as sent:
-- a `replace` under one id does not touch the customer's other ids. Then aliases are resolved.
with
    records as (
        select
            usage_date,
            stream,
            stream_granularity,
            usage_granularity,
            usage_period_start,
            customer_id,
            filter,
            operation,
            value,
            position
        from ({{ judged_usage() }})
        where reason is null and not is_repeat
    ),

    -- Daily usage in an hourly stream is spread evenly over the day's hours, also next to hourly usage.
    in_hours as (
        select distinct usage_date, stream, customer_id, filter
        from records
        where usage_granularity = 'hourly' and stream_granularity = 'daily'
    ),

    hours_of_days as (
        select
            records.*,
            unnest(range(24)) as hour,
            cast(replace(cast(records.value as varchar), '.', '') as hugeint) as units
        from records
        left join
            in_hours
            on in_hours.usage_date = records.usage_date
            and in_hours.stream = records.stream
            and in_hours.customer_id = records.customer_id
            and in_hours.filter is not distinct from records.filter
        where
            records.usage_granularity = 'daily'
            and (records.stream_granularity = 'hourly' or in_hours.stream is not null)
    ),

    timeline as (
        select * exclude (usage_granularity)
        from records
        where
            usage_granularity = 'hourly'
            or (
                stream_granularity = 'daily'
                and not exists (
                    select 1
                    from in_hours
                    where
                        in_hours.usage_date = records.usage_date
                        and in_hours.stream = records.stream
                        and in_hours.customer_id = records.customer_id
                        and in_hours.filter is not distinct from records.filter
                )
            )
        union all by name
        select
            * exclude (usage_granularity, hour, units) replace (
                usage_period_start + to_hours(hour) as usage_period_start,
                -- Differences of truncated cumulative values, so the hours sum to the day.
                cast(
                    cast(divide(units * (hour + 1), 24) - divide(units * hour, 24) as decimal(38, 0))
                    * 0.000000001 as decimal(38, 9)
                ) as value
            )
        from hours_of_days
    ),

    last_resets as (
        select usage_date, stream, usage_period_start, customer_id, filter, max(position) as position
        from timeline
        where operation in ('replace', 'delete')
        group by all
    )

select
    timeline.usage_date,
    timeline.stream,
    timeline.stream_granularity as usage_granularity,
    case
        timeline.stream_granularity
        when 'hourly'
        then timeline.usage_period_start
        else cast(timeline.usage_date as timestamp)
    end as usage_period_start,
    coalesce(aliases.customer_id, timeline.customer_id) as customer_id,
    timeline.filter,
    sum(timeline.value) as usage_quantity
from timeline
left join
    last_resets
    on last_resets.usage_date = timeline.usage_date
    and last_resets.stream = timeline.stream
    and last_resets.usage_period_start = timeline.usage_period_start
    and last_resets.customer_id = timeline.customer_id
    and last_resets.filter is not distinct from timeline.filter
    {{ join_alias("timeline.customer_id", "timeline.usage_date") }}
where
    timeline.operation <> 'delete'
    and (last_resets.position is null or timeline.position >= last_resets.position)
group by all
-- After `replace` by 0 there is nothing to divide by.
having sum(timeline.value) > 0
