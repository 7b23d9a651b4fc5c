-- The operations applied: within one stream, period, customer and filter, what came before the last
-- `replace` or `delete` no longer counts; every `sum` after it adds up. Customers are told apart by the ids
-- that were sent: a `replace` under one id of a customer leaves what its other ids used. Then ids become
-- customers.
with
    records as (
        select
            records.*,
            coalesce(records.granularity, streams.granularity) as usage_granularity,
            case
                coalesce(records.granularity, streams.granularity)
                when 'hourly'
                then date_trunc('hour', records.usage_timestamp)
                else date_trunc('day', records.usage_timestamp)
            end as usage_period_start
        from {{ ref("stg_telemetry__usage_records") }} as records
        inner join {{ ref("telemetry_streams") }} as streams using (stream)
    ),

    -- A record sent twice under one record_id counts once: the first one.
    first_sent as (
        select stream, record_id, usage_date, min(position) as position
        from records
        where record_id is not null
        group by stream, record_id, usage_date
    ),

    distinct_records as (
        select records.*
        from records
        left join first_sent using (stream, record_id, usage_date)
        where records.record_id is null or records.position = first_sent.position
    ),

    last_resets as (
        select stream, usage_granularity, usage_period_start, customer_id, filter, max(position) as position
        from distinct_records
        where operation in ('replace', 'delete')
        group by all
    )

select
    records.usage_date,
    records.stream,
    records.usage_granularity,
    records.usage_period_start,
    {{ customer_of("records.customer_id") }} as customer_id,
    records.filter,
    sum(records.value) as usage_quantity,
    count(*) as record_count
from distinct_records as records
left join
    last_resets
    on last_resets.stream = records.stream
    and last_resets.usage_granularity = records.usage_granularity
    and last_resets.usage_period_start = records.usage_period_start
    and last_resets.customer_id = records.customer_id
    and last_resets.filter is not distinct from records.filter
    {{ join_alias("records.customer_id", "records.usage_date") }}
where
    records.operation <> 'delete'
    and (last_resets.position is null or records.position >= last_resets.position)
group by all
